"""What a process keeps in memory to match events: compiled triggers by tenant. PostgreSQL is the truth.

Each use asks for the tenant's stamp, which every change replaces: several processes stay right without telling each other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from weft_runtime.uow import UnitOfWork

from weft_events import domain, hooks, records, store
from weft_events.domain import Candidate, Matching, TriggerIndex
from weft_events.mails.matching import AddressIndex
from weft_events.store import Tenant, calendars

CAPACITY = 1000
"""Tenants whose triggers a process keeps compiled."""


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: UUID
    matching: Matching
    compiled: dict[tuple[str, int], list[Candidate]]
    hooks: Mapping[str, Sequence[Candidate]]
    records: Mapping[str, Sequence[Candidate]]
    mails: AddressIndex


@dataclass(frozen=True, slots=True)
class Compiled:
    """Compiled triggers by slug and version, and what expressions read of the tenant.

    hooks: the triggers that are webhooks, by path.  records: those on changes of rows, by table.  mails: those on mails, by address.
    """

    by_version: Mapping[tuple[str, int], Sequence[Candidate]]
    tenant: Mapping[str, Any]
    hooks: Mapping[str, Sequence[Candidate]] = field(default_factory=dict)
    records: Mapping[str, Sequence[Candidate]] = field(default_factory=dict)
    mails: AddressIndex = field(default_factory=AddressIndex)

    def trigger(self, workflow: str, version: int, trigger: str) -> Candidate | None:
        """One trigger of an active version, None where there is none."""
        return next((one for one in self.by_version.get((workflow, version), ()) if one.trigger.id == trigger), None)


class Registry:
    """Compiled triggers of the tenants used last. capacity: so many tenants."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def matching(self, uow: UnitOfWork, tenant: str) -> Matching:
        """What the events of a tenant are matched with, as it is in this transaction. No wait for events begins until it ends."""
        kept = await self._current(uow, tenant, await store.tenant_row_shared(uow, tenant))
        return Matching(TriggerIndex(()), domain.tenant_names(tenant)) if kept is None else kept.matching

    async def compiled(self, uow: UnitOfWork, tenant: str) -> Compiled:
        """The triggers of a tenant's active workflows, to be found one by one."""
        kept = await self._current(uow, tenant, await store.tenant_row(uow, tenant))
        if kept is None:
            return Compiled({}, domain.tenant_names(tenant))
        return Compiled(kept.compiled, kept.matching.tenant, kept.hooks, kept.records, kept.mails)

    async def _current(self, uow: UnitOfWork, tenant: str, known: Tenant | None) -> _Kept | None:
        if known is None:
            return None
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
            names = domain.tenant_names(tenant, known.tier, known.settings, await calendars.known(uow, tenant))
            every = [one for found in compiled.values() for one in found]
            matching = Matching(index, names)
            kept = _Kept(known.stamp, matching, compiled, hooks.by_path(every), records.by_table(every), AddressIndex(every))
            self._kept[tenant] = kept
        self._kept.move_to_end(tenant)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return kept


REGISTRY = Registry()
"""This process's. Stamps are never used twice, so it may serve several databases."""
