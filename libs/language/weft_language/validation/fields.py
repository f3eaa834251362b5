"""What the document's JSON Schema knows about a place: the names its object may have."""

from collections.abc import Iterator
from typing import Any

from weft_language.schema import definition_schema

Path = tuple[str | int, ...]


def known_fields(document: Any, path: Path) -> list[str]:
    """The field names of the object at `path`, by the branches of the schema that fit what stands there."""
    schemas = list(_branches(definition_schema(), document))
    value = document
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return []
        schemas = [branch for schema in schemas for inner in _children(schema, part) for branch in _branches(inner, value)]
    names = [name for schema in schemas for name in schema.get("properties", {})]
    return list(dict.fromkeys(names))


def _children(schema: dict[str, Any], part: str | int) -> Iterator[Any]:
    if isinstance(part, int):
        if isinstance(schema.get("items"), dict):
            yield schema["items"]
    elif part in schema.get("properties", {}):
        yield schema["properties"][part]
    elif isinstance(schema.get("additionalProperties"), dict):
        yield schema["additionalProperties"]


def _branches(schema: Any, value: Any) -> Iterator[dict[str, Any]]:
    """The schemas that a schema consists of, leaving out those whose constants contradict the value."""
    waiting = [schema]
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, dict) or _contradicts(current, value):
            continue
        if "$ref" in current:
            waiting.append(definition_schema()["$defs"].get(current["$ref"].removeprefix("#/$defs/")))
        for word in ("anyOf", "oneOf", "allOf"):
            waiting.extend(current.get(word, ()))
        if "if" in current and not _contradicts(current["if"], value, whole=True):
            waiting.append(current.get("then"))
        yield current


def _contradicts(schema: dict[str, Any], value: Any, *, whole: bool = False) -> bool:
    """Whether a constant of the schema differs from the value's member. whole: a missing member contradicts, too."""
    if not isinstance(value, dict):
        return schema.get("type") == "object"
    for name, inner in schema.get("properties", {}).items():
        if isinstance(inner, dict) and "const" in inner and (name in value or whole) and value.get(name) != inner["const"]:
            return True
    return False
