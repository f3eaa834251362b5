"""The message door of a service: takes what waits in its inbox, handles it, and sees to what could not be handled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from weft_contracts import routing
from weft_contracts.envelope import Item
from weft_contracts.frames import encode_frame

from weft_runtime.bus import topology
from weft_runtime.bus.ports import BusClosed, Consumer, Delivery
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Unavailable
from weft_runtime.pipeline.batch import Batches
from weft_runtime.pipeline.calling import Caller
from weft_runtime.pipeline.handlers import Handlers
from weft_runtime.pipeline.outbox import Outbox
from weft_runtime.pipeline.reading import Origin, Piece, dead_origin, origin_of, read, verdict_of

PREFETCH = 64
"""Frames; each may carry hundreds of items."""
GATHERED = 256
"""The same for a room that gathers."""
MAX_ITEMS = 500
"""Items in one transaction."""
WAIT_FIRST_S, WAIT_MOST_S = 0.1, 5.0
"""Between tries while the database is away."""
TRIES = 5
"""Tries of a batch that fails for no reason of its items before it is given to the dead letters."""
RETRY_EVERY_S = 0.5
PRUNE_EVERY_S = 3600.0
INBOX_DAYS = 7
"""A repeat later than this would take effect again: far longer than anything here repeats."""
STOP_TIMEOUT_S = 15.0


class Pipeline:
    """One room's message door. outbox: shared with its HTTP door."""

    def __init__(self, context: ServiceContext, handlers: Handlers, outbox: Outbox) -> None:
        self._context = context
        self._handlers = handlers
        self._outbox = outbox
        self._batches = Batches(context, Caller(context, handlers), outbox)
        self._inbox = routing.inbox_queue(context.name)
        self._consumers: list[Consumer] = []
        self._taking: list[asyncio.Task[None]] = []
        self._minding: list[asyncio.Task[None]] = []

    @property
    def healthy(self) -> bool:
        """Whether the broker knows our subscriptions and all loops run."""
        running = all(not task.done() for task in (*self._taking, *self._minding))
        return running and bool(self._consumers) and all(consumer.active for consumer in self._consumers)

    async def start(self) -> None:
        """Declare the room's queues and open the door. Raises: Unavailable."""
        bus, name = self._context.bus, self._context.name
        await bus.declare(topology.room(name, self._handlers.words, domain=self._handlers.raw is not None))
        for queue, pieces in ((self._inbox, self._alive), (topology.dead_queue(name), self._dead)):
            gather_s = self._handlers.gather_s if queue == self._inbox else 0.0
            consumer = await (bus.consume(queue, prefetch=GATHERED) if gather_s else bus.subscribe(queue, prefetch=PREFETCH))
            self._consumers.append(consumer)
            self._taking.append(asyncio.create_task(self._take(consumer, pieces, gather_s), name=f"{queue} taking"))
        for work in (self._retry_due, self._prune):
            self._minding.append(asyncio.create_task(work(), name=f"{name} {work.__name__}"))

    async def stop(self) -> None:
        """Take no more, finish what was taken, close."""
        for consumer in self._consumers:
            await consumer.stop()
        if self._taking:
            await asyncio.wait(self._taking, timeout=STOP_TIMEOUT_S)
        for task in (*self._taking, *self._minding):
            task.cancel()
        await asyncio.gather(*self._taking, *self._minding, return_exceptions=True)
        for consumer in self._consumers:
            await consumer.close()
        self._taking, self._minding, self._consumers = [], [], []

    async def hear(self, items: Sequence[Item]) -> None:
        """Handle these as if they had come from the inbox. Raises: Unavailable when the database is away."""
        await self._batches.run(read(self._handlers, Origin(self._inbox), encode_frame(items)))

    async def hear_frame(self, origin: Origin, body: bytes) -> None:
        """Handle the bytes of one frame as if they had come from there. Raises: Unavailable when the database is away."""
        await self._batches.run(read(self._handlers, origin, body))

    async def retry_due(self) -> int:
        """Try again what is due. Returns: how many there were. Raises: Unavailable."""
        tried = 0
        while await self._batches.retry():
            tried += 1
        return tried

    def _alive(self, delivery: Delivery) -> list[Piece]:
        return read(self._handlers, origin_of(self._inbox, delivery), delivery.body)

    def _dead(self, delivery: Delivery) -> list[Piece]:
        origin, why = dead_origin(delivery)
        pieces = read(self._handlers, origin, delivery.body)
        said = verdict_of(delivery)
        for piece in pieces:
            piece.problem = (
                said
                or piece.problem
                or (
                    f"dead_{why}",
                    f"the broker took it from {origin.queue} unanswered ({why}); replay it once its reader is mended",
                )
            )
        return pieces

    async def _take(self, consumer: Consumer, pieces_of: Callable[[Delivery], list[Piece]], gather_s: float) -> None:
        while True:
            try:
                deliveries = await consumer.take(max_frames=PREFETCH)
            except BusClosed:
                return
            pieces = [piece for delivery in deliveries for piece in pieces_of(delivery)]
            if gather_s and len(pieces) < MAX_ITEMS:
                await asyncio.sleep(gather_s)
                more = consumer.take_now(max_frames=GATHERED - PREFETCH)
                deliveries += more
                pieces += [piece for delivery in more for piece in pieces_of(delivery)]
            handled = True
            for start in range(0, len(pieces), MAX_ITEMS):
                handled = await self._handled(pieces[start : start + MAX_ITEMS]) and handled
            if handled:
                await consumer.ack(deliveries)
            else:
                for delivery in deliveries:
                    await consumer.reject(delivery)

    async def _handled(self, pieces: Sequence[Piece]) -> bool:
        """Handle them, waiting while the database is away. Returns: False when our own machinery failed on them again and again."""
        failures, wait_s = 0, WAIT_FIRST_S
        while failures < TRIES:
            try:
                await self._batches.run(pieces)
            except Unavailable as error:
                self._context.log.warning("messages_wait", items=len(pieces), reason=str(error))
            except Exception as error:  # not a handler's, those are parked: ours, and the queue must go on
                failures += 1
                self._context.metrics.internal_error("message")
                self._context.log.error("batch_failed", items=len(pieces), tries=failures, exc_info=error)
            else:
                return True
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, WAIT_MOST_S)
        return False

    async def _retry_due(self) -> None:
        await self._again_and_again(self.retry_due, RETRY_EVERY_S)

    async def _prune(self) -> None:
        await self._again_and_again(self.prune, PRUNE_EVERY_S)

    async def prune(self) -> None:
        """Forget what is old in the inbox and among the settled, and count what is parked. Raises: Unavailable."""
        async with self._context.database.owner_transaction() as connection:
            await self._batches.parking.prune(connection, inbox_days=INBOX_DAYS)
            for status, count in (await self._batches.parking.counts(connection)).items():
                self._outbox.metrics.waiting.labels(status).set(count)

    async def _again_and_again(self, work: Callable[[], Awaitable[object]], every_s: float) -> None:
        while True:
            try:
                await work()
            except Unavailable:
                pass  # the database is away, which others report
            except Exception as error:  # a loop that minds others must not die of a surprise
                self._context.metrics.internal_error("message")
                self._context.log.error("minding_failed", work=getattr(work, "__name__", ""), exc_info=error)
            await asyncio.sleep(every_s)
