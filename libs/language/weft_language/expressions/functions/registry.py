"""The table of functions: name and argument types to what computes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

from weft_language.expressions.values import CelType, Uint

Kind = frozenset[type] | None
"""The Python types a parameter takes; None for any."""

ANY: Final[Kind] = None
TEXT: Final = frozenset({str})
BYTES: Final = frozenset({bytes})
BOOL: Final = frozenset({bool})
INT: Final = frozenset({int})
UINT: Final = frozenset({Uint})
DOUBLE: Final = frozenset({float})
NUMBER: Final = frozenset({int, Uint, float})
LIST: Final = frozenset({list})
TIME: Final = frozenset({datetime})
DURATION: Final = frozenset({timedelta})
TYPE: Final = frozenset({CelType})


class Overload(NamedTuple):
    """One way to call a function.

    kinds: the parameters' types; None for any number of parameters of any type, one at least.
    compute: called with the frame, to count steps, and the values; raises only ExpressionError.
    in_scope: whether it is called with the names in scope before those; it is the only one of its name then, and takes any types.
    """

    kinds: tuple[Kind, ...] | None
    compute: Callable[..., Any]
    in_scope: bool = False


GLOBALS: Final[dict[str, list[Overload]]] = {}
METHODS: Final[dict[str, list[Overload]]] = {}
F = TypeVar("F", bound=Callable[..., Any])


def function(name: str, *kinds: Kind) -> Callable[[F], F]:
    """Register a global function, such as `size(x)` or `math.abs(x)`."""

    def register(compute: F) -> F:
        GLOBALS.setdefault(name, []).append(Overload(kinds, compute))
        return compute

    return register


def in_scope(name: str, *kinds: Kind) -> Callable[[F], F]:
    """Register a global function of values of any types that looks at the names in scope, too."""

    def register(compute: F) -> F:
        GLOBALS[name] = [Overload(kinds, compute, in_scope=True)]
        return compute

    return register


def variadic(name: str) -> Callable[[F], F]:
    """Register a global function of any number of values, one at least."""

    def register(compute: F) -> F:
        GLOBALS.setdefault(name, []).append(Overload(None, compute))
        return compute

    return register


def method(name: str, *kinds: Kind) -> Callable[[F], F]:
    """Register a function called on a value, such as `text.trim()`; the first kind is that value's."""

    def register(compute: F) -> F:
        METHODS.setdefault(name, []).append(Overload(kinds, compute))
        return compute

    return register
