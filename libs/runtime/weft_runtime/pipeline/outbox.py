"""The outbox: what is said is written with the change it tells of, sent after the commit, and forgotten when the broker has it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from weft_contracts import routing

from weft_runtime.bus.ports import BusClosed, Unroutable
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Unavailable
from weft_runtime.pipeline.metrics import MessageMetrics
from weft_runtime.pipeline.outbox_rows import OutboxRows
from weft_runtime.pipeline.words import Outgoing, frames, outgoing
from weft_runtime.uow import UnitOfWork

SEND_AT_ONCE = 2000
MAX_WAITING = 20_000
"""Rows kept in memory to be sent; more are left to the sweeper."""
FORGET_AFTER_S = 0.05
"""Sent rows are deleted together, this long after the first."""
KEEP_TRYING_S, TRY_AGAIN_S = 3.0, 0.1
"""Rows the broker did not take are tried again so long, for a cut that heals at once; then they are the sweeper's."""
SWEEP_EVERY_S = 2.0
SWEEP_OLDER_S = 5.0
"""A row this old was left by a crash or by a broker that did not answer."""
UNHEARD_AFTER_S = 60.0
"""An event nobody is bound for is tried this long, since its hearer may be about to start. A command is tried for ever."""
CLOSE_TIMEOUT_S = 5.0


class Outbox:
    """The way out of one service. It is the `Mouth` of both doors."""

    def __init__(self, context: ServiceContext, metrics: MessageMetrics | None = None) -> None:
        self._context = context
        self._metrics = metrics or MessageMetrics(context.metrics.registry)
        self._rows = OutboxRows(context.name)
        self._waiting: deque[Outgoing] = deque()
        self._sent: list[UUID] = []
        self._to_send, self._to_forget, self._idle = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def metrics(self) -> MessageMetrics:
        """What it counts."""
        return self._metrics

    async def write(self, uow: UnitOfWork) -> Sequence[Outgoing]:
        """Write what was said into the outbox, within the transaction. Returns: what `send` needs."""
        return await self.write_all(uow.conn, [uow])

    async def write_all(self, connection: AsyncConnection, uows: Sequence[UnitOfWork]) -> Sequence[Outgoing]:
        """Write what was said in all of these, in order."""
        partitions, room = self._context.settings.partitions, self._context.name
        rows = [outgoing(saying, room=room, partitions=partitions, traceparent=uow.traceparent) for uow in uows for saying in uow.said]
        return await self.write_rows(connection, rows)

    async def write_rows(self, connection: AsyncConnection, rows: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """Write what is in its envelope already."""
        if rows:
            await self._rows.insert(connection, rows)
        return rows

    async def send(self, written: Any) -> None:
        """Send what was written, soon and with whatever else is waiting. Never raises: what is not sent stays for the sweeper."""
        if written and len(self._waiting) + len(written) <= MAX_WAITING:
            self._waiting.extend(written)
            self._idle.clear()
            self._to_send.set()

    async def start(self) -> None:
        """Begin to send and sweep."""
        for work in (self._send_waiting, self._forget_sent, self._sweep_again):
            self._tasks.append(asyncio.create_task(work(), name=f"{self._context.name} {work.__name__}"))

    async def stop(self) -> None:
        """Send what is waiting, forget what was sent, end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._idle.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        with contextlib.suppress(Unavailable):
            await self._forget()

    async def settled(self) -> None:
        """Wait until everything written by this process has been sent or given to the sweeper."""
        await self._idle.wait()

    async def _send_waiting(self) -> None:
        failing_since: float | None = None
        while True:
            await self._to_send.wait()
            rows = [self._waiting.popleft() for _ in range(min(len(self._waiting), SEND_AT_ONCE))]
            if not rows:
                self._to_send.clear()
                self._idle.set()
                continue
            try:
                sent, _ = await self.publish(rows)
                self._sent += sent
                self._to_forget.set()
                failing_since = None
            except BusClosed:
                self._idle.set()
                return
            except Unavailable as error:
                now = asyncio.get_running_loop().time()
                failing_since = failing_since or now
                self._waiting.extendleft(reversed(rows))
                if now - failing_since > KEEP_TRYING_S:
                    self._context.log.warning("outbox_not_sent", rows=len(self._waiting), reason=str(error))
                    self._waiting.clear()
                await asyncio.sleep(TRY_AGAIN_S)
            except Exception as error:  # one odd row must not silence the service; the sweeper meets it again
                self._context.metrics.internal_error("message")
                self._context.log.error("outbox_failed", rows=len(rows), exc_info=error)

    async def publish(self, rows: Sequence[Outgoing]) -> tuple[list[UUID], list[Outgoing]]:
        """Send rows. Returns: the ids of those the broker has, and those nobody is bound for. Raises: Unavailable."""
        framed = frames(rows)
        unheard: set[UUID] = set()
        try:
            await self._context.bus.publish([frame for frame, _ in framed])
        except Unroutable as error:
            refused = {id(frame) for frame in error.frames}
            unheard = {number for frame, ids in framed if id(frame) in refused for number in ids}
            self._context.log.warning("nobody_listens", reason=str(error))
        sent = [row.id for row in rows if row.id not in unheard]
        self._metrics.said.inc(len(sent))
        return sent, [row for row in rows if row.id in unheard]

    async def _forget_sent(self) -> None:
        while True:
            await self._to_forget.wait()
            await asyncio.sleep(FORGET_AFTER_S)
            self._to_forget.clear()
            try:
                await self._forget()
            except Unavailable:
                self._to_forget.set()
                await asyncio.sleep(1)

    async def _forget(self) -> None:
        ids, self._sent = self._sent, []
        if not ids:
            return
        try:
            async with self._context.database.owner_transaction() as connection:
                await self._rows.delete(connection, ids)
        except Unavailable:
            self._sent += ids
            raise

    async def _sweep_again(self) -> None:
        while True:
            try:
                # Before sweeping, which ends early while the broker is away: that is when it counts how much waits, and for how long.
                async with self._context.database.owner_transaction() as connection:
                    backlog, oldest_s = await self._rows.backlog(connection)
                self._metrics.backlog.set(backlog)
                self._metrics.oldest.set(oldest_s)
                await self.sweep()
            except BusClosed:
                return
            except Unavailable:
                pass  # the broker or the database is away, which others report; the rows wait
            except Exception as error:  # the sweeper is the last hope of a row: it must not die of a surprise
                self._context.metrics.internal_error("message")
                self._context.log.error("sweep_failed", exc_info=error)
            await asyncio.sleep(SWEEP_EVERY_S)

    async def sweep(self, *, older_s: float = SWEEP_OLDER_S) -> int:
        """Send what was left behind, oldest first. Returns: rows sent. Raises: Unavailable."""
        swept, last = 0, UUID(int=0)
        while True:
            async with self._context.database.owner_transaction() as connection:
                found = await self._rows.left(connection, older_s=older_s, after=last, limit=SEND_AT_ONCE)
                if not found:
                    return swept
                last = found[-1][0].id
                sent, unheard = await self.publish([row for row, _ in found])
                age_s = {row.id: age for row, age in found}
                dropped = [row.id for row in unheard if row.exchange == routing.EVENTS and age_s[row.id] > UNHEARD_AFTER_S]
                self._metrics.unheard.inc(len(dropped))
                await self._rows.delete(connection, [*sent, *dropped])
                swept += len(sent)
