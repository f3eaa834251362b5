"""JSON Schemas that authors write: for inputs, forms and signals. Checked when saved, compiled once, linear in time."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import jsonschema_rs

from weft_language.findings import pointer_of
from weft_language.schema_recursion import recursion_fault, width

MAX_ERRORS = 50
ALL_ERRORS_CHECKS = 5_000
"""Checks up to which all errors are looked for; beyond, which takes 10 us for each error whether it is asked for or not, the first is."""
MAX_CHECKS = 5_000_000
"""Checks of one value at most: what a schema with very many alternatives says of a very long list is not found out."""
_USUAL_WIDTH = 50
"""Where no value of a body is large enough to need counting."""
MAX_SUBSCHEMAS = 5_000
_REGEX = jsonschema_rs.RegexOptions(size_limit=1_000_000, dfa_size_limit=1_000_000)
_REFERENCES = ("$ref", "$dynamicRef")


class InvalidSchema(ValueError):
    """A JSON Schema that cannot be used. `pointer` is inside the schema."""

    def __init__(self, code: str, message: str, pointer: str = "", fix: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.pointer = pointer
        self.fix = fix


class TooMuchToCheck(ValueError):
    """A value is so large, and its schema has so many alternatives, that checking takes too long."""


def some_errors(validator: Any, value: Any, widest: int) -> list[jsonschema_rs.ValidationError]:
    """What is wrong with a value: at most `MAX_ERRORS`, the first one where looking for all would take long; empty when it is valid.

    validator: of jsonschema_rs.  widest: `schema_recursion.width` of its schema.  Raises: TooMuchToCheck.
    """
    if widest > _USUAL_WIDTH and _members(value, MAX_CHECKS // widest) > MAX_CHECKS // widest:
        raise TooMuchToCheck(f"too much to check: more than {MAX_CHECKS // widest} values against {widest} alternatives each; send less")
    if validator.is_valid(value):
        return []
    if _members(value, ALL_ERRORS_CHECKS // widest) <= ALL_ERRORS_CHECKS // widest:
        return list(islice(validator.iter_errors(value), MAX_ERRORS))
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as first:
        return [first]
    return []


def _members(value: Any, enough: int) -> int:
    """How many values there are in one; counting ends beyond `enough`."""
    count, waiting = 0, [value]
    while waiting and count <= enough:
        one = waiting.pop()
        count += 1
        below = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        count += max(0, len(below) - enough)
        waiting.extend(islice(below, enough))
    return count


class SchemaCheck:
    """A compiled JSON Schema 2020-12: formats are checked, patterns run on a linear engine, nothing is fetched."""

    __slots__ = ("_anything", "_validator", "_width", "schema")

    def __init__(self, schema: Mapping[str, Any] | bool) -> None:
        """Compile `schema`. Raises: InvalidSchema."""
        refuse_unsafe(schema)
        self.schema: dict[str, Any] | bool = schema if isinstance(schema, bool) else dict(schema)
        self._anything = self.schema is True or self.schema == {}
        self._width = width(self.schema)
        try:
            self._validator = jsonschema_rs.Draft202012Validator(self.schema, pattern_options=_REGEX, validate_formats=True, offline=True)
        except jsonschema_rs.ValidationError as error:
            raise _explained(error) from error
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise InvalidSchema("schema_invalid", f"not a valid JSON Schema: {error}") from error

    def errors(self, value: Any) -> list[tuple[str, str, str]]:
        """What is wrong with `value`: (JSON pointer, code, detail), at most `MAX_ERRORS`; empty when it is valid.

        The code is the keyword that failed (`required`, `type`, ...); a missing or unexpected member is pointed at itself.
        """
        if self._anything:
            return []
        try:
            return [item for error in some_errors(self._validator, value, self._width) for item in _items(error)]
        except TooMuchToCheck as error:
            return [("", "too_large", str(error))]


def _items(error: jsonschema_rs.ValidationError) -> Iterator[tuple[str, str, str]]:
    kind, path = error.kind, error.instance_path
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        yield pointer_of(*path, str(kind.property)), "required", error.message
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        for name in kind.unexpected:
            yield pointer_of(*path, name), "additionalProperties", f"{name!r} is not expected here"
    else:
        yield pointer_of(*path), str(kind.name), error.message[:500]


def _explained(error: jsonschema_rs.ValidationError) -> InvalidSchema:
    if "$ref" in error.schema_path or "Retriev" in error.message or error.message.startswith(("Pointer", "Anchor")):
        return InvalidSchema("schema_reference", f"a $ref leads nowhere: {error.message[:200]}")
    pointer = pointer_of(*error.instance_path)
    if (error.instance_path and error.instance_path[-1] == "pattern") or "regex" in error.message[-20:]:
        fix = "use a pattern without look-around and back-references (RE2 syntax)"
        return InvalidSchema("schema_pattern", f"the pattern cannot be used: {error.message[:200]}", pointer, fix)
    return InvalidSchema("schema_invalid", f"not a valid JSON Schema: {error.message[:300]}", pointer)


def refuse_unsafe(schema: Any) -> None:
    """Refuse what could make a check slow or leave the machine. Raises: InvalidSchema."""
    if not isinstance(schema, (dict, bool)):
        raise InvalidSchema("schema_invalid", "a JSON Schema is an object or a boolean")
    count = 0
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(schema, ())]
    while waiting:
        value, path = waiting.pop()
        count += 1
        if count > MAX_SUBSCHEMAS:
            raise InvalidSchema("schema_too_large", f"a schema holds at most {MAX_SUBSCHEMAS} values")
        if isinstance(value, dict):
            for word in _REFERENCES:
                target = value.get(word)
                if isinstance(target, str) and not target.startswith("#"):
                    raise InvalidSchema(
                        "schema_remote_reference",
                        f"{word} {target[:80]!r} leaves the document; schemas are never fetched",
                        pointer_of(*path, word),
                        "copy the schema under $defs and refer to it as #/$defs/<name>",
                    )
            waiting.extend((child, (*path, str(name))) for name, child in value.items())
        elif isinstance(value, list):
            waiting.extend((child, (*path, place)) for place, child in enumerate(value))
    if isinstance(schema, dict) and (fault := recursion_fault(schema)) is not None:
        pointer, message = fault
        raise InvalidSchema("schema_recursion", message, pointer, "let the schema refer to itself once, through one member")
