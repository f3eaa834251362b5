"""Queries on stand-ins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_tasks.standing_in import MOST, Standing
from weft_tasks.tables import delegations, people
from weft_tasks.task import Absentee


async def add(uow: UnitOfWork, values: dict[str, Any]) -> Any:
    """Keep a new one. Returns: its row."""
    return (await uow.conn.execute(insert(delegations).values(tenant_id=uow.tenant, **values).returning(delegations))).one()


async def find(uow: UnitOfWork, delegation_id: UUID, *, lock: bool = False) -> Any:
    """One, None where there is none. lock: hold it until the transaction ends."""
    query = sa.select(delegations).where(delegations.c.tenant_id == uow.tenant, delegations.c.id == delegation_id)
    return (await uow.conn.execute(query.with_for_update() if lock else query)).one_or_none()


async def revoke(uow: UnitOfWork, delegation_id: UUID, by: str) -> None:
    """Write down that it is over."""
    one = (delegations.c.tenant_id == uow.tenant, delegations.c.id == delegation_id)
    await uow.conn.execute(sa.update(delegations).where(*one).values(revoked_at=uow.now, revoked_by=by))


async def most_open(uow: UnitOfWork, absent: str, stand_in: str) -> int:
    """How many that are not over there are of the one, or with the other as stand-in, whichever is more."""
    query = sa.select(
        sa.func.count().filter(delegations.c.absent == absent), sa.func.count().filter(delegations.c.stand_in == stand_in)
    ).where(delegations.c.tenant_id == uow.tenant, delegations.c.ends_at > uow.now, delegations.c.revoked_at.is_(None))
    return max((await uow.conn.execute(query)).one())


async def listed(
    uow: UnitOfWork,
    *,
    concerning: Iterable[str] | None,
    absent: str | None,
    stand_in: str | None,
    standings: Sequence[Standing],
    after: tuple[Any, ...] | None,
    limit: int,
) -> Sequence[Any]:
    """Those that fit, the newest first. concerning: only those that one of these names has to do with.  after: (created_at, id)."""
    query = sa.select(delegations).where(delegations.c.tenant_id == uow.tenant)
    if concerning is not None:
        names = sorted(concerning)
        query = query.where(
            sa.or_(*(column.in_(names) for column in (delegations.c.absent, delegations.c.stand_in, delegations.c.created_by)))
        )
    if absent is not None:
        query = query.where(delegations.c.absent.in_(await _called(uow, absent)))
    if stand_in is not None:
        query = query.where(delegations.c.stand_in.in_(await _called(uow, stand_in)))
    if standings:
        query = query.where(sa.or_(*(_stands(uow, one) for one in standings)))
    if after is not None:
        query = query.where(sa.tuple_(delegations.c.created_at, delegations.c.id) < sa.tuple_(*map(sa.literal, after)))
    return (await uow.conn.execute(query.order_by(delegations.c.created_at.desc(), delegations.c.id.desc()).limit(limit))).all()


async def standing_for(uow: UnitOfWork, names: Iterable[str]) -> tuple[Absentee, ...]:
    """Those whom somebody, by all their names, stands in for now; each with everything that tasks may call them by."""
    by_id = sa.cast(people.c.user_id, sa.Text)
    known = sa.and_(people.c.tenant_id == delegations.c.tenant_id, delegations.c.absent.in_([by_id, people.c.email]))
    query = (
        sa.select(delegations.c.id, delegations.c.absent, delegations.c.workflows, by_id.label("user_id"), people.c.email)
        .select_from(delegations.outerjoin(people, known))
        .where(delegations.c.tenant_id == uow.tenant, delegations.c.stand_in.in_(sorted(names)), _stands(uow, "active"))
        .order_by(delegations.c.starts_at, delegations.c.id)
        .limit(2 * MOST)
    )
    found: dict[UUID, Absentee] = {}
    for row in await uow.conn.execute(query):
        called = frozenset(name for name in (row.absent, row.user_id, row.email) if name)
        before = found[row.id].names if row.id in found else frozenset[str]()
        found[row.id] = Absentee(row.absent, called | before, None if row.workflows is None else frozenset(row.workflows))
    return tuple(found.values())


def _stands(uow: UnitOfWork, standing: Standing) -> sa.ColumnElement[bool]:
    """The same as `standing_in.standing` says of one."""
    open_ = delegations.c.revoked_at.is_(None)
    begun, over = delegations.c.starts_at <= uow.now, delegations.c.ends_at <= uow.now
    match standing:
        case "revoked":
            return delegations.c.revoked_at.is_not(None)
        case "scheduled":
            return sa.and_(open_, sa.not_(begun))
        case "active":
            return sa.and_(open_, begun, sa.not_(over))
        case _:
            return sa.and_(open_, begun, over)


async def _called(uow: UnitOfWork, somebody: str) -> list[str]:
    """What somebody may be written down as, by id or e-mail address."""
    name = somebody.strip().lower()
    by_id = sa.cast(people.c.user_id, sa.Text)
    query = sa.select(by_id).where(people.c.tenant_id == uow.tenant, sa.or_(by_id == name, people.c.email == name))
    return [name, *(await uow.conn.scalars(query)).all()]
