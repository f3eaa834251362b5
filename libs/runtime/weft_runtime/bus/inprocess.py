"""The bus inside one process, for where no RabbitMQ can be had. Same promises but one: what is in its queues dies with the process.

The outboxes and the engine's journal say again what was not handled, so nothing accepted is lost for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import takewhile

from weft_runtime.bus.memory import Entry, Exchanges, Queue
from weft_runtime.bus.ports import ACK_WITHIN_S, BusClosed, Consumer, Delivery, OnDone, OutFrame, Unroutable
from weft_runtime.bus.taking import Taking
from weft_runtime.bus.topology import Topology
from weft_runtime.errors import NotFound, Unavailable, WeftError

_SHARED: dict[tuple[str, int], Exchanges] = {}
"""Exchanges by address and event loop: every bus opened on one address in one process is one bus."""


class InProcessBus:
    """One service's end of the shared exchanges. url: `inprocess://<name>`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._exchanges: Exchanges | None = None
        self._consumers: list[InProcessConsumer] = []
        self._closed = False

    async def start(self) -> None:
        """Join the shared exchanges."""
        key = (self._url, id(asyncio.get_running_loop()))
        self._exchanges = _SHARED.setdefault(key, Exchanges())

    async def close(self) -> None:
        """Close every consumer."""
        self._closed = True
        for consumer in tuple(self._consumers):
            await consumer.close()

    @property
    def away_s(self) -> float:
        """It is never away."""
        return 0.0

    @property
    def healthy(self) -> bool:
        """Whether the bus is open: nothing else can go wrong here."""
        return not self._closed

    def _open(self) -> Exchanges:
        if self._closed:
            raise BusClosed("the bus was closed by this process")
        if self._exchanges is None:
            raise Unavailable("the bus was not started", code="broker_unavailable")
        return self._exchanges

    async def declare(self, topology: Topology) -> None:
        """Make sure these queues and bindings exist."""
        self._open().declare(topology)

    async def publish(self, frames: Sequence[OutFrame]) -> None:
        """Put each into every queue bound for it. Raises: Unroutable, Unavailable when a queue is full."""
        exchanges = self._open()
        lost = [frame for frame in frames if not exchanges.route(frame)]
        if lost:
            raise Unroutable(lost)

    def send(self, frames: Sequence[OutFrame], on_done: OnDone) -> None:
        """Put each into every queue bound for it and tell how that went."""
        try:
            exchanges = self._open()
            lost = [frame for frame in frames if not exchanges.route(frame)]
        except WeftError as error:
            on_done(error)
        else:
            on_done(Unroutable(lost) if lost else None)

    async def consume(
        self, queue: str, *, prefetch: int, on_arrival: Callable[[], None] | None = None, ack_within_s: float = ACK_WITHIN_S
    ) -> Consumer:
        """A subscription; acks take effect at once. Raises: Unavailable when there is no such queue."""
        found = self._open().queues.get(queue)
        if found is None:
            raise Unavailable(f"there is no queue {queue}: declare it before", code="broker_unavailable")
        consumer = InProcessConsumer(found, prefetch, self._consumers, on_arrival)
        self._consumers.append(consumer)
        found.join(consumer)
        return consumer

    async def subscribe(self, queue: str, *, prefetch: int) -> Consumer:
        """The same: here no framework stands in between."""
        return await self.consume(queue, prefetch=prefetch)

    async def depth(self, queue: str) -> int:
        """Frames ready in a queue. Raises: NotFound."""
        found = self._open().queues.get(queue)
        if found is None:
            raise NotFound(f"there is no queue {queue!r}", code="queue_not_found")
        return len(found.ready)


class InProcessConsumer(Taking):
    """A subscription to a queue in memory."""

    def __init__(
        self, queue: Queue, prefetch: int, siblings: list[InProcessConsumer], on_arrival: Callable[[], None] | None = None
    ) -> None:
        super().__init__(queue.name, on_arrival)
        self._queue = queue
        self._prefetch = prefetch
        self._siblings = siblings
        self._unacked: dict[int, Entry] = {}
        self._last = 0

    @property
    def active(self) -> bool:
        """Whether the queue knows this subscription."""
        return self in self._queue.consumers

    @property
    def room(self) -> int:
        """Frames it may still be given."""
        return 0 if self._stopped else self._prefetch - len(self._unacked)

    def give(self, entry: Entry) -> None:
        """Called by the queue."""
        self._last += 1
        self._unacked[self._last] = entry
        self._came(self._delivery(self._last, entry))

    def _delivery(self, tag: int, entry: Entry) -> Delivery:
        frame = entry.frame
        return Delivery(
            body=frame.body,
            content_type=frame.content_type,
            headers=frame.headers,
            exchange=frame.exchange,
            routing_key=frame.routing_key,
            redelivered=entry.given > 0,
            delivery_count=entry.given,
            tag=tag,
            link=self,
        )

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Done for good."""
        for delivery in deliveries:
            if delivery.link is self:
                self._unacked.pop(delivery.tag, None)
        self._queue.serve()

    async def ack_through(self, last: Delivery) -> None:
        """`last` and all before it."""
        if last.link is self:
            for tag in list(takewhile(lambda tag: tag <= last.tag, self._unacked)):
                del self._unacked[tag]
            self._queue.serve()

    async def reject(self, delivery: Delivery) -> None:
        """To the dead letters."""
        entry = self._unacked.pop(delivery.tag, None) if delivery.link is self else None
        if entry is not None:
            self._queue.bury(entry, "rejected")
            self._queue.serve()

    async def requeue(self, delivery: Delivery) -> None:
        """Back to the queue."""
        entry = self._unacked.pop(delivery.tag, None) if delivery.link is self else None
        if entry is not None:
            self._queue.give_back([entry])

    async def stop(self) -> None:
        """Take no more; what was not taken goes back."""
        if self._stopped:
            return
        self._stopped = True
        self._arrived.set()
        self._queue.leave(self)
        untaken = [entry for given in self._waiting if (entry := self._unacked.pop(given.tag, None)) is not None]
        self._waiting.clear()
        self._queue.give_back(untaken)

    async def close(self) -> None:
        """End the subscription; what is not acked goes back."""
        await self.stop()
        entries = list(self._unacked.values())
        self._unacked.clear()
        self._queue.give_back(entries)
        if self in self._siblings:
            self._siblings.remove(self)
