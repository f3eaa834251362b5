"""A retry goes back to before a node, keeps what was decided before, and does outside work again only where it must."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.entries import Row, decode, encode
from weft_engine.core.evolve import flat, fold
from weft_engine.core.ledger import effects
from weft_engine.core.messages import messages
from weft_engine.core.rewinding import retry

from tests.engine.core.conftest import CONTEXT, ID, Run, comparable, program_of


def act(node: str, **input_: Any) -> dict[str, Any]:
    return {"id": node, "type": "activity", "with": {"name": f"do_{node}", **({"input": input_} if input_ else {})}}


def again(run: Run, node: str | None = None, **more: Any) -> Run:
    """Retry, as the hot loop does it with the whole journal."""
    return back(run, i.Retry(ID, node, **more))


def back(run: Run, item: i.Retry | i.Admit) -> Run:
    """Retry, or let in a retry that waits."""
    given = run.context or CONTEXT
    done = retry(ID, run.rows, item, run.now, run.program, given)
    run.answer = done.answer
    if done.state is not None:
        run.state = done.state
        run.rows.append(Row(sum(len(row.entries) for row in run.rows), run.now, decode(encode(list(done.entries)))))
        assert comparable(fold(ID, run.rows)) == comparable(run.state)
        run.outgoing += (said := messages(run.state, run.rows[-1].entries, run.rows[-1].position, run.now, 8))
        if (beside := run.apart) is not None:
            apart = beside.given(given, lambda context: retry(ID, beside.rows, item, run.now, run.program, context))
            beside.keep(apart.entries, run.now, run.rows, said)
    return run


STEPS = [act("a"), {"id": "s", "type": "set", "with": {"got": "{{ step.a.output }}"}}, act("b", n="{{ vars.got }}"), act("c")]


def failed() -> Run:
    return Run(program_of(STEPS, output={"c": "{{ step.c.output }}"})).start().complete("a", 1).complete("b", 2).fail("c", permanent=True)


def test_a_failed_execution_goes_on_from_the_node_that_failed() -> None:
    run = again(failed())
    assert (run.state.status, [pending.visit for pending in run.state.pending.values()]) == ("running", [2])
    assert run.complete("c", 3).state.output == {"c": 3}


def test_going_further_back_takes_what_was_done_and_is_asked_the_same_from_the_ledger() -> None:
    run = again(failed(), "a")
    assert [pending.node for pending in run.state.pending.values()] == ["c"]
    assert [(one.node, one.status, one.reused_from is not None) for one in effects(flat(run.rows))][-3:] == [
        ("a", "reused", True), ("b", "reused", True), ("c", "asked", False),
    ]  # fmt: skip


def test_what_is_asked_differently_is_done_again() -> None:
    nodes = [act("a", n="{{ input.n }}"), act("b", n="{{ input.n }}"), act("c")]
    run = Run(program_of(nodes)).start({"n": 1}).complete("a", 1).complete("b", 2).fail("c", permanent=True)
    again(run, "b", input={"n": 5})
    assert [(pending.node, pending.data["input"]) for pending in run.state.pending.values()] == [("b", {"n": 5})]


def test_redo_does_everything_again() -> None:
    run = again(failed(), "a", effects="redo")
    assert [(pending.node, pending.visit) for pending in run.state.pending.values()] == [("a", 2)]


def test_other_branches_go_on_where_they_were_and_those_that_were_done_are_not_done_again() -> None:
    branches = {name: {"nodes": [act(name)]} for name in ("x", "y", "z")}
    node = {"id": "fan", "type": "parallel", "with": {"branches": branches}}
    run = Run(program_of([node], output={"all": "{{ step.fan.output }}"})).start().complete("y", "Y").fail("x", permanent=True)
    again(run)
    assert {(pending.node, pending.visit) for pending in run.state.pending.values() if pending.node != "fan"} == {("x", 2), ("z", 1)}
    assert run.complete("z", "Z").complete("x", "X").state.output == {"all": {"x": "X", "y": "Y", "z": "Z"}}


def test_signals_of_the_time_gone_back_behind_are_delivered_again() -> None:
    nodes: list[dict[str, Any]] = [{"id": "ask", "type": "state", "with": {"signals": {"go": {}}}}, act("b")]
    run = Run(program_of(nodes)).start().signal("go", {"n": 1}).fail("b", permanent=True)
    again(run, "ask")
    assert [pending.node for pending in run.state.pending.values()] == ["b"]
    assert run.state.steps["ask"].output == {"n": 1}


def test_one_that_timed_out_waits_on_for_what_it_waited_for() -> None:
    run = Run(program_of([act("a")], settings={"max_duration": "1h"})).start().later(hours=2)
    assert run.state.status == "timed_out"
    assert again(run).complete("a", 1).state.status == "completed"


def test_a_retry_of_a_retry_works_as_the_first() -> None:
    run = again(again(failed()).fail("c", permanent=True), "b")
    assert [(pending.node, pending.visit) for pending in run.state.pending.values()] == [("c", 3)]


@pytest.mark.parametrize(("node", "status"), [("nowhere", 422), (None, 409)])
def test_what_cannot_be_retried_says_why(node: str | None, status: int) -> None:
    run = failed() if node else Run(program_of(STEPS)).start()
    assert again(run, node).answer is not None
    assert run.answer is not None
    assert run.answer.status == status


def test_a_version_without_the_node_is_refused_with_the_reason() -> None:
    run = failed()
    run.program = program_of(STEPS[:3])
    again(run, workflow_version=1)
    assert run.answer is not None
    assert (run.answer.code, "no node c" in str(run.answer.detail)) == ("version_unfit", True)


def test_going_back_twice_does_nothing_twice_that_was_done_once() -> None:
    run = again(failed(), "a").fail("c", permanent=True)
    again(run, "a")
    assert [(pending.node, pending.visit) for pending in run.state.pending.values()] == [("c", 3)]
    asked = [entry.node for entry, _ in flat(run.rows) if entry.kind == "step.scheduled"]
    assert (asked.count("a"), asked.count("b")) == (1, 1)


def test_what_one_retry_left_untaken_the_next_may_take() -> None:
    nodes = [act("a", n="{{ input.n }}"), act("b"), act("c")]
    run = Run(program_of(nodes)).start({"n": 1}).complete("a", 1).complete("b", 2).fail("c", permanent=True)
    again(run, "a", input={"n": 5}).fail("a", permanent=True)
    again(run).complete("a", 9)
    assert [pending.node for pending in run.state.pending.values()] == ["c"]


def test_redoing_takes_nothing_that_an_earlier_retry_left() -> None:
    run = again(failed(), "a").fail("c", permanent=True)
    again(run, "b", effects="redo")
    assert [pending.node for pending in run.state.pending.values()] == ["b"]


def test_the_input_of_an_earlier_retry_stays_when_a_later_one_goes_back_further() -> None:
    nodes = [act("a"), act("b", n="{{ input.n }}")]
    run = Run(program_of(nodes)).start({"n": 1}).complete("a", 1).fail("b", permanent=True)
    again(run, "b", input={"n": 5}).fail("b", permanent=True)
    again(run, "a")
    assert (run.state.input, run.waits("b").data["input"]) == ({"n": 5}, {"n": 5})


def test_one_whose_output_could_not_be_rendered_renders_it_again_with_the_input_that_is_given() -> None:
    run = Run(program_of([act("a")], output={"n": "{{ input.n }}"})).start().complete("a", 1)
    assert (run.state.status, run.state.error and run.state.error["node"]) == ("failed", None)
    assert again(run, input={"n": 3}).state.output == {"n": 3}


def test_one_whose_first_values_could_not_be_rendered_begins_with_those_of_the_input_that_is_given() -> None:
    run = Run(program_of([act("a", n="{{ vars.n }}")], vars={"n": "{{ input.n }}"})).start()
    again(run, input={"n": 3})
    assert (run.state.status, run.waits("a").data["input"]) == ("running", {"n": 3})


def test_one_that_fails_again_at_its_output_has_failed_again() -> None:
    run = Run(program_of([act("a")], output={"n": "{{ input.n }}"})).start().complete("a", 1)
    assert again(run).state.status == "failed"


def test_what_ran_away_before_a_node_was_entered_enters_it() -> None:
    nodes: list[dict[str, Any]] = [
        {"id": "n", "type": "set", "with": {"n": "{{ default(vars.n, 0) + 1 }}"}},
        {"id": "more", "type": "if", "with": {"when": "vars.n < 5000"}},
        act("b"),
    ]
    edges = [{"from": "n", "to": "more"}, {"from": "more", "to": "n", "on": "true"}, {"from": "more", "to": "b", "on": "false"}]
    run = Run(program_of(nodes, edges), apart=None).start()
    assert run.state.error is not None
    assert (run.state.error["code"], run.state.error["node"]) == ("runaway", "b")
    assert again(run).complete("b", 1).state.status == "completed"


def test_a_state_that_timed_out_is_waited_for_once_and_for_its_whole_time() -> None:
    node: dict[str, Any] = {"id": "s", "type": "state", "with": {"signals": {"go": {}}}, "timeout": "1h"}
    run = again(Run(program_of([node])).start().later(hours=2))
    assert [(pending.place, pending.deadline_at) for pending in run.state.pending.values()] == [(("s", 2), run.now + timedelta(hours=1))]


def undoable(node: str) -> dict[str, Any]:
    return {**act(node), "compensate": {"type": "activity", "with": {"name": f"undo_{node}"}}}


def undone(*, fails: str = "") -> Run:
    """Three nodes, of which the last failed and the others were undone; one of those perhaps in vain."""
    nodes = [act("z"), undoable("a"), undoable("b"), act("c")]
    run = Run(program_of(nodes, settings={"on_failure": "compensate"})).start()
    run.complete("z").complete("a", 1).complete("b", 2).fail("c", permanent=True)
    for node in ("b.compensate", "a.compensate"):
        run = run.fail(node, permanent=True) if node == f"{fails}.compensate" else run.complete(node)
    assert run.state.status == "failed"
    return run


def test_what_was_undone_is_done_again_before_the_node_that_failed() -> None:
    run = again(undone())
    assert [(pending.node, pending.visit) for pending in run.state.pending.values()] == [("a", 2)]
    run.complete("a", 1).complete("b", 2).complete("c", 3)
    assert (run.state.status, run.state.steps["b"].status) == ("completed", "completed")


def test_what_could_not_be_undone_stands_and_is_not_done_again() -> None:
    run = again(undone(fails="b")).complete("a", 1)
    assert [pending.node for pending in run.state.pending.values()] == ["c"]


def test_one_that_was_undone_is_not_taken_from_the_ledger_when_an_earlier_node_is_named() -> None:
    run = again(undone(), "z")
    assert [(pending.node, pending.visit) for pending in run.state.pending.values()] == [("a", 2)]


def test_what_is_undone_again_after_a_retry_is_asked_for_with_a_new_key() -> None:
    run = again(undone()).complete("a", 1).complete("b", 2).fail("c", permanent=True)
    assert [pending.place for pending in run.state.pending.values() if pending.node] == [("b.compensate", 2)]
    run.complete("b.compensate").complete("a.compensate")
    assert [pending.place for pending in again(run).state.pending.values()] == [("a", 3)]


def test_a_node_after_something_that_was_undone_since_is_refused_with_what_to_do() -> None:
    run = again(undone(), "c")
    assert run.answer is not None
    assert (run.answer.status, run.answer.code, run.answer.body) == (409, "undone_since", {"undone": ["a", "b"]})
    assert "retry from a or before it" in str(run.answer.detail)


def test_one_that_timed_out_and_was_undone_does_it_again_and_waits_on() -> None:
    nodes = [undoable("a"), {"id": "w", "type": "wait", "with": {"for": "9h"}}]
    run = Run(program_of(nodes, settings={"on_failure": "compensate", "max_duration": "1h"})).start().complete("a", 1).later(hours=2)
    run.complete("a.compensate")
    assert run.state.status == "timed_out"
    assert again(run).complete("a", 1).waits("w").visit == 2


def test_a_compensation_that_failed_goes_on_with_what_it_had_not_undone() -> None:
    nodes = [undoable("a"), undoable("b"), {"id": "undo", "type": "compensate"}]
    run = (
        Run(program_of(nodes))
        .start()
        .complete("a", 1)
        .complete("b", 2)
        .complete("b.compensate", "back")
        .fail("a.compensate", permanent=True)
    )
    assert run.state.error is not None
    assert run.state.error["code"] == "compensation_failed"
    again(run)
    assert [pending.place for pending in run.state.pending.values() if pending.kind == "activity"] == [("a.compensate", 1)]
    assert run.complete("a.compensate").state.steps["undo"].output == {"compensated": ["b", "a"], "failed": []}


def test_one_that_was_refused_before_it_began_says_that_another_has_to_be_started() -> None:
    run = Run(program_of([act("a")], input={"type": "object", "required": ["n"]})).start()
    assert run.state.status == "failed"
    again(run)
    assert run.answer is not None
    assert (run.answer.status, run.answer.code) == (409, "never_begun")


def test_an_input_that_does_not_fit_is_refused_with_pointers_and_changes_nothing() -> None:
    run = Run(program_of([act("a")], input={"type": "object", "properties": {"n": {"type": "integer"}}})).start().fail("a", permanent=True)
    again(run, input={"n": "many"})
    assert run.answer is not None
    assert (run.answer.status, run.answer.code, run.state.status) == (422, "input_invalid", "failed")
    assert [error["pointer"] for error in run.answer.body["errors"]] == ["/input/n"]


def test_what_was_done_in_items_branches_rounds_and_groups_is_taken_from_the_ledger_each_in_its_place() -> None:
    branches = {name: {"nodes": [act(name, item="{{ item }}")]} for name in ("x", "y")}
    body = {"nodes": [{"id": "fan", "type": "parallel", "with": {"branches": branches}}]}
    each = {"id": "each", "type": "foreach", "with": {"items": [1, 1], "concurrency": 2, "body": body}}
    loop = {"id": "loop", "type": "loop", "with": {"until": "iteration == 2", "body": {"nodes": [each]}}}
    nodes: list[dict[str, Any]] = [{"id": "g", "type": "group", "with": {"nodes": [loop]}}, act("c")]
    run = Run(program_of(nodes, output={"all": "{{ step.g.output }}"})).start()
    answers = iter(range(100))
    while run.state.pending and any(pending.node in "xy" for pending in run.state.pending.values()):
        run.complete(next(pending.node for pending in run.state.pending.values() if pending.node in "xy"), next(answers))
    was = run.state.steps["g"].output
    run.fail("c", permanent=True)
    for node in ("g", "loop", "each"):
        run = again(run, node)
        assert [pending.node for pending in run.state.pending.values()] == ["c"], node
        assert run.state.steps["g"].output == was
        run.fail("c", permanent=True)
    again(run, "each", effects="redo")
    assert sorted(pending.node for pending in run.state.pending.values() if pending.kind == "activity") == ["x", "x", "y", "y"]


def test_thirty_retries_are_told_as_one_after_another_and_none_tells_those_before_it_anew() -> None:
    """Where each did, the last would take days."""
    run = Run(program_of([act("a"), act("b")]), apart=None).start().complete("a", 1).fail("b", permanent=True)
    for _ in range(30):
        run = again(run).fail("b", permanent=True)
    assert again(run).complete("b", 2).state.status == "completed"
