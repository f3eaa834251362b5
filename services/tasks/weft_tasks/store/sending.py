"""Queries on what is sent to people: what waits to be, and the messages that it is sent in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_tasks.notifications import Channel
from weft_tasks.notifications.outbound import Outbound, Sending
from weft_tasks.tables import deliveries, messages, notifications

FORGET_AT_ONCE: Final = 5000
_FIELDS: Final = ("attempt", "next_at", "ended_at", "receipt", "error")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notification that waits to be sent by one way. execution and task ids are texts, in `about`."""

    notification_id: UUID
    user: str
    channel: Channel
    event: str
    title: str
    text: str | None
    link: str | None
    about: Mapping[str, Any]
    read: bool


async def plan(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> None:
    """Let notifications be sent. rows: `notification_id`, `channel`, `user_id`, `due_at`."""
    if rows:
        values = [{"tenant_id": uow.tenant, **row} for row in rows]
        await uow.conn.execute(insert(deliveries).values(values).on_conflict_do_nothing())


async def due_tenants(uow: UnitOfWork) -> list[str]:
    """Tenants for which something is to be sent now."""
    due = sa.select(deliveries.c.tenant_id).where(deliveries.c.message_id.is_(None), deliveries.c.due_at <= uow.now)
    again = sa.select(messages.c.tenant_id).where(messages.c.next_at.is_not(None), messages.c.next_at <= uow.now)
    return list((await uow.conn.execute(sa.union(due, again))).scalars())


async def due(uow: UnitOfWork, limit: int) -> list[Waiting]:
    """What is to be sent now, the longest due first, held until the transaction ends. What others hold is left out."""
    query = (
        sa.select(
            *(deliveries.c[name] for name in ("notification_id", "user_id", "channel")),
            *(notifications.c[name] for name in ("event", "title", "text", "link", "about", "read_at")),
        )
        .join_from(deliveries, notifications, notifications.c.id == deliveries.c.notification_id)
        .where(
            deliveries.c.tenant_id == uow.tenant,
            notifications.c.tenant_id == uow.tenant,
            deliveries.c.message_id.is_(None),
            deliveries.c.due_at <= uow.now,
        )
        .order_by(deliveries.c.due_at, deliveries.c.user_id, notifications.c.created_at, notifications.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=deliveries)
    )
    return [_waiting(row) for row in await uow.conn.execute(query)]


async def give_up(uow: UnitOfWork, channel: Channel, ids: Collection[UUID]) -> None:
    """Let notifications not be sent by a way: nobody wants them there any more, or it leads nowhere."""
    await uow.conn.execute(sa.delete(deliveries).where(*_those(uow, channel, ids)))


async def put_off(uow: UnitOfWork, channel: Channel, ids: Collection[UUID], until: datetime) -> None:
    """Let notifications be sent later."""
    await uow.conn.execute(sa.update(deliveries).where(*_those(uow, channel, ids)).values(due_at=until))


async def add(uow: UnitOfWork, message: Outbound, sealed: bytes, ids: Collection[UUID]) -> None:
    """Keep a new message. ids: of the notifications in it.  sealed: what is sent."""
    values = {"tenant_id": uow.tenant, "id": message.id, "user_id": message.user, "made_at": message.made_at, "sealed": sealed}
    await uow.conn.execute(sa.insert(messages).values(**values, channel=message.channel.value, **_moving(message)))
    await uow.conn.execute(sa.update(deliveries).where(*_those(uow, message.channel, ids)).values(message_id=message.id))


async def find(uow: UnitOfWork, message_id: UUID) -> Outbound | None:
    """A message, held until the transaction ends; None where there is none."""
    query = sa.select(messages).where(messages.c.tenant_id == uow.tenant, messages.c.id == message_id)
    row = (await uow.conn.execute(query.with_for_update())).one_or_none()
    return None if row is None else _outbound(row)


async def due_again(uow: UnitOfWork, limit: int) -> list[tuple[Outbound, bytes | None]]:
    """Messages that are to be asked for again, each with what is sent, held until the transaction ends."""
    query = sa.select(messages).where(messages.c.tenant_id == uow.tenant, messages.c.next_at.is_not(None), messages.c.next_at <= uow.now)
    rows = await uow.conn.execute(query.order_by(messages.c.next_at).limit(limit).with_for_update(skip_locked=True))
    return [(_outbound(row), row.sealed) for row in rows]


async def save(uow: UnitOfWork, message: Outbound) -> None:
    """Write a message that is held. What was to be sent is forgotten with its end."""
    one = (messages.c.tenant_id == uow.tenant, messages.c.id == message.id)
    values = _moving(message) if message.ended_at is None else {**_moving(message), "sealed": None}
    await uow.conn.execute(sa.update(messages).where(*one).values(values))


async def of_notification(uow: UnitOfWork, notification_id: UUID) -> Sequence[Any]:
    """How a notification is sent by each way: `channel, due_at, status, ended_at, error`."""
    query = (
        sa.select(deliveries.c.channel, deliveries.c.due_at, messages.c.status, messages.c.ended_at, messages.c.error)
        .select_from(deliveries.outerjoin(messages, messages.c.id == deliveries.c.message_id))
        .where(deliveries.c.tenant_id == uow.tenant, deliveries.c.notification_id == notification_id)
    )
    return (await uow.conn.execute(query.order_by(deliveries.c.channel))).all()


async def forget(uow: UnitOfWork, before: datetime) -> bool:
    """Delete some messages of before, and what waited for notifications that are gone. Returns: whether there may be more."""
    old = sa.select(messages.c.id).where(messages.c.made_at < before).limit(FORGET_AT_ONCE)
    gone = (await uow.conn.execute(sa.delete(messages).where(messages.c.id.in_(old)))).rowcount
    there = sa.exists().where(notifications.c.id == deliveries.c.notification_id)
    orphans = sa.select(deliveries.c.notification_id).where(sa.not_(there)).limit(FORGET_AT_ONCE)
    left = (await uow.conn.execute(sa.delete(deliveries).where(deliveries.c.notification_id.in_(orphans)))).rowcount
    return FORGET_AT_ONCE in (gone, left)


def _those(uow: UnitOfWork, channel: Channel, ids: Collection[UUID]) -> tuple[sa.ColumnElement[bool], ...]:
    return deliveries.c.tenant_id == uow.tenant, deliveries.c.channel == channel.value, deliveries.c.notification_id.in_(ids)


def _moving(message: Outbound) -> dict[str, Any]:
    return {name: getattr(message, name) for name in _FIELDS} | {"status": message.status.value}


def _outbound(row: Any) -> Outbound:
    moving = {name: getattr(row, name) for name in _FIELDS}
    return Outbound(row.id, row.user_id, Channel(row.channel), row.made_at, Sending(row.status), **moving)


def _waiting(row: Any) -> Waiting:
    about = {name: getattr(row, name) for name in ("notification_id", "event", "title", "text", "link", "about")}
    return Waiting(user=row.user_id, channel=Channel(row.channel), read=row.read_at is not None, **about)
