"""Business calendars: when work is done, read once and asked often. Who evaluates gives them by name, as part of the names in scope."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import quote

from weft_language.expressions.errors import CALENDAR, LIMIT, TYPE, VALUE, ExpressionError
from weft_language.expressions.functions.times import zone
from weft_language.expressions.paths import CALENDARS
from weft_language.expressions.values import spoken

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_HOURS: Final = {day: [["09:00", "17:00"]] for day in DAYS[:5]}
HORIZON_DAYS: Final = 3660
"""How far a calendar is walked in search of an end."""
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
_DAY_MINUTES: Final = 24 * 60
_FIELDS: Final = frozenset({"zone", "hours", "holidays"})
_DAY_STEPS: Final = 4

Span = tuple[int, int]
"""Opening and closing, minutes since midnight by the clock on the wall; 1440 is the midnight after."""


def _free(steps: int) -> None:
    """Walking costs nothing where nobody counts: the horizon bounds it."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When work is done. hours: of each day of the week, Monday first, in order.  holidays: days without any."""

    zone: tzinfo
    hours: tuple[tuple[Span, ...], ...]
    holidays: frozenset[date]

    @property
    def opens(self) -> bool:
        """Whether there is working time at all in a week without holidays."""
        return any(self.hours)

    def after(self, moment: datetime, length: timedelta, spend: Callable[[int], None] = _free) -> datetime:
        """The moment when so much working time has passed since `moment`, UTC; before it, for a negative length.

        spend: told the steps that it takes.  Raises: ExpressionError (expression_limit) where none is found within ten years.
        """
        back, left = length < timedelta(), abs(length)
        for opens, closes in self._spans(moment, spend, back=back):
            first, last = (opens, min(closes, moment)) if back else (max(opens, moment), closes)
            if last - first >= left:
                return last - left if back else first + left
            left -= max(last - first, timedelta())
        raise _endless("no end")

    def next_open(self, moment: datetime) -> datetime:
        """The first moment of working time at or after `moment`, UTC. The moment of closing is none.

        Raises: ExpressionError (expression_limit) where none is found within ten years.
        """
        for first, last in self._spans(moment, _free):
            if moment < last and first < last:
                return max(first, moment)
        raise _endless("no opening")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The working time between two moments, none where the end comes first. No more than ten years are looked at."""
        found = timedelta()
        try:
            for first, last in self._spans(start, _free):
                if first >= end:
                    break
                found += max(min(last, end) - max(first, start), timedelta())
        except ExpressionError:
            pass  # the years end before the search does
        return found

    def _spans(self, moment: datetime, spend: Callable[[int], None], *, back: bool = False) -> Iterator[tuple[datetime, datetime]]:
        """Opening and closing, UTC, day after day from that of `moment` on, or back. Over a change of the clock one may be empty."""
        try:
            day = moment.astimezone(self.zone).date()
            for _ in range(HORIZON_DAYS):
                spans = () if day in self.holidays else self.hours[day.weekday()]
                spend(_DAY_STEPS * (1 + len(spans)))
                for opens, closes in reversed(spans) if back else spans:
                    yield self._at(day, opens), self._at(day, closes)
                day += timedelta(days=-1 if back else 1)
        except OverflowError:  # the years 1 and 9999 have no days before and behind them
            raise _endless("no end") from None

    def _at(self, day: date, minutes: int) -> datetime:
        if minutes == _DAY_MINUTES:
            day, minutes = day + timedelta(days=1), 0
        return datetime.combine(day, time(*divmod(minutes, 60)), self.zone).astimezone(UTC)


def compile_calendar(document: Any) -> Calendar:
    """A calendar as it is written: `{zone: "UTC", hours: {mon: [["09:00", "17:00"]], …}, holidays: ["2026-12-25"]}`.

    Each field may be left out; `hours` is Monday to Friday, 09:00 to 17:00 then. A day that closes at midnight closes at `24:00`.
    Raises: ExpressionError (expression_type, expression_value) where it is none, with the `pointer` of what is wrong.
    """
    if not isinstance(document, Mapping):
        raise ExpressionError(TYPE, f"a calendar is an object with zone, hours and holidays, not {spoken(document)}")
    for field in document:
        if field not in _FIELDS:
            raise ExpressionError(VALUE, f"a calendar has zone, hours and holidays, no `{str(field)[:80]}`")
    name, hours = document.get("zone", "UTC"), document.get("hours", DEFAULT_HOURS)
    if type(name) is not str or not isinstance(hours, Mapping):
        raise ExpressionError(VALUE, "a calendar's zone is a text, its hours a map of days")
    for day in hours:
        if day not in DAYS:
            raise ExpressionError(VALUE, f"a calendar's days are {', '.join(DAYS)}, not `{str(day)[:80]}`", pointer="/hours")
    try:
        where = zone(name)
    except ExpressionError as error:
        error.pointer = "/zone"
        raise
    return Calendar(where, tuple(_day(hours.get(day, []), day) for day in DAYS), _holidays(document.get("holidays", [])))


def _day(listed: Any, day: str) -> tuple[Span, ...]:
    if type(listed) is not list:
        raise ExpressionError(VALUE, 'the hours of a day are a list such as [["09:00", "17:00"]]', pointer=f"/hours/{day}")
    spans: list[Span] = []
    for place, pair in enumerate(listed):
        pointer = f"/hours/{day}/{place}"
        clocks = [minutes_of(clock) for clock in pair] if type(pair) is list else []
        if len(clocks) != 2 or clocks[0] is None or clocks[1] is None:  # opening and closing
            raise ExpressionError(VALUE, f"working hours are a pair such as ['09:00', '17:00'], not {str(pair)[:80]}", pointer=pointer)
        opens, closes = clocks[0], clocks[1]
        if opens >= closes or (spans and opens < spans[-1][1]):
            raise ExpressionError(VALUE, "working hours open before they close, and follow each other", pointer=pointer)
        spans.append((opens, closes))
    return tuple(spans)


def minutes_of(clock: Any) -> int | None:
    """Minutes since midnight of a time on the clock, `00:00` to `24:00`; None for what is none."""
    found = _CLOCK.fullmatch(clock) if type(clock) is str else None
    if found is None:
        return None
    return _DAY_MINUTES if found[1] is None else int(found[1]) * 60 + int(found[2])


def _holidays(listed: Any) -> frozenset[date]:
    try:
        if type(listed) is list:
            return frozenset(date.fromisoformat(day) for day in listed)
    except (TypeError, ValueError):
        pass
    raise ExpressionError(VALUE, 'holidays are a list of days such as ["2026-12-25"]', pointer="/holidays")


def calendar_named(names: Mapping[str, Any], name: str) -> Calendar:
    """The calendar of a name. names: those in scope. Raises: ExpressionError (unknown_calendar)."""
    known: Mapping[str, Calendar] | None = names.get(CALENDARS)
    shown = name[:80]
    if known is None:
        mend = "pass the calendar as an object with zone, hours and holidays"
        raise ExpressionError(CALENDAR, f"the calendar `{shown}` cannot be looked up here, where no business calendars are known; {mend}")
    found = known.get(name)
    if found is None:
        there = f"there is {', '.join(sorted(known)[:10])}" if known else "there is none yet"
        raise ExpressionError(
            CALENDAR, f"there is no business calendar `{shown}` ({there}); make it with PUT /api/v1/calendars/{quote(shown)}"
        )
    return found


def _endless(what: str) -> ExpressionError:
    return ExpressionError(LIMIT, f"business_time finds {what} within {HORIZON_DAYS} days; does the calendar have hours?")
