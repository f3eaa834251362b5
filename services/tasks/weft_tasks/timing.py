"""The passing of time, as tasks notice it: a look every now and then for steps that are due."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final, cast

from weft_runtime.context import ServiceContext

from weft_tasks import store, usecases
from weft_tasks.notifications import verbs as telling
from weft_tasks.settings import Settings
from weft_tasks.store import notifications, sending

AT_ONCE: Final = 50
"""Tasks whose steps are taken in one transaction at most."""
TIDY_EVERY_S: Final = 3600.0


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
            for pass_time in (usecases.pass_time, telling.tell_overdue):
                more = True
                while more:
                    async with context.owner_transaction(tenant) as uow:
                        more = await pass_time(uow, AT_ONCE)


async def tidy(context: ServiceContext) -> None:
    """Forget what people were told long ago, now and then, until cancelled."""
    while True:
        with context.sparing("forgetting notifications"):
            await forget(context)
        await asyncio.sleep(TIDY_EVERY_S)


async def forget(context: ServiceContext) -> None:
    """Forget what people were told, and were sent, longer ago than it is kept. Raises: Unavailable."""
    kept = timedelta(days=cast(Settings, context.settings).notifications_kept_days)
    for old in (notifications, sending):
        more = True
        while more:
            async with context.owner_transaction() as uow:
                more = await old.forget(uow, uow.now - kept)
