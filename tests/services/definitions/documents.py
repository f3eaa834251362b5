"""Definitions that tests send."""

from __future__ import annotations

from typing import Any


def definition(slug: str | None = "greet", **changes: Any) -> dict[str, Any]:
    """A small valid definition. changes: members to set; None leaves a member out."""
    document: dict[str, Any] = {
        "format": "weft/v1",
        "slug": slug,
        "name": (slug or "greet").title(),
        "nodes": [{"id": "hello", "type": "set", "with": {"greeting": "hello"}}],
    }
    return {name: value for name, value in (document | changes).items() if value is not None}
