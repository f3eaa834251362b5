"""What a tenant may have at once and start in a second: `settings.quotas` of the tenant. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

LIVE_GATE: Final = "tenant"
"""The gate that bounds how many executions of a tenant live. Its quota is `live_executions`."""
STARTS_GATE: Final = "starts"
"""The gate that bounds how many executions of a tenant begin in a second. Its quota is `starts_per_s`."""
QUOTA_OF: Final = {LIVE_GATE: "live_executions", STARTS_GATE: "starts_per_s"}
"""The quota that a gate of the tenant stands for."""
LEAST_PER_S: Final = 0.001
"""The slowest rate there is: slower ones are taken for it."""
LEAST_BURST_S: Final = 0.05
"""A burst is never less than what the rate gives in so long: who lets in looks again no sooner."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many starts in a second in the long run, and `burst` at once after a rest. per_s: at least 0.001.  burst: at least 1.

    Source: the generic cell rate algorithm, ITU-T I.371; what is spent is kept as the moment at which all of it is earned again.
    """

    per_s: float
    burst: float

    def room(self, spent_until: datetime | None, now: datetime) -> int:
        """How many may begin now. spent_until: when all that was spent is earned again, None where nothing ever was."""
        # What was spent a microsecond too precisely must not cost a whole start.
        return max(0, math.floor(self.burst - self._owed(spent_until, now) + 1e-3))

    def spend(self, spent_until: datetime | None, now: datetime, count: int) -> datetime:
        """When all that was spent is earned again, once `count` more have begun."""
        earned = now if spent_until is None else max(spent_until, now)
        return earned + timedelta(seconds=count / self.per_s)

    def wait_s(self, spent_until: datetime | None, now: datetime, count: float = 1) -> float:
        """Seconds until `count` may begin at once, 0 when they may now. count: at most the burst."""
        return max(0.0, (self._owed(spent_until, now) + count - self.burst) / self.per_s)

    def _owed(self, spent_until: datetime | None, now: datetime) -> float:
        return 0.0 if spent_until is None else max(0.0, (spent_until - now).total_seconds()) * self.per_s


@dataclass(frozen=True, slots=True)
class Quotas:
    """A tenant's quotas. live: executions at once, None for no bound.  refused: gates at which a start by HTTP is refused, not queued."""

    live: int | None = None
    starts: Rate | None = None
    refused: frozenset[str] = frozenset()

    @property
    def gates(self) -> tuple[str, ...]:
        """The gates that there are, by name."""
        return tuple(name for name, bound in ((LIVE_GATE, self.live), (STARTS_GATE, self.starts)) if bound is not None)


NONE: Final = Quotas()


def quotas_of(settings: Mapping[str, Any] | None) -> Quotas:
    """What a tenant's settings say. What they do not say well bounds nothing: it is refused where it is given, at the gateway."""
    given = (settings or {}).get("quotas")
    if not isinstance(given, dict):
        return NONE
    live, per_s = given.get("live_executions"), _number(given.get("starts_per_s"))
    how = given.get("on_exceeded")
    by_gate = {gate: how.get(quota) if isinstance(how, dict) else how for gate, quota in QUOTA_OF.items()}
    return Quotas(
        live if isinstance(live, int) and not isinstance(live, bool) and live > 0 else None,
        None if per_s is None else Rate(per_s, max(_number(given.get("starts_burst")) or per_s, per_s * LEAST_BURST_S, 1.0)),
        frozenset(gate for gate, word in by_gate.items() if word == "refuse"),
    )


def _number(value: Any) -> float | None:
    ok = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
    return max(float(value), LEAST_PER_S) if ok else None
