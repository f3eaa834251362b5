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
TRIES = 8
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


async def kinds(mesh: Mesh, execution: UUID) -> list[tuple[str, int]]:
    """What the journal tells of the activity, with the attempt."""
    query = (
        "SELECT e->>'kind' AS kind, coalesce((e->>'attempt')::int, 0) AS attempt"
        " FROM engine.journal j, json_array_elements(j.entries) e WHERE j.execution_id = $1 AND e->>'node' = 'a' ORDER BY j.position"
    )
    return [(row["kind"], row["attempt"]) for row in await rows(mesh, query, execution)]


async def comes_to(mesh: Mesh, execution: UUID, *wanted: str) -> None:
    """Wait until the journal tells one of these of the activity: a kind and an attempt."""

    async def told() -> bool | None:
        return not {f"{kind} {attempt}" for kind, attempt in await kinds(mesh, execution)}.isdisjoint(wanted) or None

    await eventually(told, f"the activity coming to {wanted}", within_s=WITHIN_S)


async def overslept(mesh: Mesh, workers: list[Node]) -> tuple[UUID, Node]:
    """An execution of whose activity a second attempt was asked for, and the worker that sleeps over the first.

    On a busy machine it may be put to sleep too late, or the first attempt be asked for twice; then another has its turn.
    """
    for _ in range(TRIES):
        (execution,) = await mesh.begin("charge-nap", 1)
        await comes_to(mesh, execution, "step.accepted 1")

        async def at_work(of: UUID = execution) -> Node | None:
            # It says so to its log after it has told the engine, perhaps.
            return next((worker for worker in workers if f"{of}:a:1 attempt 1" in worker.log.read_text()), None)

        sleeper = await eventually(at_work, "the worker saying what it has in hand", within_s=WITHIN_S)
        sleeper.signal(signal.SIGSTOP)
        await comes_to(mesh, execution, "step.scheduled 2", "step.completed 1", "step.completed 0")
        if ("step.scheduled", 2) in await kinds(mesh, execution):
            return execution, sleeper
        sleeper.signal(signal.SIGCONT)
    raise AssertionError(f"no attempt was given up in {TRIES} tries")


async def test_an_answer_of_a_former_attempt_changes_nothing(mesh: Mesh) -> None:
    answers = await mesh.bus.consume(ANSWERS.name, prefetch=100)
    workers = [mesh.spawn("worker", FAULT_LASTS_S=str(LASTS_S)) for _ in range(2)]
    for worker in workers:
        await worker.up()
    execution, sleeper = await overslept(mesh, workers)

    async def done() -> bool | None:
        return True if "step.completed" in dict(await kinds(mesh, execution)) else None

    await eventually(done, "the other worker doing a later attempt", within_s=WITHIN_S)
    before = await kinds(mesh, execution)
    sleeper.signal(signal.SIGCONT)
    late = await answered(answers, execution, attempt=1)
    assert late["outcome"] == "done"
    await mesh.done(mesh.asked, WITHIN_S)
    assert await kinds(mesh, execution) == before
    verdict = await judge(mesh, dict.fromkeys(mesh.asked, ("a",)))
    assert {kind for _, kind, _, _ in verdict.doubled} == {"step.scheduled"}, "it was asked again and completed once"
    assert (verdict.completed, verdict.missing, verdict.torn) == (len(mesh.asked), 0, [])
    assert (verdict.phantoms, verdict.unseen) == (set(), set())
    assert verdict.repeats >= 1, "both attempts had their effect at the service, under one key"
    assert all(node.alive for node in mesh.nodes)
