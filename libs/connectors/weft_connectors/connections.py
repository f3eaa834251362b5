"""A tenant's connection as activities are given it: for the time of a call, in memory only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """A connection with its secrets as they are. Nothing that shows it shows them. settings, secrets: by the type."""

    name: str
    type: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)


ConnectionReader = Callable[[str, str], Awaitable[OpenConnection]]
"""Gives a tenant's connection by (tenant, name), as it is now.

Raises: ActivityError, `unknown_connection` (permanent), `connection_unusable` or `connection_unavailable`.
"""
