"""A process of the mesh whose worker does what the name of an activity says.

It has its effect at the fake service each time, then ends as the world of the pure programs would; see `driving.working`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import uvloop
from weft_connectors.activity import Activities, Activity, ActivityCall, ActivityError, Done
from weft_engine.settings import Settings
from weft_engine.worker import Worker
from weft_runtime.context import ServiceContext
from weft_runtime.service import Service, run

from tests.faults import node
from tests.faults.ledger import Caller, caller
from weft import services


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
    """An activity with an effect at the fake service."""

    async def act(call: ActivityCall) -> Any:
        await effects.call(call.key)
        return behave(call)

    return act


async def work(settings: Settings, context: ServiceContext) -> None:
    """Run the pool's activities."""
    effects = await caller(int(os.environ["FAULT_LEDGER"]))
    activities = Activities({name: activity(effects, behave) for name, behave in BEHAVIOURS.items()})
    await Worker(context.bus, activities, context.clock, pool_name=settings.pool, concurrency=2000).run()


def service(kind: str) -> Service:
    """The process's service."""
    if kind == "engine":
        return node.service(kind)
    settings = Settings()
    return replace(services.worker(settings), background=(partial(work, settings),))


def main(kind: str) -> None:
    """Be a process of this kind until it is ended."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run([service(kind)], started=node.ready))
