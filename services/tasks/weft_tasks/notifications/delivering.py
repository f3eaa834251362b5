"""The loop that sends what is due by mail and by Slack, and asks again for what was not answered."""

from __future__ import annotations

import asyncio
from typing import Final, cast

from weft_contracts.routing import DEFAULT_POOL
from weft_runtime.bus.topology import pool
from weft_runtime.context import ServiceContext

from weft_tasks.notifications import sending
from weft_tasks.notifications.sending import Office
from weft_tasks.settings import Settings
from weft_tasks.store import sending as store

AT_ONCE: Final = 200
"""Notifications, or messages, in one transaction at most."""


async def prepare(context: ServiceContext) -> None:
    """See that what workers are asked is kept for them, also before the first one comes."""
    await context.bus.declare(pool(DEFAULT_POOL))


async def watch(context: ServiceContext) -> None:
    """Look for what is to be sent, until cancelled."""
    while True:
        await look(context)
        await asyncio.sleep(cast(Settings, context.settings).look_every_s)


async def look(context: ServiceContext) -> None:
    """Send everything that is due now, tenant by tenant. Raises: Unavailable."""
    settings = cast(Settings, context.settings)
    office = Office(settings.secrets, settings.public_url, settings.decision_links_by_mail)
    async with context.owner_transaction() as uow:
        tenants = await store.due_tenants(uow)
    for tenant in tenants:
        with context.sparing("sending notifications", tenant=tenant):
            for send in (sending.send_due, sending.ask_again):
                more = True
                while more:
                    async with context.owner_transaction(tenant) as uow:
                        more = await send(office, uow, AT_ONCE)
