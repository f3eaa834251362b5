"""How many facts a second analytics takes in, alone on one connection: `python -m bench.analytics_ingest`.

Each execution says two facts, the start and the end, in frames as the engine sends them. Three mixes: both in one batch, the ends a
frame later than the starts, and a long-lived backlog whose ends come when the table is large. Prints a table; CPU is of this process.
Each end tells of `WEFT_BENCH_STEPS` nodes, three by default, 0 as an earlier release says it; at the end is told what adding that to the
numbers took.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from weft.stack.shared import Membership
from weft_analytics.app import build
from weft_analytics.usecases import walks
from weft_contracts import catalog
from weft_contracts.executions import ExecutionCompleted, ExecutionStarted
from weft_contracts.frames import encode_frame
from weft_contracts.message import Message
from weft_contracts.walks import shortened
from weft_runtime.clock import new_id
from weft_runtime.pipeline.reading import Origin
from weft_runtime.testing import RunningService, running_service

from tests.support.isolation import data_dir, local_stack

EXECUTIONS = int(os.environ.get("WEFT_BENCH_EXECUTIONS", "20000"))
STEPS = int(os.environ.get("WEFT_BENCH_STEPS", "3"))
FRAME = 500
ORIGIN = Origin("analytics.inbox")


def said(count: int) -> list[tuple[Message, Message]]:
    """The two facts of `count` executions, of twenty workflows, over a quarter of an hour."""
    began = datetime.now(UTC) - timedelta(minutes=15)
    pairs: list[tuple[Message, Message]] = []
    for number in range(count):
        at = began + timedelta(seconds=900 * number / count)
        same = {"execution_id": uuid4(), "workflow": f"workflow-{number % 20}", "workflow_version": 1}
        begin = {"trigger_type": "event", "trigger_id": "created", "event_id": str(number), "labels": {"team": f"t{number % 5}"}}
        took_ms = 5 + number % 400
        walk: dict[str, object] = {}
        if STEPS:
            walk = {"walk": shortened([(f"step_{place}", took_ms // STEPS, 0) for place in range(STEPS)])}
        start = ExecutionStarted(**same, position=1, at=at, **begin)
        end = ExecutionCompleted(
            **same, position=9, at=at + timedelta(milliseconds=took_ms), started_at=at, duration_ms=took_ms, **begin, **walk
        )
        pairs.append((start, end))
    return pairs


def frames(words: list[Message]) -> Iterator[bytes]:
    """The words in frames."""
    for start in range(0, len(words), FRAME):
        chunk = words[start : start + FRAME]
        yield encode_frame([catalog.pack(word, id=str(new_id()), source="weft/engine", tenant="bench") for word in chunk])


async def measure(service: RunningService, name: str, words: list[Message]) -> None:
    """Take the words in and print how fast that went."""
    bodies = list(frames(words))
    pipeline = service.host.pipeline
    assert pipeline is not None
    wall, cpu = time.perf_counter(), time.process_time()
    for body in bodies:
        await pipeline.hear_frame(ORIGIN, body)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rate = len(words) / wall
    print(f"{name:<34} {rate:>10.0f} facts/s {rate / 2:>9.0f} executions/s {1e6 * cpu / len(words):>7.1f} us CPU a fact")


async def fold(service: RunningService) -> None:
    """Add what was heard of nodes and ways to the numbers, beside the service's own loop, and print how long that took."""
    wall, cpu = time.perf_counter(), time.process_time()
    added = 0
    while some := await _fold(service):
        added += some
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{'numbers of nodes and ways':<34} {added:>10} pieces {1000 * wall:>8.0f} ms, {1000 * cpu:.0f} ms CPU of this process")


async def _fold(service: RunningService) -> int:
    async with service.context.owner_transaction() as uow:
        return await walks.fold(uow)


async def main() -> None:
    """Measure the three mixes on a fresh database of the shared stack."""
    member = Membership(data_dir())
    stack = local_stack(member)
    url = stack.new_database()
    try:
        async with running_service(build, url) as service:
            await measure(service, "start and end together", [word for pair in said(EXECUTIONS) for word in pair])
            near = said(EXECUTIONS)
            waves = [near[start : start + FRAME] for start in range(0, len(near), FRAME)]
            await measure(service, "ends a frame later", [pair[side] for wave in waves for side in (0, 1) for pair in wave])
            far = said(EXECUTIONS)
            await measure(service, "starts of a backlog", [start for start, _ in far])
            await measure(service, "ends of the backlog", [end for _, end in far])
            await fold(service)
    finally:
        stack.drop_database(url)
        stack.close()
        member.leave()


if __name__ == "__main__":
    asyncio.run(main())
