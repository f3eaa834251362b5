"""The events service, wired."""

from __future__ import annotations

import asyncio
from typing import cast

from weft_runtime.context import ServiceContext
from weft_runtime.sealing import Envelope
from weft_runtime.service import Service

from weft_events import api, fetching, firing, handlers, tables, usecases
from weft_events.backtesting import running
from weft_events.fetching import FetchingMetrics, MailWake
from weft_events.firing import FiringMetrics
from weft_events.reaching import Reaching
from weft_events.relaying import RecordMetrics, RecordStandings, Relay, bounds_of
from weft_events.settings import Settings

TIDY_EVERY_S = 900.0


def build(settings: Settings) -> Service:
    """Events: its doors and its tables."""
    return Service(
        name="events",
        package="weft_events",
        settings=settings,
        door=api.door,
        handlers=handlers.on,
        tables=tables.metadata,
        startup=(prepare,),
        background=(tidy, fire_schedules, read_sources, fetch_mails, run_backtests),
    )


async def prepare(context: ServiceContext) -> None:
    """What background work and doors need before they begin."""
    envelope = Envelope(*context.settings.secrets)
    allow_private = cast(Settings, context.settings).allow_private_addresses
    context.attach(FiringMetrics(context.metrics.registry), RecordMetrics(context.metrics.registry), envelope)
    context.attach(RecordStandings(context.metrics.registry, context.log, bounds_of(context)))
    context.attach(Reaching(envelope, allow_private=allow_private), Relay(context))
    context.attach(FetchingMetrics(context.metrics.registry), MailWake())


async def fire_schedules(context: ServiceContext) -> None:
    """Fire schedules when they are due, until cancelled."""
    await firing.run(context)


async def read_sources(context: ServiceContext) -> None:
    """Read the changes of watched tables, until cancelled."""
    await context.part(Relay).run()


async def fetch_mails(context: ServiceContext) -> None:
    """Fetch mails that a provider told of, until cancelled."""
    await fetching.run(context)


async def run_backtests(context: ServiceContext) -> None:
    """Run backtests that were asked for, until cancelled."""
    await running.run(context)


async def tidy(context: ServiceContext) -> None:
    """Forget events of long ago, now and then, until cancelled."""
    while True:
        await forget(context)
        await asyncio.sleep(TIDY_EVERY_S)


async def forget(context: ServiceContext) -> None:
    """Forget what every tenant has kept long enough, some at a time."""
    usual = cast(Settings, context.settings).events_kept_days
    async with context.owner_transaction() as uow:
        kept_days = await usecases.kept_days(usual, uow)
    for tenant, days in kept_days.items():
        more = True
        while more:
            async with context.owner_transaction(tenant) as uow:
                more = await usecases.forget_events(days, uow)
