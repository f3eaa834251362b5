"""What can be known of a value before it exists: which kinds it may be, and what a map or list of it holds.

A `Type` always allows more than what really comes, never less; so what no value of a type can do certainly fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

ALL: Final = frozenset({"null", "bool", "int", "uint", "double", "text", "bytes", "list", "map", "time", "duration", "type"})
JSON: Final = frozenset({"null", "bool", "int", "double", "text", "list", "map"})
NUMBERS: Final = frozenset({"int", "uint", "double"})
MAX_MEMBERS: Final = 200
"""Members of a map that are kept; a larger one is known as a map only."""
_MAX_DEPTH: Final = 12
_WORDS: Final = {
    "null": "null", "bool": "a boolean", "int": "a whole number", "uint": "a uint", "double": "a number", "text": "a text",
    "bytes": "bytes", "list": "a list", "map": "an object", "time": "a time", "duration": "a duration", "type": "a type",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Type:
    """What a value may be.

    members: of a map, those that are known.  closed: a map has no others.  declared: an author listed the members, so another is
    probably a slip.  items: of a list.  values: the only texts it may be, where they are known.
    """

    kinds: frozenset[str] = ALL
    members: Mapping[str, Type] = field(default_factory=dict)
    closed: bool = False
    declared: bool = False
    items: Type | None = None
    values: frozenset[str] | None = None

    def without(self, *kinds: str) -> Type:
        """This type with some kinds taken out."""
        return replace(self, kinds=self.kinds - set(kinds))

    def words(self) -> str:
        """The kinds for a sentence: "a text or null"."""
        if self.kinds >= JSON:
            return "anything"
        kinds = self.kinds - {"int"} if "double" in self.kinds else self.kinds
        return " or ".join(_WORDS[kind] for kind in sorted(kinds)) or "nothing"


ANY: Final = Type()
NULL: Final = Type(frozenset({"null"}))
BOOL: Final = Type(frozenset({"bool"}))
INT: Final = Type(frozenset({"int"}))
DOUBLE: Final = Type(frozenset({"double"}))
NUMBER: Final = Type(frozenset({"int", "double"}))
TEXT: Final = Type(frozenset({"text"}))
LIST: Final = Type(frozenset({"list"}))
MAP: Final = Type(frozenset({"map"}))
TIME: Final = Type(frozenset({"time"}))
DURATION: Final = Type(frozenset({"duration"}))
MOMENT: Final = Type(frozenset({"time", "text"}))
"""A time, kept as one or read back from JSON."""


def a_map(members: Mapping[str, Type], *, closed: bool = True, declared: bool = True) -> Type:
    """The type of a map with these members."""
    if len(members) > MAX_MEMBERS:
        return MAP
    return Type(frozenset({"map"}), members, closed, declared)


def a_list(items: Type | None) -> Type:
    """The type of a list of these items."""
    return Type(frozenset({"list"}), items=items)


def texts(values: Iterable[str]) -> Type:
    """The type of a text that is one of these."""
    return Type(frozenset({"text"}), values=frozenset(values))


def either(left: Type, right: Type, depth: int = 0) -> Type:
    """What may be the one or the other."""
    if left is right:
        return left
    if depth > _MAX_DEPTH:
        return Type(left.kinds | right.kinds)
    maps = [one for one in (left, right) if "map" in one.kinds]
    members: Mapping[str, Type] = {}
    closed = declared = False
    if len(maps) == 1:
        members, closed, declared = maps[0].members, maps[0].closed, maps[0].declared
    elif len(maps) == 2:
        members = _members(left, right, depth)
        closed = left.closed and right.closed
        declared = left.declared and right.declared
    lists = [one for one in (left, right) if "list" in one.kinds]
    items = None
    if len(lists) == 1:
        items = lists[0].items
    elif len(lists) == 2 and left.items is not None and right.items is not None:
        items = either(left.items, right.items, depth + 1)
    known = [one.values for one in (left, right) if "text" in one.kinds]
    values = None if not known or None in known else frozenset[str]().union(*(some for some in known if some is not None))
    return Type(left.kinds | right.kinds, members, closed, declared, items, values)


def _members(left: Type, right: Type, depth: int) -> Mapping[str, Type]:
    """The members of a map that is one of two: what only one declares may be anything where the other is open."""
    names = [*left.members, *(name for name in right.members if name not in left.members)]
    found: dict[str, Type] = {}
    for name in names[:MAX_MEMBERS]:
        if name in left.members and name in right.members:
            found[name] = either(left.members[name], right.members[name], depth + 1)
        elif (left if name not in left.members else right).closed:
            found[name] = left.members.get(name) or right.members[name]
        else:
            found[name] = ANY
    return found


def of_value(value: Any, depth: int = 0) -> Type:
    """The type of one JSON value."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int | float):
        return INT if isinstance(value, int) else DOUBLE
    if isinstance(value, str):
        return texts([value])
    if isinstance(value, list):
        return LIST if depth > _MAX_DEPTH else a_list(_all_of([of_value(item, depth + 1) for item in value[:20]], whole=len(value) <= 20))
    if isinstance(value, Mapping) and depth <= _MAX_DEPTH and len(value) <= MAX_MEMBERS:
        return a_map({str(name): of_value(item, depth + 1) for name, item in value.items()})
    return MAP


def _all_of(types: list[Type], *, whole: bool) -> Type | None:
    """What each item of a list may be; None where that is not known."""
    if not types or not whole:
        return None
    found = types[0]
    for one in types[1:]:
        found = either(found, one)
    return found
