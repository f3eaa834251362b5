"""Business calendars: when the people of a tenant work, and what a change makes of one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from weft_contracts.calendars import CalendarChanged
from weft_runtime.uow import Decision

from weft_tasks.errors import CalendarMoved

MOST: Final = 200
"""Calendars of a tenant: whoever counts business time holds all of them in memory."""
Hours = dict[str, tuple[tuple[str, str], ...]]
"""Opening and closing times by day, `mon` to `sun`, in order."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """A business calendar. version: counts its changes, from 1."""

    name: str
    zone: str
    hours: Hours
    holidays: tuple[str, ...]
    version: int
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    updated_by: str | None

    def says_the_same(self, other: Calendar) -> bool:
        """Whether both have the same working time, as written."""
        return (self.zone, self.hours, self.holidays) == (other.zone, other.hours, other.holidays)


def write(was: Calendar | None, asked: Calendar, etag: str | None) -> Decision[Calendar]:
    """A calendar as it is asked for: made, or changed where it says something else. Nothing is said of what stays as it is.

    asked: as for a new one.  etag: of the state that was changed, None for any.  Raises: CalendarMoved.
    """
    if etag is not None and (was is None or etag != str(was.version)):
        there = "there is none yet: leave If-Match out" if was is None else f"it is at {was.version} now; read it again and decide anew"
        raise CalendarMoved(f"the calendar {asked.name!r} is not at {etag!r}: {there}")
    if was is not None and was.says_the_same(asked):
        return Decision(was)
    made = asked if was is None else replace(asked, version=was.version + 1, created_at=was.created_at, created_by=was.created_by)
    told = CalendarChanged(
        name=made.name,
        revision=made.version,
        zone=made.zone,
        hours=made.hours,
        holidays=made.holidays,
        at=made.updated_at,
        by=made.updated_by,
    )
    return Decision(made, (told,))
