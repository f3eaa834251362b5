"""Closures for `&&`, `||`, `!`, `?:` and the comparisons, with short ways for comparing with a constant."""

from __future__ import annotations

from typing import Any, Final

from weft_language.expressions.errors import LIMIT, TYPE, ExpressionError
from weft_language.expressions.limits import Frame
from weft_language.expressions.paths import Evaluator, Names
from weft_language.expressions.values import before, contains, equal, spoken


def chain(operator: str, operands: tuple[Evaluator, ...], starts: tuple[int, ...]) -> Evaluator:
    """`&&` or `||` over any number of operands.

    An operand that decides (false for `&&`, true for `||`) wins over errors in others, before it or behind it;
    a passed limit is never absorbed.
    """
    decisive = operator == "||"
    pairs = tuple(zip(operands, starts, strict=True))

    def run(names: Names, frame: Frame) -> bool:
        failed: ExpressionError | None = None
        for operand, start in pairs:
            try:
                value = operand(names, frame)
            except ExpressionError as error:
                if error.code == LIMIT:
                    raise
                failed = failed or error
                continue
            if value is decisive:
                return bool(decisive)
            if value is not True and value is not False:
                failed = failed or not_bool(value, f"{operator} joins", start)
        if failed is not None:
            raise failed
        return not decisive

    return run


def not_bool(value: Any, what: str, start: int) -> ExpressionError:
    """The error for a value that stands where a condition is needed. what: who asks, such as `! negates`."""
    hint = "; compare it with something" if value is not None else "; test for null first: x == null"
    return ExpressionError(TYPE, f"{what} true or false, not {spoken(value)}{hint}", offset=start)


def negation(operand: Evaluator, start: int) -> Evaluator:
    """`!operand`."""

    def run(names: Names, frame: Frame) -> bool:
        value = operand(names, frame)
        if value is True:
            return False
        if value is False:
            return True
        raise not_bool(value, "! negates", start)

    return run


def conditional(condition: Evaluator, then: Evaluator, otherwise: Evaluator, start: int) -> Evaluator:
    """`condition ? then : otherwise`; only the chosen side is evaluated."""

    def run(names: Names, frame: Frame) -> Any:
        value = condition(names, frame)
        if value is True:
            return then(names, frame)
        if value is False:
            return otherwise(names, frame)
        raise not_bool(value, "?: asks for", start)

    return run


def equals(left: Evaluator, right: Evaluator, start: int) -> Evaluator:
    """`left == right` of two computed values."""

    def run(names: Names, frame: Frame) -> bool:
        a, b = left(names, frame), right(names, frame)
        if type(a) is str:
            return type(b) is str and bool(a == b)
        try:
            return equal(a, b, frame)
        except ExpressionError as error:
            raise error.at(start) from None

    return run


def equals_constant(left: Evaluator, constant: Any) -> Evaluator:
    """`left == constant`, the constant being null, a bool, a number, a text or bytes."""
    if constant is None or constant is True or constant is False:

        def is_same(names: Names, frame: Frame) -> bool:
            return left(names, frame) is constant

        return is_same
    if type(constant) in (str, bytes):
        kind = type(constant)

        def is_text(names: Names, frame: Frame) -> bool:
            value = left(names, frame)
            return type(value) is kind and value == constant

        return is_text

    def is_number(names: Names, frame: Frame) -> bool:
        value = left(names, frame)
        return bool(value == constant) and type(value) is not bool

    return is_number


def opposite(test: Evaluator) -> Evaluator:
    """The negation of a closure that gives a bool."""

    def run(names: Names, frame: Frame) -> bool:
        return not test(names, frame)

    return run


def ordering(operator: str, left: Evaluator, right: Evaluator, start: int) -> Evaluator:
    """`left < right`, `<=`, `>` or `>=`."""
    less = operator in ("<", ">=")  # a < b and a >= b ask `a before b`, the others `b before a`
    negate = operator in (">=", "<=")

    def run(names: Names, frame: Frame) -> bool:
        a, b = left(names, frame), right(names, frame)
        if type(a) is float or type(b) is float:
            return _order_numbers(operator, a, b, start)
        try:
            return (before(a, b) if less else before(b, a)) is not negate
        except ExpressionError as error:
            raise error.at(start) from None

    return run


def ordering_constant(operator: str, left: Evaluator, constant: int | float, start: int) -> Evaluator:
    """`left < constant` and its like, the constant being an int or a double of at most EXACT."""
    if operator == "<":

        def below(names: Names, frame: Frame) -> bool:
            value = left(names, frame)
            if type(value) is int or type(value) is float:
                return value < constant
            return _order_numbers(operator, value, constant, start)

        return below
    if operator == "<=":

        def at_most(names: Names, frame: Frame) -> bool:
            value = left(names, frame)
            if type(value) is int or type(value) is float:
                return value <= constant
            return _order_numbers(operator, value, constant, start)

        return at_most
    if operator == ">":

        def above(names: Names, frame: Frame) -> bool:
            value = left(names, frame)
            if type(value) is int or type(value) is float:
                return value > constant
            return _order_numbers(operator, value, constant, start)

        return above

    def at_least(names: Names, frame: Frame) -> bool:
        value = left(names, frame)
        if type(value) is int or type(value) is float:
            return value >= constant
        return _order_numbers(operator, value, constant, start)

    return at_least


def _order_numbers(operator: str, a: Any, b: Any, start: int) -> bool:
    """Ordering where NaN may take part: it is neither below, above nor equal, so no operator follows from another."""
    try:
        if operator == "<":
            return before(a, b)
        if operator == ">":
            return before(b, a)
        reverse = before(b, a) if operator == "<=" else before(a, b)
        return not reverse and bool(a == a and b == b)
    except ExpressionError as error:
        raise error.at(start) from None


def membership(left: Evaluator, right: Evaluator, start: int) -> Evaluator:
    """`left in right`."""

    def run(names: Names, frame: Frame) -> bool:
        item, items = left(names, frame), right(names, frame)
        try:
            return contains(items, item, frame)
        except ExpressionError as error:
            raise error.at(start) from None

    return run


def membership_of_texts(left: Evaluator, texts: frozenset[str]) -> Evaluator:
    """`left in ['a', 'b']`, every element being a text."""

    def run(names: Names, frame: Frame) -> bool:
        value = left(names, frame)
        return type(value) is str and value in texts

    return run


EXACT: Final = 2.0**53
"""Below this every int is a double too, so that comparing the two needs no rounding."""
ORDERINGS: Final = frozenset({"<", "<=", ">", ">="})
