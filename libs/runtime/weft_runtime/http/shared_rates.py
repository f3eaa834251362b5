"""Rate limits that the processes of a service share: each counts by itself, tells the others through PostgreSQL and hears of them there.

Far from a limit nobody waits: what was counted is told once a second, all callers in one statement. Near it, a request is allowed only
once it is told, so that the last ones of a quota are given out once. Why: docs/decisions/0005-shared-limits.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b

from weft_runtime.context import ServiceContext
from weft_runtime.database.rates import RateRows, Told
from weft_runtime.errors import Unavailable
from weft_runtime.http.rate import SLOTS, Key, Quota, RateLimiter, Standing, key_of

TELL_EVERY_S = 1.0
TELL_AT_ONCE = 1000
"""Callers in one statement."""
FORGET_EVERY = 60
"""Tellings between two looks for rows whose time is over."""


class SharedRates:
    """Counts requests together with the other processes on the same table. limiter: this process's own counts."""

    def __init__(self, context: ServiceContext, limiter: RateLimiter) -> None:
        self._rows = RateRows(context.database)
        self._limiter = limiter

    async def count(self, caller: Key, quota: Quota) -> Standing:
        """Count one request. While the database is away this process counts alone."""
        standing = self._limiter.count(caller, quota)
        if not standing.allowed or not self._limiter.should_tell(caller, quota):
            return standing
        key = key_of(caller, quota)
        try:
            await self.tell([key])
        except Unavailable:
            return standing
        total = self._limiter.total(key)
        if total > quota.requests:
            return self._limiter.take_back(caller, quota)
        return Standing(quota, quota.requests - total, standing.reset_s, allowed=True)

    async def tell(self, keys: Iterable[Key]) -> None:
        """Tell what this process counted for these callers, and hear what all did. Raises: Unavailable."""
        taken = self._limiter.tell(keys)
        told = [
            Told(_digest(key), slot, count, datetime.fromtimestamp((slot + SLOTS) * quota.step_s, UTC))
            for key, (quota, counts) in taken.items()
            for slot, count in counts.items()
            if count
        ]
        whos = {_digest(key): key for key in taken}
        try:
            heard = await self._rows.exchange(told, list(whos))
        except BaseException:
            self._limiter.untell(taken)
            raise
        for who, counts in heard.items():
            self._limiter.learn(whos[who], counts)

    async def run(self) -> None:
        """Tell now and then, until cancelled."""
        turn = 0
        while True:
            try:
                untold = self._limiter.untold()
                for start in range(0, len(untold), TELL_AT_ONCE):
                    await self.tell(untold[start : start + TELL_AT_ONCE])
                if turn % FORGET_EVERY == 0:
                    await self.forget()
            except Unavailable:
                pass  # the database is away, which others report; what was counted is told later
            turn += 1
            await asyncio.sleep(TELL_EVERY_S)

    async def forget(self) -> None:
        """Delete rows whose time is over. Raises: Unavailable."""
        await self._rows.forget(datetime.now(UTC))


def _digest(key: Key) -> bytes:
    return blake2b("\x00".join(key).encode(), digest_size=16).digest()
