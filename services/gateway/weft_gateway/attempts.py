"""Failed sign-ins, counted so that guessing passwords is slow: per address and per account. Pure; time is an argument."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=15)
PER_ACCOUNT: Final = 10
"""Failures an account may have in a window. Source: NIST SP 800-63B-4 allows at most 100."""
PER_ADDRESS: Final = 50
"""Failures an address may have in a window; an office shares one address."""
REMEMBERED: Final = 50_000
"""Accounts and addresses remembered at most; the one idle longest is forgotten first."""


@dataclass(slots=True)
class _Count:
    failures: int
    ends_at: datetime


class Attempts:
    """How often signing in failed lately. One per process, so that it is exact where there is one gateway and looser by each more."""

    def __init__(self, *, per_account: int = PER_ACCOUNT, per_address: int = PER_ADDRESS, remembered: int = REMEMBERED) -> None:
        self._limits = {"account": per_account, "address": per_address}
        self._remembered = remembered
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()

    def wait_s(self, account: str, address: str, now: datetime) -> int:
        """Seconds until another try is let through; 0 when it is now."""
        waits = [0]
        for kind, name in (("account", account), ("address", address)):
            count = self._counts.get((kind, name))
            if count is not None and count.ends_at > now and count.failures >= self._limits[kind]:
                waits.append(int((count.ends_at - now).total_seconds()) + 1)
        return max(waits)

    def failed(self, account: str, address: str, now: datetime) -> None:
        """Count a failure against both; called before the password is checked, and taken back by `succeeded`."""
        for key in (("account", account), ("address", address)):
            count = self._counts.pop(key, None)
            if count is None or count.ends_at <= now:
                count = _Count(0, now + WINDOW)
            count.failures += 1
            self._counts[key] = count
        while len(self._counts) > self._remembered:
            self._counts.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of an account whose person came in; the address keeps its own but for this try."""
        self._counts.pop(("account", account), None)
        count = self._counts.get(("address", address))
        if count is not None:
            count.failures -= 1
