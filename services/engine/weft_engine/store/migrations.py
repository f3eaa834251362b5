"""Queries on migrations of many executions: what they take, their items, how far they are; of `uow.tenant`, save the runner's first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.uow import UnitOfWork

from weft_engine.core.entries import Row, decode
from weft_engine.store import campaigns
from weft_engine.tables import executions, journal, migrations
from weft_engine.tables import migration_items as items

Migration = campaigns.Campaign
"""A row of `migrations`."""
KEPT: Final = campaigns.Tables(migrations, items, items.c.migration_id, migrations.c.due_at.is_not(None))
MOST_REASONS: Final = 50


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on an item. status: `planned` or `blocked`."""

    number: int
    status: str
    verdict: str
    reasons: list[dict[str, Any]]
    warnings: list[dict[str, Any]]


async def add(uow: UnitOfWork, migration: Mapping[str, Any]) -> None:
    """Keep a new migration."""
    await uow.conn.execute(sa.insert(migrations).values(tenant_id=uow.tenant, created_at=uow.now, **migration))


async def get(uow: UnitOfWork, migration_id: UUID, *, lock: bool = False) -> Migration | None:
    """A migration, None when it is not here. lock: nobody else changes it until the transaction ends."""
    query = sa.select(migrations).where(migrations.c.tenant_id == uow.tenant, migrations.c.id == migration_id)
    return (await uow.conn.execute(query.with_for_update() if lock else query)).one_or_none()


async def change(uow: UnitOfWork, migration_id: UUID, *, pause_s: float | None, **values: Any) -> None:
    """Change a migration. pause_s: until it is looked at again, None for not until somebody asks."""
    due_at = None if pause_s is None else sa.func.clock_timestamp() + sa.func.make_interval(0, 0, 0, 0, 0, 0, pause_s)
    where = (migrations.c.tenant_id == uow.tenant, migrations.c.id == migration_id)
    await uow.conn.execute(sa.update(migrations).where(*where).values(due_at=due_at, **values))


async def listed(uow: UnitOfWork, workflow: str, *, after: tuple[Any, ...] | None, limit: int) -> Sequence[Migration]:
    """Migrations of a workflow, the newest first. after: (created_at, id) of the last one seen."""
    query = sa.select(migrations).where(migrations.c.tenant_id == uow.tenant, migrations.c.workflow == workflow)
    if after is not None:
        query = query.where(sa.tuple_(migrations.c.created_at, migrations.c.id) < sa.tuple_(*map(sa.literal, after)))
    return (await uow.conn.execute(query.order_by(migrations.c.created_at.desc(), migrations.c.id.desc()).limit(limit))).all()


async def take(uow: UnitOfWork) -> Migration | None:
    """The migration of any tenant that has waited longest."""
    return await campaigns.take(uow, KEPT)


async def next_due_s(uow: UnitOfWork) -> float | None:
    """Seconds until a migration of any tenant is due, None where none goes on."""
    return await campaigns.next_due_s(uow, KEPT)


async def forget(uow: UnitOfWork, before: datetime) -> None:
    """Delete migrations of every tenant that go on no more and to which nothing has happened since a time, with their items."""
    moved = sa.select(sa.func.max(items.c.done_at)).where(items.c.migration_id == migrations.c.id).scalar_subquery()
    last = sa.func.greatest(migrations.c.created_at, migrations.c.watch_until, moved)
    await campaigns.forget(uow, KEPT, sa.and_(migrations.c.due_at.is_(None), last < before))


