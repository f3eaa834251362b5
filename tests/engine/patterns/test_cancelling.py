"""WCP-19, WCP-20 and WCP-25 to WCP-27: what has begun is taken back."""

from __future__ import annotations

from weft_engine.core import items as i

from tests.engine.core.conftest import ID
from tests.engine.patterns.driving import Mesh, answer, asked, begin, decide, done, resting, working

PEOPLE = ["ann", "bob", "cleo"]


def test_wcp_19_a_task_that_is_not_needed_is_taken_back_from_whom_it_was_given() -> None:
    run = begin(19).signal("withdraw")
    assert (run.state.steps["ask"].status, run.said.count("task.cancel")) == ("cancelled", 1)
    assert working(run) == ["decide"]
    decide(run, "ask")
    assert "ask" not in done(run), "a decision that comes too late changes nothing"
    answered = decide(begin(19), "ask")
    assert (working(answered), resting(answered), "task.cancel" in answered.said) == (["decide"], [], False)


def test_wcp_20_cancelling_takes_back_all_that_is_open_and_goes_on_to_the_executions_called() -> None:
    mesh = Mesh.begin(20)
    run, (child,) = mesh.root, mesh.children
    assert (working(run), working(child)) == (["approve", "hold_flight", "send_papers"], ["pack"])
    run.do(i.Cancel(ID, "the journey is off", "ann"))
    mesh.settle()
    assert (run.state.status, child.state.status) == ("cancelled", "cancelled")
    assert {run.state.steps[node].status for node in ("hold_flight", "approve", "send_papers")} == {"cancelled"}
    assert run.said.count("task.cancel") == 1
    answer(run, "hold_flight", 1)
    assert (working(run), done(run)) == ([], [])


def test_wcp_25_a_whole_region_is_taken_back_and_what_follows_it_goes_on() -> None:
    run = begin(25).complete("print")
    assert working(run) == ["call_up", "post"]
    run.signal("stop")
    assert working(run) == ["account"]
    assert {node: run.state.steps[node].status for node in ("print", "post", "call_up")} == {
        "print": "completed", "post": "cancelled", "call_up": "cancelled",
    }  # fmt: skip
    assert run.complete("account").state.status == "completed"


def test_wcp_26_open_instances_are_withdrawn_and_those_that_ended_stand() -> None:
    run = begin(26, {"candidates": PEOPLE})
    answer(run, "call_up", 2, "not interested")
    run.signal("filled")
    assert (run.state.status, working(run)) == ("completed", [])
    ends = {entry.visit: entry.kind for row in run.rows for entry in row.entries if entry.node == "call_up"}
    assert ends == {1: "step.cancelled", 2: "step.completed", 3: "step.cancelled"}


def test_wcp_27_the_instances_that_ended_are_counted_and_the_others_withdrawn() -> None:
    run = begin(27, {"people": PEOPLE})
    answer(run, "ask", 3, "yes")
    answer(run, "ask", 1, "no")
    run.signal("enough")
    assert working(run) == ["count"]
    assert asked(run, "count") == [{"answers": ["yes", "no"]}]
    patient = begin(27, {"people": PEOPLE})
    for _ in PEOPLE:
        patient.complete("ask", "yes")
    assert (working(patient), resting(patient)) == (["count"], [])
    assert asked(patient, "count") == [{"answers": ["yes"] * 3}]
