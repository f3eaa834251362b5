"""A node that dies, as by kill -9, at each point between two durable things."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.mesh import Mesh, mesh_of
from tests.faults.verdict import assert_nothing_lost_or_doubled

EXECUTIONS = 200
STEPS = ("a", "b", "c")
WITHIN_S = 30.0


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
