"""Calling the handlers: fast and all together, or carefully, so that who fails is found and takes nobody down."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft_runtime.context import ServiceContext
from weft_runtime.database.failures import as_weft_error
from weft_runtime.errors import StaleWrite, Unavailable
from weft_runtime.pipeline.handlers import BatchHandler, Handlers, Heard, RawEvent
from weft_runtime.pipeline.listening import listening
from weft_runtime.pipeline.parking import Failure
from weft_runtime.pipeline.reading import Piece
from weft_runtime.pipeline.verdicts import AT_ONCE, Verdict, judge
from weft_runtime.uow import UnitOfWork

GONE = frozenset({"database_unavailable", "database_busy"})
"""Codes that tell nothing about the item: the database is away, and everything waits."""


class Caller:
    """Calls a room's handlers within a transaction."""

    def __init__(self, context: ServiceContext, handlers: Handlers) -> None:
        self._context = context
        self.handlers = handlers

    async def all(self, connection: AsyncConnection, pieces: Sequence[Piece]) -> list[UnitOfWork]:
        """Call for all. Returns: their units of work. Raises: whatever a handler raises; the transaction is lost then."""
        uows = [await self._one(connection, piece) for piece in pieces if self._is_single(piece)]
        for handler, group in self._groups(pieces):
            uows.append(await self._together(connection, handler, group))
        return uows

    async def carefully(
        self, connection: AsyncConnection, pieces: Sequence[Piece], *, tries: int = 1
    ) -> tuple[list[UnitOfWork], list[Failure]]:
        """Call for all, each within a savepoint. tries: which one this is. Raises: Unavailable when the database is away."""
        uows: list[UnitOfWork] = []
        failures: list[Failure] = []
        for piece in pieces:
            if self._is_single(piece):
                await self._saved(connection, [piece], partial(self._one, connection, piece), uows, failures, tries)
        for handler, group in self._groups(pieces):
            await self._bisected(connection, handler, group, uows, failures, tries)
        return uows, failures

    async def _bisected(
        self,
        connection: AsyncConnection,
        handler: BatchHandler,
        group: list[Piece],
        uows: list[UnitOfWork],
        failures: list[Failure],
        tries: int,
    ) -> None:
        found: list[Failure] = []
        await self._saved(connection, group, partial(self._together, connection, handler, group), uows, found, tries)
        if found and len(group) > 1:
            middle = len(group) // 2
            await self._bisected(connection, handler, group[:middle], uows, failures, tries)
            await self._bisected(connection, handler, group[middle:], uows, failures, tries)
        else:
            failures += found

    async def _saved(
        self,
        connection: AsyncConnection,
        group: Sequence[Piece],
        call: Callable[[], Awaitable[UnitOfWork]],
        uows: list[UnitOfWork],
        failures: list[Failure],
        tries: int,
    ) -> None:
        for attempt in range(1 + AT_ONCE):
            try:
                async with connection.begin_nested():
                    uow = await call()
            except Exception as error:  # whatever a handler raises becomes a verdict on its message
                known = as_weft_error(error) or error
                if isinstance(known, Unavailable) and known.code in GONE:
                    raise known from error
                if isinstance(known, StaleWrite) and attempt < AT_ONCE:
                    continue
                failures.append(Failure(group[0], self.judged(known, tries, group), tries))
                return
            uows.append(uow)
            return

    def judged(self, error: BaseException, tries: int, group: Sequence[Piece]) -> Verdict:
        """The verdict on an error, told to the log; our own bugs are counted, which alerts."""
        verdict = judge(error, tries, chance=random.random())  # noqa: S311  spreads retries, guards nothing
        if len(group) == 1:
            with listening(self.handlers.room, group[0]):
                item = group[0].item
                told = {"code": verdict.code, "reason": verdict.reason, "retry_in_s": verdict.retry_in_s, "tries": tries}
                names = {"type": item.type, "message": item.id} if item else {}
                if verdict.bug:
                    self._context.metrics.internal_error("message")
                    self._context.log.error("message_failed", **told, **names, exc_info=error)
                else:
                    self._context.log.warning("message_failed", **told, **names)
        return verdict

    async def _one(self, connection: AsyncConnection, piece: Piece) -> UnitOfWork:
        heard = piece.what
        if not isinstance(heard, Heard):
            raise TypeError("only a word has a handler of its own")
        with listening(self.handlers.room, piece) as traceparent:
            uow = UnitOfWork(heard.tenant, connection, self._context.clock.now(), traceparent=traceparent)
            await self.handlers.singles[type(heard.message)](heard.message, uow)
        return uow

    async def _together(self, connection: AsyncConnection, handler: BatchHandler, group: Sequence[Piece]) -> UnitOfWork:
        uow = UnitOfWork("", connection, self._context.clock.now())
        await handler([piece.what for piece in group], uow)
        return uow

    def _is_single(self, piece: Piece) -> bool:
        return isinstance(piece.what, Heard) and type(piece.what.message) in self.handlers.singles

    def _groups(self, pieces: Sequence[Piece]) -> list[tuple[BatchHandler, list[Piece]]]:
        groups: list[tuple[BatchHandler, list[Piece]]] = []
        for words, handler in self.handlers.batches:
            groups.append((handler, [piece for piece in pieces if _word(piece) in words]))
        if self.handlers.raw is not None:
            groups.append((self.handlers.raw, [piece for piece in pieces if isinstance(piece.what, RawEvent)]))
        return [(handler, group) for handler, group in groups if group]


def _word(piece: Piece) -> Any:
    return type(piece.what.message) if isinstance(piece.what, Heard) else None
