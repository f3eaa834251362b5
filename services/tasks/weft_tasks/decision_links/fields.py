"""The fields of a task's form that a page without scripts can offer, and what was filled in. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

PREFIX: Final = "form."
MOST: Final = 100
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?")
Kind = Literal["text", "number", "integer", "boolean", "choice"]


@dataclass(frozen=True, slots=True)
class FormField:
    """One field. choices: of a `choice`, values of any plain type.  most: characters at most, where the schema says."""

    name: str
    kind: Kind
    title: str
    help: str
    required: bool
    choices: tuple[Any, ...] = ()
    most: int | None = None


def fields(schema: Mapping[str, Any] | None) -> tuple[FormField, ...] | None:
    """The fields of a form; None where it has one that has to be filled in and is no plain text, number, choice or yes and no.

    Fields of other kinds that may be left out are left out.
    """
    properties = (schema or {}).get("properties", {})
    required = (schema or {}).get("required", [])
    if not isinstance(properties, Mapping) or not isinstance(required, list) or len(properties) > MOST:
        return None
    found = [_field(name, each, name in required) for name, each in properties.items()]
    if any(one is None and name in required for one, name in zip(found, properties, strict=True)) or not set(required) <= set(properties):
        return None
    return tuple(one for one in found if one is not None)


def filled_in(asked: tuple[FormField, ...], sent: Mapping[str, str]) -> dict[str, Any] | None:
    """What was filled in. What is no number where one is asked for stays text, so that checking the form says so. sent: by name.

    Returns: None where nothing was.
    """
    form: dict[str, Any] = {}
    for field in asked:
        text = sent.get(PREFIX + field.name, "")
        if field.kind == "boolean":
            form[field.name] = text == "true"
        elif text.strip():
            form[field.name] = _read(field, text)
    return form or None


def _field(name: str, schema: Any, required: bool) -> FormField | None:
    if not isinstance(schema, Mapping):
        return None
    said = {word: schema[word] for word in ("title", "description") if isinstance(schema.get(word), str)}
    title, explained = said.get("title", name), said.get("description", "")
    choices = schema.get("enum")
    if isinstance(choices, list) and choices and all(isinstance(one, str | int | float | bool | None) for one in choices):
        return FormField(name, "choice", title, explained, required, tuple(choices))
    kinds: dict[Any, Kind] = {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean"}
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in kinds:
        return None
    longest = schema.get("maxLength")
    return FormField(name, kinds[kind], title, explained, required, (), longest if type(longest) is int else None)


def _read(field: FormField, text: str) -> Any:
    if field.kind == "choice":
        return field.choices[int(text)] if text.isascii() and text.isdigit() and len(text) < 5 and int(text) < len(field.choices) else text
    if field.kind == "text" or not _NUMBER.fullmatch(text.strip()):
        # A browser ends lines as mail does.
        return text.replace("\r\n", "\n")
    number = float(text)
    if not math.isfinite(number):
        return text
    return int(number) if field.kind == "integer" and number.is_integer() and abs(number) < 2**53 else number
