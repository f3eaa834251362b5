"""Paths whose parts hold slashes: one that was written `%2F` separates nothing."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote

from starlette.types import Scope

KEPT: Final = "\udc2f"
"""Stands for such a slash while a route is looked for. A path that holds it itself is no UTF-8, and refused by the front before."""
_ENCODED = re.compile(b"%2f", re.IGNORECASE)


def kept_apart(scope: Scope) -> Scope:
    """The request with slashes that were encoded told from those that separate the parts of its path."""
    raw: bytes = (scope.get("raw_path") or b"").partition(b"?")[0]
    if not _ENCODED.search(raw):
        return scope
    return {**scope, "path": KEPT.join(unquote(part.decode("latin-1")) for part in _ENCODED.split(raw))}


def whole(value: Any) -> Any:
    """A part of a path as it was meant."""
    return value.replace(KEPT, "/") if isinstance(value, str) else value
