"""Queries on migrations of many executions: what they take, their items, how far they are; of `uow.tenant`, save the runner's first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.uow import UnitOfWork

from weft_engine.core.entries import Row, decode
from weft_engine.tables import answers, executions, journal, migrations
from weft_engine.tables import migration_items as items

Migration = sa.Row[Any]
"""A row of `migrations`."""
CHOOSING_S: Final = 60
MOST_REASONS: Final = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which live executions of a version. since, until: of their start."""

    workflow: str
    version: int
    statuses: Sequence[str] = ()
    key: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    ids: Sequence[UUID] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on an item. status: `planned` or `blocked`."""

    number: int
    status: str
    verdict: str
    reasons: list[dict[str, Any]]
    warnings: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an item."""

    number: int
    status: str
    code: str | None = None
    detail: str | None = None


def _where(uow: UnitOfWork, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    c = executions.c
    found: list[sa.ColumnElement[bool]] = [
        c.tenant_id == uow.tenant,
        c.workflow == wanted.workflow,
        c.version == wanted.version,
        c.ended_at.is_(None),
    ]
    if wanted.statuses:
        found.append(c.status.in_(wanted.statuses))
    if wanted.key is not None:
        found.append(c.key == wanted.key)
    if wanted.labels:
        found.append(c.labels.contains(sa.cast(dict(wanted.labels), JSONB)))
    if wanted.since is not None:
        found.append(c.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(c.created_at < wanted.until)
    if wanted.ids is not None:
        found.append(c.id.in_(wanted.ids))
    return found


async def choose(uow: UnitOfWork, migration_id: UUID, wanted: Wanted, limit: int) -> int:
    """Make the executions that fit a migration's items, the oldest first. Returns: how many."""
    await uow.conn.execute(sa.select(sa.func.set_config("statement_timeout", f"{CHOOSING_S}s", True)))
    order = (executions.c.created_at, executions.c.id)
    chosen = (
        sa.select(
            sa.literal(uow.tenant),
            sa.literal(migration_id, sa.Uuid),
            sa.func.row_number().over(order_by=order),
            executions.c.id,
            sa.literal("waiting"),
        )
        .where(*_where(uow, wanted))
        .limit(limit)
    )
    columns = ["tenant_id", "migration_id", "number", "execution_id", "status"]
    return (await uow.conn.execute(sa.insert(items).from_select(columns, chosen))).rowcount


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
    """The migration of any tenant that has waited longest, held until the transaction ends; None where none is due."""
    due = migrations.c.due_at <= sa.func.clock_timestamp()
    query = sa.select(migrations).where(due).order_by(migrations.c.due_at).limit(1).with_for_update(skip_locked=True)
    return (await uow.conn.execute(query)).one_or_none()


async def next_due_s(uow: UnitOfWork) -> float | None:
    """Seconds until a migration of any tenant is due, None where none goes on."""
    soonest = sa.extract("epoch", sa.func.min(migrations.c.due_at) - sa.func.clock_timestamp()).cast(sa.Float)
    found: float | None = (await uow.conn.execute(sa.select(soonest).where(migrations.c.due_at.is_not(None)))).scalar_one()
    return found


async def journals(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The journals of these executions, each in order; one that has none is left out."""
    query = sa.select(journal.c.execution_id, journal.c.position, journal.c.at, sa.cast(journal.c.entries, sa.Text)).where(
        journal.c.tenant_id == uow.tenant, journal.c.execution_id.in_(ids)
    )
    found: dict[UUID, list[Row]] = {}
    for execution_id, position, at, entries in await uow.conn.execute(query.order_by(journal.c.execution_id, journal.c.position)):
        found.setdefault(execution_id, []).append(Row(position, at, decode(entries)))
    return found


def _of(uow: UnitOfWork, migration_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return (items.c.tenant_id == uow.tenant, items.c.migration_id == migration_id)


async def to_judge(uow: UnitOfWork, migration_id: UUID, after: int, limit: int) -> Sequence[Any]:
    """number, execution_id of the items after a number."""
    query = sa.select(items.c.number, items.c.execution_id).where(*_of(uow, migration_id), items.c.number > after)
    return (await uow.conn.execute(query.order_by(items.c.number).limit(limit))).all()


async def judge(uow: UnitOfWork, migration_id: UUID, verdicts: Sequence[Judged]) -> None:
    """Write down verdicts."""
    names = ("status", "verdict", "reasons", "warnings")
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}", type_=items.c[name].type) for name in names}
    statement = sa.update(items).where(*_of(uow, migration_id), items.c.number == sa.bindparam("at")).values(**values)
    await uow.conn.execute(statement, [{"at": one.number, **{f"new_{name}": getattr(one, name) for name in names}} for one in verdicts])


async def make_canary(uow: UnitOfWork, migration_id: UUID, count: int) -> None:
    """Choose the first to go: as if by lot, but the same at each try."""
    lot = sa.func.md5(sa.cast(items.c.execution_id, sa.Text))
    chosen = sa.select(items.c.number).where(*_of(uow, migration_id), items.c.status == "planned").order_by(lot).limit(count)
    await uow.conn.execute(sa.update(items).where(*_of(uow, migration_id), items.c.number.in_(chosen)).values(canary=True))


async def next_items(uow: UnitOfWork, migration_id: UUID, status: str, limit: int, *, canary: bool = False) -> Sequence[Any]:
    """number, execution_id of items in a status. canary: only of those that go first."""
    query = sa.select(items.c.number, items.c.execution_id).where(*_of(uow, migration_id), items.c.status == status)
    if canary:
        query = query.where(items.c.canary)
    return (await uow.conn.execute(query.order_by(items.c.number).limit(limit))).all()


async def mark(uow: UnitOfWork, migration_id: UUID, numbers: Sequence[int], status: str) -> None:
    """These items are on their way with this transaction."""
    where = (*_of(uow, migration_id), items.c.number.in_(numbers))
    await uow.conn.execute(sa.update(items).where(*where).values(status=status, sent_at=uow.now))


async def on_their_way(uow: UnitOfWork, migration_id: UUID) -> Sequence[Any]:
    """number, execution_id, status, sent_at of the items whose answers are out."""
    query = sa.select(items.c.number, items.c.execution_id, items.c.status, items.c.sent_at).where(
        *_of(uow, migration_id), items.c.status.in_(("sent", "undoing"))
    )
    return (await uow.conn.execute(query.order_by(items.c.number))).all()


async def answers_of(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, tuple[int, dict[str, Any]]]:
    """(status, body) of what partitions have answered, by the answer's id."""
    query = sa.select(answers.c.id, answers.c.status, answers.c.body).where(answers.c.tenant_id == uow.tenant, answers.c.id.in_(ids))
    return {row.id: (row.status, row.body) for row in await uow.conn.execute(query)}


async def settle(uow: UnitOfWork, migration_id: UUID, results: Sequence[Result]) -> None:
    """Write down what became of items."""
    if not results:
        return
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ("status", "code", "detail")}
    statement = sa.update(items).where(*_of(uow, migration_id), items.c.number == sa.bindparam("at")).values(done_at=uow.now, **values)
    rows = [{"at": one.number, "new_status": one.status, "new_code": one.code, "new_detail": one.detail} for one in results]
    await uow.conn.execute(statement, rows)


async def counts(uow: UnitOfWork, migration_id: UUID) -> dict[str, int]:
    """Items by status; `canary_waiting`: of the canary, those not sent yet; `failed`: those that were moved and have failed since."""
    waiting = sa.func.count().filter(items.c.canary, items.c.status == "planned")
    failed = sa.func.count().filter(items.c.status == "migrated", executions.c.status.in_(("failed", "timed_out")))
    joined = items.join(executions, sa.and_(executions.c.id == items.c.execution_id, executions.c.tenant_id == uow.tenant))
    query = (
        sa.select(items.c.status, sa.func.count().label("many"), waiting.label("canary"), failed.label("failed"))
        .select_from(joined)
        .where(*_of(uow, migration_id))
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
    query = query.where(*_of(uow, migration_id)).group_by(*about).order_by(many.desc()).limit(MOST_REASONS)
    return [{"code": row.code, "node": row.node, "count": row.many, "example": row.example} for row in await uow.conn.execute(query)]


async def listed_items(
    uow: UnitOfWork, migration_id: UUID, *, status: str | None, verdict: str | None, after: int, limit: int
) -> Sequence[Any]:
    """A migration's items in order, each with how its execution fares. after: the number of the last one seen."""
    joined = items.join(executions, sa.and_(executions.c.id == items.c.execution_id, executions.c.tenant_id == uow.tenant))
    query = sa.select(items, executions.c.status.label("execution_status"), executions.c.version.label("execution_version"))
    query = query.select_from(joined).where(*_of(uow, migration_id), items.c.number > after)
    if status is not None:
        query = query.where(items.c.status == status)
    if verdict is not None:
        query = query.where(items.c.verdict == verdict)
    return (await uow.conn.execute(query.order_by(items.c.number).limit(limit))).all()
