"""When a schedule is due: by a cron expression or at equal distances, in a time zone, between a start and an end. Pure.

Cron is Debian's: minute, hour, day of the month, month, weekday; `L`, `LW`, `MON#1` and `5L` too, and `@hourly` to `@yearly`. What runs at
a certain time of the day runs once on the days on which the clocks change: a time that is left out then comes at once after the gap, one
that comes twice counts the first time. What runs more often (a star for its minutes or hours) follows the clock as it is.
Source: cron(8) of Debian, "Local time changes of less than three hours".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Literal

from cronsim import CronSim, CronSimError

from weft_language.expressions import ExpressionError
from weft_language.expressions.functions.times import zone

CatchUp = Literal["skip", "once", "all"]

MIN_EVERY_S: Final = 1.0
"""The shortest distance between two moments of `every`."""
MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
FIELDS: Final = 5
_STEPS: Final = 10_000
"""Moments passed over at most while one after a given time is looked for; a change of the clocks makes at most some hundred."""
_FIRST_WINDOW: Final = timedelta(hours=1)
_SAMPLE: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9990, 1, 1, tzinfo=UTC)
"""Past this nothing is due: times near the end of the calendar cannot be computed with."""


class InvalidCron(ValueError):
    """A text is no cron expression, or one that is never due."""

    code = "invalid_cron"


class UnknownZone(ValueError):
    """A text names no time zone."""

    code = "unknown_zone"


def read_cron(text: str) -> str:
    """The five fields of a cron expression, macros written out. Raises: InvalidCron."""
    fields = MACROS.get(text.strip().lower(), text)
    if text.strip().startswith("@") and fields is text:
        raise InvalidCron(f"{text[:60]!r} is no cron macro; there are {', '.join(MACROS)}")
    count = len(fields.split())
    if count != FIELDS:
        hint = "; for seconds use `every`" if count == FIELDS + 1 else ""
        raise InvalidCron(f"{text[:60]!r} has {count} fields; cron has five: minute, hour, day of the month, month, weekday{hint}")
    try:
        next(CronSim(fields, _SAMPLE))
    except CronSimError as error:
        raise InvalidCron(f"{text[:60]!r} is no cron expression: {str(error).lower()}") from error
    except (StopIteration, OverflowError) as error:
        raise InvalidCron(f"{text[:60]!r} is never due: no day of the next 50 years fits") from error
    return fields


def read_zone(name: str) -> tzinfo:
    """The time zone of an IANA name or of an offset such as `+02:00`. Raises: UnknownZone."""
    try:
        found = zone(name)
    except ExpressionError as error:
        raise UnknownZone(f"{name[:60]!r} is not a time zone; write one such as Europe/Rome, UTC or +02:00") from error
    # The library takes a short way for this one object.
    return UTC if name == "UTC" or found == UTC else found


@dataclass(frozen=True, slots=True)
class Note:
    """What a change of the clocks does to one moment. detail: for a person."""

    code: Literal["shifted", "repeated", "clocks_changed"]
    detail: str


@dataclass(frozen=True, slots=True)
class Timetable:
    """When something is due. All times in and out are aware; those given back are UTC.

    cron: five fields, else every: the distance, at least a second.  zone: IANA name or offset of the clock that `cron` means; `every` is
    counted in real time, whatever the clocks do.  starts, ends: the first and the last time at which it may be due, both included.
    origin: the moment of `every` from which the others are counted: `starts` where that is given, else what `counted_from` is told.
    """

    zone: str = "UTC"
    cron: str | None = None
    every: timedelta | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    origin: datetime = field(default=_SAMPLE)

    def counted_from(self, origin: datetime) -> Timetable:
        """The same, whose `every` is counted from a time, unless it has `starts`."""
        return self if self.starts is not None else replace(self, origin=origin)

    def after(self, moment: datetime) -> datetime | None:
        """The first moment later than this one, None where there is none."""
        return next(self.moments(moment), None)

    def moments(self, after: datetime) -> Iterator[datetime]:
        """Every moment later than this one, in order."""
        if self.starts is not None and after < self.starts:
            after = self.starts - timedelta(microseconds=1)
        for found in self._of_cron(after) if self.every is None else self._of_every(after, self.every):
            if found > _LAST or (self.ends is not None and found > self.ends):
                return
            yield found

    def between(self, after: datetime, until: datetime, most: int) -> list[datetime]:
        """The first `most` moments later than `after` and not later than `until`."""
        found: list[datetime] = []
        for moment in self.moments(after):
            if moment > until or len(found) == most:
                break
            found.append(moment)
        return found

    def count(self, after: datetime, until: datetime, most: int) -> int:
        """How many moments are later than `after` and not later than `until`; of cron at most `most` are counted."""
        if self.every is None:
            return len(self.between(after, until, most))
        first = self.after(after)
        until = until if self.ends is None else min(until, self.ends)
        return 0 if first is None or first > until else (until - first) // self.every + 1

    def newest(self, after: datetime, until: datetime, most: int) -> list[datetime]:
        """The last `most` moments later than `after` and not later than `until`, oldest first. most: from 1."""
        if self.every is not None:
            after = max(after, until - self.every * most - timedelta(microseconds=1))
            return self.between(after, until, most + 1)[-most:]
        # Cron is read forwards only, so that each moment is the same whoever looks: from ever further back, until enough are found.
        window = _FIRST_WINDOW
        while True:
            begin = after if until - after <= window else until - window
            found: list[datetime] = []
            for moment in self.moments(begin):
                if moment > until:
                    break
                found.append(moment)
            if begin == after or len(found) >= most:
                return found[-most:]
            window *= 4 if len(found) * 4 <= most else 2

    def note(self, moment: datetime, before: datetime) -> Note | None:
        """What a change of the clocks does to one of its moments, None for nothing. before: the moment before it, or any time before it."""
        where = read_zone(self.zone)
        here, then = moment.astimezone(where), before.astimezone(where)
        if self.cron is not None:
            sim = CronSim(self.cron, _SAMPLE)
            if here.hour not in sim.hours or here.minute not in sim.minutes:
                return Note("shifted", "the clocks go forward over the time that is meant, so it comes right after the gap")
            if here.utcoffset() != here.replace(fold=1 - here.fold).utcoffset():
                twice = "this is the first" if _at_a_time(self.cron) else "it is due at both"
                return Note("repeated", f"the clocks go back, so this time comes twice that day: {twice}")
            return None
        if here.utcoffset() != then.utcoffset():
            return Note(
                "clocks_changed", f"the clocks changed before it, from {_offset(then)} to {_offset(here)}: it is counted in real time"
            )
        return None

    def _of_cron(self, after: datetime) -> Iterator[datetime]:
        where = read_zone(self.zone)
        try:
            last = after.astimezone(UTC)
            passed = 0
            for found in CronSim(self.cron or "", last.astimezone(where)):
                moment = found.astimezone(UTC)
                # Begun in the second pass of an hour that the clocks repeat, the library first gives times of the first pass.
                if moment <= last:
                    passed += 1
                    if passed > _STEPS:
                        return
                    continue
                last = moment
                yield moment
        except OverflowError:
            return

    def _of_every(self, after: datetime, every: timedelta) -> Iterator[datetime]:
        origin = (self.starts or self.origin).astimezone(UTC)
        try:
            number = (after - origin) // every + 1
            while True:
                yield origin + number * every
                number += 1
        except OverflowError:
            return


@lru_cache(maxsize=1024)
def _at_a_time(cron: str) -> bool:
    """Whether it runs at certain times of the day, for which Debian's cron takes care of changes of the clocks."""
    minute, hour = cron.split()[:2]
    return not minute.startswith("*") and not hour.startswith("*")


def _offset(moment: datetime) -> str:
    return moment.strftime("%z")[:3] + ":" + moment.strftime("%z")[3:5]
