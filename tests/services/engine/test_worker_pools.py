"""Workers of one pool share its work: another process is all that more work needs. How long activities take is measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from prometheus_client import REGISTRY
from weft_connectors.activity import Activities, ActivityCall, ActivityError
from weft_engine.worker import Worker
from weft_runtime.testing import eventually

from tests.services.engine.conftest import Engine


@asynccontextmanager
async def workers(engine: Engine, pool: str, *each: Activities) -> AsyncIterator[None]:
    """Workers of a pool, each with activities of its own and a single place."""
    bus, clock = engine.service.context.bus, engine.service.clock
    tasks = [asyncio.create_task(Worker(bus, activities, clock, pool_name=pool, concurrency=1).run()) for activities in each]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_activities_are_spread_over_the_workers_of_their_pool(engine: Engine) -> None:
    worked: set[int] = set()

    def of_worker(number: int) -> Activities:
        async def note(call: ActivityCall) -> str:
            worked.add(number)
            return call.key

        return Activities({"note": note})

    node = {"id": "note", "type": "activity", "with": {"name": "note", "queue": "shared"}}
    await engine.publish("noting", nodes=[node], output={"key": "{{ step.note.output }}"})

    async def all_worked() -> bool | None:
        execution = await engine.start("noting")
        assert (await engine.ended(execution))["output"] == {"key": f"{execution}:note:1"}
        return len(worked) == 3 or None

    async with workers(engine, "shared", *map(of_worker, range(3))):
        await eventually(all_worked, "each of three workers having done some of the work")


async def test_how_long_each_activity_takes_is_measured_by_its_outcome(engine: Engine) -> None:
    async def scan(call: ActivityCall) -> str:
        engine.service.clock.advance(timedelta(seconds=3))
        if call.input == "nothing":
            raise ActivityError("empty", "there is nothing to scan", permanent=True)
        return "scanned"

    def told(what: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(f"weft_worker_activity_seconds_{what}", labels)

    node = {"id": "scan", "type": "activity", "with": {"name": "{{ input.name }}", "input": "{{ input.what }}", "queue": "measured"}}
    await engine.publish("scanning", nodes=[node])
    async with workers(engine, "measured", Activities({"scan": scan})):
        for name, what in (("scan", "a page"), ("scan", "another"), ("scan", "nothing"), ("no such", "")):
            await engine.ended(await engine.start("scanning", input={"name": name, "what": what}))
    assert (told("count", activity="scan", outcome="completed"), told("sum", activity="scan", outcome="completed")) == (2, 6)
    assert (told("count", activity="scan", outcome="failed"), told("sum", activity="scan", outcome="failed")) == (1, 3)
    assert told("bucket", activity="scan", outcome="completed", le="2.5") == 0
    assert told("count", activity="unknown", outcome="failed") == 1
    assert told("count", activity="no such", outcome="failed") is None
