"""Words in envelopes, and ears on a bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from weft_contracts import catalog, routing
from weft_contracts.envelope import Item
from weft_contracts.frames import decode_frame
from weft_contracts.message import Message

from weft_runtime.bus import Binding, Bus, Consumer, QueueSpec, Topology
from weft_runtime.clock import new_id
from weft_runtime.testing.polling import WITHIN_S

ROOMS = ("gateway", "definitions", "engine", "events", "tasks", "analytics")


def packed(*messages: Message, tenant: str = "acme", source: str = "weft/test", traceparent: str | None = None) -> list[Item]:
    """These words in envelopes, each with an id of its own."""
    return [catalog.pack(message, id=str(new_id()), source=source, tenant=tenant, traceparent=traceparent) for message in messages]


class Ears:
    """Hears every fact and every command on a bus, beside whoever they are meant for."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._heard: list[Item] = []

    async def items(self, count: int, word: type[Message] | None = None) -> list[Item]:
        """The next `count` items said, in order of arrival. word: only those of this kind, others are passed over.

        Raises: TimeoutError when fewer come within a minute.
        """
        given: list[Item] = []
        async with asyncio.timeout(WITHIN_S):
            while len(given) < count:
                if not self._heard:
                    deliveries = await self._consumer.take()
                    await self._consumer.ack(deliveries)
                    self._heard += [item for delivery in deliveries for item in decode_frame(delivery.body)]
                    continue
                item = self._heard.pop(0)
                if word is None or item.type == word.type:
                    given.append(item)
        return given

    async def said(self, count: int = 1, word: type[Message] | None = None) -> list[Message]:
        """The next `count` words said, or those of one kind."""
        return [catalog.read(item) for item in await self.items(count, word)]


@asynccontextmanager
async def ears(bus: Bus, *, partitions: int = routing.DEFAULT_PARTITIONS) -> AsyncIterator[Ears]:
    """Ears on a bus for the length of the block. Open them before something is said."""
    name = f"ears.{uuid4().hex[:12]}"
    keys = [*(routing.inbox_queue(room) for room in ROOMS), *(routing.partition_queue(number) for number in range(partitions))]
    bindings = (Binding(routing.EVENTS, "#"), *(Binding(routing.COMMANDS, key) for key in keys))
    await bus.declare(Topology((QueueSpec(name, bindings),)))
    consumer = await bus.consume(name, prefetch=1000)
    heard = Ears(consumer)
    try:
        yield heard
    finally:
        await consumer.close()
