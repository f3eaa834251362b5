"""A history has an end: an execution that reaches it fails and says what to do instead."""

from __future__ import annotations

from copy import deepcopy

from weft_engine.core import items as i
from weft_engine.core.apply import apply
from weft_engine.core.turn import MAX_JOURNAL

from tests.engine.core.conftest import CONTEXT, ID, Run, program_of

PROGRAM = program_of([{"id": "rest", "type": "state", "with": {"signals": {"go": {}}}}, {"id": "then", "type": "set", "with": {"x": 1}}])


def after(entries: int) -> tuple[str, dict[str, object] | None]:
    """How an execution ends that goes on to its next node after so many entries in its history, and its error."""
    run = Run(PROGRAM, apart=None).start()
    state = deepcopy(run.state)
    state.position = entries
    ended = apply(state, i.Signal(ID, "s", "go", None), run.now, PROGRAM, CONTEXT).state
    return ended.status, ended.error


def test_an_execution_with_100_000_entries_in_its_history_fails_with_advice() -> None:
    assert MAX_JOURNAL == 100_000
    status, error = after(MAX_JOURNAL)
    assert error is not None
    assert (status, error["code"], error["node"], error["permanent"]) == ("failed", "history_too_long", "then", True)
    assert "start a fresh execution from here on" in str(error["message"])


def test_one_with_fewer_goes_on() -> None:
    assert after(MAX_JOURNAL - 10) == ("completed", None)
