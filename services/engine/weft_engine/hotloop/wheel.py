"""The timers of one lane that are due soon. The rest stay in PostgreSQL, so memory does not grow with what waits."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

HORIZON: Final = timedelta(seconds=60)
"""How far ahead timers are held in memory; each partition's later ones are read in good time before."""


class Wheel:
    """Executions by the moment to look at them again. An execution is armed once, for its earliest moment."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, UUID, int]] = []
        self._armed: dict[UUID, datetime] = {}

    def __len__(self) -> int:
        return len(self._armed)

    def arm(self, execution_id: UUID, partition: int, at: datetime, now: datetime) -> None:
        """Look at an execution at that moment; nothing changes when it is already looked at before, or the moment is far off."""
        armed = self._armed.get(execution_id)
        if at - now <= HORIZON and (armed is None or at < armed):
            self._armed[execution_id] = at
            heapq.heappush(self._heap, (at, execution_id, partition))

    def disarm(self, execution_id: UUID) -> None:
        """Forget an execution that has ended."""
        self._armed.pop(execution_id, None)

    def next_at(self) -> datetime | None:
        """The next moment, None when nothing is armed."""
        while self._heap and self._armed.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: datetime, limit: int) -> list[tuple[UUID, int]]:
        """(execution, partition) of what is due by now, at most `limit`; they are disarmed."""
        found: list[tuple[UUID, int]] = []
        while len(found) < limit and (at := self.next_at()) is not None and at <= now:
            _, execution_id, partition = heapq.heappop(self._heap)
            del self._armed[execution_id]
            found.append((execution_id, partition))
        return found

    def forget(self, partition: int) -> None:
        """Drop the timers of a partition that is no longer ours."""
        for _, execution_id, owner in self._heap:
            if owner == partition:
                self._armed.pop(execution_id, None)
