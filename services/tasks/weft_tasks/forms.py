"""Forms checked on the server: JSON Schema draft 2020-12, bounded, nothing fetched. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import jsonschema_rs
from weft_runtime.errors import Detail

from weft_tasks.errors import FormInvalid, FormUnusable

ERRORS_MAX: Final = 50
"""Findings of one answer at most."""
_SIZE_LIMIT_BYTES: Final = 1024 * 1024
"""A compiled pattern's size at most."""
_PATTERNS: Final = jsonschema_rs.RegexOptions(size_limit=_SIZE_LIMIT_BYTES)
"""The engine without backtracking, so that a tenant's `(a+)+$` takes linear time. Guarded by tests/services/tasks/test_forms.py."""


def check_schema(schema: Mapping[str, Any]) -> None:
    """Refuse a schema that could never check a form: invalid, of another draft, with a pattern too large or a reference outside itself.

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
        found = list(islice(_validator(_text(schema)).iter_errors({} if form is None else form), ERRORS_MAX))
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
def _validator(text: str) -> jsonschema_rs.Draft202012Validator:
    """The compiled schema; the same form is shown many times and compiled once."""
    try:
        return jsonschema_rs.Draft202012Validator(json.loads(text), validate_formats=True, pattern_options=_PATTERNS, offline=True)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise FormUnusable(f"the form's schema cannot be used: {str(error)[:500]}; mend it in the workflow and publish again") from error
