"""The line of a lane: what its partitions' queues gave and waits for its turn, what is held, what is acked or set aside.

Who is next is told by deficit round robin over tenants, among everything that has arrived up to a bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from weft_contracts import routing
from weft_contracts.frames import encode_frame
from weft_runtime.bus import Bus, BusClosed, OutFrame
from weft_runtime.errors import WeftError
from weft_runtime.fairness import FairLine

from weft_engine.hotloop.arrivals import Arrival, Cut, Piece, Unusable, cut
from weft_engine.hotloop.deciding import Turnout
from weft_engine.hotloop.metrics import PARKED, WAITING_ITEMS
from weft_engine.hotloop.owned import Owned

INTAKE: Final = 4_000
"""Items read in one turn, some 30 ms of work: what waits behind a flood is seen within a few turns, and no turn is long for it."""
INTAKE_FRAMES: Final = 1_000
"""Frames read in one turn from one partition."""
LOOK_AHEAD: Final = 20_000
"""Items that may stand in line; further ones stay as the bytes they came in until there is room."""
TURN_BYTES: Final = 4 * 1024 * 1024
"""Data of one turn, that its commit is a few times as much: one item goes over it, no second does."""
LOOK_AHEAD_BYTES: Final = 64 * 1024 * 1024
"""Data that may stand in line, as `LOOK_AHEAD`: large results of many executions would else fill the memory."""
ACK_WITHIN_S: Final = 0.1
"""How long an ack waits for others of its partition, each being a write to the log of its queue: what a crash repeats changes nothing."""
UNSAID_MOST: Final = 5_000
"""Journal rows of a partition whose messages the broker has not confirmed and which are in memory: with more, its queue is not read."""
SETTLE_AGAIN_S: Final = 1.0
HOLD: Final = timedelta(milliseconds=250)
"""Between two turns of an item that cannot be decided yet."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Taken:
    """What one turn takes out of the line, in order. cuts: deliveries read since the last turn."""

    pieces: list[Piece] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)


