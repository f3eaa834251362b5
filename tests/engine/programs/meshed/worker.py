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

from weft_connectors.activity import Activities, Activity, ActivityCall, ActivityError, Done
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


async def work(settings: Settings, context: ServiceContext) -> None:
    """Run the pool's activities."""
    effects = await caller(int(os.environ["FAULT_LEDGER"]))
    activities = Activities({name: activity(effects, behave) for name, behave in BEHAVIOURS.items()})
    await Worker(context.bus, activities, context.clock, pool_name=settings.pool, concurrency=2000).run()


def service() -> Service:
    """The worker."""
    settings = Settings()
    return replace(services.worker(settings), background=(partial(work, settings),))
