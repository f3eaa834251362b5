"""A worker of the mesh that does what the name of an activity says.

It has its effect at the fake service each time, then ends as the world of the pure programs would; see `driving.working`.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from zlib import crc32

from weft_connectors.activity import Activities, Activity, ActivityCall, ActivityError, Done
from weft_engine.core.asking import CONNECTOR_QUEUE
from weft_engine.settings import Settings
from weft_engine.worker import Worker
from weft_runtime.context import ServiceContext
from weft_runtime.service import Service

from tests.faults.ledger import Caller, caller
from weft import services

LASTS_S = 0.05
"""Before its effect and after it, at most."""


def done(call: ActivityCall) -> Any:
    """What an activity of generated programs gives."""
    return {"v": f"{call.node}#{call.visit}"}


def flaky(call: ActivityCall) -> Any:
    """Fails twice, then is done."""
    if call.attempt < 3:
        raise ActivityError("busy", "busy")
    return done(call)


def broken(call: ActivityCall) -> Any:
    """Fails for good."""
    raise ActivityError("broken", "broken", permanent=True)


def worn(call: ActivityCall) -> Any:
    """Fails each time."""
    raise ActivityError("busy", "busy")


def odd(call: ActivityCall) -> Any:
    """Ends with another outcome."""
    return Done(done(call), "odd")


BEHAVIOURS: dict[str, Callable[[ActivityCall], Any]] = {"ok": done, "flaky": flaky, "broken": broken, "worn": worn, "odd": odd}


def activity(effects: Caller, behave: Callable[[ActivityCall], Any]) -> Activity:
    """An activity with an effect at the fake service. It lasts for a moment, so that its worker may die over it."""

    async def act(call: ActivityCall) -> Any:
        await asyncio.sleep(random.random() * LASTS_S)
        await effects.call(call.key)
        await asyncio.sleep(random.random() * LASTS_S)
        return behave(call)

    return act


async def model(call: ActivityCall) -> Any:
    """A model: it gives the same whenever it is asked again. Some of it does not do, and sometimes it refuses."""
    await asyncio.sleep(random.random() * LASTS_S)
    number = crc32(call.key.encode())
    wanted = next(iter(call.input.get("schema", {}).get("properties", ())), None)
    if number % 7 == 0:
        raise ActivityError("ai_refused", "no", permanent=True)
    results: tuple[Any, ...] = ({"model": number % 9}, number % 2 == 0, [number % 9], {"a": number % 9}, "nowhere")
    if wanted is not None:
        given = {"items": [7, 8, 9][: number % 4], "input": {"n": number % 5, "items": [1]}}.get(wanted, number % 9)
        results = ({wanted: given}, {wanted: given}, {"else": 1})
    return {"result": results[number % len(results)], "usage": {"cost": 0.01}}


async def work(settings: Settings, context: ServiceContext) -> None:
    """Run the pool's activities, and in the pool of connectors' actions what models are asked."""
    effects = await caller(int(os.environ["FAULT_LEDGER"]))
    activities = Activities({name: activity(effects, behave) for name, behave in BEHAVIOURS.items()})
    models = Activities({"ai.generate": model})
    async with asyncio.TaskGroup() as group:
        group.create_task(Worker(context.bus, activities, context.clock, pool_name=settings.pool, concurrency=2000).run())
        group.create_task(Worker(context.bus, models, context.clock, pool_name=CONNECTOR_QUEUE).run())


def service() -> Service:
    """The worker."""
    settings = Settings()
    return replace(services.worker(settings), background=(partial(work, settings),))
