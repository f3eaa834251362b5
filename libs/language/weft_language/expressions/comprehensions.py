"""Closures for the comprehension macros. Each counts its steps before it begins: items times the size of its body."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from weft_language.expressions.errors import LIMIT, TYPE, VALUE, ExpressionError
from weft_language.expressions.functions.lists import sort_by
from weft_language.expressions.limits import Frame, spend
from weft_language.expressions.paths import Evaluator, Names
from weft_language.expressions.values import key_of, keys_of, spoken


class Parts(NamedTuple):
    """A comprehension, compiled in its parts.

    slots: where its one or two variables live in the frame.  bodies: as in `tree.Each`.
    cost: steps per item.  start: where it stands in the source.
    """

    kind: str
    source: Evaluator
    slots: tuple[int, ...]
    bodies: tuple[Evaluator, ...]
    cost: int
    start: int


def comprehension(parts: Parts) -> Evaluator:
    """A closure for a comprehension.

    It raises: ExpressionError (expression_type) where the source is no list or map, or a predicate gives no bool.
    """
    compute = _KINDS[parts.kind](parts)
    source, start, cost = parts.source, parts.start, parts.cost
    walk = _single if len(parts.slots) == 1 else _double
    slots = parts.slots

    def run(names: Names, frame: Frame) -> Any:
        try:
            value = source(names, frame)
            if type(value) is not list and not isinstance(value, Mapping):
                raise ExpressionError(TYPE, f"{parts.kind}(...) goes over a list or a map, not over {spoken(value)}")
            spend(frame, (len(value) + 1) * cost)
            return compute(names, frame, walk(value, frame, slots))
        except ExpressionError as error:
            raise error.at(start) from None

    return run


Compute = Callable[[Names, Frame, Iterator[Any]], Any]


def _single(value: Any, frame: Frame, slots: tuple[int, ...]) -> Iterator[Any]:
    (slot,) = slots
    for item in value if type(value) is list else keys_of(value):
        frame[slot] = item
        yield item


def _double(value: Any, frame: Frame, slots: tuple[int, ...]) -> Iterator[Any]:
    first, second = slots
    pairs = enumerate(value) if type(value) is list else zip(keys_of(value), value.values(), strict=True)
    for key, item in pairs:
        frame[first], frame[second] = key, item
        yield key


def _decide(value: Any, kind: str) -> bool:
    if value is True or value is False:
        return bool(value)
    raise ExpressionError(TYPE, f"{kind}(...) asks for true or false of each item, not {spoken(value)}")


def _any_or_all(parts: Parts) -> Compute:
    """`exists` ends at the first true, `all` at the first false; an error counts only where none of them comes."""
    kind, (body,) = parts.kind, parts.bodies
    decisive = kind == "exists"

    def compute(names: Names, frame: Frame, items: Iterator[Any]) -> bool:
        failed: ExpressionError | None = None
        for _ in items:
            try:
                if _decide(body(names, frame), kind) is decisive:
                    return decisive
            except ExpressionError as error:
                if error.code == LIMIT:
                    raise
                failed = failed or error
        if failed is not None:
            raise failed
        return not decisive

    return compute


def _exactly_one(parts: Parts) -> Compute:
    kind, (body,) = parts.kind, parts.bodies

    def compute(names: Names, frame: Frame, items: Iterator[Any]) -> bool:
        return sum(1 for _ in items if _decide(body(names, frame), kind)) == 1

    return compute


def _filter(parts: Parts) -> Compute:
    kind, (body,) = parts.kind, parts.bodies

    def compute(names: Names, frame: Frame, items: Iterator[Any]) -> list[Any]:
        return [item for item in items if _decide(body(names, frame), kind)]

    return compute


def _map(parts: Parts) -> Compute:
    *tests, body = parts.bodies
    kind = parts.kind
    if not tests:

        def every(names: Names, frame: Frame, items: Iterator[Any]) -> list[Any]:
            return [body(names, frame) for _ in items]

        return every
    test = tests[0]

    def some(names: Names, frame: Frame, items: Iterator[Any]) -> list[Any]:
        return [body(names, frame) for _ in items if _decide(test(names, frame), kind)]

    return some


def _map_entries(parts: Parts) -> Compute:
    *tests, body = parts.bodies
    kind = parts.kind

    def compute(names: Names, frame: Frame, items: Iterator[Any]) -> dict[Any, Any]:
        return {
            key_of(key): body(names, frame)
            for key in items
            if not tests or _decide(tests[0](names, frame), kind)
        }  # fmt: skip

    return compute


def _sort_by(parts: Parts) -> Compute:
    (body,) = parts.bodies

    def compute(names: Names, frame: Frame, items: Iterator[Any]) -> list[Any]:
        kept: list[Any] = []
        keys: list[Any] = []
        for item in items:
            kept.append(item)
            keys.append(body(names, frame))
        return sort_by(frame, kept, keys)

    return compute


_KINDS: Final[dict[str, Callable[[Parts], Compute]]] = {
    "all": _any_or_all,
    "exists": _any_or_all,
    "existsOne": _exactly_one,
    "filter": _filter,
    "map": _map,
    "transformList": _map,
    "transformMap": _map_entries,
    "sortBy": _sort_by,
}


def build_map(entries: tuple[tuple[Evaluator, Evaluator, int], ...]) -> Evaluator:
    """A closure for `{key: value}`; each entry with the place of its key. Keys are texts, ints, uints or bools."""

    def run(names: Names, frame: Frame) -> dict[Any, Any]:
        out: dict[Any, Any] = {}
        for key, value, start in entries:
            name = key(names, frame)
            if type(name) is float or (type(name) is not str and spoken(name) not in ("int", "uint", "bool")):
                raise ExpressionError(TYPE, f"a map's keys are texts, integers or bools, not {spoken(name)}", offset=start)
            stored = key_of(name)
            if stored in out:
                raise ExpressionError(VALUE, "a key stands twice in the map", offset=start)
            out[stored] = value(names, frame)
        return out

    return run
