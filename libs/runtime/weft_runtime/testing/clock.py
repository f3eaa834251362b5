"""A clock that stands still until it is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Gives the time it was set to; UTC."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        """The time, in UTC."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move on. Returns: the new time."""
        self._now += by
        return self._now

    def set(self, to: datetime) -> None:
        """Move to a time."""
        self._now = to
