"""Parameters put in their places in a template's definition. Pure.

`${parameters.name}` stands for a parameter. A text that is one placeholder and nothing else becomes the value with its type; where the
parameter is not given, the member it is of is left out. Within an expression it is written as CEL writes a constant, elsewhere as text. A
text that somebody gave is never read as a template or an expression, unless its schema says `x-template: true`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from weft_language.expressions import escape
from weft_language.plain import walk
from weft_runtime.errors import Detail

from weft_definitions.errors import ParametersInvalid

PLACEHOLDER: Final = re.compile(r"\$\{parameters\.([A-Za-z_][A-Za-z0-9_]*)\}")
MAX_FILLED: Final = 1_048_576
"""Characters of all that is put in: a large value in many places must not become larger than any document may be."""
_CEL: Final = "cel"
_SHAPES: Final[Mapping[str, Mapping[str, str]]] = {
    "graph": {"nodes": "[node", "edges": "[edge", "triggers": "[trigger"},
    "edge": {"when": _CEL},
    "trigger": {"when": _CEL},
    "if": {"when": _CEL},
    "transform": {"expression": _CEL},
    "switch": {"cases": "[case"},
    "case": {"when": _CEL},
    "group": {"nodes": "[node", "edges": "[edge"},
    "parallel": {"branches": "{graph"},
    "foreach": {"body": "graph"},
    "loop": {"while": _CEL, "until": _CEL, "body": "graph"},
    "state": {"events": "{event"},
    "event": {"match": _CEL},
}
"""Where expressions without braces stand: members by the shape of what they are of. `[` is a list of, `{` a map of.

The `with` of a node has the shape of its type.
"""
_ABSENT: Final = object()


def named(value: Any) -> set[str]:
    """The parameters that stand in a value."""
    texts = (one for _, one in walk(value) if isinstance(one, str))
    return {found[1] for text in texts for found in PLACEHOLDER.finditer(text)}


def with_defaults(schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with the defaults of those that were not given."""
    properties = schema.get("properties", {})
    defaults = {name: one["default"] for name, one in properties.items() if isinstance(one, dict) and "default" in one}
    return {**defaults, **given}


def fill(definition: Mapping[str, Any], schema: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with its parameters. parameters: that fit the schema, with its defaults.

    Raises: ParametersInvalid where they are too large.
    """
    properties = schema.get("properties", {})
    templates = {name for name, one in properties.items() if isinstance(one, dict) and one.get("x-template") is True}
    filled = _Filling(parameters, frozenset(templates)).value(definition, "graph")
    return dict(filled)


@dataclass(slots=True)
class _Filling:
    parameters: Mapping[str, Any]
    templates: frozenset[str]
    left: int = MAX_FILLED

    def value(self, value: Any, shape: str) -> Any:
        if isinstance(value, str):
            return self.text(value, expression=shape == _CEL)
        if isinstance(value, Mapping):
            pairs = ((name, self.value(one, _shape_of(name, value, shape))) for name, one in value.items())
            return {name: one for name, one in pairs if one is not _ABSENT}
        if isinstance(value, list):
            inner = shape[1:] if shape.startswith("[") else ""
            return [one for one in (self.value(item, inner) for item in value) if one is not _ABSENT]
        return value

    def text(self, text: str, *, expression: bool) -> Any:
        whole = PLACEHOLDER.fullmatch(text)
        if whole is not None:
            return self.whole(whole[1], expression=expression)
        return "".join(self.parts(text, expression=expression))

    def whole(self, name: str, *, expression: bool) -> Any:
        if name not in self.parameters:
            return _ABSENT
        value = self.parameters[name]
        self.take(len(json.dumps(value)))
        if name in self.templates:
            return value
        return _constant(value) if expression else _escaped(value)

    def parts(self, text: str, *, expression: bool) -> Iterator[str]:
        place = 0
        for found in PLACEHOLDER.finditer(text):
            before = text[place : found.start()]
            yield before
            place = found.end()
            value = self.parameters.get(found[1])
            inside = expression or text.count("{{", 0, found.start()) > text.count("}}", 0, found.start())
            written = _constant(value) if inside else _plain(value, as_it_is=found[1] in self.templates)
            self.take(len(written))
            yield written
        yield text[place:]

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            message = f"what the parameters become is larger than {MAX_FILLED} characters"
            raise ParametersInvalid(message, details=[Detail("/parameters", "too_large", "give shorter ones")])


def _shape_of(name: str, holder: Mapping[str, Any], shape: str) -> str:
    """The shape of a member of what has a shape itself."""
    if shape.startswith("{"):
        return shape[1:]
    if shape == "node":
        return str(holder.get("type")) if name == "with" else ""
    return _SHAPES.get(shape, {}).get(name, "")


def _escaped(value: Any) -> Any:
    """A value whose texts are read as nothing but texts."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        return {name: _escaped(one) for name, one in value.items()}
    return [_escaped(one) for one in value] if isinstance(value, list) else value


def _plain(value: Any, *, as_it_is: bool) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if as_it_is else escape(text)


def _constant(value: Any) -> str:
    """A value as CEL writes it: as JSON does, whose texts have no sign that CEL reads otherwise."""
    return json.dumps(value, ensure_ascii=False)
