"""Durations and times as authors write them, read by one parser each.

A duration is ISO 8601 (`PT30S`, `P2DT12H`, `P3W`) or the short form (`500ms`, `30s`, `5m`, `2h`, `3d`, `1w`, `1h30m`). Every unit has a
fixed length: a day is 24 hours whatever the clocks do, a week 7 days, a month 30 days and a year 365 days. Who means "the same day next
month" writes a time, not a duration.
"""

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

_SHORT: Final = re.compile(r"(?:\d{1,12}(?:\.\d{1,9})?(?:ms|[smhdw]))+", re.ASCII)
_SHORT_PART: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|[smhdw])", re.ASCII)
_ISO: Final = re.compile(r"P(?P<date>(?:\d{1,12}(?:[.,]\d{1,9})?[YMWD])*)(?:T(?P<time>(?:\d{1,12}(?:[.,]\d{1,9})?[HMS])+))?", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)

_SHORT_UNITS: Final = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DATE_UNITS: Final = {"Y": 31_536_000.0, "M": 2_592_000.0, "W": 604_800.0, "D": 86_400.0}
_TIME_UNITS: Final = {"H": 3_600.0, "M": 60.0, "S": 1.0}

MAX_DURATION_S: Final = 100 * 31_536_000.0
DURATION_HINT: Final = "write a duration such as 30s, 5m, 2h, 3d, PT30S or P2D"
TIME_HINT: Final = "write a time with its offset, such as 2026-11-20T09:00:00+01:00 or 2026-11-20T08:00:00Z"


class InvalidDuration(ValueError):
    """A text is no duration."""

    code = "invalid_duration"


class InvalidTime(ValueError):
    """A text is no RFC 3339 time with an offset."""

    code = "invalid_time"


def _sum(parts: list[tuple[str, str]], units: dict[str, float]) -> float | None:
    """The seconds of (number, unit) pairs; None when a unit is unknown, repeated or out of order (largest first)."""
    order = list(units)
    places = [order.index(unit) if unit in units else -1 for _, unit in parts]
    if -1 in places or any(later <= earlier for earlier, later in pairwise(places)):
        return None
    return sum(float(number.replace(",", ".")) * units[unit] for number, unit in parts)


def parse_duration(text: str) -> float:
    """Seconds of a duration text, in [0, 100 years].

    Raises: InvalidDuration. Source: ISO 8601-1:2019 section 5.5.2, without signs.
    """
    seconds: float | None = None
    if len(text) <= 100:
        if _SHORT.fullmatch(text):
            seconds = _sum(_SHORT_PART.findall(text), _SHORT_UNITS)
        elif (match := _ISO.fullmatch(text)) and (match["date"] or match["time"]):
            date = _sum(re.findall(r"([\d.,]+)([YMWD])", match["date"]), _DATE_UNITS)
            time = _sum(re.findall(r"([\d.,]+)([HMS])", match["time"] or ""), _TIME_UNITS)
            seconds = None if date is None or time is None else date + time
    if seconds is None:
        raise InvalidDuration(f"{text[:60]!r} is not a duration; {DURATION_HINT}")
    if seconds > MAX_DURATION_S:
        raise InvalidDuration(f"{text[:60]!r} is longer than 100 years")
    return seconds


def parse_time(text: str) -> datetime:
    """The instant of an RFC 3339 time, in UTC; digits beyond microseconds are dropped. Raises: InvalidTime."""
    match = _TIME.fullmatch(text) if len(text) <= 64 else None
    if match is None:
        raise InvalidTime(f"{text[:60]!r} is not an RFC 3339 time with an offset; {TIME_HINT}")
    fraction, offset = (match[1] or "")[:7], match[2].upper().replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(f"{text[:10]}T{text[11:19]}{fraction.ljust(7, '0') if fraction else ''}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidTime(f"{text[:60]!r} is not a time that exists; {TIME_HINT}") from error
