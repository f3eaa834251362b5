"""A bad wire between the mesh and its servers: bytes that vanish in silence, a slow and broken line, frames that come twice and late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from weft_contracts import routing
from weft_runtime.bus import Binding
from weft_runtime.testing.polling import eventually

from tests.faults.mesh import NOBODY_WAITS_S, POOL, Mesh, Node, mesh_of
from tests.faults.scrambling import scrambled
from tests.faults.verdict import assert_nothing_lost_or_doubled, rows
from tests.support.cable import BACK, BOTH, Cable, cable
from tests.support.isolation import SharedStack

SHORT = {"WEFT_LEASE_S": "2.0", "WEFT_BEAT_S": "0.3", "WEFT_RESEND_S": str(NOBODY_WAITS_S)}
WITHIN_S = 90.0
STEPS = ("a", "b", "c")


@pytest.fixture
async def mesh(stack: SharedStack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mesh]:
    """A mesh with a short lease; its processes are each test's own."""
    database_url, broker_url = stack.new_database("engine"), stack.new_vhost()
    directory = tmp_path_factory.mktemp("wire")
    async with mesh_of(database_url, broker_url, directory, **SHORT) as running:
        yield running
    stack.drop_database(database_url)
    stack.drop_vhost(broker_url)


async def up(*nodes: Node) -> None:
    """Wait for all of them."""
    for node in nodes:
        await node.up()


async def owners(mesh: Mesh) -> set[UUID | None]:
    """Who owns partitions now."""
    return {row["owner"] for row in await rows(mesh, "SELECT DISTINCT owner FROM engine.partitions")}


async def shared_by(mesh: Mesh, nodes: int) -> None:
    """Wait until so many nodes share all partitions."""

    async def shared() -> bool | None:
        now = await owners(mesh)
        return True if None not in now and len(now) == nodes else None

    await eventually(shared, f"{nodes} engines owning all partitions", within_s=WITHIN_S)


async def goes_on_without(mesh: Mesh, wire: Cable, lost: frozenset[str]) -> None:
    """Let the wire of one of two engines swallow bytes in the middle of work: the other does it all; healed, both share again."""
    await shared_by(mesh, 2)
    busy = await mesh.begin("remote3", 200)
    await mesh.ended_at_least(len(mesh.asked) - 150, WITHIN_S)
    wire.swallow(lost)
    during = await mesh.begin("remote3", 100)
    await mesh.done([*busy, *during], WITHIN_S)
    assert len(await owners(mesh)) == 1, "all of it was done while the wire was broken"
    wire.heal()
    await shared_by(mesh, 2)
    await mesh.done(await mesh.begin("remote3", 100), WITHIN_S)


@pytest.mark.timeout(400)
async def test_an_engine_that_is_cut_off_in_silence_is_replaced_and_comes_back_by_itself(mesh: Mesh) -> None:
    async with cable(mesh.environment["WEFT_DATABASE_URL"]) as to_database, cable(mesh.environment["WEFT_BROKER_URL"]) as to_broker:
        # Two seconds, not fifteen, until the library takes a silent connection for dead.
        cut = mesh.spawn("engine", WEFT_DATABASE_URL=to_database.url, WEFT_BROKER_URL=f"{to_broker.url}?heartbeat=1")
        await up(mesh.spawn("worker"), mesh.spawn("engine"), cut)
        await mesh.publish_workflows()
        await goes_on_without(mesh, to_database, frozenset({BACK}))
        await goes_on_without(mesh, to_broker, BOTH)
        verdict = await assert_nothing_lost_or_doubled(mesh, dict.fromkeys(mesh.asked, STEPS))
        assert verdict.resent == 0, "no request had to be sent again by its timer"
        assert '"event":"partition_lost"' in cut.log.read_text(), "it let go of its queues"
        assert all(node.alive for node in mesh.nodes)


@pytest.mark.timeout(400)
async def test_a_line_that_is_slow_then_resets_then_falls_silent_loses_and_doubles_nothing(mesh: Mesh) -> None:
    async with cable(mesh.environment["WEFT_DATABASE_URL"]) as to_database, cable(mesh.environment["WEFT_BROKER_URL"]) as to_broker:
        broker = f"{to_broker.url}?heartbeat=1"
        await up(
            mesh.spawn("worker", WEFT_BROKER_URL=broker), mesh.spawn("engine", WEFT_DATABASE_URL=to_database.url, WEFT_BROKER_URL=broker)
        )
        await mesh.publish_workflows()
        await mesh.probe(WITHIN_S)
        for wire in (to_database, to_broker):
            wire.delay_s, wire.jitter_s, wire.piece_bytes = 0.02, 0.05, 31
        await mesh.done(await mesh.begin("remote3", 50), WITHIN_S)
        broken = await mesh.begin("remote3", 50)
        for wire in (to_database, to_broker):
            wire.cut()
            wire.delay_s, wire.jitter_s, wire.piece_bytes = 0.0, 0.0, 0
        await mesh.done(broken, WITHIN_S)
        unheard = await mesh.begin("remote3", 200)
        to_broker.fall_silent()
        await mesh.done(unheard, WITHIN_S)
        verdict = await assert_nothing_lost_or_doubled(mesh, dict.fromkeys(mesh.asked, STEPS))
        assert verdict.resent == 0, "no request had to be sent again by its timer"


@pytest.mark.timeout(400)
async def test_frames_that_come_twice_and_out_of_order_change_nothing(mesh: Mesh) -> None:
    await up(mesh.spawn("worker"), mesh.spawn("engine"))
    await mesh.publish_workflows()
    await mesh.probe(WITHIN_S)
    partitions = [routing.partition_queue(number) for number in range(routing.DEFAULT_PARTITIONS)]
    ways = [(Binding(routing.COMMANDS, queue), queue) for queue in partitions]
    ways.append((Binding(routing.WORK, routing.work_queue(POOL)), routing.work_queue(POOL)))
    async with scrambled(mesh.bus, mesh.environment["WEFT_BROKER_URL"], ways) as brought:
        napping = await mesh.begin("nap", 20)
        for _ in range(10):
            await mesh.begin("remote3", 30)
        await mesh.done(mesh.asked, WITHIN_S)
    assert brought[0] > len(partitions)
    expected = dict.fromkeys(mesh.asked, STEPS) | dict.fromkeys(napping, ("a",))
    verdict = await assert_nothing_lost_or_doubled(mesh, expected)
    assert verdict.resent == 0
    (parked,) = await rows(mesh, "SELECT count(*) AS n FROM engine.parked")
    assert parked["n"] == 0, "an answer that overtook what it answers was not set aside"
