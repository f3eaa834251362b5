"""Functions on lists: CEL's lists extension, and the sums that Weft adds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cmp_to_key
from typing import Any, Final

from weft_language.expressions.arithmetic import calculate
from weft_language.expressions.errors import PATH, TYPE, VALUE, ExpressionError
from weft_language.expressions.functions.registry import ANY, INT, LIST, function, method
from weft_language.expressions.limits import RESULT_BYTES, Frame, spend
from weft_language.expressions.values import Uint, before, equal, spoken

_HASHABLE: Final = (str, int, float, bool, type(None))


@function("size", ANY)
@method("size", ANY)
def _size(frame: Frame, value: Any) -> int:
    if type(value) in (str, list, bytes) or isinstance(value, Mapping):
        return len(value)
    raise ExpressionError(TYPE, f"size counts a text, bytes, a list or a map, not {spoken(value)}")


@method("slice", LIST, INT, INT)
def _slice(frame: Frame, items: list[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(items):
        raise ExpressionError(VALUE, f"slice({start}, {end}) is outside of a list of {len(items)} items")
    spend(frame, end - start)
    return items[start:end]


@method("flatten", LIST)
def _flatten(frame: Frame, items: list[Any]) -> list[Any]:
    return _flatten_to(frame, items, 1)


@method("flatten", LIST, INT)
def _flatten_to(frame: Frame, items: list[Any], levels: int) -> list[Any]:
    if levels < 0:
        raise ExpressionError(VALUE, f"flatten takes a depth of 0 or more, not {levels}")
    out = items
    for _ in range(levels):
        if not any(type(item) is list for item in out):
            break
        spend(frame, sum(len(item) if type(item) is list else 1 for item in out) + 1)
        out = [part for item in out for part in (item if type(item) is list else (item,))]
    return out


@method("distinct", LIST)
def _distinct(frame: Frame, items: list[Any]) -> list[Any]:
    spend(frame, len(items))
    seen: set[Any] = set()
    out: list[Any] = []
    others: list[Any] = []  # lists and maps cannot be hashed, so each is compared with those before it
    for item in items:
        if type(item) in _HASHABLE or type(item) is Uint:
            mark = (type(item) is bool, item)
            if mark in seen:
                continue
            seen.add(mark)
        else:
            spend(frame, len(others))
            if any(equal(item, other, frame) for other in others):
                continue
            others.append(item)
        out.append(item)
    return out


@method("sort", LIST)
def _sort(frame: Frame, items: list[Any]) -> list[Any]:
    return sort_by(frame, items, items)


def sort_by(frame: Frame, items: list[Any], keys: list[Any]) -> list[Any]:
    """The items in the order of their keys, which are all numbers or all of one ordered type; stable.

    Raises: ExpressionError (expression_type) where two keys have no order.
    """
    spend(frame, len(items) * (len(items).bit_length() + 1))
    kinds = {type(key) for key in keys}
    if len(items) == 1 or kinds == {str} or kinds == {int}:  # the everyday cases, left to Python's own order
        if len(items) == 1:
            before(keys[0], keys[0])
        places = sorted(range(len(items)), key=keys.__getitem__)
    else:
        places = sorted(range(len(items)), key=cmp_to_key(_comparison(keys)))
    return [items[place] for place in places]


def _comparison(keys: list[Any]) -> Callable[[int, int], int]:
    def compare(a: int, b: int) -> int:
        if before(keys[a], keys[b]):
            return -1
        return 1 if before(keys[b], keys[a]) else 0

    return compare


@method("reverse", LIST)
def _reverse(frame: Frame, items: list[Any]) -> list[Any]:
    spend(frame, len(items))
    return items[::-1]


@method("first", LIST)
def _first(frame: Frame, items: list[Any]) -> Any:
    return _end(items, 0, "first")


@method("last", LIST)
def _last(frame: Frame, items: list[Any]) -> Any:
    return _end(items, -1, "last")


def _end(items: list[Any], at: int, name: str) -> Any:
    if not items:
        raise ExpressionError(PATH, f"an empty list has no {name} item; test size(...) first")
    return items[at]


@function("lists.range", INT)
def _range(frame: Frame, count: int) -> list[int]:
    if count > RESULT_BYTES:
        raise ExpressionError(VALUE, f"lists.range({count}) is longer than a result may be")
    spend(frame, max(0, count))
    return list(range(count))


@function("sum", LIST)
def _sum(frame: Frame, items: list[Any]) -> Any:
    return _total(frame, items, "sum")


@function("avg", LIST)
def _avg(frame: Frame, items: list[Any]) -> float:
    if not items:
        raise ExpressionError(VALUE, "avg of an empty list; test size(...) first")
    return float(_total(frame, items, "avg")) / len(items)


def _total(frame: Frame, items: list[Any], name: str) -> Any:
    spend(frame, len(items))
    for item in items:
        if type(item) not in (int, float):
            raise ExpressionError(TYPE, f"{name} adds ints and doubles, not {spoken(item)}")
    if all(type(item) is int for item in items):
        return calculate("+", sum(items), 0, frame)
    try:
        return math.fsum(items)
    except (OverflowError, ValueError):  # beyond doubles, or infinities of both signs
        total = 0.0
        for item in items:
            total = calculate("+", total, item, frame)
        return total
