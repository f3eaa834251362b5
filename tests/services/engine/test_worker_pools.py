"""Workers of one pool share its work: another process is all that more work needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from weft_connectors.activity import Activities, ActivityCall
from weft_engine.worker import Worker

from tests.services.engine.conftest import Engine

WITHIN_S = 60.0


@asynccontextmanager
async def workers(engine: Engine, pool: str, count: int, activities: Activities) -> AsyncIterator[None]:
    """So many workers of a pool, each with a single place."""
    bus, clock = engine.service.context.bus, engine.service.clock
    tasks = [asyncio.create_task(Worker(bus, activities, clock, pool_name=pool, concurrency=1).run()) for _ in range(count)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_activities_are_spread_over_the_workers_of_their_pool(engine: Engine) -> None:
    together = asyncio.Barrier(3)

    async def meet(call: ActivityCall) -> str:
        async with asyncio.timeout(WITHIN_S):
            await together.wait()  # each worker has one place: only three of them can be here at once
        return call.key

    node = {"id": "meet", "type": "activity", "with": {"name": "meet", "queue": "shared"}}
    await engine.publish("meeting", nodes=[node], output={"key": "{{ step.meet.output }}"})
    async with workers(engine, "shared", 3, Activities({"meet": meet})):
        ids = [await engine.start("meeting") for _ in range(3)]
        ended = [await engine.ended(execution) for execution in ids]
    assert [one["output"] for one in ended] == [{"key": f"{execution}:meet:1"} for execution in ids]
