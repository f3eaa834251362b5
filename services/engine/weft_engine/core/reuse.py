"""What a retry need not ask for again: outside work of a time that it goes back behind, by the place where it was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

Path = tuple[str, ...]
"""The scopes around a node, outer before inner, each by its owner and label alone: a visit that a retry begins anew has another number."""
Where = tuple[str, Path]
"""A node and the path to it."""


@dataclass(frozen=True, slots=True)
class Done:
    """Outside work that is done: what was asked, and what it gave.

    position: of the entry that completed it.  request: hash of what was asked.
    """

    position: int
    visit: int
    request: str
    outcome: str
    output: Any


Reusable = dict[Where, tuple[Done, ...]]
"""Outside work by where it was done, the oldest first."""


class Recalled(NamedTuple):
    """A child that has failed and can go on. request: hash of what it was asked.  effects, by: as of the retry."""

    child_id: str
    request: str
    effects: str
    by: str | None


def put(reusable: Reusable, where: Where, done: Done) -> None:
    """Add what was done last."""
    reusable[where] = (*reusable.get(where, ()), done)


def take(reusable: Reusable, where: Where, position: int) -> None:
    """Take out what was completed at a position; nothing where it is not there."""
    left = tuple(done for done in reusable.get(where, ()) if done.position != position)
    if left:
        reusable[where] = left
    else:
        reusable.pop(where, None)
