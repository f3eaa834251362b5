"""A plain value that fits a schema: what an answer of the outside is taken to be where nobody says what it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_PLAIN: Final[dict[str, Any]] = {"string": "", "integer": 0, "number": 0.0, "boolean": False, "array": []}
_DEEPEST: Final = 8


def sample(schema: Mapping[str, Any], depth: int = 0) -> Any:
    """The smallest value that a schema of the node catalog takes: required members only, null where anything goes."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" and depth < _DEEPEST:
        members = schema.get("properties", {})
        return {name: sample(members.get(name, {}), depth + 1) for name in schema.get("required", ())}
    if kind == "object":
        return {}
    value = _PLAIN.get(kind) if isinstance(kind, str) else None
    return schema.get("minimum", value) if kind in ("integer", "number") else value
