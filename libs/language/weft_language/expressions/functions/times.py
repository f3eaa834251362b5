"""Functions on timestamps and durations: CEL's own, and Weft's `date` and `format`. Zones are IANA names or `+02:00`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from weft_language.expressions.arithmetic import fit_duration
from weft_language.expressions.errors import ARITHMETIC, VALUE, ExpressionError
from weft_language.expressions.functions.layouts import written
from weft_language.expressions.functions.registry import DURATION, INT, TEXT, TIME, function, method
from weft_language.expressions.limits import Frame, spend, spend_text

_TIME: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII)
_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_OFFSET: Final = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)
_SPAN: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(d|h|ms|m|s|us|µs|ns)", re.ASCII)
_SPANS: Final = re.compile(rf"([+-]?)((?:{_SPAN.pattern})+)", re.ASCII)
_ISO_SPAN: Final = re.compile(r"([+-]?)P(?:(\d+)W|(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?)", re.ASCII)
_NANOSECONDS: Final = {
    "d": 86_400_000_000_000, "h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000,
    "ms": 1_000_000, "us": 1000, "µs": 1000, "ns": 1,
}  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_TEXT: Final = 100
_READING_STEPS: Final = 10
_MIDNIGHT_OF_YEAR_ONE: Final = datetime(1, 1, 1, tzinfo=UTC)


@function("timestamp", TEXT)
def parse_time(frame: Frame, text: str) -> datetime:
    """An RFC 3339 time with an offset, in UTC; below microseconds it is cut. Raises: ExpressionError."""
    spend(frame, _READING_STEPS)
    found = _TIME.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if found is None:
        hint = "; a time is written as 2026-11-20T09:30:00Z, a day goes into date(...)"
        raise ExpressionError(VALUE, f"`{text[:_LONGEST_TEXT]}` is not a time{hint}")
    *parts, fraction, zulu, sign, hours, minutes = found.groups()
    micros = int((fraction or "").ljust(6, "0")[:6])
    try:
        moment = datetime(*map(int, parts), micros, tzinfo=UTC)  # type: ignore[misc, arg-type]  # six numbers, as matched
        return moment if zulu else moment - _offset(sign, hours, minutes)
    except (ValueError, OverflowError) as error:
        raise ExpressionError(VALUE, f"`{text}` is not a time: {error}") from None


@function("timestamp", INT)
def _from_seconds(frame: Frame, seconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise ExpressionError(ARITHMETIC, f"{seconds} seconds since 1970 is outside of the years 1 to 9999") from None


@function("timestamp", TIME)
def _same_time(frame: Frame, moment: datetime) -> datetime:
    return moment


@function("duration", TEXT)
def parse_duration(frame: Frame, text: str) -> timedelta:
    """A duration such as `1h30m`, `250ms`, `3d` or ISO 8601's `PT1H30M`, `P2D`. Raises: ExpressionError."""
    spend(frame, _READING_STEPS)
    short = len(text) <= _LONGEST_TEXT
    found = _SPANS.fullmatch(text) if short else None
    if found is not None:
        total = sum(int(_exact(amount, _NANOSECONDS[unit])) for amount, unit in _SPAN.findall(found[2]))
        return _from_nanoseconds(-total if found[1] == "-" else total)
    found = _ISO_SPAN.fullmatch(text) if short else None
    if found is not None:
        weeks, *parts = found.groups()[1:]
        units = ("d", "h", "m", "s")
        total = sum(_exact(amount, _NANOSECONDS[unit]) for amount, unit in zip(parts, units, strict=True) if amount)
        total += int(weeks or 0) * 7 * _NANOSECONDS["d"]
        return _from_nanoseconds(-total if found[1] == "-" else total)
    if text in ("0", "+0", "-0"):
        return timedelta()
    raise ExpressionError(VALUE, f"`{text[:_LONGEST_TEXT]}` is not a duration; write 30s, 1h30m, 3d or PT1H30M")


@function("duration", DURATION)
def _same_duration(frame: Frame, span: timedelta) -> timedelta:
    return span


def _exact(amount: str, unit: int) -> int:
    whole, _, fraction = amount.partition(".")
    return int(whole or "0") * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)


