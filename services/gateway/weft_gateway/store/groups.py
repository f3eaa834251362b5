"""Queries on groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, array, insert
from weft_runtime.clock import new_id
from weft_runtime.errors import StaleWrite
from weft_runtime.uow import UnitOfWork

from weft_gateway.domain import Group
from weft_gateway.errors import GroupNotFound, GroupTaken
from weft_gateway.tables import groups, users


async def count(uow: UnitOfWork) -> int:
    """How many groups this tenant has."""
    return int((await uow.conn.execute(sa.select(sa.func.count()).where(groups.c.tenant_id == uow.tenant))).scalar_one())


async def add(uow: UnitOfWork, group: Group) -> None:
    """Write a new group. Raises: GroupTaken."""
    statement = insert(groups).values(_row(group)).on_conflict_do_nothing().returning(groups.c.id)
    if (await uow.conn.execute(statement)).first() is None:
        raise _taken(group.name)


async def get(uow: UnitOfWork, group_id: UUID, *, lock: bool = False) -> Group:
    """A group of this tenant. lock: hold the row until the transaction ends. Raises: GroupNotFound."""
    query = sa.select(groups).where(groups.c.tenant_id == uow.tenant, groups.c.id == group_id)
    row = (await uow.conn.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise GroupNotFound(f"there is no group {group_id}; GET /api/v1/groups lists those there are")
    return _group(row)


async def save(uow: UnitOfWork, group: Group) -> None:
    """Write a group that was read under its lock. Raises: GroupTaken."""
    other = sa.select(groups.c.id).where(groups.c.tenant_id == uow.tenant, groups.c.name == group.name, groups.c.id != group.id)
    if (await uow.conn.execute(other)).first() is not None:
        raise _taken(group.name)
    await uow.conn.execute(sa.update(groups).where(groups.c.tenant_id == uow.tenant, groups.c.id == group.id).values(_row(group)))


async def remove(uow: UnitOfWork, group: Group) -> None:
    """Delete a group in which nobody is."""
    await uow.conn.execute(sa.delete(groups).where(groups.c.tenant_id == uow.tenant, groups.c.id == group.id))


async def page(uow: UnitOfWork, *, text: str | None, after: str | None, limit: int) -> list[tuple[Group, int]]:
    """Groups of this tenant by name, each with how many active people are in it. text: in the name.  after: the last name seen."""
    query = sa.select(groups, _members().label("members")).where(groups.c.tenant_id == uow.tenant)
    if text:
        query = query.where(groups.c.name.icontains(text, autoescape=True))
    if after is not None:
        query = query.where(groups.c.name > after)
    return [(_group(row), row.members) for row in await uow.conn.execute(query.order_by(groups.c.name).limit(limit))]


async def members(uow: UnitOfWork, group: Group) -> tuple[int, str]:
    """How many active people are in a group of this tenant, and a text that is another one where others are in it."""
    ids = sa.func.string_agg(sa.cast(users.c.id, sa.Text), aggregate_order_by(sa.literal(","), users.c.id))
    who = sa.func.md5(sa.func.coalesce(ids, ""))
    query = sa.select(sa.func.count().filter(users.c.active), who)
    row = (await uow.conn.execute(query.where(users.c.tenant_id == uow.tenant, users.c.groups.contains([group.name])))).one()
    return row[0], row[1][:16]


async def ensure(uow: UnitOfWork, names: Iterable[str]) -> None:
    """See to it that groups of these names are there, and stay until the transaction ends. Raises: StaleWrite."""
    wanted = sorted(set(names))
    if not wanted:
        return
    rows = [_row(Group(new_id(), uow.tenant, name, uow.now, uow.now)) for name in wanted]
    await uow.conn.execute(insert(groups).values(rows).on_conflict_do_nothing())
    query = sa.select(groups.c.name).where(groups.c.tenant_id == uow.tenant, groups.c.name.in_(wanted)).order_by(groups.c.name)
    if len((await uow.conn.execute(query.with_for_update(read=True, key_share=True))).all()) < len(wanted):
        raise StaleWrite("a group was taken away meanwhile; send the request again")


async def adopt(uow: UnitOfWork) -> None:
    """Make the groups that people of any tenant are in and that are not there: a gateway of an earlier release knows of none."""
    named = sa.select(users.c.tenant_id, sa.func.unnest(users.c.groups).label("name")).distinct().subquery()
    now = sa.literal(uow.now, sa.TIMESTAMP(timezone=True))
    new = sa.select(named.c.tenant_id, sa.func.gen_random_uuid(), named.c.name, sa.literal(""), sa.literal(1), now, now)
    known = sa.exists().where(groups.c.tenant_id == named.c.tenant_id, groups.c.name == named.c.name)
    columns = ["tenant_id", "id", "name", "description", "revision", "created_at", "updated_at"]
    await uow.conn.execute(insert(groups).from_select(columns, new.where(~known)).on_conflict_do_nothing())


def _members() -> sa.ScalarSelect[int]:
    mine = (users.c.tenant_id == groups.c.tenant_id, users.c.active, users.c.groups.contains(array([groups.c.name])))
    return sa.select(sa.func.count()).select_from(users).where(*mine).correlate(groups).scalar_subquery()


def _taken(name: str) -> GroupTaken:
    return GroupTaken(f"there is already a group {name!r} in this tenant; choose another name")


_FIELDS = ("id", "name", "description", "revision", "created_at", "updated_at")


def _row(group: Group) -> dict[str, Any]:
    return {"tenant_id": group.tenant} | {name: getattr(group, name) for name in _FIELDS}


def _group(row: Any) -> Group:
    return Group(tenant=row.tenant_id, **{name: getattr(row, name) for name in _FIELDS})
