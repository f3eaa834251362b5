"""Trying a connection for whoever set it up: one function for each type whose service can be asked, found by entry point."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final

from weft_connectors.connections import OpenConnection
from weft_connectors.plug import Plug

GROUP: Final = "weft.connection_tests"
"""The entry point group: each entry is called as a type of connection, and is its `Try`."""
TIMEOUT_S: Final = 10.0
"""For all of a try: somebody waits for it."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a try came to. detail: for people.  status: the HTTP status of the answer, where there was one.  code: why it is not ok."""

    ok: bool
    detail: str
    status: int | None = None
    code: str | None = None


Try = Callable[[OpenConnection, Plug], Awaitable[Tried]]
"""Asks the service of a connection, once, for something that changes nothing. Raises: ActivityError where there was no answer."""


def try_of(connection_type: str) -> Try | None:
    """How connections of a type are tried; None where nothing is called by them."""
    for entry in entry_points(group=GROUP, name=connection_type):
        found: Try = entry.load()
        return found
    return None