def _from_nanoseconds(total: int) -> timedelta:
    try:
        return fit_duration(timedelta(microseconds=abs(total) // 1000 * (1 if total >= 0 else -1)))
    except OverflowError:
        raise ExpressionError(ARITHMETIC, "duration overflow: more than 292 years") from None


def _offset(sign: str, hours: str, minutes: str) -> timedelta:
    if int(hours) > 23 or int(minutes) > 59:  # hours and minutes of a day
        raise ValueError("its offset is out of range")
    span = timedelta(hours=int(hours), minutes=int(minutes))
    return -span if sign == "-" else span


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """The time zone of an IANA name (`Europe/Rome`) or an offset (`+02:00`). Raises: ExpressionError."""
    found = _OFFSET.fullmatch(name)
    try:
        if found is not None:
            return timezone(_offset(*found.groups()))
        return ZoneInfo(name[:_LONGEST_TEXT])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "; write one such as Europe/Rome, UTC or +02:00"
        raise ExpressionError(VALUE, f"`{name[:_LONGEST_TEXT]}` is not a time zone{hint}") from None


def local(moment: datetime, name: str) -> datetime:
    """A time as the clocks of a zone show it. Raises: ExpressionError when that is outside of the years 1 to 9999."""
    try:
        return moment.astimezone(zone(name))
    except OverflowError:
        raise ExpressionError(ARITHMETIC, f"the time in {name} is outside of the years 1 to 9999") from None


@function("date", TEXT)
def _date(frame: Frame, text: str) -> datetime:
    """A day as the time it begins in UTC; a full time stays what it is."""
    found = _DATE.fullmatch(text)
    if found is None:
        return parse_time(frame, text)
    try:
        return datetime(*map(int, found.groups()), tzinfo=UTC)  # type: ignore[misc, arg-type]  # three numbers
    except ValueError as error:
        raise ExpressionError(VALUE, f"`{text}` is not a day: {error}") from None


@function("date", TEXT, TEXT)
def _date_in(frame: Frame, text: str, name: str) -> datetime:
    """A day as the time it begins in a zone; a full time has its own."""
    if _DATE.fullmatch(text) is None:
        return parse_time(frame, text)
    try:
        return _date(frame, text).replace(tzinfo=zone(name)).astimezone(UTC)
    except OverflowError:
        raise ExpressionError(ARITHMETIC, f"{text} in {name} is outside of the years 1 to 9999") from None


@function("date", TIME)
def _date_same(frame: Frame, moment: datetime) -> datetime:
    return moment


_PARTS: Final[dict[str, Callable[[datetime], int]]] = {
    "getDate": lambda t: t.day,
    "getDayOfMonth": lambda t: t.day - 1,
    "getDayOfWeek": lambda t: t.isoweekday() % 7,
    "getDayOfYear": lambda t: t.timetuple().tm_yday - 1,
    "getFullYear": lambda t: t.year,
    "getHours": lambda t: t.hour,
    "getMilliseconds": lambda t: t.microsecond // 1000,
    "getMinutes": lambda t: t.minute,
    "getMonth": lambda t: t.month - 1,
    "getSeconds": lambda t: t.second,
}
_SPAN_PARTS: Final[dict[str, Callable[[int], int]]] = {
    "getHours": lambda micros: micros // 3_600_000_000,
    "getMinutes": lambda micros: micros // 60_000_000,
    "getSeconds": lambda micros: micros // 1_000_000,
    "getMilliseconds": lambda micros: micros % 1_000_000 // 1000,
}


def _register(name: str, part: Callable[[datetime], int]) -> None:
    @method(name, TIME)
    def in_utc(frame: Frame, moment: datetime) -> int:
        return part(local(moment, "UTC"))

    @method(name, TIME, TEXT)
    def in_zone(frame: Frame, moment: datetime, name: str) -> int:
        return part(local(moment, name))


def _register_span(name: str, part: Callable[[int], int]) -> None:
    @method(name, DURATION)
    def of_span(frame: Frame, span: timedelta) -> int:
        micros = span // timedelta(microseconds=1)
        return part(micros) if micros >= 0 else -part(-micros)


for _name, _part in _PARTS.items():
    _register(_name, _part)
for _name, _span_part in _SPAN_PARTS.items():
    _register_span(_name, _span_part)


@function("format", TIME, TEXT)
def _format_utc(frame: Frame, moment: datetime, layout: str) -> str:
    return _format(frame, moment, layout, "UTC")


@function("format", TIME, TEXT, TEXT)
def _format(frame: Frame, moment: datetime, layout: str, name: str) -> str:
    """A time as text, as the clocks of a zone show it."""
    shown = local(moment, name)
    spend_text(frame, len(layout) * 5)
    return written(shown, layout)


@function("format", TEXT, TEXT)
def _format_text_utc(frame: Frame, text: str, layout: str) -> str:
    return _format(frame, _date(frame, text), layout, "UTC")


@function("format", TEXT, TEXT, TEXT)
def _format_text(frame: Frame, text: str, layout: str, name: str) -> str:
    """A time that stands in a text, as every time of an event or input does, or a day."""
    return _format(frame, _date(frame, text), layout, name)
