"""Rate limits: a moving window per caller, counted in memory. Source: draft-ietf-httpapi-ratelimit-headers.

What other processes counted is learned through `weft_runtime.http.shared_rates`.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

SLOTS = 60
_MAX_CALLERS = 50_000
UNTOLD_SHARE = 64
"""A process counts at most this part of a quota by itself before it tells the others."""
NEARLY = 7 / 8
"""Beyond this part of a quota each request is told before it is allowed."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quota:
    """So many requests in so many seconds. name: shown to the caller."""

    name: str
    requests: int
    window_s: int = 3600

    @property
    def step_s(self) -> float:
        """How long a slot of the window is."""
        return self.window_s / SLOTS


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands. remaining: requests left now.  reset_s: seconds until more are free.  allowed: whether this one is."""

    quota: Quota
    remaining: int
    reset_s: int
    allowed: bool

    def headers(self) -> dict[str, str]:
        """The RateLimit headers, and Retry-After where the request is refused.

        Both forms that clients read: the structured fields, and the three plain ones of the drafts before.
        """
        shown = {
            "RateLimit-Policy": f'"{self.quota.name}";q={self.quota.requests};w={self.quota.window_s}',
            "RateLimit": f'"{self.quota.name}";r={self.remaining};t={self.reset_s}',
            "RateLimit-Limit": str(self.quota.requests),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }
        return shown if self.allowed else {**shown, "Retry-After": str(self.reset_s)}


@dataclass(slots=True)
class Window:
    """A caller's requests by slot. untold: counted here, others do not know of them.  told: everybody's, as last heard."""

    quota: Quota
    untold: dict[int, int] = field(default_factory=dict)
    told: dict[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All requests known here."""
        return sum(self.untold.values()) + sum(self.told.values())

    def forget(self, before: int) -> None:
        """Drop the slots before."""
        for counts in (self.untold, self.told):
            for slot in [slot for slot in counts if slot < before]:
                del counts[slot]


class RateLimiter:
    """Counts requests. The window moves in sixtieths, so a caller gets the quota in any window of its length, give or take one.

    One limiter is shared by all services of a process.  clock: seconds since 1970, so that slots are the same in every process.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._windows: OrderedDict[Key, Window] = OrderedDict()

    def count(self, caller: Key, quota: Quota) -> Standing:
        """Count one request. A refused one does not count, so a caller who waits gets in."""
        window, current, now = self._at(caller, quota)
        total = window.total
        allowed = total < quota.requests
        if allowed:
            window.untold[current] = window.untold.get(current, 0) + 1
            total += 1
        return Standing(quota, max(0, quota.requests - total), _reset_s(window, now), allowed)

    def should_tell(self, caller: Key, quota: Quota) -> bool:
        """Whether what was counted for a caller has to be told before the request is allowed."""
        window, _, _ = self._at(caller, quota)
        return sum(window.untold.values()) > quota.requests // UNTOLD_SHARE or window.total > quota.requests * NEARLY

    def take_back(self, caller: Key, quota: Quota) -> Standing:
        """One request that was counted is refused after all, since others were first. It is untold with the next telling."""
        window, current, now = self._at(caller, quota)
        window.untold[current] = window.untold.get(current, 0) - 1
        return Standing(quota, 0, _reset_s(window, now), allowed=False)

    def untold(self) -> list[Key]:
        """Those of whom others do not know all."""
        return [key for key, window in self._windows.items() if any(window.untold.values())]

    def tell(self, keys: Iterable[Key]) -> dict[Key, tuple[Quota, dict[int, int]]]:
        """Hand over what others do not know, by caller and slot; `learn` brings it back, `untell` where telling failed."""
        taken: dict[Key, tuple[Quota, dict[int, int]]] = {}
        for key in keys:
            window = self._windows.get(key)
            if window is not None:
                taken[key] = (window.quota, window.untold)
                for slot, count in window.untold.items():
                    window.told[slot] = window.told.get(slot, 0) + count
                window.untold = {}
        return taken

    def untell(self, taken: dict[Key, tuple[Quota, dict[int, int]]]) -> None:
        """It was not told."""
        for key, (_, counts) in taken.items():
            window = self._windows.get(key)
            if window is not None:
                for slot, count in counts.items():
                    window.untold[slot] = window.untold.get(slot, 0) + count
                    window.told[slot] = window.told.get(slot, 0) - count

    def learn(self, key: Key, told: dict[int, int]) -> None:
        """What all processes together counted for a caller."""
        window = self._windows.get(key)
        if window is not None:
            window.told = told

    def total(self, key: Key) -> int:
        """All requests of a caller that are known here."""
        window = self._windows.get(key)
        return window.total if window is not None else 0

    def _at(self, caller: Key, quota: Quota) -> tuple[Window, int, float]:
        now = self._clock()
        current = int(now / quota.step_s)
        key = key_of(caller, quota)
        window = self._windows.get(key)
        if window is None or window.quota != quota:
            window = self._windows[key] = Window(quota)
            if len(self._windows) > _MAX_CALLERS:
                self._windows.popitem(last=False)
        self._windows.move_to_end(key)
        window.forget(current - SLOTS + 1)
        return window, current, now


def key_of(caller: Key, quota: Quota) -> Key:
    """What a caller's requests of a quota are counted under."""
    return (quota.name, str(quota.window_s), *caller)


def _reset_s(window: Window, now: float) -> int:
    """Seconds until the oldest slot that holds something leaves the window."""
    used = [slot for counts in (window.untold, window.told) for slot, count in counts.items() if count > 0]
    return max(1, math.ceil((min(used) + SLOTS) * window.quota.step_s - now)) if used else 1
