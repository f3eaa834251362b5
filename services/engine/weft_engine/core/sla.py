"""The service level of an execution: when it is due by the `sla` of its definition, and from when on that is at risk. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from weft_language.compilation import Sla
from weft_language.expressions import Calendar, ExpressionError

from weft_engine.core.business import put_off

Status = Literal["on_track", "warned", "breached"]
ON_TRACK: Final[Status] = "on_track"
WARNED: Final[Status] = "warned"
BREACHED: Final[Status] = "breached"


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """When an execution is late. by: the terms that this follows from.  status: what has been said so far: nothing, `warned`, `breached`.

    problem: why the calendar of the terms is not counted by, in words; None where all is well.
    """

    due_at: datetime
    warn_at: datetime
    by: Sla
    status: Status = ON_TRACK
    problem: str | None = None

    @property
    def next_at(self) -> datetime | None:
        """When there is something to say next, None when all is said."""
        if self.status == ON_TRACK:
            return self.warn_at
        return self.due_at if self.status == WARNED else None

    @property
    def calendar(self) -> str | None:
        """The calendar that it is counted by; None for all days."""
        return None if self.problem is not None else self.by.calendar

    def told(self) -> dict[str, Any]:
        """As entries hold it."""
        shown: dict[str, Any] = {"due_at": self.due_at, "warn_at": self.warn_at, "due_s": self.by.due_s, "warn_share": self.by.warn_at}
        if self.by.calendar is not None:
            shown["calendar"] = self.by.calendar
        if self.status != ON_TRACK:
            shown["status"] = self.status
        if self.problem is not None:
            shown["problem"] = self.problem
        return shown


def read(told: Mapping[str, Any] | None) -> ServiceLevel | None:
    """As an entry holds it: times are datetimes when fresh, RFC 3339 text when read back."""
    if told is None:
        return None
    terms = Sla(told["due_s"], told["warn_share"], told.get("calendar"))
    return ServiceLevel(_moment(told["due_at"]), _moment(told["warn_at"]), terms, told.get("status", ON_TRACK), told.get("problem"))


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def promised(terms: Sla, began: datetime, rests: Sequence[tuple[datetime, datetime]], calendars: Mapping[str, Calendar]) -> ServiceLevel:
    """What terms come to for an execution that began then and rested so often.

    A calendar that is not there must not stop work that waits for nothing of it: the time runs on all days then, which is the earlier end,
    and `problem` says so.
    """
    calendar, problem = None, None
    if terms.calendar is not None:
        calendar = calendars.get(terms.calendar)
        if calendar is None:
            problem = f"there is no business calendar {terms.calendar!r}: the time runs on all days"
    lengths = [timedelta(seconds=terms.due_s), timedelta(seconds=terms.due_s * terms.warn_at)]
    try:
        due, warn = (began + length if calendar is None else calendar.after(began, length) for length in lengths)
    except ExpressionError:
        calendar, problem = None, f"the business calendar {terms.calendar!r} has not so much working time: the time runs on all days"
        due, warn = (began + length for length in lengths)
    level = ServiceLevel(due, warn, terms, problem=problem)
    for since, until in rests:
        level = rested(level, since, until, calendars)
    return level


def rested(level: ServiceLevel, since: datetime, until: datetime, calendars: Mapping[str, Calendar]) -> ServiceLevel:
    """What a pause leaves of it: what has not come yet is put off, by working time where it is counted so."""
    calendar = None if level.calendar is None else calendars.get(level.calendar)
    due = put_off(level.due_at, since, until, calendar) if level.due_at > since else level.due_at
    warn = put_off(level.warn_at, since, until, calendar) if level.warn_at > since else level.warn_at
    return replace(level, due_at=due, warn_at=warn)


def renewed(
    level: ServiceLevel | None, terms: Sla | None, began: datetime | None, rests: Sequence[tuple[datetime, datetime]],
    calendars: Mapping[str, Calendar], now: datetime,
) -> ServiceLevel | None:  # fmt: skip
    """What stands when an execution goes on by a version with these terms: the same where they are, else as if it always had them.

    What was said of a moment that has passed by the new terms, too, is not said again.
    """
    if terms is None or began is None:
        return None
    if level is not None and level.by == terms:
        return level
    made = promised(terms, began, rests, calendars)
    said = ON_TRACK if level is None else level.status
    if said == BREACHED and made.due_at <= now:
        return replace(made, status=BREACHED)
    return replace(made, status=WARNED) if said != ON_TRACK and made.warn_at <= now else made
