"""Reading: chains of names compiled to one closure, indexes, and the error that names what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from weft_language.expressions.errors import PATH, TYPE, ExpressionError
from weft_language.expressions.limits import UINT_MAX, Frame
from weft_language.expressions.values import Uint, key_of, keys_of, spoken

Names = Mapping[str, Any]
Evaluator = Callable[[Names, Frame], Any]
"""A compiled expression: the names in scope and the frame of this evaluation to a value."""

CALENDARS: Final = "@calendars"
"""Among the names in scope: the business calendars, compiled, by name. No expression can read it, since it is no identifier."""
_SHOWN_KEYS: Final = 12
_MISSING: Final = (LookupError, TypeError)
"""What subscripting raises where there is nothing: no such key, or no map at all."""


def shown(path: tuple[str, ...]) -> str:
    """A path as one writes it: `step.check.output["a-b"]`."""
    first, *rest = path
    return first + "".join(f".{key}" if key.isidentifier() else f'["{key}"]' for key in rest)


def read_names(path: tuple[str, ...], start: int) -> Evaluator:
    """Read a chain of keys from the names in scope.

    start: where the path stands in the source.
    The closure raises: ExpressionError (expression_path) with the whole path.
    """
    if len(path) == 1:
        return _read_one(path, start)
    if len(path) == 2:
        return _read_two(path, start)
    if len(path) == 3:
        return _read_three(path, start)
    first, second, third, fourth, *rest = path
    if rest:
        return _read_more(path, start)

    def read_four(names: Names, frame: Frame) -> Any:
        try:
            return names[first][second][third][fourth]
        except _MISSING:
            raise absent(names, path, start) from None

    return read_four


def _read_one(path: tuple[str, ...], start: int) -> Evaluator:
    (first,) = path

    def read_one(names: Names, frame: Frame) -> Any:
        try:
            return names[first]
        except _MISSING:
            raise absent(names, path, start) from None

    return read_one


def _read_two(path: tuple[str, ...], start: int) -> Evaluator:
    first, second = path

    def read_two(names: Names, frame: Frame) -> Any:
        try:
            return names[first][second]
        except _MISSING:
            raise absent(names, path, start) from None

    return read_two


def _read_three(path: tuple[str, ...], start: int) -> Evaluator:
    first, second, third = path

    def read_three(names: Names, frame: Frame) -> Any:
        try:
            return names[first][second][third]
        except _MISSING:
            raise absent(names, path, start) from None

    return read_three


def _read_more(path: tuple[str, ...], start: int) -> Evaluator:
    def read_more(names: Names, frame: Frame) -> Any:
        value: Any = names
        try:
            for key in path:
                value = value[key]
        except _MISSING:
            raise absent(names, path, start) from None
        return value

    return read_more


def names_hold(path: tuple[str, ...]) -> Evaluator:
    """Whether a chain of keys can be read from the names in scope; False wherever it breaks off."""

    def hold(names: Names, frame: Frame) -> bool:
        value: Any = names
        try:
            for key in path:
                value = value[key]
        except _MISSING:
            return False
        return True

    return hold


def names_or(path: tuple[str, ...], fallback: Evaluator) -> Evaluator:
    """Read a chain of keys from the names in scope, or the fallback wherever it breaks off."""

    def read_or(names: Names, frame: Frame) -> Any:
        value: Any = names
        try:
            for key in path:
                value = value[key]
        except _MISSING:
            return fallback(names, frame)
        return value

    return read_or


def read_type(path: tuple[str, ...], constant: Any) -> Evaluator:
    """Read a name that is a type, unless the names in scope give it another meaning."""
    return names_or(path, lambda names, frame: constant)


def read_slot(slot: int) -> Evaluator:
    """Read a variable of a comprehension."""

    def read(names: Names, frame: Frame) -> Any:
        return frame[slot]

    return read


def read_slot_field(slot: int, name: str, field: str, start: int) -> Evaluator:
    """Read one field of a variable of a comprehension."""

    def read(names: Names, frame: Frame) -> Any:
        try:
            return frame[slot][field]
        except _MISSING:
            raise _no_such_key(frame[slot], field, name, f"{name}.{field}", start) from None

    return read


def select(operand: Evaluator, field: str, place: str, start: int) -> Evaluator:
    """Read one field of what `operand` gives.

    place: `operand` as it is written, for the error.
    """

    def run(names: Names, frame: Frame) -> Any:
        value = operand(names, frame)
        try:
            return value[field]
        except _MISSING:
            raise _no_such_key(value, field, place, f"{place}.{field}", start) from None

    return run


def index(operand: Evaluator, key: Evaluator, place: str, start: int) -> Evaluator:
    """Read an element of a list or an entry of a map by a computed key. Parameters as in `select`."""

    def run(names: Names, frame: Frame) -> Any:
        value, wanted = operand(names, frame), key(names, frame)
        if type(value) is list:
            return _element(value, wanted, place, start)
        if isinstance(value, Mapping):
            found = value.get(key_of(wanted), _NOTHING)
            if found is not _NOTHING:
                return found
        full = f"{place}[{_key_text(wanted)}]"
        raise _no_such_key(value, wanted, place, full, start)

    return run


_NOTHING: Final = object()


def _element(items: list[Any], wanted: Any, place: str, start: int) -> Any:
    kind = type(wanted)
    if kind is float and wanted.is_integer():
        wanted = int(wanted)
    elif kind is not int and kind is not Uint:
        raise ExpressionError(TYPE, f"`{place}` is a list, indexed by an int, not by {spoken(wanted)}", offset=start)
    if 0 <= wanted < len(items):
        return items[wanted]
    full = f"{place}[{_key_text(wanted)}]"
    has = "is empty" if not items else f"ends at index {len(items) - 1}"
    raise ExpressionError(PATH, f"`{full}` does not exist: `{place}` {has}", path=full, offset=start)


def absent(names: Names, path: tuple[str, ...], start: int) -> ExpressionError:
    """The error for a path that cannot be read: which part is missing, and what stands there instead."""
    value: Any = names
    for depth, key in enumerate(path):
        try:
            value = value[key]
        except _MISSING:
            if depth == 0:
                message = f"`{shown(path)}` does not exist: no name `{key}` in scope{_known(names, key)}"
                return ExpressionError(PATH, message, path=shown(path), offset=start)
            return _no_such_key(value, key, shown(path[:depth]), shown(path), start)
    return ExpressionError(PATH, f"`{shown(path)}` could not be read", path=shown(path), offset=start)


def _no_such_key(value: Any, key: Any, place: str, full: str, start: int) -> ExpressionError:
    if isinstance(value, Mapping):
        why = f"`{place}` has no {_key_text(key)}{_known(value, key)}"
    else:
        why = f"`{place}` is {_article(spoken(value))} and has no fields"
    message = f"`{full}` does not exist: {why}"
    return ExpressionError(PATH, message, path=full, offset=start)


def _article(kind: str) -> str:
    return kind if kind in ("null", "unknown") else f"a{'n' if kind[0] in 'aeio' else ''} {kind}"


def _key_text(key: Any) -> str:
    if isinstance(key, str):
        text = f'"{key[:80]}"'
    else:
        text = str(key) if type(key) in (bool, float) or (isinstance(key, int) and abs(key) <= UINT_MAX) else spoken(key)
    return text if len(text) <= 80 else text[:77] + "..."


def _known(value: Mapping[Any, Any], key: Any) -> str:
    known = [str(name)[:60] for name in keys_of(value) if name != CALENDARS]
    if not known:
        return " (it is empty)"
    close = get_close_matches(str(key)[:60], known[:200], n=1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    more = ", ..." if len(known) > _SHOWN_KEYS else ""
    return f" (there is {', '.join(known[:_SHOWN_KEYS])}{more}){hint}"
