"""The operations of an OpenAPI document, and a value that fits a schema of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FORMATS = {"uuid": "01890000-0000-7000-8000-000000000000", "date-time": "2026-01-02T03:04:05Z", "uri": "urn:x", "date": "2026-01-02"}
TEXTS = ("text", "a", "someone@example.org", "1", "PT1H", "long enough for a password")
METHODS = frozenset({"get", "post", "put", "patch", "delete"})


@dataclass(frozen=True, eq=False)
class Operation:
    """One method at one path. parameters: as described, without headers.  body: the schema of its JSON body, None where it takes none."""

    method: str
    path: str
    described: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """How reports name it."""
        return f"{self.method} {self.path}"

    @property
    def public(self) -> bool:
        """Whether nobody has to sign in for it."""
        return self.described.get("security") == []

    @property
    def permission(self) -> str:
        """The permission it needs, "" where it is public."""
        return str(self.described.get("x-permission", ""))

    @property
    def streams(self) -> bool:
        """Whether its good answer never ends."""
        return "text/event-stream" in self.described["responses"].get("200", {}).get("content", {})

    def parameters(self, where: str) -> list[str]:
        """The names of its parameters in the path, the query or the header."""
        return [one["name"] for one in self.described.get("parameters", ()) if one["in"] == where]

    def schema_of(self, name: str) -> Mapping[str, Any]:
        """The schema of a parameter."""
        return next(dict(one["schema"]) for one in self.described["parameters"] if one["name"] == name)

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The schema of its JSON body, None where it takes none."""
        content = self.described.get("requestBody", {}).get("content", {})
        found = next((content[kind]["schema"] for kind in ("application/cloudevents+json", "application/json") if kind in content), None)
        return found if found is None else self.resolved(found)

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """A schema, or what it refers to."""
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def fitting(self, schema: Mapping[str, Any], depth: int = 0) -> Any:
        """A value that fits, with every member that is described."""
        schema = self.resolved(schema)
        for choices in ("anyOf", "oneOf", "allOf"):
            if choices in schema:
                return self.fitting(schema[choices][0], depth)
        if "const" in schema or "enum" in schema:
            return schema["const"] if "const" in schema else schema["enum"][0]
        kind = schema.get("type")
        if kind == "object":
            members = schema.get("properties", {}) if depth < 6 else {}
            return {name: self.fitting(each, depth + 1) for name, each in members.items()}
        if kind == "array":
            return [self.fitting(schema.get("items", {}), depth + 1) for _ in range(max(1, schema.get("minItems", 0)))]
        if kind in ("integer", "number"):
            return max(1, int(schema.get("minimum", 1)))
        if kind == "boolean":
            return True
        return _text(schema) if kind == "string" else None


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation of a document."""
    for path, item in document["paths"].items():
        for method, described in item.items():
            if method in METHODS:
                yield Operation(method.upper(), path, described, document)


def _text(schema: Mapping[str, Any]) -> str:
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    pattern, least, most = schema.get("pattern", ""), schema.get("minLength", 0), schema.get("maxLength", 10**6)
    return next((one for one in TEXTS if least <= len(one) <= most and re.search(pattern, one)), "a" * least)
