"""Programs: what the engine reads says what the author wrote."""

from datetime import UTC, datetime

import pytest
from weft_language import compile_definition, parse
from weft_language.compilation import (
    PROPAGATE,
    ActivityWork,
    ConnectorWork,
    EndWork,
    GroupWork,
    IfWork,
    Program,
    SetWork,
    StateWork,
    SwitchWork,
    TaskWork,
    WaitWork,
    candidates,
    follow,
)
from weft_language.expressions import ExpressionError

from tests.language.build import document, edge, node

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
A, B, C = node("a", "set", x=1), node("b", "set", y=1), node("c", "set", z=1)


def program(*nodes: dict[str, object], **more: object) -> Program:
    return compile_definition(parse(document(*nodes, **more)), 1)  # type: ignore[arg-type]


def test_listed_order_becomes_edges() -> None:
    made = program(A, node("g", "group", nodes=[B, C]), node("e", "end"))
    assert {name: [edge.to for edge in node.edges.get("done", ())] for name, node in made.nodes.items()} == {
        "a": ["g"],
        "g": ["e"],
        "e": [],
        "b": ["c"],
        "c": [],
    }
    assert (made.scopes[""].start, made.scopes["g"].start, made.scopes["g"].parent_node) == ("a", "b", "g")
    assert isinstance(made.nodes["g"].work, GroupWork)


def test_the_first_edge_whose_guard_holds_is_taken() -> None:
    edges = [edge("a", "b", when="input.n > 1"), edge("a", "c")]
    made = program(A, B, C, edges=edges)
    first = made.nodes["a"]
    assert follow(first, "done", {"input": {"n": 2}}) == first.edges["done"][0]
    assert follow(first, "done", {"input": {"n": 1}}) == first.edges["done"][1]
    assert first.edges["done"][0].when is not None
    assert first.edges["done"][0].when.text == "input.n > 1"


def test_an_outcome_without_edges_falls_back_to_done() -> None:
    made = program(node("a", "if", when="input.x"), B, C, edges=[edge("a", "b", "true"), edge("a", "c")])
    choice = made.nodes["a"]
    taken = [follow(choice, outcome, {}) for outcome in ("true", "false")]
    assert [way.to for way in taken if way is not None and way is not PROPAGATE] == ["b", "c"]


@pytest.mark.parametrize("outcome", ["error", "timeout"])
def test_errors_and_timeouts_without_an_edge_propagate(outcome: str) -> None:
    made = program(A, B, edges=[edge("a", "b")])
    assert follow(made.nodes["a"], outcome, {}) is PROPAGATE
    assert follow(made.nodes["b"], outcome, {}) is PROPAGATE
    guarded = program({**node("a", "http.request", url="https://x.y"), "timeout": "5s"}, B, edges=[edge("a", "b", outcome, when="false")])
    assert follow(guarded.nodes["a"], outcome, {}) is PROPAGATE


def test_without_any_edge_the_scope_is_complete() -> None:
    made = program(A, B, edges=[edge("a", "b")])
    assert follow(made.nodes["b"], "done", {}) is None


def test_a_signal_that_every_guard_refuses_is_told_from_one_that_completes() -> None:
    state = node("a", "state", signals={"go": {}, "stop": {}})
    made = program(state, B, edges=[edge("a", "b", "go", when="signal.ok")])
    assert follow(made.nodes["a"], "go", {"signal": {"ok": False}}) is None
    assert candidates(made.nodes["a"], "go") != ()
    assert candidates(made.nodes["a"], "stop") == ()


def test_a_guard_that_is_no_boolean_is_an_error() -> None:
    made = program(A, B, edges=[edge("a", "b", when="input.n")])
    with pytest.raises(ExpressionError) as refused:
        follow(made.nodes["a"], "done", {"input": {"n": 1}})
    assert refused.value.code == "expression_type"


def test_work_is_typed_by_node() -> None:
    made = program(
        node("s", "set", a="{{ input.n }}", b=2),
        node("i", "if", conditions={"any": [{"left": "input.n", "op": "gt", "right": 1}]}),
        node("sw", "switch", cases=[{"when": "input.n > 1", "outcome": "big"}]),
        node("act", "activity", name="resize", input={"n": "{{ input.n }}"}, queue="gpu"),
        node("h", "http.request", url="https://x.y/{{ input.n }}"),
        node("e", "end", output="{{ vars.a }}", status="failed"),
    )
    names = {"input": {"n": 5}, "vars": {"a": 7}}
    work = {name: made.nodes[name].work for name in made.nodes}
    assert isinstance(work["s"], SetWork)
    assert [(name, value.render(names)) for name, value in work["s"].values] == [("a", 5), ("b", 2)]
    assert isinstance(work["i"], IfWork)
    assert work["i"].condition.evaluate(names) is True
    assert isinstance(work["sw"], SwitchWork)
    assert (work["sw"].cases[0].outcome, work["sw"].default) == ("big", "done")
    assert isinstance(work["act"], ActivityWork)
    assert work["act"].queue is not None
    assert (work["act"].name.render({}), work["act"].queue.render({})) == ("resize", "gpu")
    assert isinstance(work["h"], ConnectorWork)
    assert work["h"].with_.render(names) == {
        "url": "https://x.y/5",
        "method": "GET",
        "headers": {},
        "query": {},
        "response": "auto",
        "expect": ["2xx"],
        "timeout_s": 30.0,
        "follow_redirects": True,
    }
    assert isinstance(work["e"], EndWork)
    assert work["e"].status == "failed"
    assert work["e"].output is not None


