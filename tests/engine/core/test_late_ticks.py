"""An engine that was away looks late: what has come due meanwhile happens as if it had looked at each moment, the soonest first."""

from __future__ import annotations

from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core import running

from tests.engine.core.conftest import Run, program_of
from tests.engine.core.test_waiting import put

AGAIN = {"attempts": 3, "delay": "10s", "jitter": False}


def task(node: str, **more: Any) -> dict[str, Any]:
    return {"id": node, "type": "task", "with": {"title": "T"}, **more}


def beside(*branches: dict[str, Any], **more: Any) -> dict[str, Any]:
    named = {f"b{number}": {"nodes": [node]} for number, node in enumerate(branches)}
    with_ = {"branches": named, **more.pop("with_", {})}
    return {"id": "p", "type": "parallel", "with": with_, **more}


def test_two_branches_that_fail_at_once_are_one_failure_that_is_tried_again() -> None:
    run = Run(program_of([beside(task("x", timeout="1m"), task("y", timeout="1m"), retry=AGAIN)])).start().later(minutes=1)
    assert (run.state.status, run.state.steps["p"].status) == ("running", "retrying")
    run.later(seconds=10)
    assert [(run.state.steps[node].visit, run.state.steps[node].status) for node in "xy"] == [(2, "waiting"), (2, "waiting")]


def test_what_was_due_first_wins() -> None:
    waits = [{"id": "slow", "type": "wait", "with": {"for": "2m"}}, {"id": "fast", "type": "wait", "with": {"for": "1m"}}]
    run = Run(program_of([beside(*waits, with_={"join": "any"})])).start().later(hours=1)
    assert (run.state.status, run.state.steps["fast"].status, run.state.steps["slow"].status) == ("completed", "completed", "cancelled")


def test_a_wait_that_was_over_before_the_timeout_around_it_has_ended_in_time() -> None:
    inner = {"nodes": [{"id": "w", "type": "wait", "with": {"for": "1m"}}]}
    run = Run(program_of([{"id": "g", "type": "group", "timeout": "2m", "with": inner}])).start().later(hours=1)
    assert (run.state.status, run.state.steps["g"].outcome) == ("completed", "done")


def test_an_execution_whose_last_wait_was_over_before_its_max_duration_is_completed() -> None:
    program = program_of([{"id": "w", "type": "wait", "with": {"for": "1m"}}], settings={"max_duration": "2m"})
    assert Run(program).start().later(hours=1).state.status == "completed"
    slower = program_of([{"id": "w", "type": "wait", "with": {"for": "3m"}}], settings={"max_duration": "2m"})
    assert Run(slower).start().later(hours=1).state.status == "timed_out"


def test_an_execution_that_failed_before_its_max_duration_undoes_what_was_done_and_has_failed() -> None:
    undo = {"type": "activity", "with": {"name": "undo"}}
    nodes = [{"id": "s", "type": "set", "with": {"x": 1}, "compensate": undo}, task("x", timeout="1m")]
    run = Run(program_of(nodes, settings={"max_duration": "2m", "on_failure": "compensate"})).start().later(hours=1)
    assert (run.state.status, run.waits("s.compensate").kind) == ("running", "activity")
    run.complete("s.compensate")
    assert (run.state.status, (run.state.error or {})["code"]) == ("failed", "timeout")


def test_very_much_that_is_due_at_once_goes_on_in_several_transitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MAX_TRANSITION", 5)
    body = {"nodes": [{"id": "w", "type": "wait", "with": {"for": "1m"}}, put("s", n="{{ index }}")]}
    each = {"id": "e", "type": "foreach", "with": {"items": list(range(20)), "concurrency": 20, "body": body}}
    run = Run(program_of([each])).start()
    while run.state.ready:
        run.do(i.Tick(run.state.id))
    rows = len(run.rows)
    run.later(minutes=1)
    while run.state.ready:
        run.do(i.Tick(run.state.id))
    assert (run.state.status, run.state.vars["n"]) == ("completed", 19)
    assert len(run.rows) - rows > 3
    assert max(len(row.entries) for row in run.rows[rows:]) < 15
