"""When a lane's next turn begins: at once for who is alone, a little later where others are about to come."""

from __future__ import annotations

from typing import Final

PER_ITEM_S: Final = 0.002
"""A turn costs the mesh, commit and frames counted, about as much as ten items (docs/performance.md): company is worth waiting for."""
MOST_S: Final = 0.016


class Pace:
    """Keeps a lane's turns apart by the company that the last one had, so that who is alone never waits. Times: of one clock, seconds."""

    def __init__(self) -> None:
        self._began_s = float("-inf")
        self._company = 0

    def began(self, at_s: float) -> None:
        """A turn begins now."""
        self._began_s = at_s

    def took(self, items: int) -> None:
        """So many items the turn that began last has taken."""
        self._company = max(0, items - 1)

    def wait_s(self, now_s: float) -> float:
        """How long the next turn should wait for others, 0..`MOST_S` s."""
        due_s = self._began_s + min(MOST_S, PER_ITEM_S * self._company)
        return min(MOST_S, max(0.0, due_s - now_s))
