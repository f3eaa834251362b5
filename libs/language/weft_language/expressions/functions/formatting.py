"""`"...".format([values])` and `strings.quote(text)`, of CEL's strings extension."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

from weft_language.expressions.errors import TYPE as TYPE_ERROR
from weft_language.expressions.errors import VALUE, ExpressionError
from weft_language.expressions.functions.registry import LIST, TEXT, function, method
from weft_language.expressions.limits import Frame, spend_text
from weft_language.expressions.values import Uint, spoken
from weft_language.expressions.wording import formatted, writable

_CLAUSE: Final = re.compile(r"%(?:(%)|(?:\.(\d+))?(.)?)", re.DOTALL)
_PRECISION_LIMIT: Final = 100
_QUOTES: Final = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"',
}  # fmt: skip


@function("strings.quote", TEXT)
def _quote(frame: Frame, text: str) -> str:
    spend_text(frame, 2 * len(text) + 2)
    return '"' + "".join(_QUOTES.get(character, character) for character in text) + '"'


@method("format", TEXT, LIST)
def _format(frame: Frame, template: str, values: list[Any]) -> str:
    spend_text(frame, len(template))
    out: list[str] = []
    place = used = 0
    for clause in _CLAUSE.finditer(template):
        out.append(template[place : clause.start()])
        place = clause.end()
        if clause[1]:
            out.append("%")
            continue
        verb = clause[3] or ""
        if verb not in _VERBS:
            raise ExpressionError(VALUE, f"format has no clause %{verb}; it knows %s %d %f %e %b %o %x %X and %%")
        if used >= len(values):
            raise ExpressionError(VALUE, f"format asks for value {used + 1}, the list has {len(values)}")
        precision = int(clause[2][:4]) if clause[2] else 6
        if precision > _PRECISION_LIMIT:
            raise ExpressionError(VALUE, f"a precision of {clause[2]} is over {_PRECISION_LIMIT}")
        written = _VERBS[verb](values[used], precision, frame)
        spend_text(frame, len(written))
        out.append(written)
        used += 1
    out.append(template[place:])
    spend_text(frame, sum(map(len, out)))
    return "".join(out)


def _refuse(verb: str, takes: str, value: Any) -> ExpressionError:
    return ExpressionError(TYPE_ERROR, f"%{verb} formats {takes}, not {spoken(value)}")


def _unusual(value: float) -> str | None:
    if math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _as_text(value: Any, precision: int, frame: Frame) -> str:
    return formatted(value, frame)


def _as_decimal(value: Any, precision: int, frame: Frame) -> str:
    if type(value) in (int, Uint):
        return str(writable(int(value)))
    if type(value) is float:
        unusual = _unusual(value)
        if unusual:
            return unusual
    raise _refuse("d", "integers", value)


def _as_fixed(value: Any, precision: int, frame: Frame) -> str:
    return _as_double(value, precision, "f")


def _as_scientific(value: Any, precision: int, frame: Frame) -> str:
    return _as_double(value, precision, "e")


def _as_double(value: Any, precision: int, verb: str) -> str:
    if type(value) not in (int, Uint, float):
        raise _refuse(verb, "numbers", value)
    try:
        number = float(value)
    except OverflowError:
        raise _refuse(verb, "numbers of 64 bits", value) from None
    return _unusual(number) or format(number, f".{precision}{verb}")


def _as_binary(value: Any, precision: int, frame: Frame) -> str:
    if type(value) in (int, Uint, bool):
        return format(writable(int(value)), "b")
    raise _refuse("b", "integers and booleans", value)


def _as_octal(value: Any, precision: int, frame: Frame) -> str:
    if type(value) in (int, Uint):
        return format(writable(int(value)), "o")
    raise _refuse("o", "integers", value)


def _as_hex(value: Any, precision: int, frame: Frame) -> str:
    if type(value) in (int, Uint):
        return format(writable(int(value)), "x")
    if type(value) is str:
        spend_text(frame, 8 * len(value))
        return value.encode().hex()
    if type(value) is bytes:
        spend_text(frame, 2 * len(value))
        return value.hex()
    raise _refuse("x", "integers, texts and bytes", value)


def _as_upper_hex(value: Any, precision: int, frame: Frame) -> str:
    return _as_hex(value, precision, frame).upper()


_VERBS: Final[dict[str, Callable[[Any, int, Frame], str]]] = {
    "s": _as_text,
    "d": _as_decimal,
    "f": _as_fixed,
    "e": _as_scientific,
    "b": _as_binary,
    "o": _as_octal,
    "x": _as_hex,
    "X": _as_upper_hex,
}
