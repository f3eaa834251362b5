"""Failed sign-ins, limited so that guessing passwords is slow: per address and per account. Pure; time is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

WINDOW: Final = timedelta(minutes=15)
PER_ACCOUNT: Final = 10
"""Failures an account may have in a window. Source: NIST SP 800-63B-4 allows at most 100."""
PER_ADDRESS: Final = 50
"""Failures an address may have in a window; an office shares one address."""

Kind = Literal["account", "address"]
LIMITS: Final[dict[Kind, int]] = {"account": PER_ACCOUNT, "address": PER_ADDRESS}


@dataclass(frozen=True, slots=True)
class Failures:
    """How often signing in failed in the window that ends then, the try of this moment counted in."""

    kind: Kind
    count: int
    ends_at: datetime


def wait_s(failures: Sequence[Failures], now: datetime) -> int:
    """Seconds until another try is let through; 0 when this one is."""
    over = [one.ends_at - now for one in failures if one.count > LIMITS[one.kind]]
    return max((int(left.total_seconds()) + 1 for left in over), default=0)
