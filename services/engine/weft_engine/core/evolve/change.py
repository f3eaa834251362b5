"""What changes of state share: how they look, and how they read what an entry holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from weft_engine.core.entries import Entry
from weft_engine.core.state import State

Change = Callable[[State, Entry, datetime], None]
"""`(state, entry, at)`: change the state in place by one entry. at: the time of the transition, UTC."""


def moment(value: Any) -> datetime | None:
    """A time as entries hold it: a datetime when fresh, RFC 3339 text when read back."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def node_of(entry: Entry) -> str:
    """The node an entry is about. Raises: KeyError when it names none."""
    if entry.node is None:
        raise KeyError(f"a {entry.kind} entry names no node")
    return entry.node


def nothing(state: State, entry: Entry, at: datetime) -> None:
    """The entry is history and a message; it changes no state."""
