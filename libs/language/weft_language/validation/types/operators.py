"""What the operators and functions of expressions take and give, by kinds of values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from weft_language.expressions.functions import GLOBALS, METHODS, Overload
from weft_language.expressions.values import CelType, Uint
from weft_language.validation.types.kinds import (
    ALL,
    ANY,
    BOOL,
    DOUBLE,
    DURATION,
    INT,
    LIST,
    NUMBERS,
    TEXT,
    TIME,
    Type,
    a_list,
)

_OF_PYTHON: Final[dict[type, str]] = {
    type(None): "null", bool: "bool", int: "int", Uint: "uint", float: "double", str: "text", bytes: "bytes", list: "list",
    dict: "map", datetime: "time", timedelta: "duration", CelType: "type",
}  # fmt: skip
_MIXED: Final = {("int", "int"): "int", ("uint", "uint"): "uint", ("int", "double"): "double", ("double", "int"): "double"}
_NUMERIC: Final = {**_MIXED, ("double", "double"): "double"}
_ARITHMETIC: Final[dict[str, dict[tuple[str, str], str]]] = {
    "+": {
        **_NUMERIC, ("text", "text"): "text", ("bytes", "bytes"): "bytes", ("list", "list"): "list", ("time", "duration"): "time",
        ("duration", "time"): "time", ("duration", "duration"): "duration",
    },
    "-": {**_NUMERIC, ("time", "duration"): "time", ("time", "time"): "duration", ("duration", "duration"): "duration"},
    "*": _NUMERIC,
    "/": _NUMERIC,
    "%": {("int", "int"): "int", ("uint", "uint"): "uint"},
}  # fmt: skip
_ORDERED: Final = frozenset({"text", "bytes", "bool", "time", "duration"})
SIZED: Final = frozenset({"text", "bytes", "list", "map"})

_RESULTS: Final[dict[str, Type]] = {
    **dict.fromkeys(("bool", "contains", "startsWith", "endsWith", "matches", "math.isNaN", "math.isInf", "math.isFinite"), BOOL),
    **dict.fromkeys(("int", "size", "indexOf", "lastIndexOf"), INT),
    **dict.fromkeys(("double", "avg", "math.sqrt", "math.ceil", "math.floor", "math.round", "math.trunc"), DOUBLE),
    **dict.fromkeys(("round", "sum", "math.abs", "math.sign"), Type(NUMBERS)),
    **dict.fromkeys(
        ("string", "text", "join", "lowerAscii", "upperAscii", "trim", "replace", "substring", "charAt", "uuid", "format",
         "strings.quote", "base64.encode"), TEXT,
    ),
    **dict.fromkeys(("timestamp", "date", "business_time"), TIME),
    "duration": DURATION,
    "split": a_list(TEXT),
    "lists.range": a_list(INT),
    "flatten": LIST,
}  # fmt: skip
_SAME_LIST: Final = frozenset({"slice", "distinct", "sort"})


@lru_cache(maxsize=4096)
def calculated(operator: str, left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    """The kinds that `left operator right` may give; empty where no two such values can be calculated with."""
    table = _ARITHMETIC[operator]
    return frozenset(table[pair] for pair in table if pair[0] in left and pair[1] in right)


@lru_cache(maxsize=4096)
def comparable(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether `<` and its like may work."""
    return bool((left & NUMBERS and right & NUMBERS) or left & right & _ORDERED)


def may_equal(left: Type, right: Type) -> bool:
    """Whether two values may be equal."""
    if left.kinds & NUMBERS and right.kinds & NUMBERS:
        return True
    shared = left.kinds & right.kinds
    if shared == {"text"} and left.values is not None and right.values is not None:
        return bool(left.values & right.values)
    return bool(shared)


def accepts(name: str, is_method: bool, args: Sequence[Type]) -> bool:
    """Whether some way to call a function takes values of these types. A function nobody knows takes anything."""
    if name == "size" and args and not args[0].kinds & SIZED:
        return False
    overloads = (METHODS if is_method else GLOBALS).get(name, ())
    fitting = [one for one in overloads if one.kinds is None or len(one.kinds) == len(args)]
    return not fitting or any(_fits(one, args) for one in fitting)


def _fits(overload: Overload, args: Sequence[Type]) -> bool:
    return overload.kinds is None or all(
        kind is None or any(_OF_PYTHON.get(one, "") in arg.kinds for one in kind) for kind, arg in zip(overload.kinds, args, strict=True)
    )


def given_by(name: str, args: Sequence[Type]) -> Type:
    """What a function gives. name: as the table of functions has it, such as `size` or `math.abs`."""
    if args and name in _SAME_LIST:
        return Type(frozenset({"list"}), items=args[0].items)
    if args and name in ("first", "last"):
        return args[0].items or ANY
    if name.startswith("get"):
        return INT
    return _RESULTS.get(name, ANY)


def kind_of(value: object) -> frozenset[str]:
    """The kind of a constant of an expression."""
    kind = _OF_PYTHON.get(type(value))
    return ALL if kind is None else frozenset({kind})
