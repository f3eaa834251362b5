"""A subscription that outlives the broker: on a channel of its own, with no task per message."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

from weft_contracts.frames import MAX_FRAME_BYTES

from weft_runtime.bus.ports import MAX_TAKE, BusClosed, Delivery
from weft_runtime.bus.rabbit import wire
from weft_runtime.bus.rabbit.asking import asking, letting_go
from weft_runtime.bus.rabbit.channel import FrameChannel, write
from weft_runtime.bus.rabbit.link import CALL_TIMEOUT_S, Link


class RabbitConsumer:
    """A bare subscription on a channel of its own. The bus attaches it, and attaches it again after a loss."""

    def __init__(self, queue: str, *, prefetch: int, on_closed: Callable[[RabbitConsumer], None]) -> None:
        self.queue = queue
        self.prefetch = prefetch
        self._on_closed = on_closed
        self._channel: Any = None
        self._tag: str | None = None
        self._waiting: deque[Delivery] = deque()
        self._unacked: dict[int, None] = {}
        self._arrived = asyncio.Event()
        self._stopped = self._closed = False

    @property
    def active(self) -> bool:
        """Whether the broker knows this subscription now: the channel is open and the broker has not cancelled it."""
        channel = self._channel
        return channel is not None and not channel.is_closed and self._tag in channel.consumers

    @property
    def wanted(self) -> bool:
        """Whether the bus should keep this subscription alive."""
        return not self._stopped

    async def attach(self, link: Link) -> None:
        """Subscribe on the connection of the moment. Raises: Unavailable."""
        await self._leave()
        self._forget()
        with asking(f"take the subscription to {self.queue}"):
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await self._enter(link)

    async def _enter(self, link: Link) -> None:
        channel: FrameChannel = await link.channel(confirms=False, on_delivery=self._deliver)
        self._channel = channel
        await channel.basic_qos(prefetch_count=self.prefetch)
        self._tag = (await channel.basic_consume(self.queue, _unused)).consumer_tag

    async def _leave(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None and not channel.is_closed:
            with letting_go():
                await channel.close(timeout=CALL_TIMEOUT_S)

    def _forget(self) -> None:
        # What was given out on a channel that is gone comes again on the next: giving it on too would break the order.
        self._waiting.clear()
        self._unacked.clear()
        self._arrived.clear()

    def _deliver(self, delivery: Delivery) -> None:
        if self._stopped:
            return
        self._waiting.append(delivery)
        self._unacked[delivery.tag] = None
        self._arrived.set()

    async def take(self, *, max_frames: int = MAX_TAKE, max_bytes: int = MAX_FRAME_BYTES) -> list[Delivery]:
        """Everything waiting, at least one. Raises: BusClosed."""
        while True:
            if self._stopped:
                raise BusClosed(f"the subscription to {self.queue} was ended by this process")
            if self._waiting:
                break
            self._arrived.clear()
            await self._arrived.wait()
        taken: list[Delivery] = []
        size = 0
        while self._waiting and len(taken) < max_frames and size < max_bytes:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].body)
        return taken

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Done for good; those of a lost channel are ignored."""
        await self._ack_tags([delivery.tag for delivery in deliveries if delivery.link is self._channel])

    async def _ack_tags(self, tags: Sequence[int]) -> None:
        if not tags:
            return
        for tag in tags:
            self._unacked.pop(tag, None)
        await self._say(wire.acks(self._channel.number, tags))

    async def ack_through(self, last: Delivery) -> None:
        """`last` and all before it, with one command."""
        if last.link is not self._channel:
            return
        for tag in list(takewhile(lambda tag: tag <= last.tag, self._unacked)):  # given out in rising order
            del self._unacked[tag]
        await self._say(wire.ack(last.link.number, last.tag, multiple=True))

    async def reject(self, delivery: Delivery) -> None:
        """To the dead letters."""
        if delivery.link is self._channel:
            self._unacked.pop(delivery.tag, None)
            await self._say(wire.reject(delivery.link.number, delivery.tag))

    async def requeue(self, delivery: Delivery) -> None:
        """Back to the queue."""
        if delivery.link is self._channel:
            self._unacked.pop(delivery.tag, None)
            await self._say(wire.requeue(delivery.link.number, delivery.tag))

    async def _say(self, payload: bytes) -> None:
        link = self._channel
        if link is None or link.is_closed:
            return
        with letting_go():
            await write(link, payload)

    async def stop(self) -> None:
        """Take no more; what was not taken goes back."""
        if self._stopped:
            return
        self._stopped = True
        self._arrived.set()
        link = self._channel
        if link is not None and not link.is_closed and self._tag is not None:
            with letting_go():
                await link.basic_cancel(self._tag, timeout=CALL_TIMEOUT_S)
        await self._say(b"".join(wire.requeue(link.number, delivery.tag) for delivery in self._waiting if delivery.link is link))
        self._waiting.clear()

    async def close(self) -> None:
        """End the subscription; what is not acked goes back."""
        await self.stop()
        if not self._closed:
            self._closed = True
            await self._leave()
            self._on_closed(self)


async def _unused(_: Any) -> None:
    """Deliveries are handled by the channel before the library would call this."""
