"""`business_time(from, duration, calendar)`: working time added to a moment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from weft_language.expressions.errors import LIMIT, TYPE, VALUE, ExpressionError
from weft_language.expressions.functions.registry import ANY, DURATION, TEXT, TIME, function
from weft_language.expressions.functions.times import parse_duration, parse_time, zone
from weft_language.expressions.limits import Frame, spend
from weft_language.expressions.values import spoken

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DEFAULT_HOURS: Final = {day: [["09:00", "17:00"]] for day in _DAYS[:5]}
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_HORIZON_DAYS: Final = 3660
_DAY_STEPS: Final = 4
_CALENDAR_STEPS: Final = 100
_FIELDS: Final = frozenset({"zone", "hours", "holidays"})
Span = tuple[time, time]


@function("business_time", ANY, ANY, ANY)
def business_time(frame: Frame, start: Any, span: Any, calendar: Any) -> datetime:
    """The moment when `span` of working time has passed since `start`; before it, for a negative span.

    start: a timestamp, or its text.  span: a duration, or its text.
    calendar: `{zone: "UTC", hours: {mon: [["09:00", "17:00"]], ...}, holidays: ["2026-12-25"]}`; each field may be left
      out, `hours` then being Monday to Friday, 09:00 to 17:00. A calendar's name is refused: names are resolved by who
      owns calendars, before the expression is evaluated.
    Raises: ExpressionError where an argument is none of these or no working time is found within ten years.
    """
    moment = parse_time(frame, start) if type(start) in TEXT else start
    length = parse_duration(frame, span) if type(span) in TEXT else span
    if type(moment) not in TIME or type(length) not in DURATION:
        wanted = f"not {spoken(start)} and {spoken(span)}"
        raise ExpressionError(TYPE, f"business_time takes a timestamp and a duration, {wanted}")
    where, hours, holidays = _read(calendar)
    spend(frame, _CALENDAR_STEPS + 4 * (len(holidays) + sum(map(len, hours))))
    try:
        found = _walk(frame, moment, length, where, hours, holidays)
    except OverflowError:  # the years 1 and 9999 have no days before and behind them
        found = None
    if found is None:
        hint = "does the calendar have hours?"
        raise ExpressionError(LIMIT, f"business_time finds no end within {_HORIZON_DAYS} days; {hint}")
    return found


def _walk(
    frame: Frame, moment: datetime, length: timedelta, where: tzinfo, hours: list[list[Span]], holidays: frozenset[date]
) -> datetime | None:
    """Day after day, taking from `length` what each has open; None where it does not end within the horizon."""
    back = length < timedelta()
    left = abs(length)
    day = moment.astimezone(where).date()
    for _ in range(_HORIZON_DAYS):
        spans = [] if day in holidays else hours[day.weekday()]
        spend(frame, _DAY_STEPS * (1 + len(spans)))
        for opens, closes in reversed(spans) if back else spans:
            first = datetime.combine(day, opens, where).astimezone(UTC)
            last = datetime.combine(day, closes, where).astimezone(UTC)
            if back:
                last = min(last, moment)
            else:
                first = max(first, moment)
            if last - first >= left:
                return last - left if back else first + left
            left -= max(last - first, timedelta())
        day += timedelta(days=-1 if back else 1)
    return None


def _read(calendar: Any) -> tuple[tzinfo, list[list[Span]], frozenset[date]]:
    if type(calendar) is str:
        hint = "pass the calendar as an object with zone, hours and holidays"
        raise ExpressionError(VALUE, f"the calendar `{calendar[:80]}` is not known here; {hint}")
    if not isinstance(calendar, Mapping):
        raise ExpressionError(TYPE, f"a calendar is an object with zone, hours and holidays, not {spoken(calendar)}")
    for field in calendar:
        if field not in _FIELDS:
            raise ExpressionError(VALUE, f"a calendar has zone, hours and holidays, no `{str(field)[:80]}`")
    name, hours = calendar.get("zone", "UTC"), calendar.get("hours", _DEFAULT_HOURS)
    if type(name) is not str or not isinstance(hours, Mapping):
        raise ExpressionError(VALUE, "a calendar's zone is a text, its hours a map of days")
    for day in hours:
        if day not in _DAYS:
            raise ExpressionError(VALUE, f"a calendar's days are {', '.join(_DAYS)}, not `{str(day)[:80]}`")
    return zone(name), [_spans(hours.get(day, [])) for day in _DAYS], _holidays(calendar.get("holidays", []))


def _spans(listed: Any) -> list[Span]:
    if type(listed) is not list:
        raise ExpressionError(VALUE, 'the hours of a day are a list such as [["09:00", "17:00"]]')
    spans: list[Span] = []
    for pair in listed:
        clocks = [_CLOCK.fullmatch(clock) for clock in pair if type(clock) is str] if type(pair) is list else []
        if len(clocks) != 2 or clocks[0] is None or clocks[1] is None:  # opening and closing
            raise ExpressionError(VALUE, f"working hours are a pair such as ['09:00', '17:00'], not {str(pair)[:80]}")
        opens, closes = (time(int(clock[1]), int(clock[2])) for clock in clocks if clock)
        if opens >= closes or (spans and opens < spans[-1][1]):
            raise ExpressionError(VALUE, "working hours open before they close, and follow each other")
        spans.append((opens, closes))
    return spans


def _holidays(listed: Any) -> frozenset[date]:
    try:
        if type(listed) is list:
            return frozenset(date.fromisoformat(day) for day in listed)
    except (TypeError, ValueError):
        pass
    raise ExpressionError(VALUE, 'holidays are a list of days such as ["2026-12-25"]')
