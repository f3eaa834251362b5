"""What is measured: the workflows and the ways of loading them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from weft_contracts import catalog, routing
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.frames import encode_frame
from weft_language.capabilities import is_executable
from weft_runtime.bus import OutFrame
from weft_runtime.clock import new_id

from bench.load import Load, percentile
from bench.mesh import POOL, Mesh

IN_FLIGHT = 1_000
FANOUTS = 20
"""Executions of `fanout100` open at once: 2,000 remote steps."""


def _activity(node: str, given: str = "input.amount") -> dict[str, Any]:
    return {"id": node, "type": "activity", "with": {"name": "echo", "input": f"{{{{ {given} }}}}", "queue": POOL}}


def _set(node: str, before: str) -> dict[str, Any]:
    return {"id": node, "type": "set", "with": {node: f"{{{{ {before} + 1 }}}}"}}


WORKFLOWS: dict[str, dict[str, Any]] = {
    "remote3": {"nodes": [_activity("a"), _activity("b"), _activity("c")], "output": {"amount": "{{ step.c.output }}"}},
    "fanout100": {
        "nodes": [
            {
                "id": "all",
                "type": "foreach",
                "with": {"items": "{{ input.items }}", "as": "item", "concurrency": 100, "body": {"nodes": [_activity("a", "item")]}},
            }
        ]
    },
    "resting": {"nodes": [{"id": "rest", "type": "state", "with": {"signals": {"go": {}}}}], "edges": []},
    "signal": {"nodes": [{"id": "rest", "type": "state", "with": {"signals": {"go": {}}}}], "edges": []},
    "inline3": {"nodes": [_set("a", "input.amount"), _set("b", "vars.a"), _set("c", "vars.b")], "output": {"amount": "{{ vars.c }}"}},
}


@dataclass
class Result:
    """One row of the table. Rates per second, times in ms, memory in MiB."""

    executions_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms_per_execution: float
    peak_mib: float
    queue_depth: int = 0
    cpu_by_part: dict[str, float] | None = None


def runnable(workflow: str) -> bool:
    """Whether this release executes every node of it."""
    return all(is_executable(node["type"]) for node in WORKFLOWS[workflow]["nodes"])


async def publish_workflows(load: Load) -> None:
    """Let the engine hear of the workflows that it executes."""
    for slug, body in WORKFLOWS.items():
        if not runnable(slug):
            continue
        document = {"format": "weft/v1", "slug": slug, "name": slug, **body}
        word = WorkflowChanged(slug=slug, name=slug, revision=1, status="active", active_version=1, definition=document)
        item = catalog.pack(word, id=str(new_id()), source="bench", tenant=load.tenant)
        await load.bus.publish([OutFrame(routing.EVENTS, routing.event_key(load.tenant, item.type), encode_frame([item]))])


async def measure(mesh: Mesh, load: Load, seconds: float, drive: Callable[[], Awaitable[None]], *, drain_s: float = 60.0) -> Result:
    """Drive a load for some seconds, warm, and measure what the mesh took for it. drain_s: what is left at the end must end within."""
    load.reset()
    peak, depth = [0.0], [0]
    sampling = asyncio.create_task(_sample(mesh, load, peak, depth))
    before, began = mesh.cpu_s(), time.perf_counter()
    driving = asyncio.create_task(_repeat(drive))
    await asyncio.sleep(seconds)
    done, took = len(load.latencies), time.perf_counter() - began
    after = mesh.cpu_s()
    driving.cancel()
    sampling.cancel()
    await asyncio.gather(driving, sampling, return_exceptions=True)
    async with asyncio.timeout(drain_s):
        await load.at_most(0)
    if load.failed:
        raise SystemExit(f"{load.failed} executions failed; nothing was measured")
    used = {part: (after[part] - before.get(part, 0.0)) * 1000 / max(1, done) for part in after}
    ordered = sorted(load.latencies[:done])
    return Result(
        done / took, percentile(ordered, 0.5), percentile(ordered, 0.99), sum(used.values()), peak[0], depth[0],
        {part: round(ms, 3) for part, ms in sorted(used.items())},
    )  # fmt: skip


async def _repeat(drive: Callable[[], Awaitable[None]]) -> None:
    while True:
        await drive()


async def _sample(mesh: Mesh, load: Load, peak: list[float], depth: list[int]) -> None:
    queues = [routing.partition_queue(number) for number in range(routing.DEFAULT_PARTITIONS)] + [routing.work_queue(POOL)]
    while True:
        peak[0] = max(peak[0], await asyncio.to_thread(mesh.memory_mib))
        depth[0] = max(depth[0], sum([await load.bus.depth(queue) for queue in queues]))
        await asyncio.sleep(2)


def saturating(load: Load, workflow: str, *, open_: int = IN_FLIGHT) -> Callable[[], Awaitable[None]]:
    """As many as the mesh can take: always so many open."""
    chunk = max(1, open_ // 10)

    async def drive() -> None:
        await load.at_most(open_ - chunk)
        await load.start(workflow, chunk)

    return drive


def steady(load: Load, workflow: str, per_s: float) -> Callable[[], Awaitable[None]]:
    """So many a second, whatever the mesh does, evenly."""
    share = 0.01
    due = time.perf_counter()
    owed = 0.0

    async def drive() -> None:
        nonlocal due, owed
        due += share
        owed += per_s * share
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        now, owed = int(owed), owed % 1
        await load.start(workflow, now)

    return drive


def single(load: Load, workflow: str) -> Callable[[], Awaitable[None]]:
    """One at a time."""

    async def drive() -> None:
        await load.start(workflow, 1)
        await load.at_most(0)

    return drive
