"""`make bench`: measure the mesh on this machine, print one table, write bench/results.json.

Load and mesh share the machine; CPU and memory are those of the mesh alone: services, worker, PostgreSQL and RabbitMQ.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

import uvloop

from bench.load import open_load
from bench.mesh import Mesh, analyse, running_mesh
from bench.recovery import recovery
from bench.tenants import fairness
from bench.workloads import FANOUTS, Result, measure, publish_workflows, runnable, saturating, single, steady

RESULTS = Path(__file__).with_name("results.json")
SERVICES = ("engine", "analytics")
WORKLOADS = (
    "idle", "remote3", "remote3_at_300", "remote3_at_900", "remote3_single", "inline3", "fanout100", "signal", "remote3_at_half",
    "fairness", "recovery",
)  # fmt: skip
"""Recovery comes last: it kills the engine."""
WARM_S = 8.0
Drive = Callable[[], Awaitable[None]]
SETTLE_S = 15.0


async def measured(mesh: Mesh, seconds: float, wanted: set[str]) -> dict[str, Result]:
    load = await open_load(mesh.broker_url)
    listening = asyncio.create_task(load.listen())
    results: dict[str, Result] = {}

    def keep(name: str, result: Result) -> None:
        results[name] = result
        print(f"{name}: {result}", flush=True)

    await asyncio.sleep(SETTLE_S)
    if "idle" in wanted:
        results["idle"] = Result(0.0, 0.0, 0.0, 0.0, mesh.memory_mib())
    await publish_workflows(load)
    await asyncio.sleep(2)
    await measure(mesh, load, WARM_S, saturating(load, "remote3"))
    await analyse(mesh.database_url)
    drives: dict[str, tuple[float, Callable[[], Drive]]] = {
        "remote3": (seconds, lambda: saturating(load, "remote3")),
        "remote3_at_300": (seconds, lambda: steady(load, "remote3", 300)),
        "remote3_at_900": (seconds, lambda: steady(load, "remote3", 900)),
        "remote3_single": (min(seconds, 15.0), lambda: single(load, "remote3")),
        "inline3": (seconds, lambda: saturating(load, "inline3")),
        "fanout100": (seconds, lambda: saturating(load, "fanout100", open_=FANOUTS)),
        "signal": (seconds, lambda: saturating(load, "signal")),
    }
    for name, (lasting, drive) in drives.items():
        if name not in wanted:
            continue
        if not runnable(name.partition("_")[0]):
            print(f"{name}: not measured, this release does not execute it", flush=True)
            continue
        keep(name, await measure(mesh, load, lasting, drive()))
    if "remote3_at_half" in wanted and "remote3" in results:
        half = results["remote3"].executions_per_s / 2
        keep("remote3_at_half", await measure(mesh, load, seconds, steady(load, "remote3", half)))
    if "fairness" in wanted:
        keep("fairness", await fairness(mesh, load, min(seconds, 20.0)))
    if "recovery" in wanted:
        keep("recovery", await recovery(mesh, load))
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await load.bus.close()
    return results


def table(results: dict[str, Result]) -> str:
    head = f"{'workload':<16}{'executions/s':>14}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms each':>13}{'peak MiB':>10}{'queue':>8}"
    lines = [
        f"{name:<16}{row.executions_per_s:>14.0f}{row.p50_ms:>9.1f}{row.p99_ms:>9.1f}{row.cpu_ms_per_execution:>13.2f}{row.peak_mib:>10.0f}"
        f"{row.queue_depth:>8}"
        for name, row in results.items()
    ]
    return "\n".join([head, *lines])


def main() -> None:
    asked = argparse.ArgumentParser(prog="bench", description=__doc__)
    asked.add_argument("--seconds", type=float, default=60.0, help="how long each workload lasts")
    asked.add_argument("--only", action="append", help="one workload; may be repeated")
    asked.add_argument("--data-dir", type=Path, default=Path(".weft-bench/mesh"))
    asked.add_argument("--services", default=",".join(SERVICES), help="services that run, each a process")
    given = asked.parse_args()
    wanted = set(given.only or WORKLOADS)
    shutil.rmtree(given.data_dir, ignore_errors=True)
    with running_mesh(given.data_dir, given.services.split(",")) as mesh, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results = runner.run(measured(mesh, given.seconds, wanted))
    print(table(results))
    if not given.only:
        RESULTS.write_text(json.dumps({name: asdict(row) for name, row in results.items()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
