"""A worker that does not die but sleeps past its lease, and answers when another attempt has long been asked for."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from weft_contracts import routing
from weft_contracts.frames import decode_frame
from weft_runtime.bus import Binding, Consumer, QueueSpec, Topology
from weft_runtime.testing.polling import eventually

from tests.faults.mesh import Mesh, Node, mesh_of
from tests.faults.verdict import judge, rows

WITHIN_S = 90.0
LEASE_S, LASTS_S = 2.0, 5.0
ANSWERS = QueueSpec(
    "faults.answers",
    tuple(Binding(routing.COMMANDS, routing.partition_queue(number)) for number in range(routing.DEFAULT_PARTITIONS)),
)


@pytest.fixture
async def mesh(database_url: str, broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mesh]:
    """A mesh that gives up an accepted activity soon, and asks again soon, since the sleeper is sent requests too. Without a worker."""
    directory = tmp_path_factory.mktemp("late")
    async with mesh_of(database_url, broker_url, directory, WEFT_ACTIVITY_LEASE_S=str(LEASE_S), WEFT_RESEND_S="4") as running:
        await running.start("engine")
        await running.publish_workflows()
        await running.bus.declare(Topology((ANSWERS,)))
        yield running


async def answered(consumer: Consumer, execution: UUID, attempt: int) -> dict[str, Any]:
    """The answer that a partition's queue got to this attempt."""
    while True:
        deliveries = await consumer.take()
        await consumer.ack(deliveries)
        for item in (item for delivery in deliveries for item in decode_frame(delivery.body)):
            data: dict[str, Any] = msgspec.json.decode(item.data)
            if item.type == "activity.completed" and (data["execution_id"], data["attempt"]) == (str(execution), attempt):
                return data


async def test_an_answer_of_a_former_attempt_changes_nothing(mesh: Mesh) -> None:
    answers = await mesh.bus.consume(ANSWERS.name, prefetch=100)
    workers = [mesh.spawn("worker", FAULT_LASTS_S=str(LASTS_S)) for _ in range(2)]
    for worker in workers:
        await worker.up()
    (execution,) = await mesh.begin("charge-nap", 1)

    async def kinds() -> list[tuple[str, int]]:
        query = (
            "SELECT e->>'kind' AS kind, coalesce((e->>'attempt')::int, 0) AS attempt"
            " FROM engine.journal j, json_array_elements(j.entries) e WHERE j.execution_id = $1 AND e->>'node' = 'a' ORDER BY j.position"
        )
        return [(row["kind"], row["attempt"]) for row in await rows(mesh, query, execution)]

    async def accepted() -> bool | None:
        return True if ("step.accepted", 1) in await kinds() else None

    await eventually(accepted, "the worker accepting the activity", within_s=WITHIN_S)

    async def at_work() -> Node | None:
        # It says so to its log after it has told the engine, perhaps.
        return next((worker for worker in workers if "attempt 1" in worker.log.read_text()), None)

    sleeper = await eventually(at_work, "the worker saying what it has in hand", within_s=WITHIN_S)
    sleeper.signal(signal.SIGSTOP)

    async def done() -> bool | None:
        return True if "step.completed" in dict(await kinds()) else None

    await eventually(done, "the other worker doing a later attempt", within_s=WITHIN_S)
    before = await kinds()
    assert ("step.scheduled", 2) in before
    sleeper.signal(signal.SIGCONT)
    late = await answered(answers, execution, attempt=1)
    assert late["outcome"] == "done"
    await mesh.done([execution], WITHIN_S)
    assert await kinds() == before
    verdict = await judge(mesh, {execution: ("a",)})
    assert {kind for _, kind, _, _ in verdict.doubled} == {"step.scheduled"}, "it was asked again and completed once"
    assert (verdict.completed, verdict.missing, verdict.torn, verdict.phantoms, verdict.unseen) == (1, 0, [], set(), set())
    assert verdict.repeats >= 1, "both attempts had their effect at the service, under one key"
    assert all(node.alive for node in mesh.nodes)
