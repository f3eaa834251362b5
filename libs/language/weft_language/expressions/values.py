"""CEL's values in Python: what each type is, and when two values are equal or ordered.

| CEL | Python |
|---|---|
| null, bool, int, double, string, bytes | None, bool, int, float, str, bytes |
| uint | `Uint`, an int that remembers |
| list, map | list, dict (any Mapping when it comes from the names in scope) |
| timestamp, duration | aware datetime, timedelta: microseconds, not nanoseconds |
| type | `CelType` |
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from weft_language.expressions.errors import LIMIT, TYPE, ExpressionError
from weft_language.expressions.limits import DEPTH, Frame, spend


class Uint(int):
    """A CEL uint: 0 to 2**64 - 1."""

    __slots__ = ()


class BoolKey(Enum):
    """A boolean as the key of a map. A Python dict would take True for 1."""

    FALSE = False
    TRUE = True


class CelType:
    """A CEL type as a value, such as `int`; compared by identity."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"CelType({self.name})"


TYPES: Final[dict[str, CelType]] = {
    name: CelType(name)
    for name in (
        "null_type", "bool", "int", "uint", "double", "string", "bytes", "list", "map", "type",
        "google.protobuf.Timestamp", "google.protobuf.Duration",
    )
}  # fmt: skip

_NAMES: Final[dict[type, str]] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    CelType: "type",
    datetime: "google.protobuf.Timestamp",
    timedelta: "google.protobuf.Duration",
}
_NUMBERS: Final = frozenset({int, Uint, float})
_PLAIN: Final = frozenset({type(None), str, bytes, CelType, datetime, timedelta})


def type_name(value: Any) -> str:
    """The CEL name of a value's type. A Mapping or datetime of any class counts; other classes are `unknown`."""
    name = _NAMES.get(type(value))
    if name is None:
        if isinstance(value, Mapping):
            return "map"
        if isinstance(value, datetime):
            return "google.protobuf.Timestamp"
        return "unknown"
    return name


def spoken(value: Any) -> str:
    """The type of a value as messages name it: `int`, `timestamp`, `null`, ..."""
    return _SPOKEN.get(type_name(value), "unknown")


def spoken_type(kind: type) -> str:
    """What messages call the values of a Python type: see `spoken`."""
    return _SPOKEN.get(_NAMES.get(kind, ""), "unknown")


_SPOKEN: Final = {name: name.removeprefix("google.protobuf.").lower() for name in TYPES} | {"null_type": "null"}


def equal(left: Any, right: Any, frame: Frame, depth: int = 0) -> bool:
    """CEL's `==`: numbers by value whatever their type, other types never equal, lists and maps by content.

    Raises: ExpressionError (expression_limit) where the values are too large or deep to compare.
    """
    kind, other = type(left), type(right)
    if kind in _PLAIN:
        return bool(kind is other and left == right)
    if kind in _NUMBERS:
        return bool(other in _NUMBERS and left == right)
    if kind is bool or other is bool:
        return kind is other and left is right
    if kind is list:
        return other is list and len(left) == len(right) and _equal_items(left, right, frame, depth)
    if isinstance(left, Mapping):
        return isinstance(right, Mapping) and len(left) == len(right) and _equal_entries(left, right, frame, depth)
    return bool(kind is other and left == right)


def contains(items: Any, item: Any, frame: Frame) -> bool:
    """CEL's `in`: an element of a list or a key of a map."""
    if type(items) is list:
        spend(frame, len(items))
        kind = type(item)
        if kind is str:
            return item in items
        return any(equal(other, item, frame) for other in items)
    if isinstance(items, Mapping):
        return key_of(item) in items
    raise ExpressionError(TYPE, f"`in` looks into a list or a map, not into {spoken(items)}")


def key_of(value: Any) -> Any:
    """A value as it is stored as the key of a map. What cannot be a key gives one that no map holds."""
    kind = type(value)
    if kind is bool:
        return BoolKey.TRUE if value else BoolKey.FALSE
    return value if kind in _NUMBERS or kind is str else _NO_KEY


_NO_KEY: Final = object()


def keys_of(value: Mapping[Any, Any]) -> list[Any]:
    """The keys of a map as CEL values, in the map's order."""
    return [key.value if type(key) is BoolKey else key for key in value]


def before(left: Any, right: Any) -> bool:
    """Whether left < right; both numbers, or both of one ordered type. Raises: ExpressionError (expression_type)."""
    kind, other = type(left), type(right)
    if kind in _NUMBERS and other in _NUMBERS:
        return _below(left, right)
    if kind is other and kind in _ORDERED:
        try:
            return bool(left < right)
        except TypeError:  # one time with an offset and one without
            pass
    raise ExpressionError(TYPE, f"cannot compare {spoken(left)} with {spoken(right)}{_advice(left, right)}")


def _below(left: Any, right: Any) -> bool:
    """Numbers in order. An int beside a double is rounded to one first, as the conformance tests have it."""
    if type(left) is float or type(right) is float:
        try:
            return float(left) < float(right)
        except OverflowError:  # an integer of a payload, beyond doubles
            pass
    return bool(left < right)


_ORDERED: Final = frozenset({str, bytes, bool, datetime, timedelta})


def _advice(left: Any, right: Any) -> str:
    kinds = {spoken(left), spoken(right)}
    if "string" in kinds and kinds & {"int", "double"}:
        return "; convert the text with double(...) or int(...)"
    if "string" in kinds and "timestamp" in kinds:
        return "; convert the text with timestamp(...)"
    if "null" in kinds:
        return "; test for null first: x != null && ..."
    return ""


def _equal_items(left: list[Any], right: list[Any], frame: Frame, depth: int) -> bool:
    spend(frame, 2 * len(left) + 2)
    deeper = _descend(depth)
    return all(equal(a, b, frame, deeper) for a, b in zip(left, right, strict=True))


def _equal_entries(left: Mapping[Any, Any], right: Mapping[Any, Any], frame: Frame, depth: int) -> bool:
    spend(frame, 2 * len(left) + 2)
    deeper = _descend(depth)
    return all(key in right and equal(left[key], right[key], frame, deeper) for key in left)


def _descend(depth: int) -> int:
    if depth >= DEPTH:
        raise ExpressionError(LIMIT, f"a value nested over {DEPTH} levels cannot be compared")
    return depth + 1
