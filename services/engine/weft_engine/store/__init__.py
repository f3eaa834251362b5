"""Queries of the engine's doors, always of one tenant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import TenantChanged
from weft_runtime.uow import UnitOfWork

from weft_engine.core.entries import Entry, Row, decode
from weft_engine.tables import answers, definitions, executions, journal, keys, tenants, workflows


async def workflow(uow: UnitOfWork, slug: str) -> tuple[str, int | None] | None:
    """(status, active version) of a workflow, None when it is not here."""
    query = sa.select(workflows.c.status, workflows.c.active_version).where(workflows.c.tenant_id == uow.tenant, workflows.c.slug == slug)
    row = (await uow.conn.execute(query)).one_or_none()
    return None if row is None else (row.status, row.active_version)


async def tenant(uow: UnitOfWork) -> dict[str, Any] | None:
    """The tenant as expressions read it, None when it has not been heard of."""
    row = (await uow.conn.execute(sa.select(tenants.c.tier, tenants.c.settings).where(tenants.c.tenant_id == uow.tenant))).one_or_none()
    return None if row is None else {"id": uow.tenant, "tier": row.tier, "settings": row.settings}


async def document(uow: UnitOfWork, slug: str, version: int) -> dict[str, Any] | None:
    """The document of a published version, None when it is not here."""
    query = sa.select(definitions.c.document).where(
        definitions.c.tenant_id == uow.tenant, definitions.c.slug == slug, definitions.c.version == version
    )
    found: dict[str, Any] | None = (await uow.conn.execute(query)).scalar_one_or_none()
    return found


async def holder(uow: UnitOfWork, slug: str, key: str) -> UUID | None:
    """The live execution that has a key, None when it is free."""
    query = sa.select(keys.c.execution_id).where(keys.c.tenant_id == uow.tenant, keys.c.workflow == slug, keys.c.key == key)
    found: UUID | None = (await uow.conn.execute(query)).scalar_one_or_none()
    return found


async def queue(
    uow: UnitOfWork, execution_id: UUID, slug: str, version: int, partition: int, key: str | None, labels: dict[str, str]
) -> None:
    """Show an execution as queued until its partition begins it, so that it can be read at once."""
    values = {"workflow": slug, "version": version, "partition": partition, "key": key, "labels": labels or None}
    row = insert(executions).values(id=execution_id, tenant_id=uow.tenant, status="queued", created_at=uow.now, **values)
    await uow.conn.execute(row.on_conflict_do_nothing())


async def head(uow: UnitOfWork, execution_id: UUID) -> sa.Row[Any, Any, Any, Any] | None:
    """workflow, version, status, created_at of an execution, None when it is not here."""
    query = sa.select(executions.c.workflow, executions.c.version, executions.c.status, executions.c.created_at).where(
        executions.c.tenant_id == uow.tenant, executions.c.id == execution_id
    )
    return (await uow.conn.execute(query)).one_or_none()


async def rows(uow: UnitOfWork, execution_id: UUID, *, after: int = -1, limit: int | None = None) -> list[Row]:
    """The journal of an execution in order. after: only rows whose first entry comes later.  limit: at most so many rows."""
    query = (
        sa.select(journal.c.position, journal.c.at, sa.cast(journal.c.entries, sa.Text))
        .where(journal.c.tenant_id == uow.tenant, journal.c.execution_id == execution_id, journal.c.position > after)
        .order_by(journal.c.position)
        .limit(limit)
    )
    return [Row(position, at, decode(entries)) for position, at, entries in await uow.conn.execute(query)]


async def entries(uow: UnitOfWork, execution_id: UUID, *, after: int, limit: int) -> list[tuple[int, Row, Entry]]:
    """Entries of the journal in order: (position, its row, the entry). after: only those of a later position; at most `limit`."""
    first = (
        sa.select(sa.func.max(journal.c.position))
        .where(journal.c.tenant_id == uow.tenant, journal.c.execution_id == execution_id, journal.c.position <= after + 1)
        .scalar_subquery()
    )
    start = (await uow.conn.execute(sa.select(first))).scalar_one() or 0
    found: list[tuple[int, Row, Entry]] = []
    for row in await rows(uow, execution_id, after=start - 1, limit=limit):
        found.extend((place, row, entry) for place, entry in enumerate(row.entries, row.position) if place > after)
    return found[:limit]


async def answer(uow: UnitOfWork, answer_id: UUID) -> tuple[int, dict[str, Any]] | None:
    """(status, body) of what a partition answered, None while it has not."""
    query = sa.select(answers.c.status, answers.c.body).where(answers.c.tenant_id == uow.tenant, answers.c.id == answer_id)
    row = (await uow.conn.execute(query)).one_or_none()
    return None if row is None else (row.status, row.body)


async def install(uow: UnitOfWork, change: WorkflowChanged) -> None:
    """Keep a copy of a change of a workflow; one that is older than ours changes nothing."""
    if change.definition is not None and change.active_version is not None:
        await uow.conn.execute(
            insert(definitions)
            .values(tenant_id=uow.tenant, slug=change.slug, version=change.active_version, document=change.definition)
            .on_conflict_do_nothing()
        )
    values = {"revision": change.revision, "status": change.status, "active_version": change.active_version, "updated_at": uow.now}
    statement = insert(workflows).values(tenant_id=uow.tenant, slug=change.slug, **values)
    await uow.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "slug"], set_=values, where=workflows.c.revision < statement.excluded.revision
        )
    )


async def remember_tenant(uow: UnitOfWork, change: TenantChanged) -> None:
    """Keep a copy of a tenant; one that is older than ours changes nothing."""
    values = {"revision": change.revision, "tier": change.tier, "settings": change.settings}
    statement = insert(tenants).values(tenant_id=change.tenant, **values)
    await uow.conn.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id"], set_=values, where=tenants.c.revision < statement.excluded.revision)
    )
