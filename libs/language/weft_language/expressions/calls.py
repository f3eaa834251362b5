"""Closures for function calls: the right overload by the types of the values."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from weft_language.expressions.errors import FUNCTION, TYPE, ExpressionError
from weft_language.expressions.functions import GLOBALS, METHODS, Overload
from weft_language.expressions.functions.registry import Kind
from weft_language.expressions.limits import Frame
from weft_language.expressions.paths import Evaluator, Names
from weft_language.expressions.values import spoken


def call(name: str, is_method: bool, args: tuple[Evaluator, ...], start: int) -> Evaluator:
    """A closure that calls the function `name`; a method's value is its first argument.

    Raises: ExpressionError (expression_function) when there is no such function or none with so many arguments.
    """
    overloads = _find(name, is_method, len(args), start)
    if overloads[0].in_scope:
        return _call_in_scope(overloads[0], args, start)
    if len(overloads) == 1 and len(args) == 1:
        return _call_one(name, is_method, overloads[0], args[0], start)
    if len(overloads) == 1 and len(args) == 2 and overloads[0].kinds is not None:  # a value and one argument: most methods
        return _call_two(name, is_method, overloads[0], (args[0], args[1]), start)

    def run(names: Names, frame: Frame) -> Any:
        try:
            values = [arg(names, frame) for arg in args]
            for kinds, compute, _ in overloads:
                if kinds is None or _fits(kinds, values):
                    return compute(frame, *values)
        except ExpressionError as error:
            raise error.at(start) from None
        raise _mismatch(name, is_method, values).at(start)

    return run


def _fits(kinds: tuple[Kind, ...], values: list[Any]) -> bool:
    return not any(map(_unfit, kinds, values))


def _unfit(kind: Kind, value: Any) -> bool:
    return kind is not None and type(value) not in kind


def _call_one(name: str, is_method: bool, overload: Overload, arg: Evaluator, start: int) -> Evaluator:
    kinds, compute, _ = overload
    kind = kinds[0] if kinds is not None else None

    def run(names: Names, frame: Frame) -> Any:
        try:
            value = arg(names, frame)
            if kind is None or type(value) in kind:
                return compute(frame, value)
        except ExpressionError as error:
            raise error.at(start) from None
        raise _mismatch(name, is_method, [value]).at(start)

    return run


def _call_two(name: str, is_method: bool, overload: Overload, args: tuple[Evaluator, Evaluator], start: int) -> Evaluator:
    compute = overload.compute
    first, second = overload.kinds or (None, None)
    left, right = args

    def run(names: Names, frame: Frame) -> Any:
        try:
            a, b = left(names, frame), right(names, frame)
            if (first is None or type(a) in first) and (second is None or type(b) in second):
                return compute(frame, a, b)
        except ExpressionError as error:
            raise error.at(start) from None
        raise _mismatch(name, is_method, [a, b]).at(start)

    return run


def _call_in_scope(overload: Overload, args: tuple[Evaluator, ...], start: int) -> Evaluator:
    compute = overload.compute

    def run(names: Names, frame: Frame) -> Any:
        try:
            return compute(names, frame, *[arg(names, frame) for arg in args])
        except ExpressionError as error:
            raise error.at(start) from None

    return run


def _find(name: str, is_method: bool, count: int, start: int) -> tuple[Overload, ...]:
    table, others = (METHODS, GLOBALS) if is_method else (GLOBALS, METHODS)
    known = table.get(name)
    if known is None:
        if name in others:
            hint = f"; it is called as {name}(...)" if is_method else f"; it is called on a value, as value.{name}(...)"
        else:
            close = get_close_matches(name, [*table, *others], n=1)
            hint = f"; did you mean `{close[0]}`?" if close else ""
        raise ExpressionError(FUNCTION, f"there is no function `{name}`{hint}", offset=start)
    fitting = tuple(one for one in known if (count > 0 if one.kinds is None else len(one.kinds) == count))
    if not fitting:
        hidden = 1 if is_method else 0
        counts = sorted({"1 or more" if one.kinds is None else str(len(one.kinds) - hidden) for one in known})
        wanted = " or ".join(counts)
        raise ExpressionError(FUNCTION, f"{name}(...) takes {wanted} arguments, not {count - hidden}", offset=start)
    return fitting


def _mismatch(name: str, is_method: bool, values: list[Any]) -> ExpressionError:
    given = [spoken(value) for value in values]
    shown = f"{given[0]}.{name}({', '.join(given[1:])})" if is_method else f"{name}({', '.join(given)})"
    hint = "; give null a value with default(...)" if "null" in given else ""
    return ExpressionError(TYPE, f"no function {shown} for values of these types{hint}")
