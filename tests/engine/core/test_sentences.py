"""Why an execution is where it is, told in sentences: what it waits for, until when, under which condition, and that it rests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.sentences import because
from weft_engine.views import waiting_view

from tests.engine.core.conftest import ID, START, Run, program_of


def told(run: Run, held_up: dict[str, str] | None = None) -> list[str]:
    return because(run.state, flat(run.rows), run.program, held_up or {})


STATE: dict[str, Any] = {"id": "s", "type": "state", "with": {"signals": {"go": {}}, "after": {"late": "1h"}}}


def test_a_pause_is_told_first_with_who_and_why_and_what_remains_of_each_time() -> None:
    run = Run(program_of([STATE], settings={"max_duration": "2h"})).start().later(minutes=20)
    run.do(i.Pause(ID, "lunch", "ann")).signal("go").later(hours=5)
    assert told(run) == [
        "is paused since 2026-01-05T09:20:00+00:00 by ann: lunch; its time stands still, and 1 that came waits for its end",
        "s (visit 1) waits for the signal go since 2026-01-05T09:00:00+00:00, with 2400 s left",
    ]


def test_a_guard_is_told_with_the_signal_that_it_may_refuse_and_so_is_the_end_of_all() -> None:
    nodes = [{"id": "s", "type": "state", "with": {"signals": {"pay": {}, "stop": {}}}}, {"id": "z", "type": "set", "with": {"z": 1}}]
    edges = [{"from": "s", "to": "z", "on": "pay", "when": "signal.amount >= 10"}, {"from": "s", "to": "z", "on": "stop"}]
    assert told(Run(program_of(nodes, edges, settings={"max_duration": "2h"})).start()) == [
        "s (visit 1) waits for one of the signals pay (taken only when signal.amount >= 10), stop since 2026-01-05T09:00:00+00:00",
        "has to end by 2026-01-05T11:00:00+00:00 (settings.max_duration)",
    ]


def test_each_item_is_told_by_its_place_and_how_far_the_whole_has_come() -> None:
    body = {"nodes": [{"id": "work", "type": "activity", "with": {"name": "work"}}]}
    with_ = {"items": [1, 2, 3, 4], "concurrency": 2, "on_error": "continue", "body": body}
    run = Run(program_of([{"id": "each", "type": "foreach", "with": with_, "timeout": "1h"}])).start().fail("work", permanent=True)
    assert told(run) == [
        "work (visit 2 in each[1]) waits for a worker of 'acme' to answer attempt 1 of 'work' since 2026-01-05T09:00:00+00:00",
        "work (visit 3 in each[2]) waits for a worker of 'acme' to answer attempt 1 of 'work' since 2026-01-05T09:00:00+00:00",
        "each (visit 1) goes through 4 items: ended 1 (1 of them failed), open 2, until 2026-01-05T10:00:00+00:00",
    ]


def test_branches_groups_and_loops_are_told_with_what_they_wait_for() -> None:
    branches = {"left": {"nodes": [{"id": "a", "type": "set", "with": {"a": 1}}]}, "right": {"nodes": [STATE]}}
    fan = {"id": "fan", "type": "parallel", "with": {"branches": branches}}
    loop = {"id": "loop", "type": "loop", "with": {"until": "iteration == 3", "body": {"nodes": [fan]}}}
    run = Run(program_of([{"id": "g", "type": "group", "timeout": "3h", "with": {"nodes": [loop]}}])).start()
    assert told(run)[1:] == [
        "g (visit 1) has to end, until 2026-01-05T12:00:00+00:00",
        "loop (visit 1 in g) goes round for time 1",
        "fan (visit 1 in loop[1]) has 1 of 2 branches open, of the others have ended: left",
    ]


def test_what_is_undone_before_a_bad_end_is_told_with_that_end() -> None:
    work = {"type": "activity", "with": {"name": "work"}, "compensate": {"type": "activity", "with": {"name": "undo"}}}
    nodes: list[dict[str, Any]] = [{"id": "a", **work}, {"id": "stop", "type": "fail", "with": {"code": "no", "message": "no"}}]
    run = Run(program_of(nodes, settings={"on_failure": "compensate"})).start().complete("a")
    assert told(run)[1:] == ["ends with 'no' once what it has done is undone"]


def test_what_came_too_early_is_told() -> None:
    run = Run(program_of([{"id": "w", "type": "wait", "with": {"for": "1h"}}, STATE])).start().signal("go").signal("go", None, "again")
    assert told(run)[1:] == ["keeps what came and nothing takes yet: go (2 times)"]


def test_who_cancelled_it_is_told_after_its_end() -> None:
    assert told(Run(program_of([STATE])).start().do(i.Cancel(ID, "ordered twice", "ann"))) == [
        "was cancelled at 2026-01-05T09:00:00+00:00 by ann: ordered twice"
    ]


def test_a_task_is_told_with_when_it_is_due_though_nothing_ends_it_then_and_a_pause_puts_that_off() -> None:
    run = Run(program_of([{"id": "t", "type": "task", "with": {"title": "Approve", "due": "1d"}}])).start()
    asked = "t (visit 1) waits for a person to decide 'Approve' since 2026-01-05T09:00:00+00:00"
    assert told(run) == [f"{asked}, due by 2026-01-06T09:00:00+00:00"]
    run.do(i.Pause(ID)).later(hours=5).do(i.Resume(ID))
    assert told(run) == [f"{asked}, due by 2026-01-06T14:00:00+00:00"]
    assert [waiting_view(one, run.state).until for one in run.state.pending.values()] == [START + timedelta(days=1, hours=5)]
