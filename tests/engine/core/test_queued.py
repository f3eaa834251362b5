"""What is told of an execution that waits until it may begin."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from weft_engine.core import items as i

from tests.engine.core.conftest import ID, Run, program_of

ONE_AT_A_TIME = {"concurrency": {"limit": 1, "on_conflict": "skip"}, "priority": 7}
HOLD = {"id": "s", "type": "state", "with": {"signals": {"go": {}}}}


def told(run: Run) -> list[tuple[str, dict[str, Any]]]:
    return [(out.item.type, msgspec.json.decode(out.item.data)) for out in run.outgoing]


def waiting(**more: Any) -> Run:
    return Run(program_of([HOLD], settings=ONE_AT_A_TIME)).start(**more)


def test_it_is_told_as_queued_with_what_asked_for_it_and_then_as_started() -> None:
    run = waiting(key="k-1")
    [(word, fact)] = told(run)
    assert (word, fact["key"], fact["priority"], fact["position"]) == ("execution.queued", "k-1", 7, 0)
    run.do(i.Admit(ID))
    assert [word for word, _ in told(run)[1:]] == ["execution.started", "execution.waiting"]


def test_one_that_was_paused_before_it_began_is_queued_again() -> None:
    run = waiting().do(i.Pause(ID)).do(i.Resume(ID))
    assert run.state.status == "queued"
    assert [word for word, _ in told(run)] == ["execution.queued", "execution.paused", "execution.queued"]
    assert [fact["position"] for _, fact in told(run)] == [0, 1, 2]


def test_one_that_is_skipped_after_it_was_shown_is_shown_as_cancelled() -> None:
    run = waiting().do(i.Skip(ID, UUID(int=9)))
    assert [word for word, _ in told(run)] == ["execution.queued", "execution.skipped", "execution.cancelled"]
    assert told(run)[-1][1]["reason"] == "another lives with its key"