class Line:
    """Items of several partitions. prefetch: frames per partition given by the broker and not yet acked.  partitions: of the mesh."""

    def __init__(self, bus: Bus, prefetch: int, partitions: int) -> None:
        self._bus = bus
        self._prefetch = prefetch
        self._partitions = partitions
        self._fair: FairLine[Piece] = FairLine()
        self._fair_bytes = 0
        self._first: list[Piece] = []
        self._cuts: list[Cut] = []
        self._held: list[Piece] = []
        self._retry_at: datetime | None = None
        self._event = asyncio.Event()
        self._open: list[Owned] = []
        self._settling: set[asyncio.Task[None]] = set()
        self._held_back = False

    async def open(self, owned: Owned) -> None:
        """Take from a partition's queue from now on. Raises: Unavailable."""
        owned.consumer = await self._bus.consume(
            owned.queue, prefetch=self._prefetch, on_arrival=self._event.set, ack_within_s=ACK_WITHIN_S
        )
        self._open.append(owned)
        self._event.set()

    async def close(self, owned: Owned) -> None:
        """Take no more from a partition's queue; what is not acked goes back."""
        if owned in self._open:
            self._open.remove(owned)
        self._fair_bytes -= sum(piece.size_bytes for piece in self._fair.discard(lambda piece: piece.owned is owned))
        self._first = [piece for piece in self._first if piece.owned is not owned]
        self._cuts = [made for made in self._cuts if made.arrival.owned is not owned]
        self._held = [piece for piece in self._held if piece.owned is not owned]
        if owned.consumer is not None:
            await owned.consumer.close()

    def next_at(self) -> datetime | None:
        """When a held item wants another turn."""
        return self._retry_at if self._held else None

    async def wait(self, seconds: float) -> bool:
        """Whether something waits for its turn, at most that long from now."""
        if self._first or self._cuts or len(self._fair) or self._event.is_set() or (self._held_back and any(map(_readable, self._open))):
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True

    def take(self, max_items: int, now: datetime) -> Taken:
        """At most `max_items`: what comes again, then whose turn it is among everything that has arrived."""
        pieces, self._first = self._first, []
        if self._held and self._retry_at is not None and self._retry_at <= now:
            pieces, self._held = pieces + self._held, []
        arrived = self._arrived()
        room = max(0, max_items - len(pieces))
        if not len(self._fair) and len(arrived) <= room and sum(piece.size_bytes for piece in arrived) <= TURN_BYTES:
            pieces += arrived  # there is nobody to be put first
        else:
            for piece in arrived:
                self._fair.put(piece.tenant, piece, priority=piece.priority, chain=piece.execution_id)
                self._fair_bytes += piece.size_bytes
            pieces += self._next(room)
        cuts, self._cuts = self._cuts, []
        WAITING_ITEMS.set(len(self._fair))
        return Taken([piece for piece in pieces if not piece.owned.lost], cuts)

    def _next(self, room: int) -> list[Piece]:
        """Whose turn it is, as far as the bounds of a turn allow."""
        before, pieces = self._fair_bytes, list[Piece]()
        while len(pieces) < room and before - self._fair_bytes < TURN_BYTES and (taken := self._fair.take(1)):
            pieces += taken
            self._fair_bytes -= taken[0].size_bytes
        return pieces

    def _arrived(self) -> list[Piece]:
        """Read what the queues have given, a part of each in turn, as far as there is room."""
        self._event.clear()
        self._held_back = False
        found: list[Piece] = []
        size = self._fair_bytes
        for owned in self._open:
            if owned.consumer is None or owned.lost:
                continue
            if owned.seq - owned.published > UNSAID_MOST:
                self._held_back = True
                continue
            if len(found) >= INTAKE or len(self._fair) + len(found) >= LOOK_AHEAD or size >= LOOK_AHEAD_BYTES:
                break
            deliveries = owned.consumer.take_now(max_frames=min(INTAKE_FRAMES, INTAKE - len(found)))
            for delivery in deliveries:
                made = cut(owned, delivery, self._partitions)
                self._cuts.append(made)
                found += made.pieces
                size += sum(piece.size_bytes for piece in made.pieces)
        if self._open:
            self._open.append(self._open.pop(0))
        if any(map(_readable, self._open)):
            self._event.set()
        return found

    def put_back(self, taken: Taken) -> None:
        """The turn came to nothing: everything goes back to where it was."""
        self._first = taken.pieces + self._first
        self._cuts = taken.cuts + self._cuts

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
        bad = [*(one for made in taken.cuts for one in made.unusable), *turnout.parked]
        for one in bad:
            log.warning("item_parked", queue=one.owned.queue, word=one.item.type, item=one.item.id, code=one.code, reason=one.reason,
                        trace=one.item.traceparent)  # fmt: skip
            PARKED.inc()
        broken = [made for made in taken.cuts if made.broken is not None]
        for made in broken:
            del arrivals[id(made.arrival)]
        settling = partial(self._settle, bad, broken, [arrival for arrival in arrivals.values() if not arrival.open])
        try:
            await settling()
        except WeftError as error:
            log.warning("not_parked", items=len(bad), error=str(error))
            task = asyncio.create_task(_until_done(settling))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)

    async def _settle(self, bad: list[Unusable], broken: list[Cut], done: list[Arrival]) -> None:
        """Nothing is acked before what it came with is parked; until then it comes again, and applying it again changes nothing."""
        await self._park(bad)
        for made in broken:
            await self._reject(made)
        await self._ack([arrival for arrival in done if not arrival.owned.lost])

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
        if not unusable:
            return
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


async def _until_done(settling: Callable[[], Awaitable[None]]) -> None:
    """Try again until the broker takes it. The subscription may well stand meanwhile, and what is not acked comes again only after that."""
    while True:
        await asyncio.sleep(SETTLE_AGAIN_S)
        try:
            return await settling()
        except BusClosed:
            return None
        except WeftError:
            continue


def _readable(owned: Owned) -> bool:
    """Whether something waits in a partition's queue that may be read."""
    waiting = owned.consumer is not None and owned.consumer.waiting and not owned.lost
    return waiting and owned.seq - owned.published <= UNSAID_MOST
