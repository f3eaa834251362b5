"""kill -9 of each part in the middle of 20,000 executions of three remote steps, one after the other under the same load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.faults.conftest import Servers
from tests.faults.mesh import NOBODY_WAITS_S, Mesh, Node, mesh_of
from tests.faults.verdict import assert_nothing_lost_or_doubled

EXECUTIONS = 20_000
IN_FLIGHT, CHUNK = 1_000, 100
WITHIN_S = 120.0


async def drive(mesh: Mesh, count: int) -> None:
    """Start so many executions, a bounded number open at any time."""
    for _ in range(0, count, CHUNK):
        await mesh.at_most_open(IN_FLIGHT - CHUNK, WITHIN_S)
        await mesh.begin("remote3", CHUNK)


async def restarted(node: Node, start: Callable[[], Awaitable[Node]]) -> Node:
    """kill -9, and another in its place."""
    await node.kill()
    return await start()


@pytest.mark.timeout(600)
async def test_20_000_executions_survive_the_death_of_engine_worker_broker_and_database(
    servers: Servers, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with mesh_of(servers.postgres.url, servers.rabbitmq.url(), tmp_path, WEFT_RESEND_S=str(NOBODY_WAITS_S)) as mesh:
        engine, worker = mesh.spawn("engine"), mesh.spawn("worker")
        await engine.up()
        await worker.up()
        await mesh.publish_workflows()
        await mesh.probe(WITHIN_S)
        began = time.monotonic()
        driving = asyncio.create_task(drive(mesh, EXECUTIONS))
        back_s: dict[str, float] = {}

        await reached(mesh, EXECUTIONS * 1 // 6, driving)
        engine = await restarted(engine, lambda: mesh.start("engine"))
        back_s["engine"] = await mesh.probe(WITHIN_S)

        await reached(mesh, EXECUTIONS * 2 // 6, driving)
        worker = await restarted(worker, lambda: mesh.start("worker"))
        back_s["worker"] = await mesh.probe(WITHIN_S)

        await reached(mesh, EXECUTIONS * 3 // 6, driving)
        servers.rabbitmq.kill()
        await asyncio.to_thread(servers.rabbitmq.start)
        back_s["rabbitmq"] = await mesh.probe(WITHIN_S)

        await reached(mesh, EXECUTIONS * 4 // 6, driving)
        servers.postgres.kill()
        await asyncio.to_thread(servers.postgres.start)
        back_s["postgres"] = await mesh.probe(WITHIN_S)

        await driving
        await mesh.done(mesh.asked, WITHIN_S)
        took = time.monotonic() - began
        assert engine.alive, engine.log.read_text()[-2000:]
        assert worker.alive, worker.log.read_text()[-2000:]
        verdict = await assert_nothing_lost_or_doubled(mesh, dict.fromkeys(mesh.asked, ("a", "b", "c")))
        assert verdict.resent == 0, "no request had to be sent again by its timer"
        told = {"back_s": {part: round(seconds, 2) for part, seconds in back_s.items()}, "took_s": round(took, 1),
                "executions": len(mesh.asked), "repeated_effects": verdict.repeats}  # fmt: skip
        for name, value in told.items():
            record_property(name, value)
        print(told)


async def reached(mesh: Mesh, ended: int, driving: asyncio.Task[None]) -> None:
    """Wait until so many have ended while the load still goes on."""
    await mesh.ended_at_least(ended, WITHIN_S)
    assert not driving.done()
