"""Moments by a business calendar: when a wait is over, and what a pause does to what is counted in working time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from weft_language.compilation import WaitWork
from weft_language.expressions import Calendar, ExpressionError, calendar_named

from weft_engine.core.asking import text


class Waking(NamedTuple):
    """When a wait is over. calendar: the name of the one that it was counted by, None for all days."""

    at: datetime
    calendar: str | None


def waking(work: WaitWork, names: Mapping[str, Any], now: datetime) -> Waking:
    """When a wait that begins now is over. names: in scope, with the calendars.

    In a calendar, a duration is of working time, and a time stands for the first working moment at or after it.
    Raises: ExpressionError, also where there is no calendar of that name.
    """
    name = None if work.calendar is None else text(work.calendar.render(names))
    calendar = None if name is None else calendar_named(names, name)
    if work.delay is not None:
        length = timedelta(seconds=work.delay.seconds(names))
        return Waking(now + length if calendar is None else calendar.after(now, length), name)
    until = work.until.at(names) if work.until is not None else now
    return Waking(until if calendar is None else calendar.next_open(until), name)


def put_off(due: datetime, since: datetime, now: datetime, calendar: Calendar | None) -> datetime:
    """When something is due after a pause from `since` to `now`: what time of it remained then remains, working time by a calendar.

    Without a calendar, and where it finds no such moment any more, it is put off by the length of the pause.
    """
    if calendar is not None and due > since:
        try:
            return calendar.after(now, calendar.between(since, due))
        except ExpressionError:
            pass
    return due + (now - since)
