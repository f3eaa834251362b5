"""Failed sign-ins, limited so that guessing passwords is slow and nobody is locked out by somebody else. Pure; time is an argument.

What counts is who is guessed at from where: the account and the address together. Somebody elsewhere guesses on their own count. Guesses
at one account from everywhere meet a slower brake, which spares the addresses where its person has signed in. An account that there is
none of is counted like any other. Source: OWASP Authentication Cheat Sheet, "Account Lockout"; "Device cookies", OWASP.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Kind = Literal["account", "address", "pair"]


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures in a window, which begins with the first."""

    failures: int
    window: timedelta


LIMITS: Final[dict[Kind, Limit]] = {
    # An account from everywhere. Source: NIST SP 800-63B-4 allows at most 100 in a row.
    "account": Limit(100, timedelta(hours=1)),
    # An address at all accounts; an office shares one.
    "address": Limit(50, timedelta(minutes=15)),
    # An account from one address.
    "pair": Limit(10, timedelta(minutes=15)),
}
KNOWN_FOR: Final = timedelta(days=90)
"""How long an address is known as one where a person signs in, after the last time."""


TOLD_WINDOW: Final = timedelta(hours=1)
TOLD_FIRST: Final = 10
TOLD_EVERY: Final = 100
"""Refusals of an account that the audit is told of within the window: the first, then one of so many. A guesser fills nothing."""


@dataclass(frozen=True, slots=True)
class Failures:
    """How often signing in failed in the window that ends then, the try of this moment counted in."""

    kind: Kind
    count: int
    ends_at: datetime


def wait_s(failures: Sequence[Failures], now: datetime, *, known: bool = False) -> int:
    """Seconds until another try is let through; 0 when this one is. known: whether the person has signed in from this address."""
    over = [one.ends_at - now for one in failures if one.count > LIMITS[one.kind].failures and not (known and one.kind == "account")]
    return max((max(1, math.ceil(left.total_seconds())) for left in over), default=0)


def is_told(refused: int) -> bool:
    """Whether the audit is told of a refusal. refused: of the account in its window, this one too."""
    return refused <= TOLD_FIRST or refused % TOLD_EVERY == 0
