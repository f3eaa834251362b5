"""What an execution finds around it: its tenant, and what is held up."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass
class Around:
    """held_up: what is believed to be, each with its gate: `tenant`, `workflow:<slug>`, `node_type:<type>`, `connection:<name>`.

    tier: of the tenant.  live: executions of it at once, None for no bound.  per_s, burst: its rate of starts; 0 for none.
    """

    held_up: dict[str, str] = field(default_factory=dict)
    tier: str = "standard"
    live: int | None = None
    per_s: int = 0
    burst: int = 1


@dataclass
class Bucket:
    """What is left of a rate of starts. left: at a moment, in milliseconds; full where nothing was ever spent."""

    around: Around
    left: Fraction | None = None
    at: int = 0

    def room(self, now: int) -> int:
        """How many may begin now."""
        return int(self._left(now))

    def spend(self, count: int, now: int) -> None:
        """So many begin."""
        self.left, self.at = self._left(now) - count, now

    def next_at(self, now: int) -> int:
        """The first moment from now on at which one may begin."""
        missing = 1 - self._left(now)
        return now if missing <= 0 else now - int(-missing * 1_000 // self.around.per_s)

    def _left(self, now: int) -> Fraction:
        most = Fraction(self.around.burst)
        return most if self.left is None else min(most, self.left + Fraction((now - self.at) * self.around.per_s, 1_000))
