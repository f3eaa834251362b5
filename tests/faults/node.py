"""One process of the mesh under fault, an engine or a worker.

FAULT_READY: a file touched when its doors are open.  FAULT_LEDGER: the port of the fake service.
FAULT_AT, FAULT_AFTER: a crash point of `tests.faults.crash_points`, and how often it is passed before.
FAULT_LASTS_S: how long a worker's activity goes on after its effect; its log then says which attempts it took.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
from weft.rooms import room
from weft_connectors.activity import Activities, ActivityCall
from weft_engine.settings import Settings
from weft_engine.worker import Worker
from weft_runtime.context import ServiceContext
from weft_runtime.service import Service, run

from tests.faults import crash_points
from tests.faults.dying import passing
from tests.faults.ledger import caller
from weft import services

BEFORE_READY = frozenset({"after_claim"})
"""Crash points that a node passes while it starts."""


async def work(settings: Settings, context: ServiceContext) -> None:
    """Run the pool's activities: one, which has its effect at the fake service."""
    effects, lasts_s = await caller(int(os.environ["FAULT_LEDGER"])), float(os.environ.get("FAULT_LASTS_S", "0"))

    async def charge(call: ActivityCall) -> Any:
        passing("before_effect")
        await effects.call(call.key)
        passing("after_effect")
        if lasts_s:
            print(f"{call.key} attempt {call.attempt}", flush=True)
            await asyncio.sleep(lasts_s)
        return call.input

    await Worker(context.bus, Activities({"charge": charge}), context.clock, pool_name=settings.pool, concurrency=2000).run()


def service(kind: str) -> Service:
    """The process's service."""
    if kind == "engine":
        return services.build(room("engine"), services.settings(room("engine")))
    settings = Settings()
    return replace(services.worker(settings), background=(partial(work, settings),))


def ready(_: Sequence[Any], __: dict[str, int]) -> None:
    """Tell who started us. From now on SIGUSR1 has the node write what each of its tasks waits for, and crash points are counted:

    before, it may handle again what a node that was killed had not acked yet.
    """
    if os.environ.get("FAULT_AT") not in BEFORE_READY:
        arm()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, show_tasks)
    Path(os.environ["FAULT_READY"]).touch()


def show_tasks() -> None:
    """Where every task stands, to the log."""
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)
    sys.stderr.flush()


def arm() -> None:
    """Count crash points from now on."""
    crash_points.arm(os.environ.get("FAULT_AT", ""), int(os.environ.get("FAULT_AFTER", "0")))


def main(kind: str) -> None:
    """Be a process of this kind until it is ended."""
    if os.environ.get("FAULT_AT") in BEFORE_READY:
        arm()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run([service(kind)], started=ready))
