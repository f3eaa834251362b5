"""The virtual clock of generated programs: whole milliseconds from a fixed start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def moment(milliseconds: int) -> datetime:
    """The time that many milliseconds after the start."""
    return START + timedelta(milliseconds=milliseconds)


def since_start(text: str) -> int:
    """Milliseconds from the start to a time as RFC 3339 text."""
    return (datetime.fromisoformat(text) - START) // timedelta(milliseconds=1)
