"""Where input was wrong, as JSON pointers. Source: RFC 6901."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from weft_runtime.errors import Detail

_SOURCES = ("body", "query", "path", "header", "cookie")
_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "json_invalid": "malformed",
    "enum": "not_allowed",
    "literal_error": "not_allowed",
    "value_error": "invalid",
    "assertion_error": "invalid",
}
_HINTS = {
    "missing": "this field is required",
    "extra_forbidden": "this field is not known here; remove it or check its spelling",
}


def pointer(parts: Iterable[str | int]) -> str:
    """The JSON pointer of a path: "" for the whole document, `/a~1b/0` for `["a/b", 0]`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def details(errors: Sequence[Mapping[str, Any]], body: Any) -> list[Detail]:
    """What a validator found, as details. body: what was validated, so that pointers name only what is in it."""
    return [_detail(error, body) for error in errors]


def _detail(error: Mapping[str, Any], body: Any) -> Detail:
    location = tuple(error.get("loc", ()))
    source = str(location[0]) if location and location[0] in _SOURCES else "body"
    path = location[1:] if location and location[0] in _SOURCES else location
    kind = str(error.get("type", "invalid"))
    message = _HINTS.get(kind) or str(error.get("msg", "is not valid")).removeprefix("Value error, ")
    if source == "body":
        path = _within(path, body, missing=kind == "missing")
    return Detail(pointer(path), _CODES.get(kind, kind), message[:500], source)


def _within(path: tuple[Any, ...], body: Any, *, missing: bool) -> tuple[Any, ...]:
    """The path without the names of models and branches that a validator puts between the parts of the document."""
    kept: list[Any] = []
    here = body
    for number, part in enumerate(path):
        last = number == len(path) - 1
        if (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and not isinstance(part, bool) and 0 <= part < len(here)
        ):
            here = here[part]
        elif not (last and missing):
            continue
        kept.append(part)
    return tuple(kept)
