"""Queries of the engine's doors, always of one tenant."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import TenantChanged
from weft_runtime.database.blobs import Blobs
from weft_runtime.uow import UnitOfWork

from weft_engine.core.claiming import claims_in, opened
from weft_engine.core.entries import Entry, Row, decode
from weft_engine.core.quotas import STARTS_GATE
from weft_engine.domain import Gate, Waiting
from weft_engine.tables import admissions, answers, definitions, executions, journal, keys, tenants, workflows

_BLOBS: Final = Blobs("engine")
_NEWEST: Final = 2**31 - 1
"""No entry has a later position."""


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


async def published(uow: UnitOfWork, called: Collection[tuple[str, int | None]]) -> set[tuple[str, int | None]]:
    """Which of these can be called. called: slugs, each with a version, None for the active one."""
    slugs, versions = sorted({slug for slug, _ in called}), sorted({version for _, version in called if version is not None})
    mine = (workflows.c.tenant_id == uow.tenant, workflows.c.slug.in_(slugs), workflows.c.active_version.is_not(None))
    active = {(slug, None) for slug in (await uow.conn.execute(sa.select(workflows.c.slug).where(*mine))).scalars()}
    numbered = (definitions.c.tenant_id == uow.tenant, definitions.c.slug.in_(slugs), definitions.c.version.in_(versions))
    rows = await uow.conn.execute(sa.select(definitions.c.slug, definitions.c.version).where(*numbered))
    return {*active, *((row.slug, row.version) for row in rows)}


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


async def rows(uow: UnitOfWork, execution_id: UUID, *, after: int = -1, until: int = _NEWEST) -> list[Row]:
    """The journal of an execution in order, with every large value in its place.

    after: only rows whose first entry comes later.  until: and not later than that.
    """
    query = (
        sa.select(journal.c.position, journal.c.at, sa.cast(journal.c.entries, sa.Text))
        .where(journal.c.tenant_id == uow.tenant, journal.c.execution_id == execution_id, journal.c.position > after)
        .where(journal.c.position <= until)
        .order_by(journal.c.position)
    )
    found = [Row(position, at, decode(entries)) for position, at, entries in await uow.conn.execute(query)]
    apart = claims_in(found)
    return opened(found, await _BLOBS.load(uow.conn, uow.tenant, sorted(apart))) if apart else found


async def entries(uow: UnitOfWork, execution_id: UUID, *, after: int, limit: int) -> list[tuple[int, Row, Entry]]:
    """Entries of the journal in order: (position, its row, the entry). after: only those of a later position; at most `limit`."""
    first = (
        sa.select(sa.func.max(journal.c.position))
        .where(journal.c.tenant_id == uow.tenant, journal.c.execution_id == execution_id, journal.c.position <= after + 1)
        .scalar_subquery()
    )
    start = (await uow.conn.execute(sa.select(first))).scalar_one() or 0
    found: list[tuple[int, Row, Entry]] = []
    for row in await rows(uow, execution_id, after=start - 1, until=after + limit):
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


async def forget_ended(uow: UnitOfWork) -> None:
    """Drop what stands at gates for executions that have ended: a commit that queued and ended one could not.

    How fast executions start is nothing that those which have begun take part in any more.
    """
    begun = sa.and_(admissions.c.gate == STARTS_GATE, admissions.c.let_in_at.is_not(None), executions.c.status != "queued")
    over = sa.or_(executions.c.ended_at.is_not(None), begun)
    await uow.conn.execute(sa.delete(admissions).where(executions.c.id == admissions.c.execution_id, over))


async def tenants_at_gates(uow: UnitOfWork) -> list[str]:
    """Tenants with an execution that waits to be admitted or was and has not begun."""
    begun = sa.exists().where(executions.c.id == admissions.c.execution_id, executions.c.status != "queued")
    query = sa.select(admissions.c.tenant_id).where(sa.or_(admissions.c.let_in_at.is_(None), sa.not_(begun))).distinct()
    return list((await uow.conn.execute(query)).scalars())


async def waiting_at_gates(uow: UnitOfWork, per_gate: int = 200) -> list[Waiting]:
    """Who waits in this tenant, the highest priority first, then the oldest, at most so many of each gate.

    A full gate must not hide who stands at another. Who is paused keeps its place and is passed over until it is resumed.
    """
    first = (await uow.conn.execute(_FIRST_AT_GATES, {"tenant": uow.tenant, "most": per_gate})).scalars().all()
    waits = sa.and_(admissions.c.tenant_id == uow.tenant, admissions.c.let_in_at.is_(None), admissions.c.execution_id.in_(first))
    order = (admissions.c.priority.desc(), admissions.c.asked_at, admissions.c.execution_id)
    lives = sa.exists().where(
        executions.c.tenant_id == admissions.c.tenant_id, executions.c.id == admissions.c.execution_id,
        executions.c.status.in_(("running", "waiting")),
    )  # fmt: skip
    query = sa.select(admissions, lives.label("begun")).where(waits).order_by(*order)
    gates: dict[tuple[UUID, bool], list[Gate]] = {}
    for row in await uow.conn.execute(query):
        gates.setdefault((row.execution_id, row.begun), []).append(Gate(row.gate, row.capacity, row.on_conflict))
    return [Waiting(execution_id, tuple(found), begun) for (execution_id, begun), found in gates.items()]


async def behind_gates(uow: UnitOfWork, gates: Sequence[str]) -> dict[str, list[UUID]]:
    """Who lives behind each of these gates of the tenant, the oldest first."""
    query = (
        sa.select(admissions.c.gate, admissions.c.execution_id)
        .where(admissions.c.tenant_id == uow.tenant, admissions.c.gate.in_(gates), admissions.c.let_in_at.is_not(None))
        .order_by(admissions.c.asked_at)
    )
    found: dict[str, list[UUID]] = {}
    for gate, execution_id in await uow.conn.execute(query):
        found.setdefault(gate, []).append(execution_id)
    return found


async def let_in(uow: UnitOfWork, execution_ids: Sequence[UUID], *, at: Sequence[str] | None = None) -> None:
    """These are behind their gates from now on. at: behind these gates alone."""
    changed = sa.update(admissions).where(admissions.c.tenant_id == uow.tenant, admissions.c.execution_id.in_(execution_ids))
    changed = changed if at is None else changed.where(admissions.c.gate.in_(at))
    await uow.conn.execute(changed.values(let_in_at=uow.now))


async def not_begun(uow: UnitOfWork, after: timedelta = timedelta(seconds=5)) -> list[UUID]:
    """Who was let in a while ago and has not begun: its word may have been lost, so it is told again."""
    query = (
        sa.select(admissions.c.execution_id)
        .join(executions, executions.c.id == admissions.c.execution_id)
        .where(admissions.c.tenant_id == uow.tenant, admissions.c.let_in_at < uow.now - after, executions.c.status == "queued")
        .distinct()
        .limit(1000)
    )
    return list((await uow.conn.execute(query)).scalars())


_FIRST_AT_GATES = sa.text(
    # From gate to gate by the index, however many wait at one: a queue may be long, and this is asked often.
    "WITH RECURSIVE gates AS ("
    "(SELECT min(gate) AS gate FROM engine.admissions WHERE tenant_id = :tenant AND let_in_at IS NULL) UNION ALL "
    "SELECT (SELECT min(a.gate) FROM engine.admissions a WHERE a.tenant_id = :tenant AND a.let_in_at IS NULL AND a.gate > g.gate) "
    "FROM gates g WHERE g.gate IS NOT NULL) "
    "SELECT DISTINCT one.execution_id FROM gates g, LATERAL (SELECT a.execution_id FROM engine.admissions a "
    "WHERE a.tenant_id = :tenant AND a.gate = g.gate AND a.let_in_at IS NULL AND NOT EXISTS (SELECT FROM engine.executions e "
    "WHERE e.tenant_id = a.tenant_id AND e.id = a.execution_id AND e.status = 'paused') "
    "ORDER BY a.priority DESC, a.asked_at, a.execution_id LIMIT :most) one WHERE g.gate IS NOT NULL"
)
