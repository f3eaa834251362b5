"""Conversions between types, and from and to JSON, text and base64."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import uuid
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from weft_language.expressions.arithmetic import fit, fit_unsigned
from weft_language.expressions.errors import ARITHMETIC, LIMIT, VALUE, ExpressionError
from weft_language.expressions.functions.registry import (
    ANY,
    BOOL,
    BYTES,
    DURATION,
    NUMBER,
    TEXT,
    TIME,
    TYPE,
    function,
    variadic,
)
from weft_language.expressions.limits import Frame, spend, spend_text
from weft_language.expressions.results import check_size
from weft_language.expressions.values import TYPES, CelType, Uint, type_name
from weft_language.expressions.wording import (
    LONGEST_NUMBER,
    duration_text,
    number_text,
    spend_written,
    time_text,
    to_json,
    to_text,
    writable,
)

_BOOLS: Final = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
_INTEGER: Final = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_DOUBLE: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:[Ii]nf(?:inity)?)|[Nn]a[Nn]", re.ASCII)
_HASHING_STEPS: Final = 50
_SEEDS: Final = uuid.UUID("6f0a1b0e-8c59-5d5c-9d53-1c1f3c2f7a11")
"""The namespace of `uuid(seed...)`; part of the language: another one would change every id made from a seed."""


@function("dyn", ANY)
def _dyn(frame: Frame, value: Any) -> Any:
    return value


@function("type", ANY)
def _type(frame: Frame, value: Any) -> CelType:
    return TYPES.get(type_name(value), TYPES["map"])


@function("bool", BOOL)
def _bool(frame: Frame, value: bool) -> bool:
    return value


@function("bool", TEXT)
def _bool_of_text(frame: Frame, text: str) -> bool:
    if text not in _BOOLS:
        raise ExpressionError(VALUE, f"`{text[:80]}` is neither true nor false")
    return _BOOLS[text]


@function("int", NUMBER)
def _int(frame: Frame, number: int | float) -> int:
    if type(number) is float:
        if not -(2.0**63) < number < 2.0**63:
            raise ExpressionError(ARITHMETIC, f"{number} does not fit a 64-bit integer")
        return math.trunc(number)
    return fit(int(number))


@function("int", TEXT)
def _int_of_text(frame: Frame, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ExpressionError(VALUE, f"`{text[:80]}` is not an integer")
    return fit(int(text))


@function("int", TIME)
def _int_of_time(frame: Frame, moment: datetime) -> int:
    return math.floor(moment.timestamp())


@function("uint", NUMBER)
def _uint(frame: Frame, number: int | float) -> Uint:
    if type(number) is float:
        if not -1.0 < number < 2.0**64:
            raise ExpressionError(ARITHMETIC, f"{number} does not fit a 64-bit unsigned integer")
        return Uint(math.trunc(number))
    return fit_unsigned(int(number))


@function("uint", TEXT)
def _uint_of_text(frame: Frame, text: str) -> Uint:
    if not _INTEGER.fullmatch(text):
        raise ExpressionError(VALUE, f"`{text[:80]}` is not an unsigned integer")
    return fit_unsigned(int(text))


@function("double", NUMBER)
def _double(frame: Frame, number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise ExpressionError(ARITHMETIC, "an integer beyond doubles") from None


@function("double", TEXT)
def _double_of_text(frame: Frame, text: str) -> float:
    if len(text) > LONGEST_NUMBER or not _DOUBLE.fullmatch(text):
        raise ExpressionError(VALUE, f"`{text[:80]}` is not a number; write it with a point and without separators")
    return float(text)


@function("string", TEXT)
def _string(frame: Frame, text: str) -> str:
    return text


@function("string", BOOL)
def _string_of_bool(frame: Frame, value: bool) -> str:
    return "true" if value else "false"


@function("string", NUMBER)
def _string_of_number(frame: Frame, number: int | float) -> str:
    return number_text(number) if type(number) is float else str(writable(int(number)))


@function("string", BYTES)
def _string_of_bytes(frame: Frame, octets: bytes) -> str:
    spend_text(frame, len(octets))
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise ExpressionError(VALUE, "invalid UTF-8: these bytes are no text") from None


@function("string", TIME)
def _string_of_time(frame: Frame, moment: datetime) -> str:
    return time_text(moment)


@function("string", DURATION)
def _string_of_duration(frame: Frame, span: timedelta) -> str:
    return duration_text(span)


@function("string", TYPE)
def _string_of_type(frame: Frame, kind: CelType) -> str:
    return kind.name


@function("bytes", BYTES)
def _bytes(frame: Frame, octets: bytes) -> bytes:
    return octets


@function("bytes", TEXT)
def _bytes_of_text(frame: Frame, text: str) -> bytes:
    spend_text(frame, len(text))
    return text.encode("utf-8", "replace")


@function("base64.encode", BYTES)
def _encode(frame: Frame, octets: bytes) -> str:
    spend_text(frame, len(octets) * 4 // 3 + 4)
    return base64.b64encode(octets).decode()


@function("base64.decode", TEXT)
def _decode(frame: Frame, text: str) -> bytes:
    spend_text(frame, len(text))
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ExpressionError(VALUE, "the text is not base64") from None


@function("json", TEXT)
def _json(frame: Frame, text: str) -> Any:
    """The value that a JSON text stands for."""
    spend_text(frame, len(text))
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ExpressionError(VALUE, f"the text is not JSON: {error}") from None
    except (RecursionError, UnicodeEncodeError):
        raise ExpressionError(LIMIT, "the JSON text is nested too deep or holds no proper characters") from None


@function("text", ANY)
def _text(frame: Frame, value: Any) -> str:
    """A value as a template writes it into a text."""
    check_size(value, frame)
    text = to_text(value)
    spend_written(frame, value, text)
    return text


@variadic("uuid")
def _uuid(frame: Frame, *seeds: Any) -> str:
    """The UUIDv5 of its seeds: equal seeds, equal id."""
    spend(frame, _HASHING_STEPS)
    check_size(list(seeds), frame)
    name = json.dumps(to_json(list(seeds)), sort_keys=True, separators=(",", ":"), allow_nan=False)
    spend(frame, len(name) // 4)
    return str(uuid.uuid5(_SEEDS, name))
