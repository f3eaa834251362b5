"""Signing in by OAuth: one function for each type of connection whose service gives tokens for a code, found by entry point."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Final

from weft_connectors.activity import ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.plug import Plug

GROUP: Final = "weft.connection_sign_ins"
"""The entry point group: each entry is called as a type of connection, and is its `Exchange`."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a service sent the browser back with. issuer: who says to have sent it (`iss`)."""

    state: str | None = field(repr=False)
    code: str | None = field(repr=False)
    error: str | None = None
    issuer: str | None = None


Exchange = Callable[[OpenConnection, Plug, str, str, str], Awaitable[Mapping[str, str]]]
"""Secrets by field for (connection, plug, code, PKCE verifier, redirect URI). Raises: ActivityError; its message tells no secret."""


def exchange_of(connection_type: str) -> Exchange:
    """How connections of a type get their tokens. Raises: ActivityError where nothing does that."""
    for entry in entry_points(group=GROUP, name=connection_type):
        found: Exchange = entry.load()
        return found
    raise ActivityError("oauth_not_supported", f"nothing gets tokens for connections of type {connection_type}", permanent=True)
