"""A state that waits for domain events is renamed by a migration: the events service goes on knowing its wait by the old name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.evolve import flat, fold
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.state import State
from weft_language.compilation import Program

from tests.engine.core.conftest import CONTEXT, ID, Run, comparable
from tests.engine.core.test_listening import PAID, commands, event, state
from tests.engine.migrating.conftest import back, retry_by, to, verdict_of, version


def listening(number: int, node: str, *more: dict[str, Any]) -> Program:
    return version(number, [state(node, paid=PAID, signals={"stop": {}}, after={"late": "1h"}), *more])


def renamed() -> Run:
    """An execution whose `s` is called `t` since."""
    run = Run(listening(1, "s")).start({"order": 1})
    assert verdict_of(to(run, listening(2, "t"))) == ("ok", [])
    return run


def test_an_event_reaches_the_renamed_node_and_its_wait_is_closed_as_it_was_opened() -> None:
    run = event(renamed(), "paid", order=1, n=5)
    assert (run.state.status, run.state.steps["t"].output) == ("completed", {"order": 1, "n": 5})
    [opened], [closed] = commands(run, "subscription.open"), commands(run, "subscription.close")
    assert (opened["node"], opened["visit"]) == (closed["node"], closed["visit"]) == ("s", 1)
    assert (closed["event_id"], closed["position"] > opened["position"]) == ("e1", True)


@pytest.mark.parametrize(
    "end",
    [lambda run: run.later(hours=1), lambda run: run.signal("stop"), lambda run: run.do(i.Cancel(ID))],
    ids=["time", "signal", "cancel"],
)
def test_whatever_else_ends_the_wait_closes_it_by_the_old_name(end: Callable[[Run], Run]) -> None:
    run = end(renamed())
    assert [(one["node"], one["visit"]) for one in commands(run, "subscription.close")] == [("s", 1)]


def test_going_back_leaves_the_wait_open_under_its_name() -> None:
    old = listening(1, "s")
    run = Run(old).start({"order": 1})
    before = comparable(run.state)
    to(run, listening(2, "t"))
    back(run, old)
    assert {**comparable(run.state), "position": 0} == {**before, "position": 0}
    assert len(commands(event(run, "paid", order=1), "subscription.close")) == 1
    assert (run.state.status, len(commands(run, "subscription.open"))) == ("completed", 1)


def test_a_new_node_by_the_old_name_has_a_wait_of_its_own() -> None:
    run = Run(listening(1, "s")).start({"order": 1})
    to(run, listening(2, "t", state("s", paid=PAID)), {"s": "t"})
    event(run, "paid", order=1)
    assert [(one["node"], one["visit"]) for one in commands(run, "subscription.open")] == [("s", 1), ("s", 2)]
    assert event(run, "paid", "order.paid", "e2", order=1).state.status == "completed"


def test_a_retry_takes_up_the_wait_by_the_name_it_had() -> None:
    def both(number: int, node: str) -> Program:
        waits, fails = state(node, paid=PAID), {"id": "w", "type": "activity", "with": {"name": "work"}}
        branches = {"left": {"nodes": [waits]}, "right": {"nodes": [fails]}}
        return version(number, [{"id": "fan", "type": "parallel", "with": {"branches": branches}}])

    run = Run(both(1, "s")).start({"order": 1})
    to(run, both(2, "t"))
    run.fail("w", permanent=True)
    assert run.state.status == "failed"
    retry_by(run, run.program, i.Retry(ID))
    assert [(one["node"], one["visit"]) for one in commands(run, "subscription.open")] == [("s", 1), ("s", 1)]
    event(run.complete("w"), "paid", order=1)
    assert run.state.status == "completed"
    assert {(one["node"], one["visit"]) for one in commands(run, "subscription.close")} == {("s", 1)}
    again = replay(State(ID, "acme", "test", 1), happenings(ID, flat(run.rows)), both(1, "s"), CONTEXT, {2: both(2, "t")})
    assert comparable(fold(ID, again)) == comparable(run.state)
