"""A node that dies, as by kill -9, at each point between two durable things."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from weft_contracts import routing
from weft_contracts.frames import encode_frame
from weft_runtime.bus import OutFrame
from weft_runtime.clock import new_id
from weft_runtime.testing.polling import eventually

from tests.faults.mesh import UP_WITHIN_S, Mesh, mesh_of, start_item
from tests.faults.verdict import assert_nothing_lost_or_doubled, rows

EXECUTIONS = 200
STEPS = ("a", "b", "c")
WITHIN_S = 90.0


@pytest.fixture(scope="module")
async def mesh(database_url: str, broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mesh]:
    """A mesh whose workflows are known; the processes are each test's own."""
    directory: Path = tmp_path_factory.mktemp("crash-points")
    async with mesh_of(database_url, broker_url, directory) as running:
        await running.start("engine")
        await running.publish_workflows()
        await running.start("worker")
        await running.probe(WITHIN_S)
        for node in running.nodes:
            await node.kill()
        await running.at_most_open(0)
        yield running


@pytest.mark.parametrize(
    ("kind", "point", "after"),
    [
        ("engine", "before_commit", 3),
        ("engine", "after_commit", 3),
        ("engine", "before_ack", 3),
        ("engine", "after_publish", 3),
        ("worker", "before_effect", 50),
        ("worker", "after_effect", 50),
        ("worker", "before_answer_ack", 3),
    ],
)
async def test_nothing_is_lost_or_doubled_when_a_node_dies(mesh: Mesh, kind: str, point: str, after: int) -> None:
    other = mesh.spawn("worker" if kind == "engine" else "engine")
    victim = await mesh.start(kind, FAULT_AT=point, FAULT_AFTER=str(after))
    await other.up()
    ids = await mesh.begin("remote3", EXECUTIONS)
    await victim.died()
    heir = await mesh.start(kind)
    await mesh.done(ids, WITHIN_S)
    assert other.alive
    await assert_nothing_lost_or_doubled(mesh, dict.fromkeys(mesh.asked, STEPS))
    for node in (other, heir):
        await node.kill()


async def test_a_commit_whose_answer_is_lost_is_not_done_twice(mesh: Mesh) -> None:
    engine = mesh.spawn("engine", FAULT_AT="commit_in_doubt", FAULT_AFTER="3")
    worker = await mesh.start("worker")
    await engine.up()
    ids = await mesh.begin("remote3", EXECUTIONS)
    await mesh.done(ids, WITHIN_S)
    assert "the answer to a commit that was done is lost" in engine.log.read_text()
    await assert_nothing_lost_or_doubled(mesh, dict.fromkeys(mesh.asked, STEPS))
    for node in (engine, worker):
        await node.kill()


async def test_a_partition_that_was_claimed_and_never_served_is_served_by_another(mesh: Mesh) -> None:
    worker = await mesh.start("worker")
    before = await epochs(mesh)
    victim = mesh.spawn("engine", FAULT_AT="after_claim", FAULT_AFTER="3")
    await victim.died(UP_WITHIN_S)
    claimed = {partition: epoch for partition, epoch in (await epochs(mesh)).items() if epoch > before[partition]}
    assert len(claimed) == 4, "three were served and one was only claimed when it died"
    ids = await mesh.begin("remote3", EXECUTIONS)
    heir = await mesh.start("engine")
    await mesh.done(ids, WITHIN_S)
    after = await epochs(mesh)
    assert [partition for partition, epoch in claimed.items() if after[partition] <= epoch] == []
    await assert_nothing_lost_or_doubled(mesh, dict.fromkeys(mesh.asked, STEPS))
    for node in (worker, heir):
        await node.kill()


async def epochs(mesh: Mesh) -> dict[int, int]:
    """The epoch of each partition."""
    return {row["partition"]: row["epoch"] for row in await rows(mesh, "SELECT partition, epoch FROM engine.partitions")}


@pytest.mark.parametrize("point", ["before_parking", "after_parking"])
async def test_an_item_that_no_partition_can_use_is_parked_once_when_its_owner_dies_over_it(mesh: Mesh, point: str) -> None:
    worker = await mesh.start("worker")
    victim = await mesh.start("engine", FAULT_AT=point)
    ids = await mesh.begin("remote3", 20)
    bad = msgspec.structs.replace(start_item(new_id(), "remote3"), type="execution.explode")
    queue = routing.partition_queue(routing.partition_of(UUID(bad.id)))
    await mesh.send([OutFrame(routing.COMMANDS, queue, encode_frame([bad]))])
    await victim.died()
    heir = await mesh.start("engine")

    async def parked() -> list[Any] | None:
        return await rows(mesh, "SELECT code, queue, status FROM engine.parked WHERE message_id = $1", bad.id) or None

    await eventually(parked, "the item being parked", within_s=WITHIN_S)
    ids += await mesh.begin("remote3", 20)
    await mesh.done(ids, WITHIN_S)
    await nothing_left(mesh, queue, "engine.dead")
    assert [tuple(row) for row in await parked() or ()] == [("unknown_type", queue, "parked")]
    await assert_nothing_lost_or_doubled(mesh, dict.fromkeys(mesh.asked, STEPS))
    for node in (worker, heir):
        await node.kill()


async def nothing_left(mesh: Mesh, *queues: str) -> None:
    """Wait until these queues have given out all they had."""

    async def empty() -> bool | None:
        return True if not sum([await mesh.bus.depth(queue) for queue in queues]) else None

    await eventually(empty, "the queues being empty", within_s=WITHIN_S)
