"""Labels, as lists are asked for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def wanted(asked: Iterable[str]) -> dict[str, str | None]:
    """The labels that are asked for, by name: `name=value` or `name:value`, or `name` for any value, which is None."""
    return {name: value if found else None for name, found, value in map(_parts, asked)}


def _parts(text: str) -> tuple[str, str, str]:
    """The name of a label, the sign between, and its value: whichever of the two signs comes first."""
    colon, equals = text.partition(":"), text.partition("=")
    return min((colon, equals), key=lambda parts: len(parts[0]))
