"""A circuit breaker a connection: what has failed several times in a row is left alone for a while, where another can be asked instead."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

THRESHOLD: Final = 3
"""Failures in a row."""
REST_S: Final = 30.0
MOST: Final = 10_000
"""Connections remembered; beyond, the one that failed longest ago is forgotten."""


@dataclass(slots=True)
class _Fault:
    count: int
    until: float


class Breaker:
    """Of one process. clock: seconds that only go on."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._faults: OrderedDict[tuple[str, str], _Fault] = OrderedDict()

    def is_open(self, tenant: str, connection: str) -> bool:
        """Whether it is to be left alone now. After its rest one call tries it, and one more failure lets it rest again."""
        fault = self._faults.get((tenant, connection))
        return fault is not None and fault.count >= THRESHOLD and fault.until > self._clock()

    def failed(self, tenant: str, connection: str) -> None:
        """A call failed by the provider's fault."""
        place = (tenant, connection)
        before = self._faults.pop(place, None)
        self._faults[place] = _Fault(1 if before is None else before.count + 1, self._clock() + REST_S)
        if len(self._faults) > MOST:
            self._faults.popitem(last=False)

    def answered(self, tenant: str, connection: str) -> None:
        """A call was answered."""
        self._faults.pop((tenant, connection), None)
