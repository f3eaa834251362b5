"""A bad postman between an exchange and its queues: every frame comes twice, and no two in the order in which they were sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import aio_pika
from weft_runtime.bus import Binding, Bus, BusClosed, Consumer, Delivery, OutFrame, QueueSpec, Topology

HELD_S = 0.05
"""So long a frame is held for another to overtake it."""


@asynccontextmanager
async def scrambled(bus: Bus, url: str, ways: Iterable[tuple[Binding, str]]) -> AsyncIterator[list[int]]:
    """For the length of the block, what goes these ways is brought by the postman. ways: a binding, and the queue it leads to.

    Gives: a list of one number, the frames brought so far. At the end everything goes its own way again.
    """
    brought = [0]
    specs = {queue: QueueSpec(f"scrambled.{queue}", tuple(binding for binding, to in ways if to == queue)) for _, queue in ways}
    await bus.declare(Topology(tuple(specs.values())))
    consumers = [await bus.consume(spec.name, prefetch=500) for spec in specs.values()]
    postmen = [asyncio.create_task(_bring(bus, consumer, queue, brought)) for consumer, queue in zip(consumers, specs, strict=True)]
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for binding, queue in ways:
            await (await channel.get_queue(queue, ensure=False)).unbind(binding.exchange, binding.key)
        try:
            yield brought
        finally:
            for binding, queue in ways:
                await (await channel.get_queue(queue, ensure=False)).bind(binding.exchange, binding.key)
                await (await channel.get_queue(specs[queue].name, ensure=False)).unbind(binding.exchange, binding.key)
            for postman in postmen:
                postman.cancel()
            await asyncio.gather(*postmen, return_exceptions=True)
            for consumer in consumers:
                await consumer.close()


async def _bring(bus: Bus, consumer: Consumer, queue: str, brought: list[int]) -> None:
    """Hold each batch until the next has come or nothing more does; then bring both backwards, and everything twice."""
    last: list[Delivery] = []
    while True:
        await asyncio.sleep(HELD_S)
        try:
            taken = consumer.take_now() if last else await consumer.take()
        except BusClosed:
            return
        both = [*last, *taken]
        frames = [OutFrame("", queue, one.body, one.content_type or "", one.headers) for one in reversed(both)]
        if frames:
            await bus.publish(frames)
            brought[0] += len(frames)
            await consumer.ack(both if not taken else last)
        last = taken
