"""Our copies of workflows and tenants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import TenantChanged
from weft_runtime.uow import UnitOfWork

from weft_events.tables import tenant, trigger_set, workflow


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant as expressions read it. stamp: another one after every change of it or its workflows."""

    stamp: UUID
    tier: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TriggerSet:
    """The triggers of an active version, as written. priority: its `settings.priority`, where that is written."""

    slug: str
    version: int
    triggers: list[dict[str, Any]]
    priority: int | None = None


async def tenant_row(uow: UnitOfWork, of: str) -> Tenant | None:
    """What is known of a tenant, None while nothing was heard of it or its workflows."""
    row = (
        await uow.conn.execute(sa.select(tenant.c.stamp, tenant.c.tier, tenant.c.settings).where(tenant.c.tenant_id == of))
    ).one_or_none()
    return None if row is None else Tenant(row.stamp, row.tier, row.settings)


async def tenant_row_shared(uow: UnitOfWork, of: str) -> Tenant | None:
    """The same, holding the tenant's waits as they are until this transaction ends; see `store.listening`."""
    # One query for both. What it reads may be older than the lock: whatever must not be is read by a later statement.
    held = sa.select(sa.func.pg_advisory_xact_lock_shared(*lock_key(of)).label("held")).subquery()
    query = sa.select(held.c.held, tenant.c.stamp, tenant.c.tier, tenant.c.settings)
    row = (await uow.conn.execute(query.select_from(held.outerjoin(tenant, tenant.c.tenant_id == of)))).one()
    return None if row.stamp is None else Tenant(row.stamp, row.tier, row.settings)


def lock_key(of: str) -> tuple[Any, Any]:
    """The advisory lock that orders a tenant's new events and new waits: shared by events, alone for a wait."""
    return sa.func.hashtext("weft listening"), sa.func.hashtext(of)


async def active_triggers(uow: UnitOfWork, of: str) -> list[TriggerSet]:
    """The triggers of a tenant's active workflows."""
    same = (trigger_set.c.tenant_id == workflow.c.tenant_id, trigger_set.c.slug == workflow.c.slug)
    query = (
        sa.select(trigger_set.c.slug, trigger_set.c.version, trigger_set.c.triggers, trigger_set.c.priority)
        .join(workflow, sa.and_(*same, trigger_set.c.version == workflow.c.active_version))
        .where(workflow.c.tenant_id == of, workflow.c.status == "active")
        .order_by(workflow.c.slug)
    )
    return [TriggerSet(row.slug, row.version, row.triggers, row.priority) for row in await uow.conn.execute(query)]


async def triggers(uow: UnitOfWork, slugs: Sequence[tuple[str, int]]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """The triggers of these versions (slug and number), as written; those that are known."""
    key = sa.tuple_(trigger_set.c.slug, trigger_set.c.version)
    query = sa.select(trigger_set).where(trigger_set.c.tenant_id == uow.tenant, key.in_(list(slugs)))
    return {(row.slug, row.version): row.triggers for row in await uow.conn.execute(query)} if slugs else {}


async def install(uow: UnitOfWork, change: WorkflowChanged) -> bool:
    """Keep a copy of a workflow. Returns: False when it, or a newer one, is here already."""
    row = {"tenant_id": uow.tenant, "slug": change.slug, "revision": change.revision, "status": change.status}
    statement = insert(workflow).values(row | {"active_version": change.active_version})
    newer = statement.on_conflict_do_update(
        index_elements=(workflow.c.tenant_id, workflow.c.slug),
        set_={name: statement.excluded[name] for name in ("revision", "status", "active_version")},
        where=workflow.c.revision < statement.excluded.revision,
    )
    if (await uow.conn.execute(newer.returning(workflow.c.slug))).first() is None:
        return False
    if change.definition is not None and change.active_version is not None:
        found = {
            "version": change.active_version,
            "triggers": change.definition.get("triggers", []),
            "priority": change.definition.get("settings", {}).get("priority"),
        }
        kept = insert(trigger_set).values(tenant_id=uow.tenant, slug=change.slug, **found)
        await uow.conn.execute(kept.on_conflict_do_nothing())
    return True


async def stamp_tenant(uow: UnitOfWork, stamp: UUID) -> None:
    """Let every process read the tenant's triggers anew."""
    statement = insert(tenant).values(tenant_id=uow.tenant, stamp=stamp)
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=(tenant.c.tenant_id,), set_={"stamp": statement.excluded.stamp}))


async def remember_tenant(uow: UnitOfWork, change: TenantChanged, stamp: UUID) -> None:
    """Keep a copy of a tenant; an older one changes nothing."""
    row = {"tier": change.tier, "settings": change.settings, "revision": change.revision, "stamp": stamp}
    statement = insert(tenant).values(tenant_id=change.tenant, **row)
    newer = statement.on_conflict_do_update(
        index_elements=(tenant.c.tenant_id,),
        set_={name: statement.excluded[name] for name in row},
        where=tenant.c.revision < statement.excluded.revision,
    )
    await uow.conn.execute(newer)
