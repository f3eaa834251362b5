"""Values that fit a JSON Schema, as a hypothesis strategy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from weft_language.json_schemas import SchemaCheck

MOST: Final = 5
"""Items and members more than a schema asks for, and characters of a text: what is wrong shows in small ones."""
_WHOLE: Final = 2**53
_DEEPEST: Final = 5

PLAIN: Final[SearchStrategy[Any]] = st.none() | st.booleans() | st.integers(-100, 100) | st.text(max_size=MOST)
ANYTHING: Final[SearchStrategy[Any]] = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(st.text(max_size=3), PLAIN, max_size=3)
"""What a node may give whose output is not described."""


def values(schema: Mapping[str, Any] | bool) -> SearchStrategy[Any]:
    """Values that a schema takes. What it says beyond types, members, items, bounds and choices is met by trying.

    Raises: InvalidSchema.
    """
    check = SchemaCheck(schema)
    return _of(schema, 0).filter(lambda value: not check.errors(value))


def _of(schema: Mapping[str, Any] | bool, depth: int) -> SearchStrategy[Any]:
    if isinstance(schema, bool) or depth > _DEEPEST:
        return ANYTHING
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            around = {name: value for name, value in schema.items() if name != word}
            return st.one_of(*(_of({**around, **one} if isinstance(one, dict) else one, depth + 1) for one in schema[word]))
    kinds = schema.get("type", "object" if "properties" in schema else None)
    if kinds is None:
        return ANYTHING
    return st.one_of(*(_KINDS[kind](schema, depth) for kind in ([kinds] if isinstance(kinds, str) else kinds)))


def _object(schema: Mapping[str, Any], depth: int) -> SearchStrategy[Any]:
    members = schema.get("properties", {})
    needed = {name: _of(members.get(name, True), depth + 1) for name in schema.get("required", ())}
    others = {name: _of(one, depth + 1) for name, one in members.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=others)


def _array(schema: Mapping[str, Any], depth: int) -> SearchStrategy[Any]:
    items, least = _of(schema.get("items", True), depth + 1), schema.get("minItems", 0)
    most = min(schema.get("maxItems", least + MOST), least + MOST)
    return st.lists(items, min_size=least, max_size=most, unique_by=repr if schema.get("uniqueItems") else None)


def _string(schema: Mapping[str, Any], depth: int) -> SearchStrategy[Any]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"])
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    least = schema.get("minLength", 0)
    return st.text(min_size=least, max_size=min(schema.get("maxLength", least + MOST), least + MOST))


def _number(schema: Mapping[str, Any], depth: int) -> SearchStrategy[Any]:
    return _integer(schema, depth) | st.floats(
        schema.get("minimum", -1e9), schema.get("maximum", 1e9), allow_nan=False, allow_infinity=False
    )


def _integer(schema: Mapping[str, Any], depth: int) -> SearchStrategy[Any]:
    least, most = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum", schema.get("exclusiveMaximum"))
    return st.integers(-_WHOLE if least is None else int(least), _WHOLE if most is None else int(most)).map(
        lambda number: number - number % schema["multipleOf"] if "multipleOf" in schema else number
    )


_TIMES: Final = st.integers(946_684_800, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC))
_FORMATS: Final[dict[str, SearchStrategy[str]]] = {
    "date-time": _TIMES.map(lambda time: time.isoformat()),
    "date": _TIMES.map(lambda time: time.date().isoformat()),
    "email": st.sampled_from(["ada@example.com", "grace.hopper+x@example.org"]),
    "uri": st.sampled_from(["https://example.com/a?b=c", "http://example.org/"]),
    "uuid": st.uuids().map(str),
}
_KINDS: Final[dict[str, Callable[[Mapping[str, Any], int], SearchStrategy[Any]]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": lambda schema, depth: st.booleans(),
    "null": lambda schema, depth: st.none(),
}
