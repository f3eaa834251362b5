"""Poison on every queue of the engine and its workers: each piece is parked with its code, its neighbours go through, nothing stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import encode_frame
from weft_runtime.bus import OutFrame
from weft_runtime.clock import new_id
from weft_runtime.testing.polling import eventually

from tests.faults.mesh import POOL, TENANT, Mesh, mesh_of, start_item
from tests.faults.verdict import assert_nothing_lost_or_doubled, rows

WITHIN_S = 90.0
WORK = routing.work_queue(POOL)
NESTED = (
    b'[{"specversion": "1.0", "id": "deep", "source": "poison", "type": "execution.start", "data": ' + b"[" * 50_000 + b"]" * 50_000 + b"}]"
)
GARBAGE = {b"\x00\xff no frame": "not_a_frame", b'[{"id": 1}]': "not_a_cloudevent", b"": "not_a_frame", NESTED: "not_a_frame"}


@pytest.fixture(scope="module")
async def mesh(database_url: str, broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mesh]:
    """A running mesh."""
    async with mesh_of(database_url, broker_url, tmp_path_factory.mktemp("poison")) as running:
        running.spawn("worker")
        await running.start("engine")
        await running.nodes[0].up()
        await running.publish_workflows()
        await running.probe(WITHIN_S)
        yield running


def item(type_: str, data: Any, *, version: int = 1, tenant: str | None = TENANT, **envelope: Any) -> Item:
    """An item of our own making."""
    return Item(
        id=str(new_id()), source="poison", type=type_, tenantid=tenant, dataschema=schema_of(type_, version),
        data=msgspec.Raw(msgspec.json.encode(data)), **envelope,
    )  # fmt: skip


async def parked(mesh: Mesh, queue: str, count: int) -> Counter[str]:
    """The codes under which pieces from a queue are parked, once there are so many."""

    async def codes() -> list[str] | None:
        found = [row["code"] for row in await rows(mesh, "SELECT code FROM engine.parked WHERE queue = $1 AND status = 'parked'", queue)]
        return found if len(found) >= count else None

    return Counter(await eventually(codes, f"{count} pieces of {queue} being parked", within_s=WITHIN_S))


async def goes_on(mesh: Mesh, ids: list[UUID]) -> None:
    """The neighbours of the poison end well, and so does what comes after; no process died."""
    await mesh.done([*ids, *await mesh.begin("remote3", 5)], WITHIN_S)
    assert all(node.alive for node in mesh.nodes)


async def test_a_partition_parks_what_it_cannot_use_and_goes_on(mesh: Mesh) -> None:
    (resting,) = await mesh.begin("long-nap", 1)
    mesh.asked.remove(resting)
    queue = routing.partition_queue(routing.partition_of(resting))

    async def rests() -> bool | None:
        return True if await rows(mesh, "SELECT 1 FROM engine.executions WHERE id = $1 AND status = 'waiting'", resting) else None

    await eventually(rests, "the execution resting")
    start = {"execution_id": str(resting), "workflow": "remote3"}
    signal = {"execution_id": str(resting), "signal_id": "s", "name": "go"}
    bad = {
        "unknown_type": item("execution.explode", start),
        "unknown_version": item("execution.start", start, version=99),
        "bad_message": item("execution.start", {"execution_id": "no uuid", "workflow": 7}),
        "no_tenant": item("execution.signal", signal, tenant=None),
        "foreign_tenant": item("execution.signal", signal, tenant="intruder"),
        "execution_not_found": item("execution.signal", signal | {"execution_id": str(same_partition(resting))}),
    }
    good = [same_partition(resting) for _ in bad]
    mixed = [each for pair in zip(bad.values(), (start_item(one, "remote3") for one in good), strict=True) for each in pair]
    mesh.asked += good
    await mesh.send([OutFrame(routing.COMMANDS, queue, body) for body in GARBAGE])
    await mesh.send([OutFrame(routing.COMMANDS, queue, encode_frame(mixed))])
    await goes_on(mesh, good)
    assert await parked(mesh, queue, len(bad) + len(GARBAGE)) == Counter([*bad, *GARBAGE.values()])


async def test_the_inbox_parks_what_it_cannot_use_and_goes_on(mesh: Mesh) -> None:
    queue = routing.inbox_queue("engine")
    changed = {"slug": "x", "name": "x", "revision": 1, "status": "active"}
    bad = {
        "unknown_type": item("workflow.explode", changed),
        "unknown_version": item("workflow.changed", changed, version=99),
        "bad_message": item("workflow.changed", {"slug": 7}),
        "no_tenant": item("workflow.changed", changed, tenant=None),
        "bad_tenant": item("workflow.changed", changed, tenant="../acme"),
        "no_handler": item("execution.start", {"execution_id": str(new_id()), "workflow": "remote3"}),
    }
    await mesh.send([OutFrame(routing.COMMANDS, queue, body) for body in GARBAGE])
    await mesh.send([OutFrame(routing.COMMANDS, queue, encode_frame(list(bad.values())))])
    assert await parked(mesh, queue, len(bad) + len(GARBAGE)) == Counter([*bad, *GARBAGE.values()])
    await goes_on(mesh, [])


async def test_a_worker_has_what_it_cannot_use_parked_and_goes_on(mesh: Mesh) -> None:
    request = {"execution_id": str(new_id()), "node": "a", "visit": 1, "attempt": 1, "name": "charge", "key": "k", "lease_s": 60}
    partition = routing.partition_queue(0)
    bad = {
        "unknown_type": item("activity.explode", request, replyto=partition),
        "unknown_version": item("activity.requested", request, version=99, replyto=partition),
        "bad_message": item("activity.requested", {"node": 7}, replyto=partition),
        "no_tenant": item("activity.requested", request, tenant=None, replyto=partition),
    }
    lost = item("activity.requested", request | {"key": "lost:a:1"}, replyto="no.such.queue")
    await mesh.send([OutFrame(routing.WORK, WORK, body) for body in GARBAGE])
    await mesh.send([OutFrame(routing.WORK, WORK, encode_frame([*bad.values(), lost]))])
    assert await parked(mesh, WORK, len(bad) + len(GARBAGE)) == Counter([*bad, *GARBAGE.values()])
    assert await parked(mesh, "work.answers", 1) == Counter(["unroutable_answer"])
    await goes_on(mesh, [])
    del mesh.ledger.calls["lost:a:1"]
    await assert_nothing_lost_or_doubled(mesh, dict.fromkeys(mesh.asked, ("a", "b", "c")))


def same_partition(other: UUID) -> UUID:
    """A new execution of the same partition."""
    return next(made for made in iter(new_id, None) if routing.partition_of(made) == routing.partition_of(other))
