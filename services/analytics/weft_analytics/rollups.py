"""What one execution adds to the numbers, and how that changes when it does. Pure.

A change is what it adds now less what it added before. So the numbers are right by construction, in whatever order facts come and
however often: they are always the sum over what the executions are.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from weft_analytics.domain import STATUSES, Execution
from weft_analytics.histogram import bucket_of

MINUTE, HOUR = 60, 3600
GRAINS: Final = (MINUTE, HOUR)
"""Seconds of the two sorts of slot that are kept."""
COLUMNS: Final = (*STATUSES, "ended_completed", "ended_failed", "by_hand")
"""The counts of a slot: executions that started in it, by the status they have now; then those that ended in it; then of those that started
in it and have completed, those that somebody retried on the way."""
_INDEX: Final = {name: position for position, name in enumerate(COLUMNS)}
_ENDED: Final = {
    "completed": _INDEX["ended_completed"],
    "failed": _INDEX["ended_failed"],
    "timed_out": _INDEX["ended_failed"],
}


class Slot(NamedTuple):
    """A piece of time of one workflow. at: seconds since 1970, a multiple of `grain` seconds."""

    tenant: str
    workflow: str
    grain: int
    at: int


@dataclass(slots=True)
class Counted:
    """What counts about an execution, taken before it changes."""

    tenant: str
    workflow: str
    started_at: datetime
    status: str
    completed_at: datetime | None
    duration_ms: int | None
    retried: bool = False


@dataclass(slots=True)
class Deltas:
    """Changes of the numbers, added up. counts: by slot, in the order of `COLUMNS`.  durations: by slot and bucket."""

    counts: dict[Slot, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * len(COLUMNS)))
    durations: dict[tuple[Slot, int], int] = field(default_factory=lambda: defaultdict(int))

    def change(self, before: Counted | None, after: Execution) -> None:
        """Add what turning `before` into `after` changes."""
        now = counted(after)
        if before == now:
            return
        if before is not None:
            self._add(before, -1)
        self._add(now, 1)

    def _add(self, one: Counted, sign: int) -> None:
        started = int(one.started_at.timestamp())
        ended = int(one.completed_at.timestamp()) if one.completed_at else None
        ended_as = _ENDED.get(one.status)
        for grain in GRAINS:
            slot = Slot(one.tenant, one.workflow, grain, started - started % grain)
            self.counts[slot][_INDEX[one.status]] += sign
            if one.status == "completed" and one.retried:
                self.counts[slot][_INDEX["by_hand"]] += sign
            if one.status == "completed" and one.duration_ms is not None:
                self.durations[slot, bucket_of(one.duration_ms)] += sign
            if ended is not None and ended_as is not None:
                self.counts[Slot(one.tenant, one.workflow, grain, ended - ended % grain)][ended_as] += sign


def counted(execution: Execution) -> Counted:
    """What counts about an execution as it is."""
    return Counted(
        execution.tenant, execution.workflow, execution.started_at, execution.status, execution.completed_at, execution.duration_ms,
        execution.retried,
    )  # fmt: skip
