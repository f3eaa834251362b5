"""Layer 3: what expressions read exists, and exists by then."""

from typing import Any

import pytest
from weft_language import validate

from tests.language.build import codes, document, edge, node, only

FORK = [edge("fork", "left", "true"), edge("fork", "right", "false"), edge("left", "last"), edge("right", "last")]


def forked(text: str, **more: Any) -> dict[str, Any]:
    """fork → left | right → last, where `last` holds the text."""
    nodes = (node("fork", "if", when="input.x"), node("left", "transform", expression="1"), node("right", "set", r=1))
    return document(*nodes, node("last", "publish", type="t", data=text), edges=FORK, **more)


@pytest.mark.parametrize(
    ("text", "code", "severity"),
    [
        ("{{ step.fork.output }}", None, None),
        ("{{ step.left.output }}", "step_may_not_have_run", "warning"),
        ("{{ default(step.left.output, 0) }}", None, None),
        ("{{ has(step.left.output) ? step.left.output : 0 }}", None, None),
        ("{{ step.last.output }}", "step_never_before", "error"),
        ("{{ step.lft.output }}", "unknown_step", "error"),
        ("{{ default(step.lft.output, 0) }}", "unknown_step", "error"),
        ("{{ step.fork.outptu }}", "unknown_path", "error"),
        ("{{ step.fork.id }}", "unknown_path", "error"),
        ("{{ vars.r }}", "variable_may_be_unset", "warning"),
        ("{{ vars.zz }}", "unknown_variable", "error"),
        ("{{ default(vars.zz, 0) }}", None, None),
        ("{{ inputs.x }}", "unknown_name", "error"),
        ("{{ amount }}", "unknown_name", "error"),
        ("{{ signal.user }}", "unknown_name", "error"),
        ("{{ item }}", "unknown_name", "error"),
        ("{{ tenant.name }}", "unknown_path", "error"),
        ("{{ trigger.data }}", "unknown_path", "error"),
        ("{{ execution.id }} {{ now }} {{ trigger.payload.anything.at.all }}", None, None),
        ("{{ input.( }}", "expression_syntax", "error"),
        ("{{ nosuch(1) }}", "expression_function", "error"),
        ("{{ 'a' + " + "'b' + " * 1000 + "'c' }}", "expression_limit", "error"),
        ("{{ input.a / input.b }}", "integer_division", "info"),
        ("{{ input.a / 2.0 }}", None, None),
        ("{{ [1, 2].map(item, item * 2) }}", None, None),
        ("no template", None, None),
    ],
)
def test_what_a_template_reads_is_judged(text: str, code: str | None, severity: str | None) -> None:
    found = [(finding.code, finding.severity, finding.pointer, finding.node) for finding in validate(forked(text))]
    assert found == ([] if code is None else [(code, severity, "/nodes/3/with/data", "last")])


def test_a_syntax_error_says_line_and_column() -> None:
    finding = only(document(node("a", "if", when="input.x >\n  )")), "expression_syntax")
    assert finding.pointer == "/nodes/0/with/when"
    assert "line 2" in finding.message


def test_proposals_name_what_was_probably_meant() -> None:
    assert only(forked("{{ inputs.x }}"), "unknown_name").fix == "did you mean `input`?"
    assert only(forked("{{ step.lft.output }}"), "unknown_step").fix == "did you mean `step.left`?"
    assert only(forked("{{ vars.cuont }}", vars={"count": 1}), "unknown_variable").fix == "did you mean `vars.count`?"
    assert only(forked("{{ tenant.teir }}"), "unknown_path").fix == "did you mean `tenant.tier`?"
    assert "step.left.output.total" in (only(forked("{{ step.left.total }}"), "unknown_path").fix or "")


def test_braces_around_an_expression_are_taken_off() -> None:
    finding = only(document(node("a", "if", when="{{ input.x }}")), "template_in_expression")
    assert finding.patch == ({"op": "replace", "path": "/nodes/0/with/when", "value": "input.x"},)


def test_a_template_where_none_is_read_is_told() -> None:
    made = document({**node("a", "set", x=1), "name": "for {{ input.x }}"})
    assert codes(made) == [("template_not_rendered", "/nodes/0/name")]


def test_the_input_schema_is_what_input_may_read() -> None:
    schema = {"type": "object", "properties": {"amount": {"type": "number"}}}
    made = document(node("a", "if", when="input.amonut > 1"), input=schema)
    assert [(finding.code, finding.severity, finding.fix) for finding in validate(made)] == [
        ("unknown_input", "warning", "did you mean `input.amount`?")
    ]
    closed = document(node("a", "if", when="input.amonut > 1"), input={**schema, "additionalProperties": False})
    assert codes(closed, "error") == [("unknown_input", "/nodes/0/with/when")]