def test_waits_read_constants_once_and_templates_when_they_run() -> None:
    made = program(
        node("one", "wait", for_="5m"),
        node("two", "wait", for_="{{ input.delay }}"),
        node("three", "wait", until="{{ input.at }}"),
        node("four", "state", after={"late": "{{ input.delay }}"}, signals={"go": {"schema": {"type": "object"}}}),
    )
    names = {"input": {"delay": "PT1H", "at": "2026-11-20T09:00:00+01:00"}}
    one, two, three, four = (made.nodes[name].work for name in ("one", "two", "three", "four"))
    assert isinstance(one, WaitWork) and one.delay is not None and one.delay.constant == 300
    assert isinstance(two, WaitWork) and two.delay is not None and two.delay.seconds(names) == 3600
    assert two.delay.seconds({"input": {"delay": 90}}) == 90
    assert isinstance(three, WaitWork) and three.until is not None and three.until.at(names) == NOW
    assert isinstance(four, StateWork)
    assert made.signals == {"go"}
    assert four.signals["go"] is not None
    assert [code for _, code, _ in four.signals["go"].errors(5)] == ["type"]
    for value in ("soon", -1, None, True, 1e300):
        with pytest.raises(ExpressionError) as refused:
            two.delay.seconds({"input": {"delay": value}})
        assert refused.value.code == "expression_value"
    with pytest.raises(ExpressionError):
        three.until.at({"input": {"at": "tomorrow"}})


def test_a_task_knows_when_it_is_due_and_whether_that_ends_it() -> None:
    late = [edge("t", "b", "timeout")]
    made = program(node("t", "task", due="2d", form={"type": "object"}), B, edges=late)
    work = made.nodes["t"].work
    assert isinstance(work, TaskWork)
    assert work.due is not None and work.due.at({}, NOW) == datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert work.expires_at_due
    assert work.title.render({}) == "t"
    assert work.form_check is not None
    fixed = program({**node("t", "task", due="{{ input.due }}"), "timeout": "3d"}, B, edges=late).nodes["t"]
    assert isinstance(fixed.work, TaskWork) and fixed.work.due is not None
    assert not fixed.work.expires_at_due
    assert fixed.timeout_s == 259_200
    assert fixed.work.due.at({"input": {"due": "1h"}}, NOW) == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert fixed.work.due.at({"input": {"due": "2026-12-01T00:00:00Z"}}, NOW) == datetime(2026, 12, 1, tzinfo=UTC)


def test_activities_are_tried_five_times_and_control_nodes_once() -> None:
    made = program(
        A, node("h", "http.request", url="https://x.y"), {**B, "retry": {}}, {**C, "retry": {"attempts": 2, "delay": "3s", "on": ["x"]}}
    )
    assert [made.nodes[name].retry.attempts for name in ("a", "h", "b", "c")] == [1, 5, 5, 2]
    assert made.nodes["c"].retry.delay_s == 3
    assert [made.nodes[name].kind for name in ("a", "h")] == ["control", "activity"]


def test_the_document_s_own_parts_are_compiled() -> None:
    made = program(
        A,
        vars={"n": "{{ input.n }}"},
        output={"r": "{{ vars.n }}"},
        input={"type": "object", "required": ["n"]},
        settings={"max_duration": "1d", "priority": 7},
        sla={"due": "2h"},
    )
    assert made.vars["n"].render({"input": {"n": 3}}) == 3
    assert made.output is not None and made.output.render({"vars": {"n": 3}}) == {"r": 3}
    assert [(pointer, code) for pointer, code, _ in made.input.errors({})] == [("/n", "required")]
    assert (made.settings.max_duration_s, made.settings.priority, made.settings.signal_ttl_s) == (86_400, 7, 604_800)
    assert made.sla is not None and (made.sla.due_s, made.sla.warn_at) == (7200, 0.8)
    assert [code for _, code, _ in program(A).input.errors([])] == ["type"]
