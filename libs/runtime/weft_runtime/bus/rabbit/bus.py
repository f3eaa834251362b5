"""The bus over RabbitMQ: two links, so that a broker that blocks publishers still hears acks, and a watchdog that brings all of it back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog
from aiormq.exceptions import ChannelNotFoundEntity

from weft_runtime.bus.metrics import BusMetrics
from weft_runtime.bus.ports import ACK_WITHIN_S, BusClosed, Consumer, OnDone, OutFrame
from weft_runtime.bus.rabbit.asking import asking, letting_go
from weft_runtime.bus.rabbit.consumer import RabbitConsumer
from weft_runtime.bus.rabbit.declaring import Settling, declare
from weft_runtime.bus.rabbit.link import CALL_TIMEOUT_S, Link
from weft_runtime.bus.rabbit.middlewares import middlewares
from weft_runtime.bus.rabbit.publisher import Publisher
from weft_runtime.bus.rabbit.room import RoomConsumer
from weft_runtime.bus.rabbit.watchdog import Watchdog
from weft_runtime.bus.topology import Topology
from weft_runtime.errors import NotFound, Unavailable

log = structlog.get_logger(__name__)


class RabbitBus:
    """Frames over RabbitMQ. url: `amqp(s)://…`.  name: shown by the broker as the connection's name."""

    def __init__(self, url: str, *, name: str, metrics: BusMetrics, settle_s: float) -> None:
        self._settling = Settling(settle_s)
        self._metrics = metrics
        self._watchdog = Watchdog(self._restore, self._verify, metrics)
        passed = middlewares(metrics.registry, name)
        self._reading = Link(url, name=f"{name}/in", middlewares=passed, on_lost=self._lost)
        self._writing = Link(url, name=f"{name}/out", middlewares=passed, on_lost=self._lost)
        self._publisher = Publisher(self._writing, metrics)
        self._topology = Topology()
        self._consumers: list[RabbitConsumer] = []
        self._declaring = asyncio.Lock()
        self._closed = False

    async def start(self) -> None:
        """Connect. Raises: Unavailable."""
        await self._restore()
        self._watchdog.start()

    async def close(self) -> None:
        """Close every consumer and the connections."""
        self._closed = True
        await self._watchdog.stop()
        for consumer in tuple(self._consumers):
            await consumer.close()
        await self._writing.disconnect()
        await self._reading.disconnect()
        for link in ("in", "out"):
            self._metrics.connected.labels(link).set(0)

    @property
    def away_s(self) -> float:
        """Since when the watchdog has failed, in seconds."""
        return self._watchdog.failing_s

    @property
    def healthy(self) -> bool:
        """False once the watchdog has failed for longer than it may."""
        return self._watchdog.healthy

    async def declare(self, topology: Topology) -> None:
        """Make sure it exists, now and after each reconnect. Raises: Unavailable."""
        async with self._declaring:
            self._topology += Topology(tuple(queue for queue in topology.queues if queue not in self._topology.queues))
            new = await declare(self._reading, topology)
            if new:
                self._settling.begin()
        if new:
            await self._settling.wait()

    async def publish(self, frames: Sequence[OutFrame]) -> None:
        """Send all at once; returns when every one is confirmed. Raises: Unroutable, Unavailable."""
        if self._closed:
            raise BusClosed("the bus was closed by this process")
        if not frames:
            return
        if not self._publisher.ready:
            self._watchdog.wake()
        await self._publisher.publish(frames)

    def send(self, frames: Sequence[OutFrame], on_done: OnDone) -> None:
        """Send all at once, and tell how that went."""
        if self._closed:
            on_done(BusClosed("the bus was closed by this process"))
        elif not frames:
            on_done(None)
        else:
            if not self._publisher.ready:
                self._watchdog.wake()
            self._publisher.send(frames, on_done)

    async def consume(
        self, queue: str, *, prefetch: int, on_arrival: Callable[[], None] | None = None, ack_within_s: float = ACK_WITHIN_S
    ) -> Consumer:
        """A bare subscription. Raises: Unavailable."""
        return await self._attach(
            RabbitConsumer(queue, prefetch=prefetch, on_closed=self._consumers.remove, on_arrival=on_arrival, ack_within_s=ack_within_s)
        )

    async def subscribe(self, queue: str, *, prefetch: int) -> Consumer:
        """A subscription through FastStream and its middlewares. Raises: Unavailable."""
        return await self._attach(RoomConsumer(queue, prefetch=prefetch, on_closed=self._consumers.remove))

    async def _attach(self, consumer: RabbitConsumer) -> RabbitConsumer:
        if self._closed:
            raise BusClosed("the bus was closed by this process")
        await consumer.attach(self._reading)
        self._consumers.append(consumer)
        return consumer

    async def depth(self, queue: str) -> int:
        """Frames ready in a queue. Raises: Unavailable, NotFound."""
        return (await self._look(queue))[0]

    async def _look(self, queue: str) -> tuple[int, int]:
        channel = await self._reading.channel(confirms=False, on_delivery=lambda _: None)
        try:
            with asking(f"answer about {queue}"):
                answer = await channel.queue_declare(queue, passive=True, timeout=CALL_TIMEOUT_S)
        except Unavailable as error:
            if isinstance(error.__cause__, ChannelNotFoundEntity):
                raise NotFound(f"the broker has no queue {queue!r}", code="queue_not_found") from error
            raise
        finally:
            with letting_go():
                await channel.close()
        return answer.message_count or 0, answer.consumer_count or 0

    def _lost(self) -> None:
        for label, link in (("in", self._reading), ("out", self._writing)):
            self._metrics.connected.labels(label).set(link.alive)
        self._watchdog.wake()

    async def _restore(self) -> None:
        """Bring back whatever is missing: connections, queues, the publisher's channel, subscriptions. Raises: Unavailable."""
        for label, link in (("in", self._reading), ("out", self._writing)):
            if not link.alive:
                await link.connect()
                self._metrics.connected.labels(label).set(1)
                self._metrics.connects.labels(label).inc()
                if link is self._reading:
                    async with self._declaring:
                        if await declare(link, self._topology):
                            self._settling.begin()
                    await self._settling.wait()
        if not self._publisher.ready:
            await self._publisher.attach()
        await self._watchdog.resubscribe(self._consumers, self._reading)

    async def _verify(self) -> None:
        """Ask the broker whether it still knows our subscriptions; those it forgot are made anew. Raises: Unavailable."""
        for consumer in tuple(self._consumers):
            if consumer.active and (await self._look(consumer.queue))[1] == 0:
                log.warning("subscription_forgotten", queue=consumer.queue)
                await self._watchdog.resubscribe([consumer], self._reading, force=True)
