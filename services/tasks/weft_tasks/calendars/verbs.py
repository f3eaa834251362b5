"""The verb on business calendars."""

from __future__ import annotations

from collections.abc import Sequence

from weft_runtime.uow import UnitOfWork

from weft_tasks.calendars import MOST, Calendar, Hours, write
from weft_tasks.errors import TooManyCalendars
from weft_tasks.store import calendars as store


async def put_calendar(
    name: str, zone: str, hours: Hours, holidays: Sequence[str], etag: str | None, uow: UnitOfWork
) -> tuple[Calendar, bool]:
    """Give a tenant a calendar, or change one; who counts business time is told all of it.

    Returns: it, and whether it was not there before.  Raises: CalendarMoved, CalendarWrittenFirst, TooManyCalendars.
    """
    by = None if uow.caller is None else uow.caller.sub
    was = await store.find(uow, name, lock=True)
    decision = write(was, Calendar(name, zone, hours, tuple(holidays), 1, uow.now, by, uow.now, by), etag)
    if decision.says:
        if was is None and await store.count(uow) >= MOST:
            raise TooManyCalendars(f"a tenant has at most {MOST} calendars; change one that is not needed any more")
        await store.save(uow, decision.state)
    uow.say(*decision.says)
    return decision.state, was is None
