"""The span a question about numbers is for, and the pieces it is answered in. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from weft_runtime.errors import Detail

from weft_analytics.errors import BadWindow
from weft_analytics.rollups import HOUR, MINUTE

BUCKETS_MAX: Final = 1500
"""Pieces of one answer at most: a day by the minute, two months by the hour."""
DEFAULT_SPAN: Final = timedelta(hours=24)
DAY: Final = 86_400
_NAMED: Final = {"minute": MINUTE, "hour": HOUR, "day": DAY}
_SHORT: Final = re.compile(r"(?=.)(?:(\d{1,4})w)?(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?")
_DURATION: Final = re.compile(r"P(?=.)(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?")


@dataclass(frozen=True, slots=True)
class Window:
    """A span cut into pieces.

    start, end: seconds since 1970, whole grains.  bucket: seconds of a piece.  grain: seconds of the slots it is read from.
    """

    start: int
    end: int
    bucket: int
    grain: int

    @property
    def begins(self) -> datetime:
        """Where the span begins."""
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def ends(self) -> datetime:
        """Where it ends; this moment is no longer in it."""
        return datetime.fromtimestamp(self.end, UTC)

    def buckets(self) -> list[int]:
        """Where each piece begins, in seconds since 1970; pieces are whole since 1970, so the first may begin before the span."""
        return list(range(self.start - self.start % self.bucket, self.end, self.bucket))


def window(since: datetime | None, until: datetime | None, bucket: str | None, now: datetime, minutes_kept: timedelta) -> Window:
    """The span asked for, widened to whole minutes, or to whole hours where the pieces are hours or more.

    since, until: the last 24 hours where absent.  bucket: `minute`, `hour`, `day` or a duration; fitting the span where absent.
    minutes_kept: how far back there are numbers by the minute.
    Raises: BadWindow.
    """
    end = _seconds(until or now)
    start = _seconds(since) if since is not None else end - int(DEFAULT_SPAN.total_seconds())
    if not 0 <= start < end or end > _seconds(now) + 366 * DAY:
        raise _bad("from", "`from` has to lie before `to`, and neither far in the future nor before 1970")
    seconds = piece_seconds(end - start, bucket)
    grain = HOUR if seconds % HOUR == 0 else MINUTE
    if grain == MINUTE and start < _seconds(now - minutes_kept):
        raise _bad("bucket", f"pieces shorter than an hour are kept for {minutes_kept.days} days; ask for `hour`, or a later `from`")
    made = Window(start - start % grain, end + -end % grain, seconds, grain)
    _bounded(made.end - made.start, seconds)
    return made


def piece_seconds(span_s: int, bucket: str | None) -> int:
    """The seconds of a piece of a span. bucket: as `window` has it. Raises: BadWindow."""
    seconds = _fitting(span_s) if bucket is None else bucket_seconds(bucket)
    _bounded(span_s, seconds)
    return seconds


def _bounded(span_s: int, seconds: int) -> None:
    if span_s / seconds > BUCKETS_MAX:
        raise _bad("bucket", f"that would be more than {BUCKETS_MAX} pieces; ask for longer ones or a shorter span")


def bucket_seconds(text: str) -> int:
    """The seconds of `minute`, `hour`, `day` or a duration of whole minutes, ISO 8601 or short. Raises: BadWindow."""
    if text in _NAMED:
        return _NAMED[text]
    total = _duration(text)
    if total is None:
        raise _bad("bucket", f"{text!r} is neither minute, hour, day nor a duration such as PT5M or 5m")
    if total < MINUTE or total % MINUTE or total > 366 * DAY:
        raise _bad("bucket", "a piece has to be whole minutes, from one minute to a year")
    return total


def duration_seconds(text: str) -> int:
    """The seconds of a duration of whole seconds, ISO 8601 or short. Raises: BadWindow."""
    total = _duration(text)
    if total is None:
        raise BadWindow(f"{text!r} is no duration such as PT5M or 5m")
    return total


def _duration(text: str) -> int | None:
    match = _DURATION.fullmatch(text) or _SHORT.fullmatch(text)
    if match is None:
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return weeks * 7 * DAY + days * DAY + hours * HOUR + minutes * MINUTE + seconds


def _fitting(span_s: int) -> int:
    if span_s <= 3 * HOUR:
        return MINUTE
    return HOUR if span_s <= 14 * DAY else DAY


def _seconds(time: datetime) -> int:
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())


def _bad(field: str, detail: str) -> BadWindow:
    return BadWindow(detail, details=[Detail(f"/{field}", "bad_window", detail, source="query")])
