"""Whether a full mesh is as fast as an empty one: `python -m bench.stored --stored 1000000 --waiting 100000 --seconds 20`.

Measures `remote3` on an empty mesh; then has so many executions wait for a signal, stores so many that have ended (copies of one that ran,
rows of its journal and of the read model included), and measures `remote3` again. Prints both rows, their ratio, and the memory of the
engine's process at the end of each.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
from pathlib import Path

import asyncpg
import psutil
import uvloop

from bench.__main__ import SERVICES, WARM_S, table
from bench.load import Load, open_load
from bench.mesh import TENANT, Mesh, analyse, running_mesh
from bench.search import fill
from bench.workloads import Result, measure, publish_workflows, saturating

CHUNK = 2_000
STEP = 50_000
WITHIN_S = 900.0
WAITING = "SELECT count(*) FROM engine.executions WHERE workflow = 'resting' AND status = 'waiting'"
COPY = """
WITH pattern AS MATERIALIZED (
    SELECT position, entries, row_number() OVER (ORDER BY position) AS row FROM engine.journal WHERE execution_id = $1
), made AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, n FROM generate_series($2::bigint, $3::bigint) AS n
), heads AS (
    INSERT INTO engine.executions (id, tenant_id, workflow, version, partition, status, ended_at)
    SELECT id, $4, 'remote3', 1, n % 8, 'completed', now() FROM made
)
INSERT INTO engine.journal (partition, seq, at, execution_id, tenant_id, position, entries)
SELECT n % 8, -(n * 100 + row), now(), made.id, $4, pattern.position, pattern.entries FROM made, pattern
"""
"""Seqs below zero, which no engine gives: what is stored was said long ago."""


async def wait_for_signals(connection: asyncpg.Connection, load: Load, count: int) -> None:
    """So many executions that wait until somebody sends a signal."""
    for first in range(0, count, CHUNK):
        await load.start("resting", min(CHUNK, count - first))
        load.begun.clear()  # they do not end
    async with asyncio.timeout(WITHIN_S):
        while True:
            if await connection.fetchval(WAITING) >= count:
                return
            await asyncio.sleep(1)


async def store(connection: asyncpg.Connection, database_url: str, count: int) -> None:
    """So many executions that have ended, in the engine and in the read model."""
    one = await connection.fetchval("SELECT id FROM engine.executions WHERE workflow = 'remote3' AND status = 'completed' LIMIT 1")
    for first in range(1, count + 1, STEP):
        await connection.execute(COPY, one, first, min(count, first + STEP - 1), TENANT)
    await fill(database_url, count)


async def compared(mesh: Mesh, seconds: float, stored: int, waiting: int) -> dict[str, Result]:
    load = await open_load(mesh.broker_url)
    listening = asyncio.create_task(load.listen())
    connection = await asyncpg.connect(mesh.database_url)
    await publish_workflows(load)
    await asyncio.sleep(2)
    await measure(mesh, load, WARM_S, saturating(load, "remote3"))
    await analyse(mesh.database_url)
    results = {"empty": await measure(mesh, load, seconds, saturating(load, "remote3"))}
    print(f"empty: the engine holds {_engine_mib(mesh):.0f} MiB", flush=True)
    await wait_for_signals(connection, load, waiting)
    await store(connection, mesh.database_url, stored)
    await connection.execute("VACUUM ANALYZE")
    print(f"{stored} stored, {waiting} waiting: the engine holds {_engine_mib(mesh):.0f} MiB", flush=True)
    await measure(mesh, load, WARM_S, saturating(load, "remote3"))
    results["full"] = await measure(mesh, load, seconds, saturating(load, "remote3"))
    print(f"full: the engine holds {_engine_mib(mesh):.0f} MiB", flush=True)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await connection.close()
    await load.bus.close()
    return results


def _engine_mib(mesh: Mesh) -> float:
    return float(psutil.Process(mesh.processes["engine"].pid).memory_full_info().uss / 2**20)


def main() -> None:
    asked = argparse.ArgumentParser(prog="bench.stored", description=__doc__)
    asked.add_argument("--stored", type=int, default=1_000_000)
    asked.add_argument("--waiting", type=int, default=100_000)
    asked.add_argument("--seconds", type=float, default=20.0)
    asked.add_argument("--data-dir", type=Path, default=Path(".weft-bench/stored"))
    given = asked.parse_args()
    shutil.rmtree(given.data_dir, ignore_errors=True)
    with running_mesh(given.data_dir, SERVICES) as mesh, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results = runner.run(compared(mesh, given.seconds, given.stored, given.waiting))
    print(table(results))
    print(f"full / empty: {results['full'].executions_per_s / results['empty'].executions_per_s:.2f}")


if __name__ == "__main__":
    main()
