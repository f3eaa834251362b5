"""Owners that sleep past their lease, die with executions alive, or come back: nothing of an old epoch is written."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from weft_runtime.testing.polling import eventually

from tests.faults.mesh import NOBODY_WAITS_S, Mesh, mesh_of
from tests.faults.verdict import assert_nothing_lost_or_doubled, rows
from tests.support.isolation import SharedStack

SHORT = {"WEFT_LEASE_S": "2.0", "WEFT_BEAT_S": "0.3", "WEFT_RESEND_S": str(NOBODY_WAITS_S)}
WITHIN_S = 90.0
STEPS = {"remote3": ("a", "b", "c"), "nap": ("a",)}


@pytest.fixture
async def mesh(stack: SharedStack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mesh]:
    """A mesh with a worker and a short lease; the engines are each test's own.

    So are the database and the vhost: what a killed worker had not acknowledged comes again, and would come to the next test's.
    """
    database_url, broker_url = stack.new_database("engine"), stack.new_vhost()
    directory = tmp_path_factory.mktemp("owners")
    async with mesh_of(database_url, broker_url, directory, **SHORT) as running:
        running.spawn("worker")
        yield running
    stack.drop_database(database_url)
    stack.drop_vhost(broker_url)


async def owners(mesh: Mesh) -> set[UUID]:
    """The nodes that own partitions now."""
    return {row["owner"] for row in await rows(mesh, "SELECT DISTINCT owner FROM engine.partitions")}


async def test_a_zombie_that_wakes_after_its_lease_writes_nothing(mesh: Mesh) -> None:
    zombie, heir = mesh.spawn("engine"), mesh.spawn("engine")
    for node in mesh.nodes:
        await node.up()
    await mesh.publish_workflows()
    await mesh.probe(WITHIN_S)

    async def shared() -> set[UUID] | None:
        both = await owners(mesh)
        return both if len(both) == 2 and None not in both else None

    before = await eventually(shared, "both engines owning partitions")
    napping = await mesh.begin("nap", 200)
    busy = await mesh.begin("remote3", 400)
    await mesh.ended_at_least(50, WITHIN_S)

    async def asleep_as_owner() -> list[Any] | None:
        # On a busy machine it may have lost all it had just before; then it is woken, and takes its share again.
        zombie.signal(signal.SIGSTOP)
        found = await rows(mesh, "SELECT partition, epoch, owner FROM engine.partitions")
        if {row["owner"] for row in found} == before:
            return found
        zombie.signal(signal.SIGCONT)
        return None

    epochs = await eventually(asleep_as_owner, "the zombie sleeping while it owns partitions")

    async def taken_over() -> set[UUID] | None:
        now = await owners(mesh)
        return now if len(now) == 1 and now < before else None

    (survivor,) = await eventually(taken_over, "the heir owning every partition")
    moved = {row["partition"]: row["epoch"] for row in epochs if row["owner"] != survivor}
    naps_over = "SELECT count(*) AS n FROM engine.executions WHERE id = ANY($1) AND wake_at < now() - interval '1 second'"

    async def none_overdue() -> bool | None:
        return True if (await rows(mesh, naps_over, napping))[0]["n"] == 0 else None

    await eventually(none_overdue, "the heir ending the naps of the zombie's executions")
    zombie.signal(signal.SIGCONT)
    late = await mesh.begin("remote3", 400)
    await mesh.done([*napping, *busy, *late], WITHIN_S)
    expected = dict.fromkeys(mesh.asked, STEPS["remote3"]) | dict.fromkeys(napping, STEPS["nap"])
    verdict = await assert_nothing_lost_or_doubled(mesh, expected)
    assert verdict.resent == 0, "nothing that the zombie was given was acked by it and lost"
    after = {row["partition"]: row["epoch"] for row in await rows(mesh, "SELECT partition, epoch FROM engine.partitions")}
    assert moved
    assert all(after[partition] > epoch for partition, epoch in moved.items())

    async def told() -> bool | None:
        # It has just woken: the others may have done everything before it has looked around.
        return '"event":"partition_lost"' in zombie.log.read_text() or None

    await eventually(told, "the zombie being told that its batch was refused")
    assert zombie.alive
    assert heir.alive


async def test_what_was_committed_and_not_said_is_said_by_the_next_owner(mesh: Mesh) -> None:
    engine = await mesh.start("engine", FAULT_AT="after_commit", FAULT_AFTER="0")
    await mesh.nodes[0].up()
    await mesh.publish_workflows()
    ids = await mesh.begin("remote3", 20)
    await engine.died()
    committed = await rows(mesh, "SELECT DISTINCT execution_id FROM engine.journal")
    assert committed, "the first batch was written"
    assert not mesh.ledger.calls, "and nothing of it was said"
    await mesh.start("engine")
    await mesh.done(ids, WITHIN_S)
    verdict = await assert_nothing_lost_or_doubled(mesh, dict.fromkeys(ids, STEPS["remote3"]))
    assert verdict.resent == 0, "it was the next owner, and not the timer of a request"
