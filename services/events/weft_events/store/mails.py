"""Mails that a provider told of. What is due is looked for among all tenants at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.errors import StaleWrite
from weft_runtime.uow import UnitOfWork

from weft_events.errors import MailNotFound
from weft_events.tables import mail

WAITING, TAKEN, FAILED = "waiting", "taken", "failed"


@dataclass(frozen=True, slots=True)
class Told:
    """A mail that a provider told of. id: its event's, too.  notice: `{sender, recipients, subject, message_id}`.

    status: `waiting` to be fetched, `taken` into the log, `failed`.  next_at: when it is fetched, None while its connection is suspended.
    error: `{code, message}`.
    """

    tenant: str
    id: UUID
    connection_id: UUID
    connection: str
    email_id: str
    sameness: str | None
    notice: Mapping[str, Any]
    received_at: datetime
    status: str = WAITING
    attempts: int = 0
    next_at: datetime | None = None
    error: Mapping[str, Any] | None = None
    duplicates: int = 0

    @property
    def suspended(self) -> bool:
        """Whether it waits for its connection to be held up no longer."""
        return self.status == WAITING and self.next_at is None


_NAMED = {"tenant": "tenant_id"}
_COLUMNS = [mail.c[_NAMED.get(name, name)].label(name) for name in Told.__dataclass_fields__]


async def add(uow: UnitOfWork, told: Told) -> tuple[UUID, bool]:
    """Keep a mail, once. Returns: its id, that of the same one that was told of before, and whether it is new.  Raises: StaleWrite."""
    row = {_NAMED.get(name, name): getattr(told, name) for name in Told.__dataclass_fields__}
    # Without a target: it may be the same by either of what makes two the same.
    made = insert(mail).values(row).on_conflict_do_nothing().returning(mail.c.id)
    if (await uow.conn.execute(made)).first() is not None:
        return told.id, True
    alike = mail.c.email_id == told.email_id
    alike = alike if told.sameness is None else sa.or_(alike, mail.c.sameness == told.sameness)
    mine = (mail.c.tenant_id == uow.tenant, mail.c.connection_id == told.connection_id, alike)
    first = sa.select(mail.c.id).where(*mine).order_by(mail.c.id).limit(1).scalar_subquery()
    again = sa.update(mail).where(mail.c.tenant_id == uow.tenant, mail.c.id == first).values(duplicates=mail.c.duplicates + 1)
    found = (await uow.conn.execute(again.returning(mail.c.id))).scalar_one_or_none()
    if found is None:
        raise StaleWrite(f"the mail {told.email_id} was being forgotten; tell of it again")
    return found, False


async def next_due(uow: UnitOfWork) -> datetime | None:
    """When the first mail of any tenant is to be fetched, None where none is."""
    query = sa.select(mail.c.next_at).where(mail.c.status == WAITING)
    return (await uow.conn.execute(query.order_by(mail.c.next_at).limit(1))).scalar_one_or_none()


async def in_hand(uow: UnitOfWork, limit: int, until: datetime) -> list[Told]:
    """Take mails of any tenants that are due in hand: nobody else does until then. Those that somebody holds are passed over."""
    due = sa.select(mail.c.tenant_id, mail.c.id).where(mail.c.status == WAITING, mail.c.next_at <= uow.now)
    held = due.order_by(mail.c.next_at).limit(limit).with_for_update(skip_locked=True).cte("held")
    taken = (mail.c.tenant_id == held.c.tenant_id, mail.c.id == held.c.id)
    begun = sa.update(mail).where(*taken).values(attempts=mail.c.attempts + 1, next_at=until)
    return [Told(**row) for row in (await uow.conn.execute(begun.returning(*_COLUMNS))).mappings()]


async def settle(uow: UnitOfWork, told: Told, status: str, next_at: datetime | None = None, error: Mapping[str, Any] | None = None) -> bool:
    """Write what came of an attempt. Returns: False, and nothing is written, where another attempt has begun or it is settled."""
    mine = (mail.c.tenant_id == told.tenant, mail.c.id == told.id, mail.c.status == WAITING, mail.c.attempts == told.attempts)
    changed = sa.update(mail).where(*mine).values(status=status, next_at=next_at, error=error)
    return (await uow.conn.execute(changed.returning(mail.c.id))).first() is not None


async def lay_by(uow: UnitOfWork, told: Told) -> None:
    """Let a mail that was taken in hand wait for its connection to be held up no longer. Nobody was asked, so that was no attempt."""
    mine = (mail.c.tenant_id == told.tenant, mail.c.id == told.id, mail.c.status == WAITING, mail.c.attempts == told.attempts)
    await uow.conn.execute(sa.update(mail).where(*mine).values(next_at=None, attempts=mail.c.attempts - 1))


async def hold(uow: UnitOfWork, connection: str) -> None:
    """Let no mail be fetched that is to be fetched by a connection. One that is in hand may be ended."""
    await uow.conn.execute(sa.update(mail).where(*_waiting(uow, connection), mail.c.next_at.is_not(None)).values(next_at=None))


async def let_go(uow: UnitOfWork, connection: str) -> None:
    """Let the mails be fetched that wait for a connection to be held up no longer."""
    await uow.conn.execute(sa.update(mail).where(*_waiting(uow, connection), mail.c.next_at.is_(None)).values(next_at=uow.now))


async def find(uow: UnitOfWork, id_: UUID, *, hold: bool = False) -> Told:
    """One mail of the tenant. hold: until the transaction ends nobody else changes it.  Raises: MailNotFound."""
    query = sa.select(*_COLUMNS).where(mail.c.tenant_id == uow.tenant, mail.c.id == id_)
    row = (await uow.conn.execute(query.with_for_update() if hold else query)).mappings().one_or_none()
    if row is None:
        raise MailNotFound(f"there is no mail {id_}; GET /api/v1/inbound/mails lists those there are")
    return Told(**row)


async def again(uow: UnitOfWork, id_: UUID, at: datetime | None) -> None:
    """Let a mail be fetched, as if it had just come. at: when, None while its connection is held up."""
    mine = (mail.c.tenant_id == uow.tenant, mail.c.id == id_)
    await uow.conn.execute(sa.update(mail).where(*mine).values(status=WAITING, attempts=0, next_at=at))


async def listed(uow: UnitOfWork, *, status: str | None, after: UUID | None, limit: int) -> list[Told]:
    """Mails of the tenant, newest first. status: None for any.  after: the last one seen."""
    query = sa.select(*_COLUMNS).where(mail.c.tenant_id == uow.tenant)
    query = query if status is None else query.where(mail.c.status == status)
    query = query if after is None else query.where(mail.c.id < after)
    return [Told(**row) for row in (await uow.conn.execute(query.order_by(mail.c.id.desc()).limit(limit))).mappings()]


def _waiting(uow: UnitOfWork, connection: str) -> tuple[sa.ColumnElement[bool], ...]:
    return mail.c.tenant_id == uow.tenant, mail.c.connection == connection, mail.c.status == WAITING
