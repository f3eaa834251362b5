"""An event that is brought to the execution which lives with its key: a signal named like the trigger, kept rather than refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from weft_engine.core import items as i
from weft_engine.core.entries import SKIPPED, Entry
from weft_engine.core.evolve import blank, evolve
from weft_engine.core.messages import messages

from tests.engine.core.conftest import ID, START, Run, program_of

OTHER = UUID("0190a6f0-0000-7000-8000-000000000002")
STATE = {"id": "s", "type": "state", "with": {"signals": {"paid": {"schema": {"type": "object"}}}}}


def brought(event_id: str, name: str = "paid", payload: Any = None) -> i.Signal:
    start = i.Start(OTHER, "test", trigger={"type": "event", "id": name, "event_id": event_id}, key="k", correlated=True)
    return i.Signal(ID, event_id, name, {} if payload is None else payload, otherwise=start)


def test_it_is_delivered_to_the_state_that_waits_for_it() -> None:
    run = Run(program_of([STATE])).start().do(brought("e1"))
    assert (run.state.status, run.state.steps["s"].outcome) == ("completed", "paid")


@pytest.mark.parametrize("early", [brought("e1"), brought("e1", "unheard"), brought("e1", payload="no object")])
def test_one_that_nobody_takes_now_is_kept_once(early: i.Signal) -> None:
    run = Run(program_of([STATE])).start()
    if early.name == "paid" and early.payload == {}:
        run = Run(program_of([{"id": "w", "type": "wait", "with": {"for": "1h"}}, STATE])).start()
    run.do(early).do(early)
    assert [kept.signal_id for kept in run.state.kept] == ["e1"]
    assert run.state.status == "waiting"


def test_the_event_that_began_an_execution_is_no_signal_to_it_as_well() -> None:
    run = Run(program_of([STATE]))
    run.do(i.Start(ID, "test", trigger={"type": "event", "event_id": "e1"})).do(brought("e1"))
    assert (run.state.status, run.state.kept) == ("waiting", ())


def test_one_that_comes_during_a_pause_waits_for_its_end() -> None:
    run = Run(program_of([STATE])).start().do(i.Pause(ID)).do(brought("e1")).do(i.Resume(ID))
    assert run.state.status == "completed"


def test_a_start_that_finds_its_key_living_says_its_event_to_who_has_it() -> None:
    start = {"execution_id": str(OTHER), "workflow": "test", "correlated": True}
    trigger = {"type": "event", "id": "paid", "event_id": "e1", "payload": {"amount": 3}}
    data = {
        "tenant": "acme",
        "workflow": "test",
        "version": 1,
        "trigger": trigger,
        "key": "k",
        "live_execution_id": str(ID),
        "start": start,
    }
    entry = Entry(SKIPPED, data=data)
    state = blank(OTHER, entry)
    evolve(state, entry, START)
    fact, command = messages(state, [entry], 0, START, 8)
    assert (fact.item.type, command.item.type, command.exchange) == ("execution.skipped", "execution.signal", "weft.commands")
    signal = i.decode("execution.signal", command.item.data)
    assert signal == i.Signal(ID, "e1", "paid", {"amount": 3}, otherwise=i.Start(OTHER, "test", correlated=True))
