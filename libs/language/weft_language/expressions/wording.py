"""What values become outside of an expression: JSON, and text."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from weft_language.expressions.errors import ARITHMETIC, LIMIT, TYPE, VALUE, ExpressionError
from weft_language.expressions.limits import DEPTH, Frame, spend, spend_text
from weft_language.expressions.values import BoolKey, CelType, Uint

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "), allow_nan=False).encode
LONGEST_NUMBER: Final = 400
"""Digits of a number as text. A double has at most 309 before its point."""
_LARGEST: Final = 10**LONGEST_NUMBER
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000


def to_json(value: Any) -> Any:
    """A CEL value as a JSON value; the same object where it is plain JSON already.

    Timestamps become RFC 3339 text in UTC (`...Z`), durations seconds (`"5400s"`), bytes base64, types their names, keys
    texts. Raises: ExpressionError where JSON has no such value: a double that is not finite, a text with NUL or half a
    surrogate pair, nesting over the limit.
    """
    return _to_json(value, 0)


def _to_json(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is str:
        return _stored(value)
    if kind is bool or value is None:
        return value
    if kind is int:
        return writable(value)
    if kind is float:
        if not math.isfinite(value):
            raise ExpressionError(ARITHMETIC, f"the result is {value}, which JSON has no number for")
        return value
    if kind is list or isinstance(value, Mapping):
        if depth >= DEPTH:
            raise ExpressionError(LIMIT, f"the result is nested over {DEPTH} levels")
        return _list_to_json(value, depth + 1) if kind is list else _map_to_json(value, depth + 1)
    return _special_to_json(value)


def _special_to_json(value: Any) -> Any:
    """What CEL has and JSON has not."""
    kind = type(value)
    if kind is Uint:
        return int(value)
    if kind is bytes:
        return base64.b64encode(value).decode()
    if kind is CelType:
        return value.name
    if isinstance(value, datetime):
        return time_text(value)
    if kind is timedelta:
        return duration_text(value)
    raise ExpressionError(TYPE, f"a value of Python type {kind.__name__} is no JSON value")


def _list_to_json(items: list[Any], depth: int) -> list[Any]:
    out = [_to_json(item, depth) for item in items]
    return items if all(map(_is, out, items)) else out


def _map_to_json(entries: Mapping[Any, Any], depth: int) -> Mapping[str, Any]:
    out = {_key(key): _to_json(item, depth) for key, item in entries.items()}
    if type(entries) is dict and all(map(_is, out, entries)) and all(map(_is, out.values(), entries.values())):
        return entries
    return out


def _is(a: object, b: object) -> bool:
    return a is b


def _key(key: Any) -> str:
    if type(key) is str:
        return _stored(key)
    if type(key) is BoolKey:
        return "true" if key.value else "false"
    return number_text(key) if type(key) is float else str(writable(int(key)))


def storable(text: str) -> bool:
    """Whether a text can be stored as JSON: it holds no NUL and no half of a surrogate pair."""
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _stored(text: str) -> str:
    if storable(text):
        return text
    raise ExpressionError(VALUE, "the result holds a NUL character or half a surrogate pair, which cannot be stored")


def writable(number: int) -> int:
    """An int that is written in bounded time. Raises: ExpressionError beyond LONGEST_NUMBER digits."""
    if -_LARGEST < number < _LARGEST:
        return number
    raise ExpressionError(ARITHMETIC, f"an integer of more than {LONGEST_NUMBER} digits")


def to_text(value: Any) -> str:
    """A value as it is written into a text: texts as they are, numbers plainly, lists and maps as JSON, null as `null`."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int:
        return str(writable(value))
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return number_text(value)
    if value is None:
        return "null"
    plain = to_json(value)
    if type(plain) is str:
        return plain
    return _ENCODE(plain)


def spend_written(frame: Frame, value: Any, text: str) -> None:
    """Count a value that was written as this text: of lists and maps each member was looked at."""
    spend_text(frame, len(text))
    if type(value) is list or isinstance(value, Mapping):
        spend(frame, len(text))


def number_text(value: float) -> str:
    """A double in the shortest digits that give it back, whole ones without `.0`: `1220`, `12.5`, `1e+21`."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value.is_integer() and abs(value) < 1e21:  # where ECMAScript changes to exponents too
        return str(int(value)) if value or math.copysign(1, value) > 0 else "-0"
    return repr(value)


def time_text(value: datetime) -> str:
    """A timestamp as RFC 3339 text in UTC, with as many decimals as it has: `2026-11-20T09:30:00.25Z`."""
    moment = value.astimezone(UTC) if value.tzinfo is not None else value
    text = f"{moment.year:04}-{moment.month:02}-{moment.day:02}T{moment.hour:02}:{moment.minute:02}:{moment.second:02}"
    return f"{text}{_fraction(moment.microsecond)}Z"


def duration_text(value: timedelta) -> str:
    """A duration as CEL writes it, in seconds: `5400s`, `-0.25s`."""
    total = value // _MICROSECOND
    seconds, micros = divmod(abs(total), _SECOND)
    return f"{'-' if total < 0 else ''}{seconds}{_fraction(micros)}s"


def _fraction(micros: int) -> str:
    return f".{micros:06}".rstrip("0") if micros else ""


def formatted(value: Any, frame: Frame, depth: int = 0) -> str:
    """A value as `%s` writes it: as `to_text`, but lists and maps without quotes, keys in order."""
    if type(value) is bytes:
        return value.decode("utf-8", "replace")
    if depth >= DEPTH:
        raise ExpressionError(LIMIT, f"a value nested over {DEPTH} levels cannot be formatted")
    if type(value) is list:
        spend(frame, 8 * len(value) + 1)
        text = "[" + ", ".join(formatted(item, frame, depth + 1) for item in value) + "]"
    elif not isinstance(value, Mapping):
        text = to_text(value)
    else:
        spend(frame, 8 * len(value) + 1)
        pairs = sorted((_key(key), formatted(item, frame, depth + 1)) for key, item in value.items())
        text = "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
    spend_text(frame, len(text))
    return text
