"""How often and how long a mail is asked for that a provider told of. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

MOST: Final = 20
"""Attempts, over about three hours; then a person says whether to go on."""
LONGEST: Final = timedelta(minutes=15)
LEASE: Final = timedelta(seconds=120)
"""So long a process has a mail in hand: if it is gone, another one goes on after it."""
WITHIN_S: Final = 90.0
"""Of one attempt, all its requests together."""
MENDABLE: Final = frozenset({"email_unauthorized", "unknown_connection", "connection_unusable"})
"""Failures that are for good until somebody mends the connection, who is given the time."""


def next_at(attempts: int, code: str, permanent: bool, retry_after_s: float | None, now: datetime) -> datetime | None:
    """When a mail is asked for again after so many attempts, from 1; None where it is given up. code, permanent: of the failure."""
    if attempts >= MOST or (permanent and code not in MENDABLE):
        return None
    usual = min(timedelta(seconds=2 ** min(attempts - 1, 20)), LONGEST)
    return now + max(usual, timedelta(seconds=min(retry_after_s or 0.0, 3600.0)))
