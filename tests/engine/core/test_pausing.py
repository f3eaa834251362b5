"""A pause loses nothing: what comes waits, time stands still, and the end is that of an execution that was never paused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from weft_engine.core import items as i
from weft_engine.core.signals import Answer

from tests.engine.core.conftest import CONTEXT, ID, START, Run, program_of

NODES: list[dict[str, Any]] = [
    {"id": "one", "type": "state", "with": {"signals": {"go": {}}}},
    {"id": "two", "type": "state", "with": {"signals": {"stop": {}}}},
    {"id": "work", "type": "activity", "with": {"name": "work"}},
    {"id": "rest", "type": "wait", "with": {"for": "10m"}},
]


def test_signals_and_answers_during_a_pause_happen_in_order_when_it_ends() -> None:
    nodes = [{"id": "fan", "type": "parallel", "with": {"branches": {"s": {"nodes": NODES[:2]}, "w": {"nodes": [NODES[2]]}}}}]
    control, paused = Run(program_of(nodes)).start(), Run(program_of(nodes)).start()
    for run in (control, paused):
        if run is paused:
            run.do(i.Pause(ID, "lunch", "ann"))
        run.signal("stop", {"n": 2}, "s1").signal("go", {"n": 1}, "s2").complete("work", 5)
        if run is paused:
            assert (run.state.status, len(run.state.held)) == ("paused", 3)
            run.do(i.Resume(ID, "ann"))
    assert (paused.state.status, paused.state.output, paused.state.vars) == (control.state.status, control.state.output, control.state.vars)
    assert {node: (step.status, step.output) for node, step in paused.state.steps.items()} == {
        node: (step.status, step.output) for node, step in control.state.steps.items()
    }


def test_a_timer_has_after_a_pause_what_remained_before_it() -> None:
    run = Run(program_of([NODES[3]])).start().later(minutes=4).do(i.Pause(ID)).later(hours=5)
    assert run.state.status == "paused"
    run.do(i.Resume(ID)).later(minutes=5)
    assert run.state.status == "waiting"
    assert run.later(minutes=1).state.status == "completed"


def test_deadlines_of_nodes_and_execution_are_put_off_too() -> None:
    nodes = [{"id": "one", "type": "state", "timeout": "1h", "with": {"signals": {"go": {}}, "after": {"late": "30m"}}}]
    run = Run(program_of(nodes, settings={"max_duration": "2h"})).start().do(i.Pause(ID)).later(hours=24).do(i.Resume(ID))
    assert run.state.deadline_at is not None
    assert (run.state.deadline_at - START).total_seconds() == 26 * 3600
    assert run.later(minutes=29).state.status == "waiting"
    assert run.later(minutes=2).state.steps["one"].outcome == "late"


def test_a_signal_that_came_early_is_kept_as_much_longer_as_a_pause_lasted_and_no_longer() -> None:
    def entered_after(minutes: int) -> str:
        run = Run(program_of([NODES[2], NODES[0]], settings={"signal_ttl": "1h"})).start().signal("go")
        run.later(minutes=30).do(i.Pause(ID)).later(hours=24).do(i.Resume(ID)).later(minutes=minutes)
        return run.complete("work").state.status

    assert (entered_after(29), entered_after(31)) == ("completed", "waiting")


def test_a_repeated_item_is_held_once() -> None:
    run = Run(program_of([NODES[2]])).start().do(i.Pause(ID)).complete("work", 5).complete("work", 5)
    assert len(run.state.held) == 1
    assert run.do(i.Resume(ID)).state.status == "completed"


def test_a_repeated_item_is_held_once_though_the_first_also_tells_what_is_new_of_the_tenant() -> None:
    paused = (
        Run(program_of([{"id": "ask", "type": "task", "with": {"title": "for {{ tenant.tier }}"}}])).start().do(i.Pause(ID, user="ann"))
    )
    paused.context = replace(CONTEXT, tenant={"id": "acme", "tier": "premium", "settings": {}})
    for _ in range(2):
        paused.do(i.CompleteStep(ID, "ask", 1, "completed", {"v": 1}))

    assert [held["type"] for held in paused.state.held] == ["step.complete"]
    assert paused.do(i.Resume(ID, user="ann")).state.status == "completed"


def test_a_signal_that_no_node_knows_is_refused_during_a_pause_too() -> None:
    run = Run(program_of(NODES[:2])).start().do(i.Pause(ID)).signal("nonsense")
    assert run.answer is not None
    assert (run.answer.status, run.state.held) == (404, ())


def test_a_paused_execution_can_be_cancelled_and_one_that_is_not_paused_cannot_be_resumed() -> None:
    run = Run(program_of(NODES)).start().do(i.Resume(ID))
    assert run.answer is not None
    assert run.answer.status == 409
    assert run.do(i.Pause(ID)).do(i.Cancel(ID)).state.status == "cancelled"


def test_a_signal_that_was_kept_during_a_pause_stays_kept_where_no_guard_takes_it_after() -> None:
    nodes = [
        {"id": "asks", "type": "state", "with": {"signals": {"go": {}}, "after": {"late": "1h"}}},
        {"id": "takes", "type": "state", "with": {"signals": {"go": {}}}},
        {"id": "done", "type": "set", "with": {"x": 1}},
    ]
    edges = [
        {"from": "asks", "to": "done", "on": "go", "when": "signal.ok"},
        {"from": "asks", "to": "takes", "on": "late"},
        {"from": "takes", "to": "done", "on": "go"},
    ]
    run = Run(program_of(nodes, edges)).start().do(i.Pause(ID)).signal("go", {"ok": False}, "s1")
    assert run.answer == Answer(202, body={"status": "kept"})
    run.do(i.Resume(ID))
    assert ([pending.node for pending in run.state.pending.values()], [kept.name for kept in run.state.kept]) == (["asks"], ["go"])
    assert run.signal("go", {"ok": True}, "s1").answer == Answer(202, body={"status": "repeated"})
    run.later(hours=1)
    assert (run.state.status, run.state.steps["takes"].output) == ("completed", {"ok": False})
