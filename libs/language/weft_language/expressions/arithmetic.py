"""`+ - * / %` and unary minus: int64, uint64, doubles, texts, lists, times.

An int and a double mix to a double, Weft's one extension of CEL's operators. Everything else is CEL: overflow is an error, `int / int`
truncates toward zero, `%` keeps the sign of its left side, a uint mixes with nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from operator import add, mul, sub
from typing import Any, Final

from weft_language.expressions.errors import ARITHMETIC, TYPE, ExpressionError
from weft_language.expressions.limits import INT_MAX, INT_MIN, UINT_MAX, Frame, spend, spend_text
from weft_language.expressions.paths import Evaluator, Names
from weft_language.expressions.values import Uint, spoken

Operation = Callable[[Any, Any], Any]
_DURATION_LIMIT: Final = timedelta(microseconds=INT_MAX // 1000)
"""What a 64-bit count of nanoseconds holds, the range the conformance tests ask for."""


def fit(value: int) -> int:
    """An int that fits 64 bits. Raises: ExpressionError (expression_arithmetic)."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise ExpressionError(ARITHMETIC, "integer overflow: the result does not fit 64 bits; use doubles (1.0 * ...)")


def fit_unsigned(value: int) -> Uint:
    """A uint that fits 64 bits. Raises: ExpressionError (expression_arithmetic)."""
    if 0 <= value <= UINT_MAX:
        return Uint(value)
    raise ExpressionError(ARITHMETIC, "unsigned overflow: the result is negative or does not fit 64 bits")


def fit_duration(value: timedelta) -> timedelta:
    """A duration within 292 years either way. Raises: ExpressionError (expression_arithmetic)."""
    if abs(value) <= _DURATION_LIMIT:
        return value
    raise ExpressionError(ARITHMETIC, "duration overflow: more than 292 years")


def _nonzero(value: int) -> int:
    if value == 0:
        raise ExpressionError(ARITHMETIC, "division by zero")
    return value


def _quotient(a: int, b: int) -> int:
    quotient = abs(a) // abs(_nonzero(b))
    return quotient if (a < 0) == (b < 0) else -quotient


def _remainder(a: int, b: int) -> int:
    if a == INT_MIN and b == -1:  # CEL computes it by a division that overflows
        return fit(-a)
    return int(math.copysign(1, a)) * (abs(a) % abs(_nonzero(b)))


def _divide_doubles(a: float, b: float) -> float:
    if b == 0:
        if a == 0 or a != a:
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    return float(a) / b


def _mixed(operation: Operation) -> dict[tuple[type, type], Operation]:
    return {(float, float): operation, (int, float): operation, (float, int): operation}


_OPERATIONS: Final[dict[str, dict[tuple[type, type], Operation]]] = {
    "+": {
        (int, int): lambda a, b: fit(a + b),
        (Uint, Uint): lambda a, b: fit_unsigned(int(a) + int(b)),
        **_mixed(lambda a, b: float(a) + float(b)),
        (datetime, timedelta): lambda a, b: a + b,
        (timedelta, datetime): lambda a, b: b + a,
        (timedelta, timedelta): lambda a, b: fit_duration(a + b),
    },
    "-": {
        (int, int): lambda a, b: fit(a - b),
        (Uint, Uint): lambda a, b: fit_unsigned(int(a) - int(b)),
        **_mixed(lambda a, b: float(a) - float(b)),
        (datetime, timedelta): lambda a, b: a - b,
        (datetime, datetime): lambda a, b: fit_duration(a - b),
        (timedelta, timedelta): lambda a, b: fit_duration(a - b),
    },
    "*": {
        (int, int): lambda a, b: fit(a * b),
        (Uint, Uint): lambda a, b: fit_unsigned(int(a) * int(b)),
        **_mixed(lambda a, b: float(a) * float(b)),
    },
    "/": {
        (int, int): lambda a, b: fit(_quotient(a, b)),
        (Uint, Uint): lambda a, b: Uint(int(a) // _nonzero(int(b))),
        **_mixed(_divide_doubles),
    },
    "%": {
        (int, int): _remainder,
        (Uint, Uint): lambda a, b: Uint(int(a) % _nonzero(int(b))),
    },
}


def calculate(operator: str, a: Any, b: Any, frame: Frame) -> Any:
    """The value of `a operator b`. Raises: ExpressionError (type, arithmetic, limit)."""
    operation = _OPERATIONS[operator].get((type(a), type(b)))
    if operation is not None:
        try:
            return operation(a, b)
        except OverflowError:
            raise ExpressionError(ARITHMETIC, f"{spoken(a)} {operator} {spoken(b)} is out of range") from None
        except TypeError:  # one time with an offset and one without
            raise _mismatch(operator, a, b) from None
    if operator == "+" and type(a) is type(b):
        if type(a) in (str, bytes):
            spend_text(frame, len(a) + len(b))
            return a + b
        if type(a) is list:
            spend(frame, len(a) + len(b))
            return a + b
    raise _mismatch(operator, a, b)


def _mismatch(operator: str, a: Any, b: Any) -> ExpressionError:
    kinds = {type(a), type(b)}
    hint = ""
    if operator == "+" and str in kinds:
        hint = "; write numbers into a text with text(...), or read them from it with double(...) or int(...)"
    elif type(None) in kinds:
        hint = "; test for null first: x == null ? 0 : x"
    elif Uint in kinds:
        hint = "; convert the uint with int(...)"
    return ExpressionError(TYPE, f"cannot calculate {spoken(a)} {operator} {spoken(b)}{hint}")


_QUICK: Final[dict[str, Operation]] = {"+": add, "-": sub, "*": mul}


def arithmetic(operator: str, left: Evaluator, right: Evaluator, start: int) -> Evaluator:
    """A closure for `left operator right`."""
    quick = _QUICK.get(operator)
    if quick is not None:
        return _quick(operator, quick, left, right, start)

    def run(names: Names, frame: Frame) -> Any:
        a, b = left(names, frame), right(names, frame)
        try:
            return calculate(operator, a, b, frame)
        except ExpressionError as error:
            raise error.at(start) from None

    return run


def _quick(operator: str, compute: Operation, left: Evaluator, right: Evaluator, start: int) -> Evaluator:
    """Ints and doubles without the table; what does not fit goes there for its error."""

    def run(names: Names, frame: Frame) -> Any:
        a, b = left(names, frame), right(names, frame)
        kind, other = type(a), type(b)
        if kind is float and other is float:
            return compute(a, b)
        if kind is int and other is int:
            value = compute(a, b)
            if INT_MIN <= value <= INT_MAX:
                return value
        try:
            return calculate(operator, a, b, frame)
        except ExpressionError as error:
            raise error.at(start) from None

    return run


def minus(operand: Evaluator, start: int) -> Evaluator:
    """A closure for `-operand`."""

    def run(names: Names, frame: Frame) -> Any:
        value = operand(names, frame)
        if type(value) is float:
            return -value
        if type(value) is not int:
            raise ExpressionError(TYPE, f"- negates an int or a double, not {spoken(value)}", offset=start)
        try:
            return fit(-value)
        except ExpressionError as error:
            raise error.at(start) from None

    return run
