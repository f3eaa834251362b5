"""One tenant's 10,000 do not hold up another's one: at the door of a lane and in a worker, over RabbitMQ."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from prometheus_client import REGISTRY
from weft_connectors.activity import Activities, ActivityCall
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import encode_frame
from weft_engine.hotloop import line as line_module
from weft_engine.hotloop.deciding import Turnout
from weft_engine.hotloop.lane import MAX_ITEMS
from weft_engine.hotloop.line import INTAKE, TURN_BYTES, Line, Taken
from weft_engine.hotloop.owned import Owned
from weft_engine.worker import Worker
from weft_runtime.bus import Bus, OutFrame, open_bus
from weft_runtime.bus.topology import partitions, pool
from weft_runtime.clock import SystemClock, new_id
from weft_runtime.fairness import QUANTUM
from weft_runtime.testing import eventually

from tests.support.isolation import SharedStack

FLOOD = 10_000
LARGE = 80
PARTITIONS = 8
NOW = SystemClock().now()


@pytest.fixture
async def bus(stack: SharedStack) -> AsyncIterator[Bus]:
    """A bus of this test alone: what one leaves in its queues is nothing to the next."""
    address = stack.new_vhost()
    opened = open_bus(address, name="fair", settle_s=0)
    await opened.start()
    yield opened
    await opened.close()
    stack.drop_vhost(address)


def start(tenant: str, execution_id: UUID, priority: int | None = None) -> Item:
    return item(tenant, "execution.start", {"execution_id": execution_id, "workflow": "w", "priority": priority})


def result(execution_id: UUID, output: str) -> Item:
    about = {"execution_id": execution_id, "node": "a", "visit": 1, "attempt": 1, "output": output}
    return item("acme", "activity.completed", about)


def item(tenant: str, type_: str, data: dict[str, Any], replyto: str | None = None) -> Item:
    return Item(
        id=str(new_id()), source="test", type=type_, tenantid=tenant, dataschema=schema_of(type_, 1), replyto=replyto,
        data=msgspec.Raw(msgspec.json.encode(data)),
    )  # fmt: skip


def partition(one: Item) -> int:
    """Where the execution that an item is about lives."""
    return routing.partition_of(UUID(msgspec.json.decode(one.data)["execution_id"]), PARTITIONS)


async def opened(bus: Bus, items: Sequence[Item]) -> Line:
    """A line that was given all of these by the broker, each in a frame of its own, and has read none."""
    await bus.declare(partitions(PARTITIONS))
    line = Line(bus, 1500, PARTITIONS)
    places = [routing.partition_queue(partition(one)) for one in items]
    await bus.publish([OutFrame(routing.COMMANDS, place, encode_frame([one])) for place, one in zip(places, items, strict=True)])
    owners = [Owned(number, 1, 0, 0) for number in range(PARTITIONS)]
    for owned in owners:
        await line.open(owned)

    async def all_given() -> bool | None:
        consumers: list[Any] = [owned.consumer for owned in owners]
        return sum(len(consumer._waiting) for consumer in consumers) == len(items) or None

    await eventually(all_given, "the broker's giving everything")
    return line


def turn(line: Line) -> Taken:
    return line.take(MAX_ITEMS, NOW)


async def test_an_execution_begins_within_a_few_turns_though_ten_thousand_of_another_tenant_came_before(bus: Bus) -> None:
    line = await opened(bus, [*(start("flood", new_id()) for _ in range(FLOOD)), start("small", new_id())])
    dispatched: list[str] = []
    while "small" not in dispatched:
        taken = turn(line)
        dispatched += [piece.tenant for piece in taken.pieces]
        await line.settle(taken, Turnout(PARTITIONS), NOW)
    turns_to_read_everything = -(-FLOOD // INTAKE)
    assert dispatched.index("small") <= turns_to_read_everything * MAX_ITEMS


async def test_within_a_tenant_what_runs_goes_first_then_starts_by_priority_and_an_execution_stays_in_order(bus: Bus) -> None:
    low, high, running = new_id(), new_id(), new_id()
    early = {"execution_id": low, "signal_id": "1", "name": "go"}
    going_on = {"execution_id": running, "signal_id": "2", "name": "go"}
    fillers = [start("acme", new_id(), 1) for _ in range(MAX_ITEMS)]
    some = [start("acme", low, 0), item("acme", "execution.signal", early), start("acme", high, 9), *fillers]
    line = await opened(bus, [*some, item("acme", "execution.signal", going_on)])
    ids: list[UUID] = []
    while len(ids) < MAX_ITEMS + 4:
        ids += [piece.execution_id for piece in turn(line).pieces]
    assert (ids[0], ids[1], ids[-2:]) == (running, high, [low, low])


async def test_large_items_share_turns_and_stand_in_line_within_bounds(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "LOOK_AHEAD_BYTES", 2 * TURN_BYTES)
    line = await opened(bus, [result(new_id(), "x" * 250_000) for _ in range(LARGE)])
    first = turn(line)
    size = first.pieces[0].size_bytes
    assert (len(first.pieces) - 1) * size < TURN_BYTES <= len(first.pieces) * size
    assert len(first.cuts) < LARGE, "the rest stays as it came until there is room"
    sizes = [len(first.pieces)]
    while sum(sizes) < LARGE:
        sizes.append(len(turn(line).pieces))
    assert (max(sizes), sum(sizes)) == (len(first.pieces), LARGE)


async def test_a_partition_that_is_given_up_leaves_its_room_in_line_to_others(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "LOOK_AHEAD_BYTES", TURN_BYTES)
    items = [result(new_id(), "x" * 250_000) for _ in range(LARGE)]
    line = await opened(bus, items)
    first, kept = turn(line), line._open[-1]
    for owned in line._open[:-1]:
        await line.close(owned)
    seen = [piece for piece in first.pieces if piece.owned is kept]
    while len(seen) < sum(partition(one) == kept.partition for one in items):
        pieces = turn(line).pieces
        assert {piece.owned.partition for piece in pieces} == {kept.partition}
        seen += pieces


async def test_a_turn_that_came_to_nothing_is_taken_again_as_it_was(bus: Bus) -> None:
    line = await opened(bus, [start("a" if number % 3 else "b", new_id()) for number in range(2 * MAX_ITEMS)])
    taken = turn(line)
    line.put_back(taken)
    again = turn(line)
    assert (again.pieces, again.cuts) == (taken.pieces, taken.cuts)
    assert len(turn(line).pieces) == MAX_ITEMS


async def test_a_worker_gives_its_next_free_place_to_who_waits_alone(bus: Bus) -> None:
    places, pool_name = 10, "fair"
    await bus.declare(pool(pool_name))
    await bus.declare(partitions(1))
    begun: list[str] = []
    gate = asyncio.Event()

    async def act(call: ActivityCall) -> None:
        begun.append(call.tenant)
        await gate.wait()

    wanted = [request("flood") for _ in range(FLOOD)]
    queue = routing.work_queue(pool_name)
    await bus.publish([OutFrame(routing.WORK, queue, encode_frame(wanted[at : at + 50])) for at in range(0, FLOOD, 50)])
    await bus.publish([OutFrame(routing.WORK, queue, encode_frame([request("small")]))])
    worker = Worker(bus, Activities({"act": act}), SystemClock(), pool_name=pool_name, concurrency=places)
    working = asyncio.create_task(worker.run())

    async def all_wait() -> bool | None:
        return (len(begun) == places and shown("weft_worker_waiting_items", pool_name) == FLOOD - places + 1) or None

    await eventually(all_wait, "everything's waiting for a place")
    assert shown("weft_worker_waiting_tenants", pool_name) == 2
    gate.set()

    async def small_begun() -> bool | None:
        return "small" in begun or None

    await eventually(small_begun, "the other tenant's beginning")
    assert begun.index("small") <= places + QUANTUM
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_a_worker_gives_its_next_free_place_to_the_highest_priority_of_a_tenant(bus: Bus) -> None:
    await bus.declare(pool("ranks"))
    await bus.declare(partitions(1))
    begun: list[str] = []
    gate = asyncio.Event()

    async def act(call: ActivityCall) -> None:
        begun.append(call.key)
        await gate.wait()

    ranks = {"1": 1, "older": None, "usual": None, "9": 9, "4": 4}
    wanted = [request("acme", key, rank) for key, rank in ranks.items()]
    await bus.publish([OutFrame(routing.WORK, routing.work_queue("ranks"), encode_frame(wanted))])
    worker = Worker(bus, Activities({"act": act}), SystemClock(), pool_name="ranks", concurrency=1)
    working = asyncio.create_task(worker.run())

    async def all_wait() -> bool | None:
        return (len(begun) == 1 and shown("weft_worker_waiting_items", "ranks") == 4) or None

    await eventually(all_wait, "four wait for the one place")
    gate.set()

    async def all_begun() -> bool | None:
        return len(begun) == 5 or None

    await eventually(all_begun, "all begin")
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert begun == ["9", "older", "usual", "4", "1"]


def request(tenant: str, key: str = "k", priority: int | None = None) -> Item:
    what = {"execution_id": new_id(), "node": "a", "visit": 1, "attempt": 1, "name": "act", "key": key, "lease_s": 60}
    what["priority"] = priority
    return item(tenant, "activity.requested", what, replyto=routing.partition_queue(0))


def shown(name: str, pool_name: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"pool": pool_name})
