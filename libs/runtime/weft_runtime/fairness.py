"""Who is next, where many tenants wait for one thing: deficit round robin over tenants, so that no one's flood holds up another's one item.

Source: Shreedhar and Varghese, "Efficient fair queueing using deficit round robin". Pure: no clock, no chance, no IO.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

T = TypeVar("T")

QUANTUM: Final = 8
"""Cost a tenant may spend each time it is its turn: more makes longer runs of one tenant, which share better; less is fairer."""
LEVELS: Final = 11
"""Priorities 0 to 9, and one above for what goes on with something begun."""
URGENT: Final = LEVELS - 1


@dataclass(slots=True)
class _Waiting(Generic[T]):
    """One item. chain: what it must stay in order with."""

    item: T
    cost: int
    level: int
    chain: Hashable


@dataclass(slots=True)
class _Tenant(Generic[T]):
    """One tenant's items by priority. credit: what it may still spend.  turn: whether it is its turn."""

    name: str
    levels: list[deque[_Waiting[T]] | None] = field(default_factory=lambda: [None] * LEVELS)
    size: int = 0
    credit: int = 0
    turn: bool = False

    def head(self) -> _Waiting[T]:
        """Its next item: the oldest of the highest priority."""
        return next(level for level in reversed(self.levels) if level)[0]


class FairLine(Generic[T]):
    """Items of many tenants, waiting.

    The first item of a tenant that had none waiting goes after at most `quantum` cost of each other tenant. Within a tenant the higher
    priority goes first, the older among equals; items of one chain never overtake each other, so a later one waits at the priority of
    the earlier. quantum: at least 1.
    """

    def __init__(self, quantum: int = QUANTUM) -> None:
        if quantum < 1:
            raise ValueError(f"a quantum is at least 1, not {quantum}")
        self._quantum = quantum
        self._ring: deque[_Tenant[T]] = deque()
        self._tenants: dict[str, _Tenant[T]] = {}
        self._chains: dict[Hashable, list[int]] = {}  # by chain: the priority its items wait at, and how many do
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def tenants(self) -> int:
        """How many tenants have something waiting."""
        return len(self._ring)

    def put(self, tenant: str, item: T, *, priority: int = 0, chain: Hashable = None, cost: int = 1) -> None:
        """Let an item wait. priority: 0..9 or `URGENT`, else the nearest.  chain: None for an item that stands alone.  cost: from 1."""
        level = min(max(priority, 0), URGENT)
        if chain is not None:
            place = self._chains.setdefault((tenant, chain), [level, 0])
            level = place[0]
            place[1] += 1
        found = self._tenants.get(tenant)
        if found is None:
            found = self._tenants[tenant] = _Tenant(tenant)
            self._ring.append(found)
        queue = found.levels[level]
        if queue is None:
            queue = found.levels[level] = deque()
        queue.append(_Waiting(item, max(1, cost), level, chain))
        found.size += 1
        self._size += 1

    def take(self, count: int) -> list[T]:
        """The next items, at most `count`."""
        taken: list[T] = []
        while self._ring and len(taken) < count:
            tenant = self._ring[0]
            if not tenant.turn:
                tenant.turn = True
                tenant.credit += self._quantum
            waiting = tenant.head()
            if waiting.cost > tenant.credit:
                tenant.turn = False
                self._ring.rotate(-1)
                continue
            tenant.credit -= waiting.cost
            queue = tenant.levels[waiting.level]
            if queue is not None:
                queue.popleft()
            self._gone(tenant, waiting)
            taken.append(waiting.item)
        return taken

    def discard(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Drop every item of which that holds. Returns: them."""
        gone: list[T] = []
        for tenant in list(self._ring):
            for level, queue in enumerate(tenant.levels):
                if not queue:
                    continue
                kept: deque[_Waiting[T]] = deque()
                tenant.levels[level] = kept
                for waiting in queue:
                    if unwanted(waiting.item):
                        self._gone(tenant, waiting)
                        gone.append(waiting.item)
                    else:
                        kept.append(waiting)
        return gone

    def _gone(self, tenant: _Tenant[T], waiting: _Waiting[T]) -> None:
        if waiting.chain is not None:
            place = self._chains[(tenant.name, waiting.chain)]
            place[1] -= 1
            if not place[1]:
                del self._chains[(tenant.name, waiting.chain)]
        self._size -= 1
        tenant.size -= 1
        if not tenant.size:
            # Its credit goes with it: an idle tenant saves nothing up.
            self._ring.remove(tenant)
            del self._tenants[tenant.name]
