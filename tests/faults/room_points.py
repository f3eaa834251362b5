"""Points at which a room's process kills itself between two durable things, or is told that what was done failed.

before_commit: what is said stands in the transaction.  after_commit: nothing of it was sent or answered.  before_publish,
before_forget: around the broker's confirmation.  bisecting: before a part of a batch that has a culprit.  before_ack: a batch is
committed.  commit_in_doubt, publish_in_doubt: it was done and its answer is lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID
from weakref import WeakSet

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from weft_runtime.database import engine
from weft_runtime.errors import Unavailable
from weft_runtime.pipeline.batch import Batches
from weft_runtime.pipeline.outbox import Outbox
from weft_runtime.pipeline.reading import Piece
from weft_runtime.pipeline.words import Outgoing
from weft_runtime.uow import UnitOfWork

from tests.faults import dying
from tests.faults.dying import due, passing


def arm(point: str, after: int) -> None:
    """Let this point be due once it was passed so often; "" is never."""
    dying.arm(point, after)
    _instrument_transactions()
    _instrument_outbox()


def _instrument_transactions() -> None:
    begin, write_all, run, carefully = engine._begin, Outbox.write_all, Batches.run, Batches._carefully
    saying: WeakSet[AsyncConnection] = WeakSet()

    @asynccontextmanager
    async def beginning(pool: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        async with begin(pool) as connection:
            yield connection
            said = connection in saying
        if said and due("commit_in_doubt"):
            raise Unavailable("the answer to a commit that was done is lost", code="database_unavailable")

    async def writing(self: Outbox, connection: AsyncConnection, uows: Sequence[UnitOfWork]) -> Sequence[Outgoing]:
        rows = await write_all(self, connection, uows)
        if rows:
            saying.add(connection)
            passing("before_commit")
        return rows

    async def running(self: Batches, pieces: Sequence[Piece]) -> None:
        await run(self, pieces)
        passing("before_ack")

    async def bisecting(self: Batches, pieces: Sequence[Piece]) -> None:
        passing("bisecting")
        await carefully(self, pieces)

    engine._begin = beginning
    Outbox.write_all = writing  # type: ignore[method-assign]
    Batches.run, Batches._carefully = running, bisecting  # type: ignore[method-assign]


def _instrument_outbox() -> None:
    send, publish, forget = Outbox.send, Outbox.publish, Outbox._forget

    async def sending(self: Outbox, written: Any) -> None:
        if written:
            passing("after_commit")
        await send(self, written)

    async def publishing(self: Outbox, rows: Sequence[Outgoing]) -> tuple[list[UUID], list[Outgoing]]:
        passing("before_publish")
        sent = await publish(self, rows)
        if due("publish_in_doubt"):
            raise Unavailable("the broker's confirmation of what it has is lost", code="broker_unavailable")
        return sent

    async def forgetting(self: Outbox) -> None:
        if self._sent:
            passing("before_forget")
        await forget(self)

    Outbox.send, Outbox.publish, Outbox._forget = sending, publishing, forgetting  # type: ignore[method-assign]