async def journals(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The journals of these executions, each in order; one that has none is left out."""
    query = sa.select(journal.c.execution_id, journal.c.position, journal.c.at, sa.cast(journal.c.entries, sa.Text)).where(
        journal.c.tenant_id == uow.tenant, journal.c.execution_id.in_(ids)
    )
    found: dict[UUID, list[Row]] = {}
    for execution_id, position, at, entries in await uow.conn.execute(query.order_by(journal.c.execution_id, journal.c.position)):
        found.setdefault(execution_id, []).append(Row(position, at, decode(entries)))
    return found


async def to_judge(uow: UnitOfWork, migration_id: UUID, after: int, limit: int) -> Sequence[Any]:
    """number, execution_id of the items after a number."""
    query = sa.select(items.c.number, items.c.execution_id).where(*KEPT.items_of(uow, migration_id), items.c.number > after)
    return (await uow.conn.execute(query.order_by(items.c.number).limit(limit))).all()


async def judge(uow: UnitOfWork, migration_id: UUID, verdicts: Sequence[Judged]) -> None:
    """Write down verdicts."""
    names = ("status", "verdict", "reasons", "warnings")
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}", type_=items.c[name].type) for name in names}
    statement = sa.update(items).where(*KEPT.items_of(uow, migration_id), items.c.number == sa.bindparam("at")).values(**values)
    await uow.conn.execute(statement, [{"at": one.number, **{f"new_{name}": getattr(one, name) for name in names}} for one in verdicts])


async def make_canary(uow: UnitOfWork, migration_id: UUID, count: int) -> None:
    """Choose the first to go: as if by lot, but the same at each try."""
    lot = sa.func.md5(sa.cast(items.c.execution_id, sa.Text))
    chosen = sa.select(items.c.number).where(*KEPT.items_of(uow, migration_id), items.c.status == "planned").order_by(lot).limit(count)
    await uow.conn.execute(sa.update(items).where(*KEPT.items_of(uow, migration_id), items.c.number.in_(chosen)).values(canary=True))


async def next_items(uow: UnitOfWork, migration_id: UUID, status: str, limit: int, *, canary: bool = False) -> Sequence[Any]:
    """number, execution_id of items in a status. canary: only of those that go first."""
    query = sa.select(items.c.number, items.c.execution_id).where(*KEPT.items_of(uow, migration_id), items.c.status == status)
    if canary:
        query = query.where(items.c.canary)
    return (await uow.conn.execute(query.order_by(items.c.number).limit(limit))).all()


async def mark(uow: UnitOfWork, migration_id: UUID, numbers: Sequence[int], status: str) -> None:
    """These items are on their way with this transaction."""
    where = (*KEPT.items_of(uow, migration_id), items.c.number.in_(numbers))
    await uow.conn.execute(sa.update(items).where(*where).values(status=status, sent_at=uow.now))


async def counts(uow: UnitOfWork, migration_id: UUID) -> dict[str, int]:
    """Items by status; `canary_waiting`: of the canary, those not sent yet; `failed`: those that were moved and have failed since."""
    waiting = sa.func.count().filter(items.c.canary, items.c.status == "planned")
    failed = sa.func.count().filter(items.c.status == "migrated", executions.c.status.in_(("failed", "timed_out")))
    joined = items.join(executions, sa.and_(executions.c.id == items.c.execution_id, executions.c.tenant_id == uow.tenant))
    query = (
        sa.select(items.c.status, sa.func.count().label("many"), waiting.label("canary"), failed.label("failed"))
        .select_from(joined)
        .where(*KEPT.items_of(uow, migration_id))
        .group_by(items.c.status)
    )
    rows = (await uow.conn.execute(query)).all()
    found = {row.status: row.many for row in rows}
    return {**found, "canary_waiting": sum(row.canary for row in rows), "failed": sum(row.failed for row in rows)}


async def reasons(uow: UnitOfWork, migration_id: UUID, column: str) -> list[dict[str, Any]]:
    """What stands in the way (`reasons`) or is worth knowing (`warnings`), by how many executions each is about."""
    one = sa.func.jsonb_array_elements(items.c[column]).table_valued(sa.column("value", JSONB)).render_derived()
    about = (one.c.value["code"].astext.label("code"), one.c.value["node"].astext.label("node"))
    many = sa.func.count().label("many")
    query = sa.select(*about, sa.func.min(one.c.value["detail"].astext).label("example"), many).select_from(items.join(one, sa.true()))
    query = query.where(*KEPT.items_of(uow, migration_id)).group_by(*about).order_by(many.desc()).limit(MOST_REASONS)
    return [{"code": row.code, "node": row.node, "count": row.many, "example": row.example} for row in await uow.conn.execute(query)]


async def listed_items(
    uow: UnitOfWork, migration_id: UUID, *, status: Sequence[str], verdict: str | None, after: int, limit: int
) -> Sequence[Any]:
    """A migration's items in order, each with how its execution fares. after: the number of the last one seen."""
    joined = items.join(executions, sa.and_(executions.c.id == items.c.execution_id, executions.c.tenant_id == uow.tenant))
    query = sa.select(items, executions.c.status.label("execution_status"), executions.c.version.label("execution_version"))
    query = query.select_from(joined).where(*KEPT.items_of(uow, migration_id), items.c.number > after)
    if status:
        query = query.where(items.c.status.in_(status))
    if verdict is not None:
        query = query.where(items.c.verdict == verdict)
    return (await uow.conn.execute(query.order_by(items.c.number).limit(limit))).all()
