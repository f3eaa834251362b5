"""A transition that is too long goes on in the next one: nothing of it is lost or done twice, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core import running
from weft_engine.core.apply import apply
from weft_engine.core.state import State
from weft_language.compilation import Program

from tests.engine.core.conftest import CONTEXT, ID, START, program_of


def put(node: str, **values: Any) -> dict[str, Any]:
    return {"id": node, "type": "set", "with": values}


def branch(name: str) -> dict[str, Any]:
    work = {"id": name, "type": "activity", "with": {"name": "work"}}
    return {"nodes": [work, *(put(f"{name}{number}", **{name: number}) for number in range(3))]}


BESIDE = program_of([{"id": "p", "type": "parallel", "with": {"branches": {"a": branch("a"), "b": branch("b")}}}, put("end", done=True)])


def given(state: State, program: Program, *items: i.Happening) -> State:
    for item in items:
        state = apply(state, item, START, program, CONTEXT).state
    return state


def begun(program: Program) -> State:
    return given(State(ID, "acme", "test", 1), program, i.Start(ID, "test"), *[i.Tick(ID)] * 9)


def test_what_two_transitions_left_goes_on_after_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MAX_TRANSITION", 2)
    state = given(begun(BESIDE), BESIDE, i.ActivityCompleted(ID, "a", 1, 1), i.ActivityCompleted(ID, "b", 1, 1))
    assert [node for node, _, _ in state.ready] == ["a1", "b1"]
    state = given(state, BESIDE, *[i.Tick(ID)] * 9)
    assert (state.status, state.vars) == ("completed", {"a": 2, "b": 2, "done": True})


def test_what_a_resumed_execution_left_is_not_done_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MAX_STEPS", 1)
    count = {f"n{number}": "{{ 1 + 1 }}" for number in range(3)}
    program = program_of(
        [{"id": "a", "type": "activity", "with": {"name": "work"}}, put("x", **count), put("y", **count), put("z", **count)]
    )
    state = given(begun(program), program, i.Pause(ID), i.ActivityCompleted(ID, "a", 1, 1), i.Resume(ID), *[i.Tick(ID)] * 9)
    assert (state.status, [state.steps[node].visit for node in "xyz"]) == ("completed", [1, 1, 1])


def test_waiting_to_be_tried_again_is_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "RUNAWAY", 5)
    caught = {"nodes": [{"id": "a", "type": "activity", "with": {"name": "work"}, "retry": {"attempts": 1}}], "edges": []}
    inside = [put("one", x=1), put("two", x=2), {"id": "g", "type": "group", "with": caught}]
    retry = {"attempts": 2, "delay": "1s", "jitter": False}
    body = {"nodes": inside, "edges": [{"from": "one", "to": "two"}, {"from": "two", "to": "g"}]}
    program = program_of([{"id": "r", "type": "group", "retry": retry, "with": body}])
    state = begun(program)
    state = apply(state, i.ActivityFailed(ID, "a", 1, 1, {"code": "broken", "message": "broken"}), START, program, CONTEXT).state
    assert state.quiet == 0
    assert apply(state, i.Tick(ID), START + timedelta(seconds=1), program, CONTEXT).state.status == "running"


def beside(join: Any) -> Program:
    branches = {name: {"nodes": [{"id": name, "type": "task", "with": {"title": "T"}}]} for name in "xyz"}
    return program_of([{"id": "p", "type": "parallel", "with": {"branches": branches, "join": join}}])


@pytest.mark.parametrize(
    ("first", "then", "status", "output"), [("fail", "complete", "failed", None), ("complete", "fail", "completed", ["x"])]
)
def test_of_branches_that_end_before_their_parallel_looks_the_first_decides(
    monkeypatch: pytest.MonkeyPatch, first: str, then: str, status: str, output: Any
) -> None:
    program = beside("any")
    state = begun(program)
    monkeypatch.setattr(running, "MAX_TRANSITION", 1)
    items: dict[str, Callable[[str], i.Happening]] = {"fail": failed, "complete": done}
    state = given(state, program, items[first]("x"))
    assert state.ready == (("p", 1, ""),)
    state = given(state, program, items[then]("y"), *[i.Tick(ID)] * 9)
    assert (state.status, state.steps["p"].output and list(state.steps["p"].output)) == (status, output)


def failed(node: str) -> i.FailStep:
    return i.FailStep(ID, node, 1, {"code": "no", "message": "no"})


def done(node: str) -> i.CompleteStep:
    return i.CompleteStep(ID, node, 1, "completed", {"outcome": "completed"})
