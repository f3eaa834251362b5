"""While the broker takes no messages, an engine reads no more of its queues than what it may have to say about fits in memory."""

from __future__ import annotations

import msgspec
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import encode_frame
from weft_engine.hotloop.line import UNSAID_MOST, Line
from weft_engine.hotloop.owned import Owned
from weft_runtime.bus import OutFrame, open_bus
from weft_runtime.bus.topology import partitions
from weft_runtime.clock import SystemClock, new_id

NOW = SystemClock().now()


def start() -> Item:
    """`execution.start`."""
    data = msgspec.json.encode({"execution_id": new_id(), "workflow": "w"})
    schema = schema_of("execution.start", 1)
    return Item(id=str(new_id()), source="test", type="execution.start", tenantid="acme", dataschema=schema, data=msgspec.Raw(data))


async def test_a_partition_with_much_unsaid_is_read_again_once_it_is_said() -> None:
    bus = open_bus(f"inprocess://{new_id().hex}", name="holding")
    await bus.start()
    await bus.declare(partitions(2))
    line = Line(bus, 100)
    full, free = Owned(0, 1, UNSAID_MOST + 1, 0), Owned(1, 1, UNSAID_MOST, 0)
    for owned in (full, free):
        await line.open(owned)
        queue = routing.partition_queue(owned.partition)
        await bus.publish([OutFrame(routing.COMMANDS, queue, encode_frame([start()]))])
    assert await line.wait(10)
    assert [piece.owned for piece in line.take(10, NOW).pieces] == [free]
    assert not await line.wait(0.01), "what is held back does not keep the lane busy"
    full.published = 1
    assert await line.wait(0)
    assert [piece.owned for piece in line.take(10, NOW).pieces] == [full]
    await bus.close()
