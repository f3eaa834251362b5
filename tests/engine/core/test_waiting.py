"""What executions wait for: people, signals, time."""

from __future__ import annotations

from typing import Any

from weft_engine.core import items as i

from tests.engine.core.conftest import ID, Run, program_of


def task(**more: Any) -> dict[str, Any]:
    return {"id": "t", "type": "task", "with": {"title": "Approve {{ input.n }}", "outcomes": ["yes", "no"], **more}}


def state(**signals: Any) -> dict[str, Any]:
    return {"id": "s", "type": "state", "with": {"signals": {name: value or {} for name, value in signals.items()}}}


def put(node: str, **values: Any) -> dict[str, Any]:
    return {"id": node, "type": "set", "with": values}


def test_a_task_is_put_before_a_person_and_its_decision_goes_on() -> None:
    edges = [{"from": "t", "to": "done", "on": "yes"}]
    run = Run(program_of([task(), put("done", by="{{ step.t.output.completed_by }}")], edges)).start({"n": 7})
    assert (run.state.status, run.said) == ("waiting", ["execution.started", "task.create", "execution.waiting"])
    run.do(i.CompleteStep(ID, "t", 1, "yes", {"completed_by": "ann"}))
    assert (run.state.status, run.state.vars) == ("completed", {"by": "ann"})


def test_a_decision_for_an_earlier_visit_changes_nothing() -> None:
    run = Run(program_of([task()])).start({"n": 7}).do(i.CompleteStep(ID, "t", 2, "yes"))
    assert run.state.status == "waiting"


def test_a_task_whose_time_is_over_is_taken_back() -> None:
    node = task() | {"timeout": "1d"}
    run = Run(program_of([node, put("late", x=1)], [{"from": "t", "to": "late", "on": "timeout"}])).start({"n": 7}).later(days=1)
    assert (run.state.status, run.state.vars) == ("completed", {"x": 1})
    taken_back = next(out for out in run.outgoing if out.item.type == "task.cancel")
    assert b'"reason":"timeout"' in bytes(taken_back.item.data)


def test_cancelling_takes_tasks_back_and_answers() -> None:
    run = Run(program_of([task()])).start({"n": 7}).do(i.Cancel(ID, "enough", "ann"))
    assert (run.state.status, run.answer and run.answer.status, run.said[-2:]) == ("cancelled", 200, ["task.cancel", "execution.cancelled"])
    assert run.do(i.Cancel(ID)).answer is not None


def test_a_signal_goes_to_the_node_that_waits_for_it() -> None:
    run = Run(program_of([state(go=None)], output={"n": "{{ step.s.output.n }}"})).start().signal("go", {"n": 1})
    assert (run.state.status, run.state.output) == ("completed", {"n": 1})


def test_a_signal_before_its_node_is_kept_and_delivered_in_the_order_of_arrival() -> None:
    nodes = [state(go=None), {"id": "s2", "type": "state", "with": {"signals": {"pay": {}}}}]
    run = Run(program_of(nodes, [{"from": "s", "to": "s2", "on": "go"}])).start()
    run.signal("pay", 1).signal("pay", 2)
    assert len(run.state.kept) == 2
    run.signal("go")
    assert (run.state.status, run.state.steps["s2"].output) == ("completed", 1)


def test_the_same_signal_arrives_once() -> None:
    nodes = [state(go=None), {"id": "s2", "type": "state", "with": {"signals": {"go": {}}}}]
    run = Run(program_of(nodes, [{"from": "s", "to": "s2", "on": "go"}])).start().signal("go", 1, "one").signal("go", 1, "one")
    assert run.state.status == "waiting"
    assert run.answer is not None
    assert run.answer.body["status"] == "repeated"


def test_a_kept_signal_is_forgotten_after_its_time_to_live() -> None:
    nodes = [state(go=None), {"id": "s2", "type": "state", "with": {"signals": {"pay": {}}}}]
    run = Run(program_of(nodes, [{"from": "s", "to": "s2", "on": "go"}], settings={"signal_ttl": "1h"})).start().signal("pay")
    run.later(hours=2)
    assert run.signal("go").state.status == "waiting"


def test_a_payload_that_does_not_fit_is_refused_with_pointers() -> None:
    run = Run(program_of([state(go={"schema": {"type": "object", "required": ["n"]}})])).start().signal("go", {})
    assert run.state.status == "waiting"
    assert run.answer is not None
    assert (run.answer.status, run.answer.body["errors"][0]["pointer"]) == (422, "/payload/n")


def test_the_first_after_ends_a_state_that_nothing_reached() -> None:
    node = {"id": "s", "type": "state", "with": {"signals": {"go": {}}, "after": {"late": "2h", "soon": "1h"}}}
    run = Run(program_of([node])).start().later(hours=1)
    assert (run.state.status, run.state.steps["s"].outcome) == ("completed", "soon")


def test_a_wait_for_no_time_at_all_does_not_rest() -> None:
    assert Run(program_of([{"id": "w", "type": "wait", "with": {"for": "0s"}}])).start().state.status == "completed"


def test_the_moment_to_look_again_is_the_earliest_of_all() -> None:
    node = {"id": "s", "type": "state", "with": {"after": {"late": "2h"}}}
    run = Run(program_of([node], settings={"max_duration": "1h"})).start()
    assert run.state.wake_at == run.state.deadline_at


def test_what_comes_after_the_end_is_answered_and_changes_nothing() -> None:
    run = Run(program_of([put("a", x=1)])).start().signal("go")
    assert run.answer is not None
    assert (run.answer.status, run.answer.code) == (409, "execution_ended")
