"""Schedules: how far each of them is. What is due is looked for among all tenants at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_events.domain import SCHEDULES
from weft_events.errors import ScheduleNotFound
from weft_events.scheduling import Key, Schedule
from weft_events.tables import event_key, schedule

_NAMED = {"tenant": "tenant_id", "workflow": "slug"}
"""Columns whose names differ from those of `Schedule`."""
_COLUMNS = [schedule.c[_NAMED.get(name, name)].label(name) for name in Schedule.__dataclass_fields__]


async def next_due(uow: UnitOfWork) -> datetime | None:
    """When the first schedule of any tenant is due that is not set aside now, None where none ever is."""
    query = sa.select(schedule.c.next_at).where(schedule.c.paused_at.is_(None), schedule.c.next_at.is_not(None), _at_hand(uow.now))
    return (await uow.conn.execute(query.order_by(schedule.c.next_at).limit(1))).scalar_one_or_none()


async def due_keys(uow: UnitOfWork, at: datetime, limit: int) -> list[Key]:
    """The tenants and ids of schedules of any tenants that are due by then, held by somebody or not."""
    query = sa.select(schedule.c.tenant_id, schedule.c.id).where(schedule.c.paused_at.is_(None), schedule.c.next_at <= at, _at_hand(at))
    return [(row.tenant_id, row.id) for row in await uow.conn.execute(query.order_by(schedule.c.next_at).limit(limit))]


async def due(uow: UnitOfWork, at: datetime, limit: int, *, newest: bool = False, only: Key | None = None) -> list[Schedule]:
    """Schedules of any tenants that are due by then, held until the transaction ends; not those that somebody holds.

    newest: what was due last comes first, else last.  only: no other.
    """
    query = sa.select(*_COLUMNS).where(schedule.c.paused_at.is_(None), schedule.c.next_at <= at, _at_hand(at))
    if only is not None:
        query = query.where(schedule.c.tenant_id == only[0], schedule.c.id == only[1])
    order = schedule.c.next_at.desc() if newest else schedule.c.next_at
    query = query.order_by(order).limit(limit).with_for_update(skip_locked=True)
    return [Schedule(**row) for row in (await uow.conn.execute(query)).mappings()]


async def of_workflow(uow: UnitOfWork, slug: str) -> dict[str, Schedule]:
    """The schedules of a workflow by trigger, held until the transaction ends."""
    query = sa.select(*_COLUMNS).where(schedule.c.tenant_id == uow.tenant, schedule.c.slug == slug)
    rows = (await uow.conn.execute(query.order_by(schedule.c.id).with_for_update())).mappings()
    return {row["trigger"]: Schedule(**row) for row in rows}


async def put(uow: UnitOfWork, rows: Sequence[Schedule]) -> None:
    """Write schedules as they are now, each with its tenant."""
    if not rows:
        return
    statement = insert(schedule).values([_row(one) for one in rows])
    changed = {
        column.name: statement.excluded[column.name] for column in schedule.c if column.name not in ("tenant_id", "id", "created_at")
    }
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=(schedule.c.tenant_id, schedule.c.id), set_=changed))


async def move(uow: UnitOfWork, rows: Sequence[Schedule]) -> None:
    """Write how far schedules that are held have come, each of its tenant."""
    if not rows:
        return
    columns = {f"{name}s": [getattr(one, name) for one in rows] for name in ("tenant", "id", *_MOVING)}
    await uow.conn.execute(_MOVE, columns)


async def remove(uow: UnitOfWork, ids: Collection[UUID]) -> None:
    """Forget schedules of the tenant."""
    if ids:
        await uow.conn.execute(sa.delete(schedule).where(schedule.c.tenant_id == uow.tenant, schedule.c.id.in_(ids)))


async def find(uow: UnitOfWork, id_: UUID, *, hold: bool = False) -> Schedule:
    """One schedule. hold: until the transaction ends nobody else moves it.  Raises: ScheduleNotFound."""
    query = sa.select(*_COLUMNS).where(schedule.c.tenant_id == uow.tenant, schedule.c.id == id_)
    row = (await uow.conn.execute(query.with_for_update() if hold else query)).mappings().one_or_none()
    if row is None:
        raise ScheduleNotFound(f"there is no schedule {id_}; GET /api/v1/schedules lists those there are")
    return Schedule(**row)


async def list_schedules(
    uow: UnitOfWork, *, workflow: str | None, status: Collection[str], after: tuple[str, str] | None, limit: int
) -> list[Schedule]:
    """Schedules by workflow and trigger.

    status: any of these, as `Schedule.status`; all when empty.  after: workflow and trigger of the last one seen.
    """
    query = sa.select(*_COLUMNS).where(schedule.c.tenant_id == uow.tenant)
    if workflow is not None:
        query = query.where(schedule.c.slug == workflow)
    if status:
        stands = sa.case((schedule.c.paused_at.is_not(None), "paused"), (schedule.c.active, "active"), else_="inactive")
        query = query.where(stands.in_(status))
    if after is not None:
        query = query.where(sa.tuple_(schedule.c.slug, schedule.c.trigger) > sa.tuple_(*map(sa.literal, after)))
    rows = (await uow.conn.execute(query.order_by(schedule.c.slug, schedule.c.trigger).limit(limit))).mappings()
    return [Schedule(**row) for row in rows]


async def known(uow: UnitOfWork, of: Schedule, ids: Collection[str]) -> set[str]:
    """Which of some events of a schedule are in the log. ids: their CloudEvents ids."""
    source = f"{SCHEDULES}{of.workflow}/{of.trigger}"
    query = sa.select(event_key.c.event_id).where(event_key.c.tenant_id == of.tenant, event_key.c.source == source)
    return set((await uow.conn.execute(query.where(event_key.c.event_id.in_(list(ids))))).scalars())


def _at_hand(at: datetime) -> sa.ColumnElement[bool]:
    """Whether a schedule is not set aside."""
    return sa.or_(schedule.c.set_aside_until.is_(None), schedule.c.set_aside_until <= at)


def _row(one: Schedule) -> dict[str, Any]:
    return {_NAMED.get(name, name): getattr(one, name) for name in Schedule.__dataclass_fields__}


_MOVING = {
    "next_at": "timestamptz",
    "last_at": "timestamptz",
    "last_event": "uuid",
    "fired": "bigint",
    "missed": "bigint",
    "changed_at": "timestamptz",
    "failures": "integer",
    "set_aside_until": "timestamptz",
}
"""What changes when a schedule is fired or set aside, with its type."""
_GIVEN = ", ".join(f"CAST(:{name}s AS {kind}[])" for name, kind in {"tenant": "text", "id": "uuid", **_MOVING}.items())
_MOVE = sa.text(
    f"UPDATE events.schedule AS s SET {', '.join(f'{name} = given.{name}' for name in _MOVING)} "  # noqa: S608
    f"FROM unnest({_GIVEN}) AS given (tenant_id, id, {', '.join(_MOVING)}) WHERE s.tenant_id = given.tenant_id AND s.id = given.id"
)
