"""A broker that takes no messages and still gives them: an engine reads no more than it has room for, and parks in the end what it must."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import encode_frame
from weft_engine.hotloop.deciding import Turnout
from weft_engine.hotloop.line import UNSAID_MOST, Line, Taken
from weft_engine.hotloop.owned import Owned
from weft_runtime.bus import OutFrame, open_bus
from weft_runtime.bus.topology import dead_queue, partitions
from weft_runtime.clock import SystemClock, new_id
from weft_runtime.testing import eventually

from tests.support.isolation import SharedStack

NOW = SystemClock().now()


def start(partition: int, of: int, type_: str = "execution.start") -> Item:
    """A start, or what an engine does not hear, about an execution of that partition of so many."""
    execution_id = next(made for made in iter(new_id, None) if routing.partition_of(made, of) == partition)
    data = msgspec.json.encode({"execution_id": execution_id, "workflow": "w"})
    schema = schema_of("execution.start", 1)
    return Item(id=str(new_id()), source="test", type=type_, tenantid="acme", dataschema=schema, data=msgspec.Raw(data))


async def test_a_partition_with_much_unsaid_is_read_again_once_it_is_said() -> None:
    bus = open_bus(f"inprocess://{new_id().hex}", name="holding")
    await bus.start()
    await bus.declare(partitions(2))
    line = Line(bus, 100, 2)
    full, free = Owned(0, 1, UNSAID_MOST + 1, 0), Owned(1, 1, UNSAID_MOST, 0)
    for owned in (full, free):
        await line.open(owned)
        queue = routing.partition_queue(owned.partition)
        await bus.publish([OutFrame(routing.COMMANDS, queue, encode_frame([start(owned.partition, 2)]))])
    assert await line.wait(60)
    assert [piece.owned for piece in line.take(10, NOW).pieces] == [free]
    assert not await line.wait(0.01), "what is held back does not keep the lane busy"
    full.published = 1
    assert await line.wait(0)
    assert [piece.owned for piece in line.take(10, NOW).pieces] == [full]
    await bus.close()


async def test_what_cannot_be_used_is_parked_once_the_broker_takes_it_and_acked_then(stack: SharedStack) -> None:
    address = stack.new_vhost()
    bus: Any = open_bus(address, name="parking", settle_s=0)
    await bus.start()
    await bus.declare(partitions(1))
    dead = await bus.consume(dead_queue("engine"), prefetch=10)
    line, owned = Line(bus, 100, 1), Owned(0, 1, 0, 0)
    await line.open(owned)
    await bus.publish([OutFrame(routing.COMMANDS, owned.queue, encode_frame([start(0, 1, "no.such")]))])

    async def arrived() -> Taken | None:
        taken = line.take(10, NOW)
        return taken if taken.cuts else None

    taken = await eventually(arrived, "the item")
    bus._publisher._give_up()  # the way out is lost, the way in stands
    await line.settle(taken, Turnout(1), NOW)
    async with asyncio.timeout(60):
        (parked,) = await dead.take()
    assert parked.headers["x-weft-code"] == "unknown_type"
    async with asyncio.timeout(60):
        await asyncio.gather(*line._settling)
    await line.close(owned)
    assert await bus.depth(owned.queue) == 0, "it was acked"
    await bus.close()
    stack.drop_vhost(address)
