"""The gateway, wired."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast

from weft_runtime.context import ServiceContext
from weft_runtime.service import Service

from weft_gateway import api, handlers, queues, tables
from weft_gateway.describing import Descriptions
from weft_gateway.feeding import Hub
from weft_gateway.issuing import issuer_of
from weft_gateway.oidc.signing_in import SignIns
from weft_gateway.settings import Settings
from weft_gateway.store import failures, feed, groups, keys, oidc, sessions, tickets
from weft_gateway.tickets import Tickets

KEYS_EVERY_S = 60.0
TIDY_EVERY_S = 60.0
SESSIONS_KEPT = timedelta(days=1)


def build(settings: Settings) -> Service:
    """The gateway: its doors, the issuer of tokens, the live feed."""
    return Service(
        name="gateway",
        package="weft_gateway",
        settings=settings,
        door=api.door,
        handlers=handlers.on,
        tables=tables.metadata,
        startup=(prepare,),
        background=(keep_keys, run_feed, queues.run, hold_providers, tidy),
        token_source=issuer_of,
    )


async def prepare(context: ServiceContext) -> None:
    """What the doors need before they open."""
    settings = cast(Settings, context.settings)
    context.attach(Hub(context), Tickets(context), SignIns(context), Descriptions(api.door, settings.service_urls, settings.openapi_ttl_s))
    await issuer_of(context).refresh()
    async with context.owner_transaction() as uow:
        await groups.adopt(uow)


async def keep_keys(context: ServiceContext) -> None:
    """Take up keys other gateways made, and make one when it is time, until cancelled."""
    while True:
        await asyncio.sleep(KEYS_EVERY_S)
        await issuer_of(context).refresh()


async def run_feed(context: ServiceContext) -> None:
    """Hand out what is new to live connections, until cancelled."""
    await context.part(Hub).run()


async def hold_providers(context: ServiceContext) -> None:
    """Keep the connections to identity providers until cancelled, and close them then."""
    try:
        await asyncio.Event().wait()
    finally:
        await context.part(SignIns).close()


async def tidy(context: ServiceContext) -> None:
    """Forget what nobody can ask for any more, until cancelled."""
    while True:
        await asyncio.sleep(TIDY_EVERY_S)
        async with context.owner_transaction() as uow:
            await feed.forget(uow, uow.now - context.part(Hub).kept)
            await sessions.forget_expired(uow, uow.now - SESSIONS_KEPT)
            await keys.forget_signing_keys(uow)
            await failures.forget(uow, uow.now)
            await tickets.forget(uow, uow.now)
            await oidc.forget(uow, uow.now)
