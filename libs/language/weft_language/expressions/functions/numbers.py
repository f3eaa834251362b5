"""Functions on numbers: CEL's math extension and `round(x, digits)`."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

from weft_language.expressions.arithmetic import fit, fit_unsigned
from weft_language.expressions.errors import ARITHMETIC, FUNCTION, TYPE, VALUE, ExpressionError
from weft_language.expressions.functions.registry import ANY, DOUBLE, INT, NUMBER, UINT, function, variadic
from weft_language.expressions.limits import INT_MAX, UINT_MAX, Frame, spend
from weft_language.expressions.values import Uint, spoken

Number = int | float
_DIGITS: Final = 18
_EXACT: Final = Context(prec=400, rounding=ROUND_HALF_UP)
_BITS: Final = 64


@function("round", NUMBER)
def _round(frame: Frame, number: Number) -> Number:
    return _round_to(frame, number, 0)


@function("round", NUMBER, INT)
def _round_to(frame: Frame, number: Number, digits: int) -> Number:
    """Half away from zero, on the decimal digits one sees: round(2.675, 2) is 2.68."""
    if not -_DIGITS <= digits <= _DIGITS:
        raise ExpressionError(VALUE, f"round takes {-_DIGITS} to {_DIGITS} digits, not {digits}")
    if type(number) is float:
        if not math.isfinite(number):
            return number
        return float(Decimal(repr(number)).quantize(Decimal(1).scaleb(-digits), context=_EXACT))
    if digits >= 0:
        return number
    whole = fit_unsigned(int(number)) if type(number) is Uint else fit(int(number))
    rounded = int(Decimal(int(whole)).quantize(Decimal(1).scaleb(-digits), context=_EXACT))
    return fit_unsigned(rounded) if type(number) is Uint else fit(rounded)


@variadic("math.greatest")
def _greatest(frame: Frame, *values: Any) -> Number:
    return _extreme(frame, values, "math.greatest", lambda a, b: a > b)


@variadic("math.least")
def _least(frame: Frame, *values: Any) -> Number:
    return _extreme(frame, values, "math.least", lambda a, b: a < b)


def _extreme(frame: Frame, values: tuple[Any, ...], name: str, better: Callable[[Number, Number], bool]) -> Number:
    if len(values) == 1 and type(values[0]) is list:
        values = tuple(values[0])
    spend(frame, len(values))
    if not values:
        raise ExpressionError(FUNCTION, f"{name} takes at least one number")
    for value in values:
        if type(value) not in NUMBER:
            raise ExpressionError(TYPE, f"{name} compares numbers, not {spoken(value)}")
    best: Number = values[0]
    for value in values[1:]:
        if better(value, best):
            best = value
    return best


def _unary(name: str, compute: Callable[[float], Any]) -> None:
    @function(f"math.{name}", DOUBLE)
    def run(frame: Frame, number: float) -> Any:
        return compute(number) if math.isfinite(number) or name.startswith("is") else number


def _half_away(number: float) -> float:
    whole = math.floor(abs(number))
    return math.copysign(whole + (abs(number) - whole >= 0.5), number)  # a half is a half


_unary("ceil", lambda x: math.copysign(math.ceil(x), x))
_unary("floor", lambda x: math.copysign(math.floor(x), x))
_unary("trunc", lambda x: math.copysign(math.trunc(x), x))
_unary("round", _half_away)
_unary("isNaN", math.isnan)
_unary("isInf", math.isinf)
_unary("isFinite", math.isfinite)


@function("math.abs", NUMBER)
def _abs(frame: Frame, number: Number) -> Number:
    if type(number) is Uint:
        return number
    return abs(number) if type(number) is float else fit(abs(int(number)))


@function("math.sign", NUMBER)
def _sign(frame: Frame, number: Number) -> Number:
    if number != number:
        return number
    return type(number)((number > 0) - (number < 0))


@function("math.sqrt", NUMBER)
def _sqrt(frame: Frame, number: Number) -> float:
    try:
        return math.sqrt(number) if number >= 0 else math.nan
    except OverflowError:
        raise ExpressionError(ARITHMETIC, "math.sqrt of a number beyond doubles") from None


def _binary(name: str, compute: Callable[[int, int], int]) -> None:
    @function(f"math.{name}", INT, INT)
    def run(frame: Frame, a: int, b: int) -> int:
        return compute(a, b)

    @function(f"math.{name}", UINT, UINT)
    def run_unsigned(frame: Frame, a: Uint, b: Uint) -> Uint:
        return Uint(compute(int(a), int(b)))


_binary("bitAnd", lambda a, b: a & b)
_binary("bitOr", lambda a, b: a | b)
_binary("bitXor", lambda a, b: a ^ b)


@function("math.bitNot", INT)
def _bit_not(frame: Frame, number: int) -> int:
    return ~number


@function("math.bitNot", UINT)
def _bit_not_unsigned(frame: Frame, number: Uint) -> Uint:
    return Uint(UINT_MAX ^ int(number))


@function("math.bitShiftLeft", ANY, INT)
def _shift_left(frame: Frame, number: Any, by: int) -> int:
    kept = (_bits(number, by) << min(by, _BITS)) & UINT_MAX
    if type(number) is Uint:
        return Uint(kept)
    return kept - (UINT_MAX + 1) if kept > INT_MAX else kept


@function("math.bitShiftRight", ANY, INT)
def _shift_right(frame: Frame, number: Any, by: int) -> int:
    """Zeros come in from the left, for negative ints as well."""
    kept = (_bits(number, by) & UINT_MAX) >> min(by, _BITS)
    if type(number) is Uint:
        return Uint(kept)
    return kept - (UINT_MAX + 1) if kept > INT_MAX else kept


def _bits(number: Any, by: int) -> int:
    if type(number) not in (int, Uint):
        raise ExpressionError(TYPE, f"shifts move the bits of an integer, not of {spoken(number)}")
    if by < 0:
        raise ExpressionError(VALUE, f"shifts take 0 or more places, not {by}")
    return int(number)
