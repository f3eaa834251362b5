"""The engine, wired."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from weft_connectors.activity import Activities
from weft_runtime.bus.topology import partitions as partition_topology
from weft_runtime.context import ServiceContext
from weft_runtime.pipeline.words import Outgoing
from weft_runtime.sealing import Envelope
from weft_runtime.service import Service

from weft_engine import api, campaigns, handlers, tables
from weft_engine.admitting import Gatekeeper
from weft_engine.budgets import accounts
from weft_engine.bulk.running import BULK, BulkWake
from weft_engine.connections.opening import Opening
from weft_engine.forgetting import forget_executions
from weft_engine.hotloop.lane import Lane
from weft_engine.hotloop.programs import Programs
from weft_engine.journal import WordRow, connector, forget_blobs, prune_answers
from weft_engine.moving.running import MIGRATIONS, MigrationWake
from weft_engine.partitions import Node
from weft_engine.programs import ProgramCache
from weft_engine.settings import Settings
from weft_engine.worker import Worker

TIDY_EVERY_S = 900.0


def build(settings: Settings) -> Service:
    """The engine: its doors, and the hot loop over the partitions this process comes to own."""
    return Service(
        name="engine",
        package="weft_engine",
        settings=settings,
        door=api.door,
        handlers=handlers.on,
        tables=tables.metadata,
        startup=(prepare,),
        background=(
            partial(run_partitions, settings),
            keep_gates,
            partial(tidy, settings),
            partial(campaigns.run, BULK),
            partial(campaigns.run, MIGRATIONS),
        ),
    )


async def prepare(context: ServiceContext) -> None:
    """What the doors need before they open."""
    envelope = Envelope(*context.settings.secrets)
    context.attach(ProgramCache(), BulkWake(), MigrationWake(), Gatekeeper(), envelope)
    await context.bus.declare(partition_topology(context.settings.partitions))


async def run_partitions(settings: Settings, context: ServiceContext) -> None:
    """Own partitions and run their executions, until cancelled."""
    opened = connector(settings.database_url.get_secret_value())
    programs = Programs(context.part(ProgramCache))
    gates = context.part(Gatekeeper).call

    async def outbox(words: Sequence[WordRow]) -> None:
        await context.mouth.send([Outgoing(*word) for word in words])

    lanes = [Lane(context.bus, opened, context.clock, settings, programs, gates, outbox) for _ in range(settings.lanes)]
    node = Node(opened, lanes, context.bus, context.clock, settings)
    async with asyncio.TaskGroup() as group:
        loops = [group.create_task(lane.run()) for lane in lanes]
        try:
            await node.run()
        finally:
            for loop in loops:
                loop.cancel()


async def keep_gates(context: ServiceContext) -> None:
    """Let executions begin whose number is bounded, until cancelled."""
    await context.part(Gatekeeper).run(context)


async def tidy(settings: Settings, context: ServiceContext) -> None:
    """Forget what is no longer needed, now and then, until cancelled."""
    opened = connector(settings.database_url.get_secret_value())
    while True:
        await forget_executions(context)
        with context.sparing("closing the accounts of models"):
            await accounts.settle_expired(context)
            await accounts.forget(context)
        connection = await opened()
        try:
            await prune_answers(connection)
            while await forget_blobs(connection):
                pass  # there may be more than one look takes
        finally:
            await connection.close()
        await asyncio.sleep(TIDY_EVERY_S)


async def run_worker(settings: Settings, context: ServiceContext) -> None:
    """Run activities of `settings.pool`, until cancelled."""
    activities = Activities.installed(
        allow_private_addresses=settings.allow_private_addresses,
        connections=Opening(context),
        accounts=accounts.BudgetAccounts(context),
    )
    worker = Worker(context.bus, activities, context.clock, pool_name=settings.pool, concurrency=settings.worker_concurrency)
    try:
        await worker.run()
    finally:
        await activities.aclose()
