"""Analytics, wired."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast

from weft_runtime.context import ServiceContext
from weft_runtime.service import Service

from weft_analytics import api, handlers, tables, usecases
from weft_analytics.settings import Settings
from weft_analytics.words import CommonWords

TIDY_EVERY_S = 3600.0


def build(settings: Settings) -> Service:
    """Analytics: the list of executions and the numbers."""
    return Service(
        name="analytics",
        package="weft_analytics",
        settings=settings,
        door=api.door,
        handlers=handlers.on,
        tables=tables.metadata,
        startup=(prepare,),
        background=(tidy,),
    )


async def prepare(context: ServiceContext) -> None:
    """What doors need before they open."""
    context.attach(CommonWords(context))


async def tidy(context: ServiceContext) -> None:
    """Forget old numbers by the minute, now and then, until cancelled."""
    kept = timedelta(days=cast(Settings, context.settings).minutes_kept_days)
    while True:
        async with context.owner_transaction() as uow:
            await usecases.forget_minutes(kept, uow)
        await asyncio.sleep(TIDY_EVERY_S)
