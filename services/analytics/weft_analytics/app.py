"""Analytics, wired."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast

from weft_runtime.context import ServiceContext
from weft_runtime.service import Service

from weft_analytics import alerting, api, handlers, tables, usecases
from weft_analytics.alerting import AlertMetrics
from weft_analytics.settings import Settings
from weft_analytics.usecases import alerts, costs, walks
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
        background=(tidy, add_walks, watch),
    )


async def prepare(context: ServiceContext) -> None:
    """What doors and background work need before they begin."""
    context.attach(CommonWords(context), AlertMetrics(context.metrics.registry))


async def watch(context: ServiceContext) -> None:
    """Look for what alert rules watch for, until cancelled."""
    await alerting.watch(context)


async def add_walks(context: ServiceContext) -> None:
    """Add what was heard of nodes and ways to the numbers, until cancelled. Any number of processes may: one is at it at a time."""
    while True:
        added = 0
        with context.sparing("numbers of nodes and ways"):
            async with context.owner_transaction() as uow:
                added = await walks.fold(uow)
        if not added:
            await asyncio.sleep(cast(Settings, context.settings).walks_added_every_s)


async def tidy(context: ServiceContext) -> None:
    """Forget old numbers by the minute, now and then, until cancelled."""
    kept = timedelta(days=cast(Settings, context.settings).minutes_kept_days)
    alerts_kept = timedelta(days=cast(Settings, context.settings).alerts_kept_days)
    walks_kept = timedelta(days=cast(Settings, context.settings).walks_kept_days)
    costs_kept = timedelta(days=cast(Settings, context.settings).costs_kept_days)
    while True:
        async with context.owner_transaction() as uow:
            await usecases.forget_minutes(kept, uow)
            await walks.forget(walks_kept, uow)
            await alerts.forget(alerts_kept, uow)
            await costs.forget(costs_kept, uow)
        await asyncio.sleep(TIDY_EVERY_S)
