"""The line of a lane: what its partitions' queues gave and waits for its turn, what is held, what is acked or set aside."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from weft_contracts import routing
from weft_contracts.frames import encode_frame
from weft_runtime.bus import Bus, BusClosed, Delivery, OutFrame
from weft_runtime.errors import WeftError

from weft_engine.hotloop.arrivals import Arrival, Cut, Piece, Unusable, cut
from weft_engine.hotloop.deciding import Turnout
from weft_engine.hotloop.metrics import PARKED
from weft_engine.hotloop.owned import Owned

MAX_FRAMES: Final = 200
HOLD: Final = timedelta(milliseconds=250)
"""Between two turns of an item that cannot be decided yet."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Taken:
    """What one turn takes out of the line. again: pieces that were held."""

    cuts: list[Cut] = field(default_factory=list)
    again: list[Piece] = field(default_factory=list)

    @property
    def pieces(self) -> list[Piece]:
        """Everything to decide, in order."""
        return [*self.again, *(piece for made in self.cuts for piece in made.pieces)]


class Line:
    """Deliveries of several partitions in the order they came. prefetch: frames per partition taken and not yet acked."""

    def __init__(self, bus: Bus, prefetch: int) -> None:
        self._bus = bus
        self._prefetch = prefetch
        self._arrived: deque[tuple[Owned, Delivery]] = deque()
        self._held: list[Piece] = []
        self._retry_at: datetime | None = None
        self._event = asyncio.Event()
        self._pumps: dict[int, asyncio.Task[None]] = {}

    async def open(self, owned: Owned) -> None:
        """Take from a partition's queue from now on. Raises: Unavailable."""
        owned.consumer = await self._bus.consume(owned.queue, prefetch=self._prefetch)
        self._pumps[owned.partition] = asyncio.create_task(self._pump(owned), name=f"partition {owned.partition}")

    async def close(self, owned: Owned) -> None:
        """Take no more from a partition's queue; what is not acked goes back."""
        pump = self._pumps.pop(owned.partition, None)
        if pump is not None:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        self._arrived = deque(pair for pair in self._arrived if pair[0] is not owned)
        self._held = [piece for piece in self._held if piece.owned is not owned]
        if owned.consumer is not None:
            await owned.consumer.close()

    async def _pump(self, owned: Owned) -> None:
        if owned.consumer is None:
            return
        while True:
            try:
                deliveries = await owned.consumer.take(max_frames=MAX_FRAMES)
            except BusClosed:
                return
            self._arrived.extend((owned, delivery) for delivery in deliveries)
            self._event.set()

    def next_at(self) -> datetime | None:
        """When a held item wants another turn."""
        return self._retry_at if self._held else None

    async def wait(self, seconds: float) -> bool:
        """Whether something arrived, at most that long from now."""
        if self._arrived:
            return True
        self._event.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True

    def take(self, max_items: int, now: datetime) -> Taken:
        """Whole frames, in order, until they hold `max_items` or there are none."""
        taken = Taken()
        if self._held and self._retry_at is not None and self._retry_at <= now:
            taken.again, self._held = self._held, []
        size = len(taken.again)
        while self._arrived and size < max_items:
            owned, delivery = self._arrived.popleft()
            if owned.lost:
                continue
            made = cut(owned, delivery)
            taken.cuts.append(made)
            size += len(made.pieces)
        return taken

    def put_back(self, taken: Taken) -> None:
        """The turn came to nothing: everything goes back to where it was."""
        self._held = [*taken.again, *self._held]
        self._arrived.extendleft((made.arrival.owned, made.arrival.delivery) for made in reversed(taken.cuts))

    async def settle(self, taken: Taken, turnout: Turnout, now: datetime) -> None:
        """Hold what could not be decided, set aside what cannot be used, ack the rest."""
        if turnout.undecided:
            self._held.extend(turnout.undecided)
            self._retry_at = now + HOLD
        waiting = {id(piece) for piece in turnout.undecided}
        arrivals: dict[int, Arrival] = {id(made.arrival): made.arrival for made in taken.cuts}
        for piece in taken.pieces:
            if piece.arrival is not None and id(piece) not in waiting:
                piece.arrival.open -= 1
                arrivals[id(piece.arrival)] = piece.arrival
        try:
            await self._park([*(bad for made in taken.cuts for bad in made.unusable), *turnout.parked])
            for made in taken.cuts:
                if made.broken is not None:
                    await self._reject(made)
                    del arrivals[id(made.arrival)]
            await self._ack([arrival for arrival in arrivals.values() if not arrival.open and not arrival.owned.lost])
        except WeftError as error:
            # Whatever was not acked comes again, and applying it again changes nothing.
            log.warning("ack_failed", error=str(error))

    async def _ack(self, arrivals: list[Arrival]) -> None:
        by_partition: dict[int, list[Arrival]] = {}
        for arrival in arrivals:
            by_partition.setdefault(arrival.owned.partition, []).append(arrival)
        for group in by_partition.values():
            consumer = group[0].owned.consumer
            if consumer is not None:
                await consumer.ack([arrival.delivery for arrival in group])

    async def _reject(self, made: Cut) -> None:
        log.warning("frame_unreadable", queue=made.arrival.owned.queue, error=str(made.broken))
        PARKED.inc()
        if made.arrival.owned.consumer is not None:
            await made.arrival.owned.consumer.reject(made.arrival.delivery)

    async def _park(self, unusable: list[Unusable]) -> None:
        """Send items to the engine's dead letters, each with its reason, where they are parked in PostgreSQL."""
        for bad in unusable:
            log.warning("item_parked", queue=bad.owned.queue, word=bad.item.type, item=bad.item.id, code=bad.code, reason=bad.reason,
                        trace=bad.item.traceparent)  # fmt: skip
            PARKED.inc()
        frames = [
            OutFrame(
                routing.DEAD,
                bad.owned.queue,
                encode_frame([bad.item]),
                headers={"x-weft-code": bad.code, "x-weft-reason": bad.reason[:500]},
            )
            for bad in unusable
        ]
        await self._bus.publish(frames)
