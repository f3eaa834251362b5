"""`retry` of what is more than one activity: a group, branches, items, rounds, a called workflow. It is tried again as a whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.state import State

from tests.engine.core.conftest import CONTEXT, ID, Run, program_of
from tests.engine.core.test_waiting import put

ONCE = {"attempts": 1}
AGAIN = {"attempts": 3, "delay": "10s", "factor": 2, "jitter": False}
WORK = {"id": "a", "type": "activity", "with": {"name": "price"}, "retry": ONCE}


def group(retry: dict[str, Any], **more: Any) -> dict[str, Any]:
    nodes = [put("n", tries="{{ default(vars.tries, 0) + 1 }}"), WORK]
    return {"id": "g", "type": "group", "retry": retry, "with": {"nodes": nodes}, **more}


def run_of(node: dict[str, Any], *edges: dict[str, Any]) -> Run:
    return Run(program_of([node, put("after", code="{{ step.g.error.code }}")], list(edges) or None)).start()


def test_a_group_is_tried_again_as_a_whole_after_its_delay() -> None:
    run = Run(program_of([group(AGAIN)], output={"attempts": "{{ step.g.attempts }}"})).start().fail("a")
    assert (run.state.status, run.state.steps["g"].status, run.state.scopes) == ("running", "retrying", {})
    assert run.later(seconds=9).state.steps["g"].visit == 1
    run.later(seconds=1)
    assert (run.state.steps["g"].visit, run.state.vars) == (2, {"tries": 2})
    run.complete("a")
    assert (run.state.status, run.state.output) == ("completed", {"attempts": 2})


def test_its_attempts_are_counted_and_its_delays_grow() -> None:
    run = run_of(group(AGAIN), {"from": "g", "to": "after", "on": "error"}).fail("a").later(seconds=10).fail("a").later(seconds=19)
    assert run.state.steps["g"].status == "retrying"
    run.later(seconds=1).fail("a")
    assert (run.state.status, run.state.vars, run.state.steps["g"].attempts) == ("completed", {"tries": 3, "code": "broken"}, 3)


@pytest.mark.parametrize(
    ("retry", "permanent"), [({}, True), ({"not_on": ["broken"]}, False), ({"on": ["other"]}, False), ({"deadline": "5s"}, False)]
)
def test_what_its_retry_leaves_out_is_not_tried_again(retry: dict[str, Any], permanent: bool) -> None:
    run = Run(program_of([group(AGAIN | retry)])).start().fail("a", permanent=permanent)
    assert (run.state.status, run.state.error and run.state.error["code"], run.state.vars) == ("failed", "broken", {"tries": 1})


def test_its_timeout_is_for_all_its_attempts() -> None:
    run = run_of(group(AGAIN, timeout="15s"), {"from": "g", "to": "after", "on": "timeout"}).fail("a").later(seconds=10)
    assert run.waits("g").deadline_at == run.rows[0].at + (run.now - run.rows[0].at) * 1.5
    run.later(seconds=5)
    assert (run.state.status, run.state.vars) == ("completed", {"tries": 2, "code": "timeout"})


def test_its_time_may_be_over_before_it_is_tried_again() -> None:
    run = run_of(group(AGAIN, timeout="5s"), {"from": "g", "to": "after", "on": "timeout"}).fail("a").later(seconds=5)
    assert (run.state.status, run.state.vars) == ("completed", {"tries": 1, "code": "timeout"})


def test_branches_are_taken_back_before_they_are_tried_again() -> None:
    branches = {"x": {"nodes": [WORK]}, "y": {"nodes": [{"id": "t", "type": "task", "with": {"title": "T"}}]}}
    run = Run(program_of([{"id": "p", "type": "parallel", "retry": AGAIN, "with": {"branches": branches}}])).start().fail("a")
    assert (run.said.count("task.cancel"), list(run.state.pending)) == (1, [("p", 1)])
    run.later(seconds=10)
    assert (run.said.count("task.create"), run.state.steps["t"].visit) == (2, 2)


def test_a_called_workflow_is_called_again_by_another_id() -> None:
    call = {"id": "c", "type": "call", "retry": AGAIN, "with": {"workflow": "other"}}
    run = Run(program_of([call])).start()
    first = run.waits("c").data["child_id"]
    run.do(i.FailStep(ID, "c", 1, {"code": "broken", "message": "broken"}))
    run.later(seconds=10)
    assert (run.said.count("execution.start"), run.waits("c").data["child_id"] != first) == (2, True)
    assert run.do(i.CompleteStep(ID, "c", 1, "done")).state.status == "waiting"
    assert run.do(i.CompleteStep(ID, "c", 2, "done")).state.status == "completed"


def test_a_cancelled_execution_tries_nothing_again() -> None:
    run = Run(program_of([group(AGAIN)])).start().fail("a").do(i.Cancel(ID)).later(seconds=10)
    assert (run.state.status, run.state.steps["g"].status) == ("cancelled", "cancelled")


def test_a_pause_puts_the_next_attempt_off() -> None:
    run = Run(program_of([group(AGAIN)])).start().fail("a").do(i.Pause(ID)).later(seconds=60)
    assert run.state.steps["g"].visit == 1
    run.do(i.Resume(ID)).later(seconds=9)
    assert run.state.steps["g"].visit == 1
    assert run.later(seconds=1).state.steps["g"].visit == 2


def test_a_pause_takes_nothing_of_the_time_that_remains_for_the_next_attempt() -> None:
    run = run_of(group(AGAIN, timeout="15s"), {"from": "g", "to": "after", "on": "timeout"}).fail("a")
    run.do(i.Pause(ID)).later(seconds=60).do(i.Resume(ID)).later(seconds=10)
    assert (run.state.steps["g"].visit, run.waits("g").deadline_at) == (2, run.rows[0].at + timedelta(seconds=75))


def happens_again(run: Run) -> list[tuple[int, list[str]]]:
    rows = replay(State(ID, "acme", "test", 1), happenings(ID, flat(run.rows)), run.program, CONTEXT)
    return [(row.position, [one.kind for one in row.entries]) for row in rows]


def test_its_journal_happens_again_in_the_same_way() -> None:
    run = Run(program_of([group(AGAIN)])).start().fail("a").later(seconds=10).fail("a").later(seconds=20).complete("a")
    assert happens_again(run) == [(row.position, [one.kind for one in row.entries]) for row in run.rows]


def test_the_journal_of_a_call_that_is_made_again_happens_again_in_the_same_way() -> None:
    call = {"id": "c", "type": "call", "retry": AGAIN, "with": {"workflow": "other"}}
    run = Run(program_of([call])).start().do(i.FailStep(ID, "c", 1, {"code": "broken", "message": "broken"})).later(seconds=10)
    run.do(i.CompleteStep(ID, "c", 2, "done"))
    assert happens_again(run) == [(row.position, [one.kind for one in row.entries]) for row in run.rows]


@pytest.mark.parametrize("node", [WORK | {"retry": AGAIN | {"deadline": "1m"}}, group(AGAIN | {"deadline": "1m"})])
def test_a_pause_does_not_count_against_the_deadline_of_its_retry(node: dict[str, Any]) -> None:
    run = Run(program_of([node])).start().later(seconds=20)
    for _ in range(2):
        run.do(i.Pause(ID)).later(hours=1).do(i.Resume(ID))
    run.fail("a").later(seconds=10)
    assert (run.waits("a").kind, run.state.steps[node["id"]].attempts) == ("activity", 2)
    run.later(seconds=15).fail("a")  # the next attempt, after 20 s more, would be 65 s after the first
    assert run.state.status == "failed"
