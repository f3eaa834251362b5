"""The verbs of the audit: take in what was done, verify that nothing was edited or taken out since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from weft_contracts.audit import RecordAudit
from weft_contracts.message import Message
from weft_runtime.origins import origin_of
from weft_runtime.pipeline.handlers import Heard
from weft_runtime.uow import UnitOfWork

from weft_analytics import audit
from weft_analytics.audit import DEEDS, FIRST, Broken, Deed
from weft_analytics.errors import AuditRowMissing
from weft_analytics.store import audit as store

AT_ONCE: Final = 1_000
"""Rows that are read at a time."""
CHECKED_MOST: Final = 100_000
"""Rows that one call verifies; the next goes on from there."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of looking. checked: rows.  to, hash: of the last row that holds.  complete: whether that is the end of the chain.

    broken: the first row that does not hold.
    """

    checked: int
    to: int
    hash: str
    complete: bool
    broken: Broken | None


async def hear(facts: Iterable[tuple[str, Message]], uow: UnitOfWork) -> None:
    """Add what these (tenant, fact) pairs tell of deeds to the chains of their tenants, once, in the transaction that hears them."""
    told = ((tenant, audit.deed(fact)) for tenant, fact in facts if type(fact) in DEEDS)
    await _add([(tenant, done) for tenant, done in told if done is not None], uow)


async def record(heard: Sequence[Heard[RecordAudit]], uow: UnitOfWork) -> None:
    """Add what was said to be kept to the chains of its tenants, once, in the transaction that hears it."""
    await _add([(one.tenant, audit.recorded(one.message, one.item.source, one.item.id)) for one in heard], uow)


async def _add(deeds: Sequence[tuple[str, Deed]], uow: UnitOfWork) -> None:
    by_tenant: dict[str, list[Deed]] = {}
    for tenant, done in deeds:
        by_tenant.setdefault(tenant, []).append(done)
    # In the order of tenants, so that two services that add to the same chains could never wait for each other in a circle.
    for tenant in sorted(by_tenant):
        await _chain(tenant, by_tenant[tenant], uow)


async def note(action: str, resource_type: str, resource_id: str, after: Mapping[str, Any] | None, uow: UnitOfWork) -> None:
    """Add something that was done by a route of this service."""
    caller = uow.caller
    about = f"own:{uuid4()}", action, resource_type, resource_id, None if caller is None else caller.sub, after, uow.now
    await _chain(uow.tenant, [Deed(*about, origin=origin_of(uow.tenant, caller, uow.traceparent))], uow)


async def verify(after: int, uow: UnitOfWork) -> Verdict:
    """Whether a tenant's chain holds, from the row after one. Raises: AuditRowMissing."""
    end, end_hash = await store.head(uow, uow.tenant)
    seq, prev_hash, checked = 0, FIRST, 0
    if after:
        begins = await store.one(uow, after)
        if begins is None:
            raise AuditRowMissing(f"there is no row {after} in the audit of this tenant; verify it from the beginning")
        seq, prev_hash = begins.seq, begins.hash
    while checked < CHECKED_MOST and (rows := await store.following(uow, seq, AT_ONCE)):
        last = seq
        bad, seq, prev_hash = audit.broken(uow.tenant, rows, seq, prev_hash)
        checked += seq - last
        if bad is not None:
            return Verdict(checked, seq, prev_hash, complete=False, broken=bad)
    if checked < CHECKED_MOST and seq < end:
        return Verdict(checked, seq, prev_hash, complete=False, broken=Broken(seq + 1, "missing"))
    if seq == end and prev_hash != end_hash:
        return Verdict(checked, seq, prev_hash, complete=False, broken=Broken(seq, "edited"))
    return Verdict(checked, seq, prev_hash, complete=seq >= end, broken=None)


async def _chain(tenant: str, deeds: list[Deed], uow: UnitOfWork) -> None:
    seq, prev_hash = await store.head(uow, tenant, lock=True)
    known = await store.known(uow, tenant, {done.fact for done in deeds})
    new = {done.fact: done for done in deeds if done.fact not in known}
    if not new:
        return
    before = await store.newest(uow, tenant, {(done.resource_type, done.resource_id) for done in new.values()})
    rows = []
    for done in new.values():
        about = done.resource_type, done.resource_id
        rows.append(audit.next_row(tenant, seq, prev_hash, done, before.get(about), uow.now))
        seq, prev_hash, before[about] = rows[-1].seq, rows[-1].hash, rows[-1].after
    await store.add(uow, tenant, rows)
