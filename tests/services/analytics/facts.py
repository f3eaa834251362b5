"""Facts of executions for tests: what an engine would say of one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from weft_analytics.domain import Fact
from weft_contracts.executions import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionQueued,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionTimedOut,
    ExecutionWaiting,
    Failure,
)

START = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
ENDS: dict[str, Any] = {
    "completed": ExecutionCompleted,
    "failed": ExecutionFailed,
    "timed_out": ExecutionTimedOut,
    "cancelled": ExecutionCancelled,
}


def life(
    end: str | None = "completed",
    *,
    id: UUID | None = None,
    workflow: str = "leave",
    at: datetime = START,
    took_ms: int = 1500,
    waits: int = 0,
    queued: bool = False,
    **begin: Any,
) -> list[Fact]:
    """Everything said of one execution, in order. end: None where it still runs (or waits, where it waits at all).

    queued: whether it had to wait until it may begin.
    """
    execution_id = id or uuid4()
    positions = iter(range(1, 100))

    def same(after_ms: int) -> dict[str, Any]:
        moment = at + timedelta(milliseconds=after_ms)
        return {"execution_id": execution_id, "workflow": workflow, "workflow_version": 3, "position": next(positions), "at": moment}

    beginning: dict[str, Any] = {"trigger_type": "event", "trigger_id": "t", "event_id": "e-1", "labels": {"team": "hr"}} | begin
    facts: list[Fact] = [ExecutionQueued(**same(-60_000), **beginning)] if queued else []
    facts.append(ExecutionStarted(**same(0), **beginning))
    for number in range(waits):
        facts.append(ExecutionWaiting(**same(10 * number + 1), node="review", kind="task"))
        if end is not None or number < waits - 1:
            facts.append(ExecutionResumed(**same(10 * number + 2)))
    if end is not None:
        error = {"error": Failure(code="boom", message="it broke", node="call")} if end in ("failed", "timed_out") else {}
        facts.append(ENDS[end](**same(took_ms), started_at=at, duration_ms=took_ms, **beginning, **error))
    return facts
