"""Queries on tickets for WebSockets."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_gateway.domain import LiveTicket
from weft_gateway.tables import live_tickets as table


async def count(uow: UnitOfWork, person: str) -> int:
    """How many tickets of a person of this tenant wait to be used."""
    query = sa.select(sa.func.count()).where(table.c.tenant_id == uow.tenant, table.c.person == person, table.c.expires_at > uow.now)
    return int((await uow.conn.execute(query)).scalar_one())


async def add(uow: UnitOfWork, ticket: LiveTicket) -> None:
    """Keep a ticket."""
    statement = sa.insert(table).values(
        tenant_id=ticket.tenant,
        hash=ticket.hash,
        person=ticket.person,
        topics=list(ticket.topics),
        sealed=ticket.sealed,
        expires_at=ticket.expires_at,
    )
    await uow.conn.execute(statement)


async def take(uow: UnitOfWork, hash: bytes) -> LiveTicket | None:
    """The ticket of this hash, which is gone by that; None where it is none of any tenant or too old. Of two takers one has it."""
    statement = sa.delete(table).where(table.c.hash == hash, table.c.expires_at > uow.now).returning(table)
    row = (await uow.conn.execute(statement)).one_or_none()
    if row is None:
        return None
    return LiveTicket(bytes(row.hash), row.tenant_id, row.person, tuple(row.topics), bytes(row.sealed), row.expires_at)


async def forget(uow: UnitOfWork, before: datetime) -> None:
    """Delete tickets that were not used in time."""
    await uow.conn.execute(sa.delete(table).where(table.c.expires_at <= before))
