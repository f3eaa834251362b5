"""A lane: the hot loop over some of the partitions this process owns. Two lanes, so that one's commit overlaps the other's thinking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog
from weft_runtime.bus import Bus
from weft_runtime.clock import Clock
from weft_runtime.errors import WeftError

from weft_engine.core import items as words
from weft_engine.hotloop.arrivals import Piece
from weft_engine.hotloop.deciding import Turnout
from weft_engine.hotloop.line import Line
from weft_engine.hotloop.metrics import BATCH_ITEMS, ITEMS, TRANSITIONS
from weft_engine.hotloop.owned import Owned
from weft_engine.hotloop.programs import Programs
from weft_engine.hotloop.publisher import Publisher
from weft_engine.hotloop.turns import Turns
from weft_engine.hotloop.wheel import HORIZON, Wheel
from weft_engine.journal import DATABASE_ERRORS, AlreadyThere, Batch, Connect, DataError, Fence, Fenced, Journal, WordRow
from weft_engine.settings import Settings

MAX_ITEMS: Final = 200
"""Items in a turn: more would save little and hold up for longer whoever comes while it lasts."""
IDLE_S: Final = 0.2
REFILL: Final = HORIZON / 3
RECONNECT_S: Final = 0.2

SendWords = Callable[[Sequence[WordRow]], Awaitable[None]]

log = structlog.get_logger(__name__)


class Lane:
    """One hot loop. connect: opens a connection to the engine's schema.  gates: told when executions come to a gate or leave it.

    outbox: sends what a commit has written into the service's outbox; what it does not send, the sweeper does.
    """

    def __init__(
        self, bus: Bus, connect: Connect, clock: Clock, settings: Settings, programs: Programs, gates: Callable[[], None], outbox: SendWords
    ) -> None:
        self._bus = bus
        self._connect = connect
        self._clock = clock
        self._gates = gates
        self._outbox = outbox
        self._settings = settings
        self._publisher = Publisher(bus)
        self._turns = Turns(programs, settings)
        self._line = Line(bus, settings.partition_prefetch, settings.partitions)
        self._wheel = Wheel()
        self._owned: dict[int, Owned] = {}
        self._refilled: dict[int, datetime] = {}
        self._journal: Journal | None = None
        self._in_doubt = False
        self._busy = asyncio.Lock()
        self._now = clock.now()

    @property
    def partitions(self) -> list[int]:
        """What this lane serves now."""
        return list(self._owned)

    @property
    def lost(self) -> list[int]:
        """Partitions that another node has taken over, to be released."""
        return [owned.partition for owned in self._owned.values() if owned.lost]

    async def acquire(self, partition: int, epoch: int, published: int) -> None:
        """Begin to serve a partition: say what its last owner left unsaid, then take from its queue.

        Raises: asyncpg's errors, Unavailable.
        """
        async with self._busy:
            journal = await self._connected()
            owned = Owned(partition, epoch, await journal.last_seq(partition), published, stored=published)
            await self._say_again(owned, journal, published)
            await self._refill(owned, journal)
            self._owned[partition] = owned
        try:
            await self._line.open(owned)
        except WeftError:
            del self._owned[partition]
            self._wheel.forget(partition)
            raise

    async def release(self, partition: int) -> None:
        """Stop serving a partition, after the batch in hand; what was not acked goes to the next owner."""
        async with self._busy:
            owned = self._owned.pop(partition, None)
            if owned is None:
                return
            self._wheel.forget(partition)
            await self._line.close(owned)
            if not owned.lost:
                # Only spares the next owner some repeats; failing here must not leave the other queues taken by nobody.
                with suppress(Fenced, *DATABASE_ERRORS):
                    await self._flush([owned])

    async def step_down(self) -> None:
        """Serve nothing any more, and wait for no batch: whoever owns these partitions now refuses it, and is given what is not acked."""
        owners = [owned for owned in self._owned.values() if not owned.lost]
        for owned in owners:
            owned.lose()
        self._abandon()  # what PostgreSQL was asked last it may never answer
        await asyncio.gather(*(self._line.close(owned) for owned in owners))

    async def drain(self) -> None:
        """Release everything, once what was committed is said, so that the next owner has nothing to repeat."""
        await self._publisher.settle()
        for partition in self.partitions:
            await self.release(partition)

    async def run(self) -> None:
        """Take, decide, commit, ack, publish, until cancelled."""
        while True:
            work = await self._wait()
            async with self._busy:
                try:
                    await self._step(work)
                except DATABASE_ERRORS as error:
                    log.warning("journal_unavailable", error=f"{type(error).__name__}: {error}")
                    self._abandon()
                    await asyncio.sleep(RECONNECT_S)

    async def _step(self, work: bool) -> None:
        try:
            if self._in_doubt:
                await self._read_truth()
            await (self._turn() if work else self._rest())
        except Fenced:
            await self._find_lost()

    async def _wait(self) -> bool:
        """Until there is something to do: True; for `IDLE_S` with nothing: False."""
        now = self._clock.now()
        moments = [moment for moment in (self._wheel.next_at(), self._line.next_at()) if moment is not None]
        wait_s = min([IDLE_S, *((moment - now).total_seconds() for moment in moments)])
        if wait_s <= 0 or await self._line.wait(wait_s):
            return True
        return any(moment <= self._clock.now() for moment in moments)

    def _tell_time(self) -> datetime:
        """The time of this turn: never before the last one's, even when the machine's clock goes back."""
        self._now = max(self._now, self._clock.now())
        return self._now

    async def _turn(self) -> None:
        now = self._tell_time()
        journal = await self._connected()
        taken = self._line.take(MAX_ITEMS, now)
        ticks = [
            Piece(owned, words.Tick(execution_id), "")
            for execution_id, partition in self._wheel.due(now, MAX_ITEMS)
            if (owned := self._owned.get(partition)) is not None
        ]
        pieces = [piece for piece in (*taken.pieces, *ticks) if not piece.owned.lost]
        try:
            turnout = await self._decide(journal, pieces, now)
        except BaseException:
            self._line.put_back(taken)
            for piece in ticks:
                self._wheel.arm(piece.execution_id, piece.owned.partition, now, now)
            raise
        await self._line.settle(taken, turnout, now)

    async def _decide(self, journal: Journal, pieces: Sequence[Piece], now: datetime) -> Turnout:
        """Decide and commit. A value that PostgreSQL refuses spoils only its own item: the rest is decided again without it."""
        try:
            turnout = await self._attempt(journal, pieces, now)
        except DataError as error:
            if len(pieces) == 1:
                turnout = Turnout(self._settings.partitions)
                turnout.park(pieces[0], "value_refused", f"the database refuses a value of it: {error}")
                return turnout
            middle = len(pieces) // 2
            first = await self._decide(journal, pieces[:middle], now)
            return first.join(await self._decide(journal, pieces[middle:], now))
        self._adopt(turnout, pieces, now)
        if turnout.batch.words:
            await self._outbox(turnout.batch.words)
        return turnout

    async def _attempt(self, journal: Journal, pieces: Sequence[Piece], now: datetime, *, look: bool = False) -> Turnout:
        """Decide and commit. What starts is believed to be new: to look first would cost every turn a query for what hardly happens."""
        try:
            turnout = await self._turns.turn(journal, pieces, now, look=look)
            await self._commit(journal, turnout, pieces)
        except BaseException as error:
            # States are changed in place, so what was not committed must be forgotten: the journal tells it anew.
            for piece in pieces:
                piece.owned.held.pop(piece.execution_id, None)
            if isinstance(error, AlreadyThere) and not look:
                return await self._attempt(journal, pieces, now, look=True)
            raise
        return turnout

    async def _commit(self, journal: Journal, turnout: Turnout, pieces: Sequence[Piece]) -> None:
        if not turnout.counts(pieces):
            return
        owners = {piece.owned.partition: piece.owned for piece in pieces}
        turnout.batch.fences = fences = [Fence(owned.partition, owned.epoch, owned.published) for owned in owners.values()]
        await journal.commit(turnout.batch)
        for owned, fence in zip(owners.values(), fences, strict=True):
            owned.stored = fence.published

    def _adopt(self, turnout: Turnout, pieces: Sequence[Piece], now: datetime) -> None:
        """What is durable now becomes what we know, and is said."""
        if turnout.contents:
            self._turns.remember(turnout)
        limit = max(1, self._settings.cached_executions // max(1, len(self._owned)))
        for owned, held in turnout.held:
            owned.put(held, limit)
            wake_at = held.state.wake_at
            if held.state.ended:
                self._wheel.disarm(held.state.id)
            elif wake_at is not None:
                self._wheel.arm(held.state.id, owned.partition, wake_at, now)
        owners = {piece.owned.partition: piece.owned for piece in pieces}
        outbounds = [(owners[partition], owners[partition].sending(seq)) for partition, seq in turnout.seqs.items()]
        self._publisher.say(turnout.outgoing, outbounds)
        if turnout.batch.entering or turnout.batch.leaving:
            self._gates()
        ITEMS.inc(len(pieces))
        BATCH_ITEMS.observe(len(pieces))
        TRANSITIONS.inc(len(turnout.batch.rows))

    async def _rest(self) -> None:
        """Nothing to do: remember what was published, and look ahead for timers."""
        dirty = [owned for owned in self._owned.values() if owned.published > owned.stored and not owned.lost]
        if dirty:
            await self._flush(dirty)
        now = self._tell_time()
        for owned in self._owned.values():
            if now - self._refilled.get(owned.partition, now) >= REFILL:
                await self._refill(owned, await self._connected())

    async def _flush(self, owners: Sequence[Owned]) -> None:
        journal = await self._connected()
        await journal.commit(Batch(fences=[Fence(owned.partition, owned.epoch, owned.published) for owned in owners]))
        for owned in owners:
            owned.stored = owned.published

    async def _refill(self, owned: Owned, journal: Journal) -> None:
        now = self._tell_time()
        self._refilled[owned.partition] = now
        for execution_id, wake_at in await journal.due(owned.partition, now + HORIZON, 10_000):
            self._wheel.arm(execution_id, owned.partition, wake_at, now)

    async def _read_truth(self) -> None:
        """Believe PostgreSQL again, after a commit whose outcome we do not know: it may have what our memory has not.

        Guarded by tests/services/engine/test_doubt.py.
        """
        journal = await self._connected()
        owners = [owned for owned in self._owned.values() if not owned.lost]
        epochs = await journal.renew([Fence(owned.partition, owned.epoch, owned.published) for owned in owners])
        for owned in owners:
            if owned.partition not in epochs:
                owned.lose()
                continue
            owned.epoch = epochs[owned.partition]
            owned.held.clear()
            seq = await journal.last_seq(owned.partition)
            await self._say_again(owned, journal, owned.seq)
            owned.seq = seq
            await self._refill(owned, journal)
        self._in_doubt = False

    async def _say_again(self, owned: Owned, journal: Journal, after: int) -> None:
        for seq, outgoing in await self._turns.unsaid(journal, owned, after):
            self._publisher.say(outgoing, [(owned, owned.sending(seq))])

    async def _find_lost(self) -> None:
        """A batch was refused: find out which partitions are no longer ours, and drop what we believed of them."""
        journal = await self._connected()
        for owned in self._owned.values():
            try:
                await journal.commit(Batch(fences=[Fence(owned.partition, owned.epoch, owned.published)]))
            except Fenced:
                owned.lose()

    def _abandon(self) -> None:
        journal, self._journal, self._in_doubt = self._journal, None, True
        if journal is not None:
            journal.abandon()

    async def _connected(self) -> Journal:
        if self._journal is None or self._journal.closed:
            self._journal = Journal(await self._connect())
        return self._journal
