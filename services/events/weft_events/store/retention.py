"""Forgetting events of long ago, with everything that is kept beside them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_events.tables import delivery, event, event_key, event_value, mail, tenant, verdict

AT_ONCE: Final = 5_000
"""Events forgotten in one transaction."""


async def tenants(uow: UnitOfWork) -> dict[str, object]:
    """Every tenant that is known, with what its settings say of `retention`."""
    rows = await uow.conn.execute(sa.select(tenant.c.tenant_id, tenant.c.settings))
    return {row.tenant_id: row.settings.get("retention") for row in rows}


async def forget_events(uow: UnitOfWork, before: UUID) -> bool:
    """Forget some of the tenant's oldest events, those with a lower id. Returns: whether there may be more."""
    mine = sa.and_(event.c.tenant_id == uow.tenant, event.c.id < before)
    oldest = sa.select(event.c.id, event.c.event_id, event.c.source).where(mine).order_by(event.c.id).limit(AT_ONCE)
    gone = (await uow.conn.execute(oldest)).all()
    ids = [row.id for row in gone]
    # What makes an event the same goes too, found by its own index: one that comes again later is a new one.
    same = sa.tuple_(event_key.c.event_id, event_key.c.source, event_key.c.id)
    keys = [(row.event_id, row.source, row.id) for row in gone]
    await uow.conn.execute(sa.delete(event_key).where(event_key.c.tenant_id == uow.tenant, same.in_(keys)))
    for table in (delivery, verdict, event):
        await uow.conn.execute(sa.delete(table).where(table.c.tenant_id == uow.tenant, table.c.id.in_(ids)))
    if len(gone) == AT_ONCE:
        return True
    # Whether or not anything came of them: a mail has its event's id.
    settled = (mail.c.tenant_id == uow.tenant, mail.c.id < before, mail.c.status != "waiting")
    await uow.conn.execute(sa.delete(mail).where(*settled))
    # No index finds these by their event: once, at the end.
    await uow.conn.execute(sa.delete(event_value).where(event_value.c.tenant_id == uow.tenant, event_value.c.id < before))
    return False
