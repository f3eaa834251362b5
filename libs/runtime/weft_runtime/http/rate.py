"""Rate limits: a moving window in memory, per caller. Source: draft-ietf-httpapi-ratelimit-headers."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

_BUCKETS = 60
_MAX_CALLERS = 50_000


@dataclass(frozen=True, slots=True)
class Quota:
    """So many requests in so many seconds. name: shown to the caller."""

    name: str
    requests: int
    window_s: int = 3600


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands. remaining: requests left now.  reset_s: seconds until more are free.  allowed: whether this one is."""

    quota: Quota
    remaining: int
    reset_s: int
    allowed: bool

    def headers(self) -> dict[str, str]:
        """The RateLimit headers, and Retry-After where the request is refused."""
        shown = {
            "RateLimit-Policy": f'"{self.quota.name}";q={self.quota.requests};w={self.quota.window_s}',
            "RateLimit": f'"{self.quota.name}";r={self.remaining};t={self.reset_s}',
        }
        return shown if self.allowed else {**shown, "Retry-After": str(self.reset_s)}


@dataclass(slots=True)
class _Window:
    counts: list[int] = field(default_factory=lambda: [0] * _BUCKETS)
    total: int = 0
    newest: int = -1


class RateLimiter:
    """Counts requests. The window moves in sixtieths, so a caller gets the quota in any window of its length, give or take one.

    One limiter is shared by all services of a process.  monotonic: seconds that only rise.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._windows: OrderedDict[tuple[str, ...], _Window] = OrderedDict()

    def count(self, caller: tuple[str, ...], quota: Quota) -> Standing:
        """Count one request. A refused one does not count, so a caller who waits gets in."""
        now = self._monotonic()
        step = quota.window_s / _BUCKETS
        current = int(now / step)
        window = self._window((quota.name, *caller))
        self._move(window, current)
        allowed = window.total < quota.requests
        if allowed:
            window.counts[current % _BUCKETS] += 1
            window.total += 1
        return Standing(quota, quota.requests - window.total, self._reset_s(window, current, now, step), allowed)

    def _window(self, key: tuple[str, ...]) -> _Window:
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window()
            if len(self._windows) > _MAX_CALLERS:
                self._windows.popitem(last=False)
        self._windows.move_to_end(key)
        return window

    @staticmethod
    def _move(window: _Window, current: int) -> None:
        passed = min(current - window.newest, _BUCKETS) if window.newest >= 0 else _BUCKETS
        for offset in range(passed):
            slot = (current - offset) % _BUCKETS
            window.total -= window.counts[slot]
            window.counts[slot] = 0
        window.newest = current

    @staticmethod
    def _reset_s(window: _Window, current: int, now: float, step: float) -> int:
        for age in range(_BUCKETS - 1, -1, -1):
            if window.counts[(current - age) % _BUCKETS]:
                return max(1, math.ceil((current - age + _BUCKETS) * step - now))
        return 1
