"""Queries on what people were told, and on how they want to be."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.definitions import WorkflowChanged
from weft_runtime.uow import UnitOfWork

from weft_tasks.errors import NotificationNotFound
from weft_tasks.tables import notifications, preferences, workflow_owners

FORGET_AT_ONCE: Final = 5000


async def add(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> list[UUID]:
    """Keep notifications, but those that are there already. Returns: the ids of the new ones."""
    if not rows:
        return []
    values = [{"tenant_id": uow.tenant, "created_at": uow.now, **row} for row in rows]
    statement = insert(notifications).values(values).on_conflict_do_nothing().returning(notifications.c.id)
    return list((await uow.conn.scalars(statement)).all())


async def get(uow: UnitOfWork, notification_id: UUID, names: Collection[str], *, lock: bool = False) -> Any:
    """One of somebody's. names: everything they are called by. Raises: NotificationNotFound, of another's too."""
    query = sa.select(notifications).where(*_of(uow, names), notifications.c.id == notification_id)
    found = (await uow.conn.execute(query.with_for_update() if lock else query)).one_or_none()
    if found is None:
        raise NotificationNotFound(f"there is no notification {notification_id} of yours; list them with GET /api/v1/notifications")
    return found


async def listed(
    uow: UnitOfWork,
    names: Collection[str],
    *,
    unread: bool | None,
    events: Collection[str],
    after: tuple[Any, ...] | None,
    limit: int,
) -> Sequence[Any]:
    """Somebody's, the newest first. unread: only those that are, or are not. after: (created_at, id) of the last one seen."""
    query = sa.select(notifications).where(*_of(uow, names))
    if unread is not None:
        query = query.where(notifications.c.read_at.is_(None) if unread else notifications.c.read_at.is_not(None))
    if events:
        query = query.where(notifications.c.event.in_(events))
    if after is not None:
        query = query.where(sa.tuple_(notifications.c.created_at, notifications.c.id) < sa.tuple_(*map(sa.literal, after)))
    return (await uow.conn.execute(query.order_by(notifications.c.created_at.desc(), notifications.c.id.desc()).limit(limit))).all()


async def unread(uow: UnitOfWork, names: Collection[str]) -> dict[str, int]:
    """How many are unread, by whom they are for; who has none is left out."""
    query = sa.select(notifications.c.user_id, sa.func.count()).where(*_of(uow, names), notifications.c.read_at.is_(None))
    return {row[0]: row[1] for row in await uow.conn.execute(query.group_by(notifications.c.user_id))}


async def mark_read(uow: UnitOfWork, notification_id: UUID) -> None:
    """Note that one was read now."""
    one = (notifications.c.tenant_id == uow.tenant, notifications.c.id == notification_id)
    await uow.conn.execute(sa.update(notifications).where(*one).values(read_at=uow.now))


async def mark_all_read(uow: UnitOfWork, names: Collection[str], upto: datetime | None) -> int:
    """Note that all of somebody's were read. upto: only those that are not newer. Returns: how many were not read before."""
    where = [*_of(uow, names), notifications.c.read_at.is_(None)]
    if upto is not None:
        where.append(notifications.c.created_at <= upto)
    return (await uow.conn.execute(sa.update(notifications).where(*where).values(read_at=uow.now))).rowcount


async def chosen(uow: UnitOfWork, users: Collection[str]) -> dict[str, Any]:
    """What people have chosen, as rows by their ids; who chose nothing is left out."""
    query = sa.select(preferences).where(preferences.c.tenant_id == uow.tenant, preferences.c.user_id.in_(sorted(users)))
    return {row.user_id: row for row in await uow.conn.execute(query)}


async def choose(uow: UnitOfWork, user: str, document: Mapping[str, Any]) -> int:
    """Keep what somebody has chosen. Returns: its version."""
    values = {"document": document, "updated_at": uow.now}
    statement = insert(preferences).values(tenant_id=uow.tenant, user_id=user, version=1, **values)
    again = {**values, "version": preferences.c.version + 1}
    written = statement.on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_=again)
    return int((await uow.conn.execute(written.returning(preferences.c.version))).scalar_one())


async def own_workflow(uow: UnitOfWork, fact: WorkflowChanged, owner: str | None) -> None:
    """Keep whose a workflow is, the newest that was heard."""
    values = {"revision": fact.revision, "owner": owner}
    statement = insert(workflow_owners).values(tenant_id=uow.tenant, workflow=fact.slug, **values)
    newer = workflow_owners.c.revision < fact.revision
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "workflow"], set_=values, where=newer))


async def owner_of(uow: UnitOfWork, workflow: str) -> str | None:
    """Who answers for a workflow, None where nobody is known to."""
    query = sa.select(workflow_owners.c.owner).where(workflow_owners.c.tenant_id == uow.tenant, workflow_owners.c.workflow == workflow)
    owner: str | None = (await uow.conn.execute(query)).scalar_one_or_none()
    return owner


async def forget_executions(uow: UnitOfWork, ids: Sequence[UUID]) -> None:
    """Delete what was told of executions."""
    gone = (notifications.c.tenant_id == uow.tenant, notifications.c.execution_id.in_(ids))
    await uow.conn.execute(sa.delete(notifications).where(*gone))


async def forget(uow: UnitOfWork, before: datetime) -> bool:
    """Delete some of what was told before. Returns: whether there may be more."""
    old = sa.select(notifications.c.id).where(notifications.c.created_at < before).limit(FORGET_AT_ONCE)
    return (await uow.conn.execute(sa.delete(notifications).where(notifications.c.id.in_(old)))).rowcount == FORGET_AT_ONCE


def _of(uow: UnitOfWork, names: Collection[str]) -> tuple[sa.ColumnElement[bool], ...]:
    """Those in somebody's inbox."""
    return notifications.c.tenant_id == uow.tenant, notifications.c.user_id.in_(sorted(names)), notifications.c.in_app
