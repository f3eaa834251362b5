"""Who called a workflow that failed is retried: the child is asked to go on, for another visit, and who waits when is told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest
from weft_engine.core import items as i
from weft_engine.core.evolve import flat, fold
from weft_engine.core.ledger import effects
from weft_engine.core.messages import lost, messages, report_again
from weft_engine.core.recalling import Standing, standing
from weft_engine.core.sentences import because

from tests.engine.core.conftest import ID, START, Run, program_of
from tests.engine.core.test_queued_retries import told
from tests.engine.core.test_replaying import same_again
from tests.engine.core.test_retrying import act, again, back

BROKEN = {"code": "broken", "message": "broken", "node": "sub", "permanent": True, "details": {"execution_id": "x"}}
PARENT = UUID(int=5)


def calling(**more: Any) -> Run:
    """One whose child has failed."""
    node = {"id": "sub", "type": "call", "with": {"workflow": "other", "input": {"n": "{{ default(input.n, 1) }}"}}, **more}
    run = Run(program_of([node], output={"got": "{{ step.sub.output }}"})).start()
    return run.do(i.FailStep(ID, "sub", 1, BROKEN))


def asked_to_go_on(run: Run) -> list[tuple[str, int]]:
    return [(one["execution_id"], one["caller"]["visit"]) for one in told(run, "execution.retry")]


def test_the_child_that_failed_is_asked_to_go_on_for_a_visit_of_its_own_and_no_other_is_started() -> None:
    run = again(calling(), effects="redo", user="ann")
    [start] = told(run, "execution.start")
    [asked] = told(run, "execution.retry")
    assert (asked["execution_id"], asked["effects"], asked["user"]) == (start["execution_id"], "redo", "ann")
    assert asked["caller"] == {"execution_id": str(ID), "node": "sub", "visit": 2, "depth": 1, "wait": True}
    assert [(pending.place, pending.data["child_id"]) for pending in run.state.pending.values()] == [(("sub", 2), start["execution_id"])]
    assert because(run.state, flat(run.rows), run.program, {})[0].startswith(
        f"sub (visit 2) waits for execution {start['execution_id']} of 'other', which had failed and goes on with it"
    )
    run.do(i.FailStep(ID, "sub", 1, BROKEN))
    assert run.state.status == "waiting", "what was said of its first end is not of this one"
    run.do(i.CompleteStep(ID, "sub", 2, "done", {"x": 7}))
    assert (run.state.output, [one.status for one in effects(flat(run.rows))]) == ({"got": {"x": 7}}, ["failed", "done"])
    same_again(run)


def test_what_nobody_answered_is_asked_again_as_the_same() -> None:
    run = again(calling()).later(seconds=61)
    assert asked_to_go_on(run)[0] == asked_to_go_on(run)[1]


@pytest.mark.parametrize(
    "retried",
    [
        lambda: again(calling(), input={"n": 2}),
        lambda: again(Run(calling().program).start().do(i.FailStep(ID, "sub", 1, {**BROKEN, "code": "child_cancelled"}))),
        lambda: again(Run(calling(timeout="1h").program).start().later(hours=2)),
    ],
    ids=["other input", "cancelled", "timed out"],
)  # fmt: skip
def test_what_would_be_asked_otherwise_or_was_taken_back_is_asked_of_another(retried: Callable[[], Run]) -> None:
    run = retried()
    started = [one["execution_id"] for one in told(run, "execution.start")]
    assert (asked_to_go_on(run), len(set(started)), len(started)) == ([], 2, 2)


def test_a_retry_from_before_the_call_calls_another() -> None:
    nodes = [act("a"), {"id": "sub", "type": "call", "with": {"workflow": "other"}}]
    run = again(Run(program_of(nodes)).start().complete("a").do(i.FailStep(ID, "sub", 1, BROKEN)), "a")
    assert (asked_to_go_on(run), len(told(run, "execution.start"))) == ([], 2)


def test_what_happens_to_the_caller_afterwards_happens_to_the_child() -> None:
    run = again(calling()).do(i.Pause(ID)).do(i.Resume(ID)).do(i.Cancel(ID))
    [start] = told(run, "execution.start")
    asked = [[one["execution_id"] for one in told(run, f"execution.{verb}")] for verb in ("pause", "resume", "cancel")]
    assert asked == [[start["execution_id"]]] * 3


def test_an_input_that_asks_the_same_goes_on_with_the_same() -> None:
    assert len(asked_to_go_on(again(calling(), input={"n": 1}))) == 1


def test_where_the_child_cannot_go_on_another_is_called_and_one_of_its_own_that_is_called_lost_is_an_error() -> None:
    run = again(calling())
    heard = lost(run.state, i.Caller(ID, "sub", 2, 1), "it is cancelled", START, 8)
    error = msgspec.json.decode(heard.item.data)["error"]
    run.do(i.FailStep(ID, "sub", 2, error))
    assert ([pending.place for pending in run.state.pending.values()], len(told(run, "execution.start"))) == ([("sub", 3)], 2)
    same_again(run)
    own = again(calling()).do(i.FailStep(ID, "sub", 2, {**BROKEN, "code": "child_lost"}))
    assert own.state.status == "failed"


def child() -> Run:
    """A child whose caller waits for it, and that has failed."""
    run = Run(program_of([act("a")])).start(caller=i.Caller(PARENT, "sub", 1, 1))
    return run.fail("a", permanent=True)


def for_visit(visit: int) -> i.Retry:
    return i.Retry(ID, caller=i.Caller(PARENT, "sub", visit, 1))


def test_each_end_is_told_to_the_visit_that_waited_then_whenever_it_is_said() -> None:
    run = child()
    back(run, for_visit(2)).fail("a", permanent=True)
    back(run, for_visit(3)).complete("a")
    assert [(one["visit"], one["error"]["code"]) for one in told(run, "step.fail")] == [(1, "broken"), (2, "broken")]
    assert [one["visit"] for one in told(run, "step.complete")] == [3]
    last = fold(ID, run.rows)
    assert last is not None
    said = [out for row in run.rows for out in messages(last, row.entries, row.position, row.at, 8)]
    assert [bytes(out.item.data) for out in said if out.item.type.startswith("step.")] == [
        bytes(out.item.data) for out in run.outgoing if out.item.type.startswith("step.")
    ]
    assert msgspec.json.decode(report_again(last, 8)[0].item.data)["visit"] == 3
    same_again(run)


def test_what_a_call_that_comes_again_is_to_a_child() -> None:
    run = back(child(), for_visit(3))
    callers = [i.Caller(PARENT, "sub", visit, 1) for visit in (2, 3, 4)]
    assert [standing(run.state, caller) for caller in callers] == [Standing.OVERTAKEN, Standing.REPEATED, Standing.LIVES]
    run.fail("a", permanent=True)
    assert standing(run.state, callers[2]) == Standing.RETRY
    assert standing(run.state, i.Caller(UUID(int=6), "sub", 4, 1)) == Standing.LOST
    assert standing(back(run, for_visit(4)).do(i.Cancel(ID)).state, i.Caller(PARENT, "sub", 5, 1)) == Standing.LOST


def test_one_that_lives_by_another_retry_is_waited_for_from_then_on() -> None:
    run = back(again(child()), for_visit(2)).complete("a")
    assert [one["visit"] for one in told(run, "step.complete")] == [2]
    same_again(run)


def test_one_that_waits_in_line_by_another_retry_is_given_up_first() -> None:
    run = Run(program_of([act("a")], settings={"concurrency": {"limit": 1}}))
    run = run.start(caller=i.Caller(PARENT, "sub", 1, 1)).do(i.Admit(ID)).fail("a", permanent=True)
    back(again(run), for_visit(2))
    assert run.state.status == "failed"
    back(run, for_visit(2))
    assert (run.state.status, run.state.asked_by) == ("queued", ("sub", 2))
    run.do(i.Cancel(ID))
    assert [one["visit"] for one in told(run, "step.fail")] == [1, 1, 2]
    same_again(run)


@pytest.mark.parametrize("failing", [1, 2])
def test_in_an_iteration_the_child_of_that_item_goes_on_and_one_that_was_cancelled_with_it_is_called_anew(failing: int) -> None:
    call = {"id": "sub", "type": "call", "with": {"workflow": "other", "input": {"n": "{{ item }}"}}}
    each = {"id": "each", "type": "foreach", "with": {"items": [1, 2], "concurrency": 2, "body": {"nodes": [call]}}}
    run = Run(program_of([each])).start().do(i.FailStep(ID, "sub", failing, BROKEN))
    again(run)
    *old, new = told(run, "execution.start")
    [asked] = asked_to_go_on(run)
    assert (asked[0], new["input"]) == (old[failing - 1]["execution_id"], {"n": 3 - failing})
    for pending in list(run.state.pending.values()):
        if pending.kind == "child":
            run.do(i.CompleteStep(ID, "sub", pending.visit, "done", pending.data["input"]["n"]))
    assert run.state.steps["each"].output == [1, 2]