def test_an_error_edge_means_that_the_step_has_run() -> None:
    made = document(
        node("call", "http.request", url="https://x.y"),
        node("undo", "publish", type="t", data="{{ step.call.error.code }}"),
        edges=[edge("call", "undo", "error")],
    )
    assert codes(made) == []


def test_a_guard_reads_the_node_it_leaves_and_a_state_gives_the_signal() -> None:
    state = node("s", "state", signals={"go": {}})
    made = document(state, node("e", "end"), edges=[edge("s", "e", "go", when="signal.user == 'a' && step.s.outcome == 'go'")])
    assert codes(made) == []
    plain = document(node("a", "set", x=1), node("e", "end"), edges=[edge("a", "e", when="signal.user == 'a'")])
    assert codes(plain, "error") == [("unknown_name", "/edges/0/when")]


def test_steps_of_a_group_have_run_when_every_way_through_it_runs_them() -> None:
    straight = node("g", "group", nodes=[node("one", "transform", expression="1")])
    made = document(straight, node("p", "publish", type="t", data="{{ step.one.output }}{{ step.g.output }}"))
    assert codes(made) == []
    forked_group = node(
        "g",
        "group",
        nodes=[node("q", "if", when="input.x"), node("one", "transform", expression="1")],
        edges=[edge("q", "one", "true")],
    )
    made = document(forked_group, node("p", "publish", type="t", data="{{ step.one.output }}"))
    assert codes(made, "warning") == [("step_may_not_have_run", "/nodes/1/with/data")]
    caught = document(straight, node("p", "publish", type="t", data="{{ step.one.output }}"), edges=[edge("g", "p", "error")])
    assert codes(caught, "warning") == [("output_of_failed_step", "/nodes/1/with/data")]


def test_a_cycle_may_read_what_its_last_round_left() -> None:
    made = document(
        node("ask", "publish", type="t", data="{{ step.poll.output }}"),
        node("poll", "activity", name="poll"),
        edges=[edge("ask", "poll"), edge("poll", "ask")],
    )
    assert codes(made, "warning") == [("step_may_not_have_run", "/nodes/0/with/data")]


def test_branches_that_all_join_have_all_run() -> None:
    branches = {name: {"nodes": [node(f"in_{name}", "transform", expression="1")]} for name in ("a", "b")}
    after = node("p", "publish", type="t", data="{{ step.in_a.output + step.in_b.output }}")
    assert codes(document(node("par", "parallel", branches=branches), after)) == []
    any_of = document(node("par", "parallel", branches=branches, join="any"), after)
    assert codes(any_of, "warning") == [("step_may_not_have_run", "/nodes/1/with/data")] * 2


def test_bodies_have_their_own_names() -> None:
    body = {"nodes": [node("s", "set", seen="{{ row.id }} {{ index }}")]}
    each = node("each", "foreach", items="{{ input.rows }}", as_="row", body=body)
    assert codes(document(each)) == []
    turn = node("turn", "loop", while_="iteration < 3", body={"nodes": [node("s", "set", seen="{{ iteration }}")]})
    assert codes(document(turn)) == []
    assert codes(document(each, node("p", "publish", type="t", data="{{ row }}")), "error") == [("unknown_name", "/nodes/1/with/data")]


def test_triggers_read_the_trigger_only() -> None:
    trigger = {
        "on": "event",
        "event": "x",
        "when": "trigger.payload.n > 1",
        "input": {"n": "{{ trigger.payload.n }}"},
        "key": "{{ trigger.event.id }}",
    }
    assert codes(document(node("a", "set", x=1), triggers=[trigger])) == []
    wrong = {**trigger, "when": "input.n > 1", "key": "{{ step.a.output }}"}
    assert codes(document(node("a", "set", x=1), triggers=[wrong])) == [
        ("unknown_name", "/triggers/0/key"),
        ("unknown_name", "/triggers/0/when"),
    ]


def test_first_variables_and_the_result_are_judged() -> None:
    made = document(node("a", "set", x=1), vars={"v": "{{ step.a.output }}"}, output={"r": "{{ step.b.output }}", "ok": "{{ vars.x }}"})
    assert codes(made) == [("unknown_step", "/output/r"), ("unknown_name", "/vars/v")]


def test_conditions_as_data_are_judged() -> None:
    made = document(node("a", "if", conditions={"all": [{"left": "input.n", "op": "greater", "right": 1}]}))
    assert [code for code, _ in codes(made, "error")] != []
    made = document(node("a", "if", conditions={"all": [{"left": "inputs.n", "op": "gt", "right": 1}]}))
    assert codes(made, "error") == [("unknown_name", "/nodes/0/with/conditions")]
