"""Executions that call others: one child per visit, its end is the step's end, and what happens to the caller happens to it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from weft_contracts.executions import ExecutionFailed
from weft_contracts.waits import FailStep
from weft_engine.core import items as i
from weft_engine.core.apply import apply
from weft_engine.core.context import Context
from weft_engine.core.messages import messages, report_again
from weft_engine.core.state import State

from tests.engine.core.conftest import CONTEXT, ID, START, Run, program_of


def calling(**more: Any) -> Run:
    node = {"id": "child", "type": "call", "with": {"workflow": "other", "input": {"n": "{{ input.n }}"}, **more}}
    return Run(program_of([node], output={"got": "{{ step.child.output }}"})).start({"n": 4})


def said(run: Run, type_: str) -> list[Any]:
    return [msgspec.json.decode(out.item.data) for out in run.outgoing if out.item.type == type_]


def test_a_call_starts_the_other_workflow_and_its_end_is_the_end_of_the_step() -> None:
    run = calling()
    (start,) = said(run, "execution.start")
    assert (start["workflow"], start["input"], start["caller"]["node"]) == ("other", {"n": 4}, "child")
    assert run.state.status == "waiting"
    run.do(i.CompleteStep(ID, "child", 1, "done", {"sum": 7}))
    assert run.state.output == {"got": {"sum": 7}}


def test_a_child_reports_its_end_to_the_partition_of_its_caller() -> None:
    (start,) = said(calling(), "execution.start")
    program = program_of([{"id": "s", "type": "set", "with": {"x": 1}}], output={"x": "{{ vars.x }}"})
    item = msgspec.convert(start, i.Start)
    child = State(item.execution_id, "acme", "test", 1)
    ended = apply(child, item, START, program, CONTEXT)
    out = messages(ended.state, ended.entries, 0, START, 8)
    (report,) = [one for one in out if one.item.type == "step.complete"]
    assert msgspec.json.decode(report.item.data) == {
        "execution_id": str(ID), "node": "child", "visit": 1, "outcome": "done", "output": {"x": 1},
    }  # fmt: skip
    (again,) = report_again(ended.state, 8)
    assert (again.key, again.item.data) == (report.key, report.item.data)


@pytest.mark.parametrize("output", [{"r": 1}, [1], 5])
def test_what_an_end_fails_keeps_the_output_that_it_gives_whatever_that_is(output: Any) -> None:
    (start,) = said(calling(), "execution.start")
    program = program_of([{"id": "e", "type": "end", "with": {"output": output, "status": "failed"}}])
    item = msgspec.convert(start, i.Start)
    ended = apply(State(item.execution_id, "acme", "test", 1), item, START, program, CONTEXT)
    assert (ended.state.status, ended.state.output) == ("failed", output)
    told = {one.item.type: msgspec.json.decode(one.item.data) for one in messages(ended.state, ended.entries, 0, START, 8)}
    assert ExecutionFailed.model_validate(told["execution.failed"]).error.details == {"output": output}
    assert FailStep.model_validate(told["step.fail"]).error.details == {
        "output": output,
        "execution_id": start["execution_id"],
        "node": "e",
    }


def test_an_end_that_fails_gives_its_output_once_what_was_done_is_undone() -> None:
    nodes = [
        {"id": "s", "type": "set", "with": {"x": 1}, "compensate": {"type": "activity", "with": {"name": "undo"}}},
        {"id": "e", "type": "end", "with": {"output": {"x": "{{ vars.x }}"}, "status": "failed"}},
    ]
    run = Run(program_of(nodes, settings={"on_failure": "compensate"})).start().complete("s.compensate")
    assert (run.state.status, run.state.output) == ("failed", {"x": 1})


def test_without_waiting_the_step_gives_the_id_at_once() -> None:
    run = calling(wait=False)
    (start,) = said(run, "execution.start")
    assert run.state.output == {"got": {"execution_id": start["execution_id"]}}


def test_a_cancel_goes_on_to_the_child() -> None:
    run = calling().do(i.Cancel(ID))
    (start,) = said(run, "execution.start")
    assert [one["execution_id"] for one in said(run, "execution.cancel")] == [start["execution_id"]]


def test_a_pause_and_its_end_go_on_to_the_child() -> None:
    run = calling().do(i.Pause(ID)).do(i.Resume(ID))
    assert [len(said(run, type_)) for type_ in ("execution.pause", "execution.resume")] == [1, 1]


def waiting() -> Run:
    """A child, which its caller pauses and lets go on without naming anybody."""
    return Run(program_of([{"id": "s", "type": "state", "with": {"signals": {"go": {}}}}])).start()


def test_a_child_that_somebody_paused_stays_paused_when_its_caller_goes_on() -> None:
    run = waiting().do(i.Pause(ID, user="ann")).do(i.Pause(ID)).do(i.Resume(ID))
    assert run.state.status == "paused"
    assert run.do(i.Resume(ID, user="ann")).state.status == "waiting"


def test_a_child_that_somebody_pauses_beside_its_caller_stays_paused_and_that_it_is_is_said_once() -> None:
    run = waiting().do(i.Pause(ID))
    since = run.state.paused and run.state.paused["since"]
    run.later(minutes=1).do(i.Pause(ID, "stocktaking", user="ann")).do(i.Resume(ID))
    assert run.state.paused is not None
    assert (run.state.paused["by"], run.state.paused["since"], len(said(run, "execution.paused"))) == ("ann", since, 1)
    assert run.do(i.Resume(ID, user="bob")).state.status == "waiting"


def test_somebody_may_let_a_child_go_on_alone() -> None:
    assert waiting().do(i.Pause(ID)).do(i.Resume(ID, user="ann")).state.status == "waiting"


def test_a_call_that_nobody_answered_is_sent_again_as_the_same() -> None:
    run = calling().later(seconds=61)
    first, second = said(run, "execution.start")
    assert first == second


def test_a_child_that_is_waited_for_does_not_stand_at_the_gate_that_its_caller_holds() -> None:
    small = Context({"id": "acme", "tier": "standard", "settings": {"quotas": {"live_executions": 1}}})
    program = program_of([{"id": "s", "type": "state", "with": {"signals": {"go": {}}}}])
    for wait, status in ((True, "waiting"), (False, "queued")):
        item = i.Start(ID, "test", caller=i.Caller(ID, "child", 1, 1, wait))
        assert apply(State(ID, "acme", "test", 1), item, START, program, small).state.status == status


def test_a_pause_reaches_a_child_that_still_waits_to_be_admitted() -> None:
    rule = {"concurrency": {"limit": 1}}
    run = Run(program_of([{"id": "s", "type": "set", "with": {"x": 1}}], settings=rule)).start()
    run.do(i.Pause(ID)).do(i.Admit(ID))
    assert run.state.status == "paused"
    assert run.do(i.Resume(ID)).state.status == "completed"


def test_calls_in_a_row_are_bounded() -> None:
    node = {"id": "child", "type": "call", "with": {"workflow": "test"}}
    caller = i.Caller(ID, "child", 1, 20)
    run = Run(program_of([node])).start(caller=caller)
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "call_too_deep")
