"""What a process keeps in memory to match events: compiled triggers by tenant. PostgreSQL is the truth.

Each use asks for the tenant's stamp, which every change replaces: several processes stay right without telling each other.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from weft_runtime.uow import UnitOfWork

from weft_events import domain, store
from weft_events.domain import Candidate, Matching, TriggerIndex

CAPACITY = 1000
"""Tenants whose triggers a process keeps compiled."""


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: UUID
    matching: Matching
    compiled: dict[tuple[str, int], list[Candidate]]


class Registry:
    """Compiled triggers of the tenants used last. capacity: so many tenants."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def matching(self, uow: UnitOfWork, tenant: str) -> Matching:
        """What the events of a tenant are matched with, as it is in this transaction. No wait for events begins until it ends."""
        known = await store.tenant_row_shared(uow, tenant)
        if known is None:
            return Matching(TriggerIndex(()), domain.tenant_names(tenant))
        kept = self._kept.get(tenant)
        if kept is None or kept.stamp != known.stamp:
            # What did not change is not compiled again: a version's triggers never change.
            before = {} if kept is None else kept.compiled
            compiled = {
                (row.slug, row.version): before.get((row.slug, row.version))
                or domain.candidates(row.slug, row.version, row.triggers, row.priority)
                for row in await store.active_triggers(uow, tenant)
            }
            index = TriggerIndex(one for found in compiled.values() for one in found)
            kept = _Kept(known.stamp, Matching(index, domain.tenant_names(tenant, known.tier, known.settings)), compiled)
            self._kept[tenant] = kept
        self._kept.move_to_end(tenant)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return kept.matching


REGISTRY = Registry()
"""This process's. Stamps are never used twice, so it may serve several databases."""
