"""Compensation: exactly what has completed is undone, newest first, once."""

from __future__ import annotations

from typing import Any

from weft_engine.core.evolve import flat
from weft_engine.core.history import visits
from weft_engine.core.ledger import effects

from tests.engine.core.conftest import ID, Run, program_of
from tests.engine.core.test_retrying import again


def act(node: str, undo: bool = True) -> dict[str, Any]:
    made: dict[str, Any] = {"id": node, "type": "activity", "with": {"name": f"do_{node}"}}
    if undo:
        made["compensate"] = {"type": "activity", "with": {"name": f"undo_{node}", "input": {"id": f"{{{{ step.{node}.output }}}}"}}}
    return made


def asked(run: Run) -> list[Any]:
    import msgspec

    requests = [msgspec.json.decode(out.item.data) for out in run.outgoing if out.item.type == "activity.requested"]
    return [(request["name"], request.get("input")) for request in requests if request["name"].startswith("undo_")]


SAGA: list[dict[str, Any]] = [act("a"), act("b"), act("c", undo=False), act("d"), {"id": "undo", "type": "compensate"}]
EDGES = [
    {"from": "a", "to": "b"},
    {"from": "b", "to": "c"},
    {"from": "c", "to": "d"},
    {"from": "d", "to": "undo", "on": "error"},
]


def broken() -> Run:
    run = Run(program_of(SAGA, EDGES, output={"undone": "{{ step.undo.output }}"})).start()
    return run.complete("a", 1).complete("b", 2).complete("c", 3).fail("d", permanent=True)


def test_what_has_completed_is_undone_newest_first_each_with_its_own_output() -> None:
    run = broken().complete("b.compensate").complete("a.compensate")
    assert asked(run) == [("undo_b", {"id": 2}), ("undo_a", {"id": 1})]
    assert (run.state.status, run.state.output) == ("completed", {"undone": {"compensated": ["b", "a"], "failed": []}})
    assert [run.state.steps[node].status for node in "abcd"] == ["compensated", "compensated", "completed", "failed"]


def test_every_visit_that_was_undone_is_shown_so_and_not_the_newest_of_its_node_alone() -> None:
    each = {"id": "each", "type": "foreach", "with": {"items": [1, 2], "body": {"nodes": [act("a")]}}}
    run = Run(program_of([each, {"id": "undo", "type": "compensate"}])).start().complete("a", 1).complete("a", 2)
    for _ in range(2):
        run.complete("a.compensate")
    shown = [(visit.scope, visit.step.status) for visit in visits(ID, flat(run.rows)) if visit.node == "a"]
    assert shown == [("each[0]", "compensated"), ("each[1]", "compensated")]


def test_the_ledger_tells_which_effects_were_undone() -> None:
    run = broken().complete("b.compensate").complete("a.compensate")
    told = {effect.node: effect.undone_at is not None for effect in effects(flat(run.rows))}
    assert told == {"a": True, "b": True, "c": False, "d": False, "b.compensate": False, "a.compensate": False}


def test_one_is_undone_after_another() -> None:
    run = broken()
    assert asked(run) == [("undo_b", {"id": 2})]


def test_an_undoing_is_tried_again_and_one_that_cannot_be_done_does_not_hold_up_the_rest() -> None:
    run = broken().fail("b.compensate").later(seconds=5).fail("b.compensate", permanent=True).complete("a.compensate")
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "compensation_failed")
    assert run.state.error is not None
    assert run.state.error["details"]["failed"] == ["b"]
    assert run.state.steps["a"].status == "compensated"


def test_a_failing_execution_undoes_before_it_ends_where_its_settings_say_so() -> None:
    nodes = [act("a"), act("b", undo=False)]
    run = Run(program_of(nodes, settings={"on_failure": "compensate"})).start().complete("a", 1).fail("b", "broken", permanent=True)
    assert run.state.status == "running"
    run.complete("a.compensate")
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "broken")
    assert asked(run) == [("undo_a", {"id": 1})]


