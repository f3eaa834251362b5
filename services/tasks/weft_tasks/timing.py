"""The passing of time, as tasks notice it: a look every now and then for steps that are due."""

from __future__ import annotations

import asyncio
from typing import Final, cast

from weft_runtime.context import ServiceContext

from weft_tasks import store, usecases
from weft_tasks.settings import Settings

AT_ONCE: Final = 50
"""Tasks whose steps are taken in one transaction at most."""


async def watch(context: ServiceContext) -> None:
    """Look for what is due, until cancelled."""
    while True:
        await look(context)
        await asyncio.sleep(cast(Settings, context.settings).look_every_s)


async def look(context: ServiceContext) -> None:
    """Take every step that is due now, tenant by tenant. Raises: Unavailable."""
    async with context.owner_transaction() as uow:
        tenants = await store.due_tenants(uow)
    for tenant in tenants:
        with context.sparing("passing of time", tenant=tenant):
            more = True
            while more:
                async with context.owner_transaction(tenant) as uow:
                    more = await usecases.pass_time(uow, AT_ONCE)
