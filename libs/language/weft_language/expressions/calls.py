"""Calls: a function's overloads, chosen by the number of arguments when compiled and by their types when called."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

from weft_language.expressions.errors import FUNCTION, TYPE, ExpressionError
from weft_language.expressions.functions import GLOBALS, METHODS, Overload
from weft_language.expressions.functions.registry import Kind
from weft_language.expressions.limits import Frame
from weft_language.expressions.paths import Evaluator, Names
from weft_language.expressions.values import spoken, spoken_type

_NAMESPACES: Final = frozenset(name.split(".")[0] for name in GLOBALS if "." in name)


def is_namespaced(namespace: str, function: str) -> bool:
    """Whether `namespace.function(...)` is a global function, such as `math.abs(x)`, and not a call on a value."""
    return f"{namespace}.{function}" in GLOBALS


def global_call(name: str, args: tuple[Evaluator, ...], start: int) -> Evaluator:
    """A closure for `name(args)`. Raises: ExpressionError (expression_function) when nothing takes so many arguments."""
    if name not in GLOBALS:
        raise _unknown(name, METHODS, f"it is called on a value: x.{name}(...)", GLOBALS, start)
    return _call(name, _fitting(name, GLOBALS[name], len(args), 0, start), args, start)


def method_call(name: str, target: Evaluator, args: tuple[Evaluator, ...], start: int) -> Evaluator:
    """A closure for `target.name(args)`. Raises: as `global_call`."""
    if name not in METHODS:
        raise _unknown(name, GLOBALS, f"it takes its value as an argument: {name}(x)", METHODS, start)
    return _call(name, _fitting(name, METHODS[name], len(args) + 1, 1, start), (target, *args), start)


def _unknown(name: str, others: dict[str, Any], hint: str, known: dict[str, Any], start: int) -> ExpressionError:
    if name not in others:
        close = get_close_matches(name[:60], known, n=1)
        hint = f"did you mean {close[0]}(...)?" if close else "see the list of functions"
    return ExpressionError(FUNCTION, f"there is no function `{name[:80]}` here; {hint}", offset=start)


def _fitting(name: str, overloads: list[Overload], count: int, hidden: int, start: int) -> list[Overload]:
    fitting = [overload for overload in overloads if overload.kinds is None or len(overload.kinds) == count]
    if fitting:
        return fitting
    counts = " or ".join(str(n) for n in sorted({len(overload.kinds) - hidden for overload in overloads if overload.kinds is not None}))
    raise ExpressionError(FUNCTION, f"{name}(...) takes {counts} arguments, not {count - hidden}", offset=start)


def _call(name: str, overloads: list[Overload], args: tuple[Evaluator, ...], start: int) -> Evaluator:
    if len(overloads) == 1 and overloads[0].kinds is not None:
        kinds, compute = overloads[0]
        if len(args) == 1:
            return _call_one(name, overloads[0], args[0], start)
        if len(args) == 2:  # a value and one argument: the usual method
            return _call_two(name, overloads[0], args, start)

    def run(names: Names, frame: Frame) -> Any:
        values = [arg(names, frame) for arg in args]
        for kinds, compute in overloads:
            if kinds is None or all(kind is None or type(value) in kind for kind, value in zip(kinds, values, strict=True)):
                try:
                    return compute(frame, *values)
                except ExpressionError as error:
                    raise error.at(start) from None
        raise _mismatch(name, overloads, values, start)

    return run


def _call_one(name: str, overload: Overload, arg: Evaluator, start: int) -> Evaluator:
    kinds, compute = overload
    kind = kinds[0] if kinds else None

    def run(names: Names, frame: Frame) -> Any:
        value = arg(names, frame)
        if kind is not None and type(value) not in kind:
            raise _mismatch(name, [overload], [value], start)
        try:
            return compute(frame, value)
        except ExpressionError as error:
            raise error.at(start) from None

    return run


def _call_two(name: str, overload: Overload, args: tuple[Evaluator, ...], start: int) -> Evaluator:
    (left, right), compute = args, overload.compute
    first, second = overload.kinds or (None, None)

    def run(names: Names, frame: Frame) -> Any:
        a, b = left(names, frame), right(names, frame)
        if (first is not None and type(a) not in first) or (second is not None and type(b) not in second):
            raise _mismatch(name, [overload], [a, b], start)
        try:
            return compute(frame, a, b)
        except ExpressionError as error:
            raise error.at(start) from None

    return run


def _mismatch(name: str, overloads: list[Overload], values: list[Any], start: int) -> ExpressionError:
    wanted = " or ".join("(" + ", ".join(map(_takes, overload.kinds or ())) + ")" for overload in overloads[:6])
    given = ", ".join(map(spoken, values))
    return ExpressionError(TYPE, f"{name} takes {wanted}, not ({given})", offset=start)


def _takes(kind: Kind) -> str:
    return "any" if kind is None else "|".join(sorted(map(spoken_type, kind)))