def test_a_cancel_undoes_nothing() -> None:
    from weft_engine.core import items as i

    from tests.engine.core.conftest import ID

    nodes = [act("a"), act("b")]
    run = Run(program_of(nodes, settings={"on_failure": "compensate"})).start().complete("a", 1).do(i.Cancel(ID))
    assert (run.state.status, asked(run)) == ("cancelled", [])


def test_two_compensations_at_once_undo_each_node_once() -> None:
    branches = {"x": {"nodes": [{"id": "u1", "type": "compensate"}]}, "y": {"nodes": [{"id": "u2", "type": "compensate"}]}}
    nodes = [act("a"), act("b"), {"id": "fan", "type": "parallel", "with": {"branches": branches}}]
    run = Run(program_of(nodes)).start().complete("a", 1).complete("b", 2)
    run.complete("b.compensate").complete("a.compensate")
    assert run.state.status == "completed"
    assert sorted(asked(run)) == [("undo_a", {"id": 1}), ("undo_b", {"id": 2})]


def side_by_side(left: list[dict[str, Any]], right: list[dict[str, Any]], done: str) -> Run:
    """Nodes that can be undone, then two branches that undo."""
    nodes = [
        {"id": node, "type": "set", "with": {node: 1}, "compensate": {"type": "activity", "with": {"name": f"undo_{node}"}}}
        for node in done
    ]
    branches = {"x": {"nodes": left}, "y": {"nodes": right}}
    return Run(program_of([*nodes, {"id": "fan", "type": "parallel", "with": {"branches": branches, "on_error": "wait"}}])).start()


def test_a_compensation_undoes_one_at_a_time_whatever_another_does_beside_it() -> None:
    run = side_by_side([{"id": "u1", "type": "compensate"}], [{"id": "u2", "type": "compensate"}], "abcd")
    assert [name for name, _ in asked(run)] == ["undo_d", "undo_c"]
    run.complete("d.compensate")
    assert [name for name, _ in asked(run)] == ["undo_d", "undo_c", "undo_b"]


def test_what_a_cancelled_compensation_was_undoing_is_taken_up_by_the_one_that_waited_for_it() -> None:
    late = {"id": "g", "type": "group", "timeout": "30s", "with": {"nodes": [{"id": "u1", "type": "compensate"}]}}
    run = side_by_side([late], [{"id": "u2", "type": "compensate"}], "a").later(seconds=31)
    assert [name for name, _ in asked(run)] == ["undo_a", "undo_a"]
    assert run.complete("a.compensate").state.status == "failed"


def test_each_visit_in_an_iteration_is_undone_with_its_own_item() -> None:
    body = [{**act("a"), "compensate": {"type": "activity", "with": {"name": "undo_a", "input": {"n": "{{ item }}"}}}}]
    nodes: list[dict[str, Any]] = [
        {"id": "each", "type": "foreach", "with": {"items": [1, 2], "body": {"nodes": body}}},
        {"id": "undo", "type": "compensate"},
    ]
    run = Run(program_of(nodes)).start().complete("a").complete("a").complete("a.compensate").complete("a.compensate")
    assert asked(run) == [("undo_a", {"n": 2}), ("undo_a", {"n": 1})]
    assert run.state.status == "completed"


def test_a_retry_that_goes_back_into_a_compensation_asks_anew_for_what_was_being_undone() -> None:
    nodes = [{**act("a"), "compensate": {"type": "activity", "with": {"name": "undo_a"}}}, {"id": "undo", "type": "compensate"}]
    run = Run(program_of(nodes, settings={"max_duration": "1h"})).start().complete("a").later(hours=2)
    assert run.state.status == "timed_out"

    again(run).complete("a.compensate")

    assert [name for name, _ in asked(run)] == ["undo_a", "undo_a"]
    assert (run.state.status, run.state.steps["undo"].output) == ("completed", {"compensated": ["a"], "failed": []})
