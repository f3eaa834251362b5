"""Closures for the macros over lists and maps: `all`, `exists`, `existsOne`, `map`, `filter`, `sortBy`, `transformList`, `transformMap`.

Each item costs the size of the body in steps, so that a nest of comprehensions ends in `expression_limit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from weft_language.expressions.errors import LIMIT, TYPE, ExpressionError
from weft_language.expressions.functions.lists import sort_by
from weft_language.expressions.limits import Frame, spend
from weft_language.expressions.logic import not_bool
from weft_language.expressions.paths import Evaluator, Names
from weft_language.expressions.values import keys_of, spoken

Pairs = Iterable[tuple[Any, Any]]
Rounds = Callable[[Names, Frame], Pairs]
"""Binds the variables to one item after the other; gives (key as a map stores it, the item as `filter` keeps it)."""


def comprehension(
    kind: str, source: Evaluator, slots: tuple[int, ...], bodies: tuple[Evaluator, ...], weight: int, start: int
) -> Evaluator:
    """A closure for `source.kind(variables, bodies)`.

    slots: where in the frame the variables stand.  weight: steps that one item costs.  start: offset in the source.
    """
    return _KINDS[kind](_rounds(kind, source, slots, weight, start), bodies, kind, start)


def _rounds(kind: str, source: Evaluator, slots: tuple[int, ...], weight: int, start: int) -> Rounds:
    first, last = slots[0], slots[-1]
    pairs = len(slots) > 1
    listed = kind == "sortBy"

    def rounds(names: Names, frame: Frame) -> Pairs:
        value = source(names, frame)
        if type(value) is list:
            for place, item in enumerate(value):
                spend(frame, weight)
                frame[first] = place if pairs else item
                frame[last] = item
                yield place, item
        elif isinstance(value, Mapping) and not listed:
            for stored, key in zip(list(value), keys_of(value), strict=True):
                spend(frame, weight)
                frame[first] = key
                if pairs:
                    frame[last] = value[stored]
                yield stored, key
        else:
            wanted = "a list" if listed else "a list or a map"
            raise ExpressionError(TYPE, f"{kind}(...) goes through {wanted}, not {spoken(value)}", offset=start)

    return rounds


def _quantifier(decisive: bool) -> Callable[[Rounds, tuple[Evaluator, ...], str, int], Evaluator]:
    """`all` (decided by false) or `exists` (by true): like `&&` and `||`, what decides wins over errors."""

    def build(rounds: Rounds, bodies: tuple[Evaluator, ...], kind: str, start: int) -> Evaluator:
        (body,) = bodies

        def run(names: Names, frame: Frame) -> bool:
            failed: ExpressionError | None = None
            for _ in rounds(names, frame):
                try:
                    value = body(names, frame)
                except ExpressionError as error:
                    if error.code == LIMIT:
                        raise
                    failed = failed or error
                    continue
                if value is decisive:
                    return decisive
                if value is not True and value is not False:
                    failed = failed or not_bool(value, f"{kind}(...) asks for", start)
            if failed is not None:
                raise failed
            return not decisive

        return run

    return build


def _holds(body: Evaluator, names: Names, frame: Frame, kind: str, start: int) -> bool:
    value = body(names, frame)
    if value is True or value is False:
        return value
    raise not_bool(value, f"{kind}(...) asks for", start)


def _exists_one(rounds: Rounds, bodies: tuple[Evaluator, ...], kind: str, start: int) -> Evaluator:
    (body,) = bodies

    def run(names: Names, frame: Frame) -> bool:
        return sum(_holds(body, names, frame, kind, start) for _ in rounds(names, frame)) == 1

    return run


def _filter(rounds: Rounds, bodies: tuple[Evaluator, ...], kind: str, start: int) -> Evaluator:
    (body,) = bodies

    def run(names: Names, frame: Frame) -> list[Any]:
        return [item for _, item in rounds(names, frame) if _holds(body, names, frame, kind, start)]

    return run


def _map(rounds: Rounds, bodies: tuple[Evaluator, ...], kind: str, start: int) -> Evaluator:
    *tests, body = bodies

    def run(names: Names, frame: Frame) -> list[Any]:
        return [body(names, frame) for _ in rounds(names, frame) if all(_holds(test, names, frame, kind, start) for test in tests)]

    return run


def _transform_map(rounds: Rounds, bodies: tuple[Evaluator, ...], kind: str, start: int) -> Evaluator:
    *tests, body = bodies

    def run(names: Names, frame: Frame) -> dict[Any, Any]:
        return {
            key: body(names, frame) for key, _ in rounds(names, frame) if all(_holds(test, names, frame, kind, start) for test in tests)
        }

    return run


def _sort_by(rounds: Rounds, bodies: tuple[Evaluator, ...], kind: str, start: int) -> Evaluator:
    (body,) = bodies

    def run(names: Names, frame: Frame) -> list[Any]:
        pairs = [(item, body(names, frame)) for _, item in rounds(names, frame)]
        try:
            return sort_by(frame, [item for item, _ in pairs], [key for _, key in pairs])
        except ExpressionError as error:
            raise error.at(start) from None

    return run


_KINDS: Final[dict[str, Callable[[Rounds, tuple[Evaluator, ...], str, int], Evaluator]]] = {
    "all": _quantifier(False),
    "exists": _quantifier(True),
    "existsOne": _exists_one,
    "filter": _filter,
    "map": _map,
    "sortBy": _sort_by,
    "transformList": _map,
    "transformMap": _transform_map,
}
