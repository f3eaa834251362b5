"""One transaction of the message door: the inbox, the handlers, the outbox, and what failed."""

from __future__ import annotations

import time
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from weft_contracts import routing

from weft_runtime.context import ServiceContext
from weft_runtime.database.failures import as_weft_error
from weft_runtime.database.tenancy import quote
from weft_runtime.errors import Unavailable
from weft_runtime.pipeline.calling import GONE, Caller
from weft_runtime.pipeline.metrics import MessageMetrics
from weft_runtime.pipeline.outbox import Outbox
from weft_runtime.pipeline.parking import Failure, Parked, Parking
from weft_runtime.pipeline.reading import Piece, read
from weft_runtime.pipeline.replaying import keys_of, sent_back
from weft_runtime.pipeline.verdicts import Verdict
from weft_runtime.pipeline.words import Outgoing
from weft_runtime.uow import UnitOfWork


class Batches:
    """Runs pieces in transactions. A piece either takes effect with what is said of it, or is parked; never both, never twice."""

    def __init__(self, context: ServiceContext, caller: Caller, outbox: Outbox) -> None:
        self._context = context
        self._caller = caller
        self._outbox = outbox
        self._metrics: MessageMetrics = outbox.metrics
        self.parking = Parking(context.name)
        self._see = sa.text(
            f"INSERT INTO {quote(context.name)}.inbox (source, id) SELECT * FROM unnest("  # noqa: S608
            "CAST(:sources AS text[]), CAST(:ids AS text[])) ON CONFLICT DO NOTHING RETURNING source, id"
        )

        self._forget = sa.text(
            f"DELETE FROM {quote(context.name)}.inbox i USING unnest("  # noqa: S608
            "CAST(:sources AS text[]), CAST(:ids AS text[])) AS u(source, id) WHERE i.source = u.source AND i.id = u.id"
        )

    async def run(self, pieces: Sequence[Piece]) -> None:
        """Handle these. Raises: Unavailable when the database is away: nothing has happened, run them again."""
        began = time.perf_counter()
        try:
            await self._transaction(pieces, careful=False)
        except Exception as error:  # noqa: BLE001  whatever a handler raised: found out below, item by item
            _raise_if_gone(error)
            await self._carefully(pieces)
        self._metrics.batch_items.observe(len(pieces))
        self._metrics.batch_seconds.observe(time.perf_counter() - began)

    async def _carefully(self, pieces: Sequence[Piece]) -> None:
        try:
            await self._transaction(pieces, careful=True)
        except Exception as error:  # noqa: BLE001  each went well by itself and yet the commit did not: halve to find whose it is
            _raise_if_gone(error)
            if len(pieces) > 1:
                middle = len(pieces) // 2
                await self._carefully(pieces[:middle])
                await self._carefully(pieces[middle:])
            else:
                verdict = self._caller.judged(as_weft_error(error) or error, 1, pieces)
                await self._transaction(pieces, careful=True, failed=[Failure(pieces[0], verdict)])

    async def _transaction(self, pieces: Sequence[Piece], *, careful: bool, failed: Sequence[Failure] | None = None) -> None:
        async with self._context.database.owner_transaction() as connection:
            fresh = await self._unseen(connection, pieces, careful=careful)
            failures = [Failure(piece, Verdict(*piece.problem)) for piece in fresh if piece.problem is not None]
            readable = [piece for piece in fresh if piece.problem is None]
            uows: list[UnitOfWork] = []
            more: list[Failure] = []
            if failed is not None:
                more = list(failed)
            elif careful:
                uows, more = await self._caller.carefully(connection, readable)
            else:
                uows = await self._caller.all(connection, readable)
            failures += more
            await self.parking.add(connection, failures, self._context.clock.now())
            written = await self._outbox.write_all(connection, uows)
        await self._outbox.send(written)
        self._count(len(pieces), len(fresh), failures)

    async def _unseen(self, connection: AsyncConnection, pieces: Sequence[Piece], *, careful: bool = True) -> list[Piece]:
        """Those the inbox does not know. careful: look for repeatable ones too, so that one that is parked is parked once."""
        keys = [piece.key for piece in pieces if piece.key is not None and (careful or not piece.repeatable)]
        if not keys:
            return list(pieces)
        found = await connection.execute(self._see, {"sources": [key[0] for key in keys], "ids": [key[1] for key in keys]})
        new = {(row.source, row.id) for row in found}
        fresh = []
        for piece in pieces:
            if piece.key is None or (piece.repeatable and not careful):
                fresh.append(piece)
            elif piece.key in new:
                new.discard(piece.key)
                fresh.append(piece)
        return fresh

    async def retry(self) -> bool:
        """Try the parked one that is due longest again. Returns: whether there was one. Raises: Unavailable."""
        parked: Parked | None = None
        try:
            async with self._context.database.owner_transaction() as connection:
                parked = await self.parking.due(connection, self._context.clock.now())
                if parked is None:
                    return False
                written = await self._settled(connection, parked)
        except Exception as error:  # the commit failed: the verdict is written in a transaction of its own
            _raise_if_gone(error)
            if parked is None:
                raise
            verdict = self._caller.judged(as_weft_error(error) or error, parked.attempts + 1, self._read(parked)[:1])
            async with self._context.database.owner_transaction() as connection:
                await self.parking.failed(connection, parked, verdict, self._context.clock.now())
            return True
        await self._outbox.send(written)
        return True

    async def _settled(self, connection: AsyncConnection, parked: Parked) -> Sequence[Outgoing]:
        """Handle a parked message, or send it back to who reads its queue. Returns: what is to be sent."""
        if parked.origin.queue == routing.inbox_queue(self._context.name):
            return await self._outbox.write_all(connection, await self._again(connection, parked))
        found = sent_back(parked, self._context.settings.partitions)
        now = self._context.clock.now()
        if isinstance(found, Verdict):
            await self.parking.failed(connection, parked, found, now)
            return ()
        items, rows = found
        # Its reader buries it again when it still cannot use it; remembered as seen, that second burial would be its end.
        # Guarded by tests/services/engine/test_parked.py.
        sources, ids = keys_of(items)
        await connection.execute(self._forget, {"sources": sources, "ids": ids})
        await self.parking.handled(connection, parked, now)
        return await self._outbox.write_rows(connection, rows)

    def _read(self, parked: Parked) -> list[Piece]:
        return read(self._caller.handlers, parked.origin, parked.body)

    async def _again(self, connection: AsyncConnection, parked: Parked) -> list[UnitOfWork]:
        now = self._context.clock.now()
        pieces = self._read(parked)
        unreadable = next((piece.problem for piece in pieces if piece.problem is not None), None)
        if unreadable is not None:
            await self.parking.failed(connection, parked, Verdict(*unreadable), now)
            return []
        point = await connection.begin_nested()
        if not parked.message_id:  # a frame that could not be read when it came: its items may have come again since
            pieces = await self._unseen(connection, pieces)
        uows, failures = await self._caller.carefully(connection, pieces, tries=parked.attempts + 1)
        if failures:
            await point.rollback()
            await self.parking.failed(connection, parked, failures[0].verdict, now)
            return []
        await point.commit()
        await self.parking.handled(connection, parked, now)
        return uows

    def _count(self, taken: int, fresh: int, failures: Sequence[Failure]) -> None:
        items = self._metrics.items
        items.labels("seen").inc(taken - fresh)
        items.labels("handled").inc(fresh - len(failures))
        for failure in failures:
            if failure.verdict.retry_in_s is None:
                items.labels("parked").inc()
                self._metrics.parked.labels(failure.verdict.code).inc()
            else:
                items.labels("retrying").inc()


def _raise_if_gone(error: Exception) -> None:
    known = as_weft_error(error)
    if isinstance(known, Unavailable) and known.code in GONE:
        raise known from error
