"""Recovery: kill -9 of the engine that owns every live execution, beside another that takes over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from uuid import UUID

import asyncpg
from weft_contracts import routing

from bench.load import Load
from bench.mesh import Mesh
from bench.workloads import Result

LIVE = 10_000
WITHIN_S = 120.0


async def recovery(mesh: Mesh, load: Load) -> Result:
    """The row: p50 is the time to the first end of an execution that the dead process owned, p99 that to the last, both in ms."""
    await mesh.add("heir", "engine")
    victims = await _shared(mesh.database_url)
    load.reset()
    cpu, began = sum(mesh.cpu_s().values()), time.perf_counter()
    await load.start("remote3", LIVE)
    async with asyncio.timeout(WITHIN_S):
        await load.at_most(LIVE - LIVE // 20)  # in the middle of it
    used = sum(mesh.cpu_s().values()) - cpu  # what the dead process used is counted now or never
    mesh.kill("engine")
    killed, cpu = time.perf_counter(), sum(mesh.cpu_s().values())
    orphans = {execution_id for execution_id in load.begun if routing.partition_of(execution_id) in victims}
    async with asyncio.timeout(WITHIN_S):
        await load.at_most(0)
    ended = [moment for execution_id, moment in load.ended.items() if execution_id in orphans]
    took = time.perf_counter() - began
    used += sum(mesh.cpu_s().values()) - cpu
    first, last = (1000 * (moment - killed) for moment in (min(ended), max(ended)))
    return Result(LIVE / took, first, last, 1000 * used / LIVE, mesh.memory_mib())


async def _shared(database_url: str) -> Collection[int]:
    """The partitions of the first engine, once the second has its share."""
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                owners = await connection.fetch("SELECT partition, owner FROM engine.partitions WHERE owner IS NOT NULL")
                first = await connection.fetchval("SELECT id FROM engine.nodes ORDER BY id LIMIT 1")
                if len({record["owner"] for record in owners}) == 2 and len(owners) == routing.DEFAULT_PARTITIONS:
                    return _of(first, owners)
                await asyncio.sleep(0.2)
    finally:
        await connection.close()


def _of(node: UUID, owners: list[asyncpg.Record]) -> set[int]:
    """Ids of nodes rise with time, so the first is the lower one."""
    return {record["partition"] for record in owners if record["owner"] == node}
