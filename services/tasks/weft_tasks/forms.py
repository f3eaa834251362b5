"""Forms checked on the server: JSON Schema draft 2020-12, bounded, nothing fetched. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import jsonschema_rs
from weft_language.json_schemas import InvalidSchema, TooMuchToCheck, refuse_unsafe, some_errors
from weft_language.schema_recursion import width
from weft_runtime.errors import Detail

from weft_tasks.errors import FormInvalid, FormUnusable

_SIZE_LIMIT_BYTES: Final = 1024 * 1024
"""A compiled pattern's size at most."""
_PATTERNS: Final = jsonschema_rs.RegexOptions(size_limit=_SIZE_LIMIT_BYTES)
"""The engine without backtracking, so that a tenant's `(a+)+$` takes linear time. Guarded by tests/services/tasks/test_forms.py."""


TOGETHER_BYTES: Final = 512 * 1024
"""What the forms of several decisions on one task may take, as JSON: they are one output, which shows the last of them twice."""


def check_room(forms: Iterable[Any], form: Any) -> None:
    """Refuse a form for which there is no room beside those of the decisions before. Raises: FormInvalid."""
    size = sum(len(json.dumps(one)) for one in (*forms, form))
    if size > TOGETHER_BYTES:
        detail = f"with the forms of the decisions before it takes {size} bytes, and there is room for {TOGETHER_BYTES}; write less"
        raise FormInvalid(f"the form is too large: {detail}", details=[Detail("/form", "too_large", detail)])


def check_schema(schema: Mapping[str, Any]) -> None:
    """Refuse a schema that could never check a form: invalid, of another draft, too large, with a pattern too large, or with references
    outside itself or that multiply.

    Raises: FormUnusable.
    """
    _validator(_text(schema))


def check(schema: Mapping[str, Any] | None, form: Any) -> None:
    """Refuse a form that does not fit, with pointers below `/form`. A task without a schema takes any object, or nothing.

    Raises: FormInvalid, FormUnusable.
    """
    if schema is None:
        if form is not None and not isinstance(form, dict):
            raise FormInvalid("the form has to be an object", details=[Detail("/form", "form_invalid", "send an object or leave it out")])
        return
    try:
        validator, widest = _validator(_text(schema))
        found = some_errors(validator, {} if form is None else form, widest)
    except TooMuchToCheck as error:
        raise FormInvalid(str(error), details=[Detail("/form", "too_large", str(error))]) from error
    except ValueError as error:
        raise FormInvalid(
            f"the form cannot be checked: {error}; send it less deeply nested", details=[Detail("/form", "too_deep", str(error))]
        ) from error
    if found:
        details = [detail for one in found for detail in _details(one)]
        raise FormInvalid(f"the form does not fit its schema in {len(details)} place(s); `errors` says where", details=details)


def _details(error: jsonschema_rs.ValidationError) -> list[Detail]:
    path = [*error.instance_path]
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return [Detail(_pointer([*path, kind.property]), kind.name, "this field is missing; fill it in")]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        return [Detail(_pointer([*path, name]), kind.name, "the form has no such field; leave it out") for name in kind.unexpected]
    return [Detail(_pointer(path), kind.name, error.message[:300])]


def _pointer(path: list[str | int]) -> str:
    return "/form" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, sort_keys=True)


@lru_cache(maxsize=512)
def _validator(text: str) -> tuple[jsonschema_rs.Draft202012Validator, int]:
    """The compiled schema, and how many of its parts apply to one value at most; the same form is shown many times and compiled once."""
    schema = json.loads(text)
    try:
        # A schema that was rendered from a template is seen here first: the verifier of definitions could not.
        refuse_unsafe(schema)
        compiled = jsonschema_rs.Draft202012Validator(schema, validate_formats=True, pattern_options=_PATTERNS, offline=True)
    except (InvalidSchema, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise FormUnusable(f"the form's schema cannot be used: {str(error)[:500]}; mend it in the workflow and publish again") from error
    return compiled, width(schema)
