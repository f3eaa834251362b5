"""One process of the measured mesh: `python -m bench.node service engine` or `python -m bench.node worker worker`."""

from __future__ import annotations

import asyncio
import os
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

from bench.sampling import sampled
from weft import services


async def echo(call: ActivityCall) -> Any:
    """The remote work: none, so that the mesh is what is measured."""
    return call.input


async def work(settings: Settings, context: ServiceContext) -> None:
    await Worker(context.bus, Activities({"echo": echo}), context.clock, pool_name=settings.pool, concurrency=2000).run()


def service(kind: str, name: str) -> Service:
    if kind == "service":
        return services.build(room(name), services.settings(room(name)))
    settings = Settings()
    return replace(services.worker(settings), background=(partial(work, settings),))


def ready(hosts: Sequence[Any], ports: dict[str, int]) -> None:
    Path(os.environ["BENCH_READY"]).touch()


if __name__ == "__main__":
    with (
        sampled(os.environ.get("BENCH_SAMPLES"), sys.argv[2]),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(run([service(sys.argv[1], sys.argv[2])], started=ready))
