"""What a JSON Schema says a value may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from weft_language.validation.types.kinds import ANY, JSON, MAX_MEMBERS, Type, either, of_value

MAX_SCHEMAS: Final = 5_000
"""How many subschemas of one document are read. Beyond it the others allow anything."""
_MAX_DEPTH: Final = 8
_KINDS: Final[dict[str, frozenset[str]]] = {
    "null": frozenset({"null"}),
    "boolean": frozenset({"bool"}),
    # 1.0 is an integer to JSON Schema and a double to an expression.
    "integer": frozenset({"int", "double"}),
    "number": frozenset({"int", "double"}),
    "string": frozenset({"text"}),
    "array": frozenset({"list"}),
    "object": frozenset({"map"}),
}
_LOOSE: Final = frozenset({"allOf", "anyOf", "oneOf", "$ref", "$dynamicRef", "if", "patternProperties", "dependentSchemas"})
"""Words under which a map may have members that `properties` does not list."""


class Schemas:
    """Reads schemas with one bound for all of a document."""

    def __init__(self) -> None:
        """Begin with the whole bound of `MAX_SCHEMAS`."""
        self._left = MAX_SCHEMAS

    def type_of(self, schema: Any) -> Type:
        """What a value that fits `schema` may be. A schema that cannot be read allows anything."""
        return self._read(schema, schema, 0)

    def _read(self, schema: Any, root: Any, depth: int) -> Type:
        self._left -= 1
        if not isinstance(schema, Mapping) or depth > _MAX_DEPTH or self._left < 0:
            return ANY
        known = self._plain(schema, root, depth)
        for word in ("anyOf", "oneOf"):
            choices = schema.get(word)
            if isinstance(choices, list) and choices and len(choices) <= 20:
                found = self._read(choices[0], root, depth + 1)
                for choice in choices[1:]:
                    found = either(found, self._read(choice, root, depth + 1))
                known = _both(known, found)
        for part in schema["allOf"][:20] if isinstance(schema.get("allOf"), list) else ():
            known = _both(known, self._read(part, root, depth + 1))
        if isinstance(schema.get("$ref"), str):
            known = _both(known, self._read(_referred(root, schema["$ref"]), root, depth + 1))
        return known if known.kinds else ANY

    def _plain(self, schema: Mapping[str, Any], root: Any, depth: int) -> Type:
        """What `type`, `enum`, `const`, `properties` and `items` say."""
        kinds = _kinds_of(schema.get("type"))
        constants = [schema["const"]] if "const" in schema else schema.get("enum")
        values = None
        if isinstance(constants, list) and constants and len(constants) <= MAX_MEMBERS:
            kinds &= frozenset[str]().union(*(_json_kinds(value) for value in constants))
            values = frozenset(value for value in constants if isinstance(value, str))
        properties = schema.get("properties")
        listed = properties if isinstance(properties, Mapping) and len(properties) <= MAX_MEMBERS else {}
        complete = listed is properties or properties is None
        closed = schema.get("additionalProperties") is False and "patternProperties" not in schema and complete
        declared = bool(listed) and complete and not schema.keys() & _LOOSE and not isinstance(schema.get("additionalProperties"), Mapping)
        members = {str(name): self._read(inner, root, depth + 1) for name, inner in listed.items()} if "map" in kinds else {}
        items = schema.get("items")
        inner = self._read(items, root, depth + 1) if isinstance(items, Mapping) and "prefixItems" not in schema else None
        return Type(kinds, members, closed, declared, inner, values)


def _kinds_of(written: Any) -> frozenset[str]:
    names = [written] if isinstance(written, str) else written
    if not isinstance(names, list) or not all(isinstance(name, str) and name in _KINDS for name in names) or not names:
        return JSON
    return frozenset[str]().union(*(_KINDS[name] for name in names))


def _json_kinds(value: Any) -> frozenset[str]:
    kinds = of_value(value, 99).kinds
    return kinds | {"int", "double"} if kinds & {"int", "double"} else kinds


def _both(left: Type, right: Type) -> Type:
    """What fits two schemas at once. What one of them knows about members holds, as the other only narrows it."""
    kinds = left.kinds & right.kinds
    teller = left if left.members or left.closed else right
    members: Mapping[str, Type] = teller.members
    if left.members and right.members:
        members = {**right.members, **left.members}
    values = left.values if right.values is None else right.values if left.values is None else left.values & right.values
    closed = teller.closed and not (left.members and right.members)
    return Type(kinds, members, closed, False, left.items or right.items, values)


def _referred(root: Any, reference: str) -> Any:
    """The schema a local reference names, or None."""
    if not reference.startswith("#/"):
        return root if reference == "#" else None
    value: Any = root
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
