"""A room that runs, on each transport of the bus where it matters."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from weft_runtime.pipeline import pipeline
from weft_runtime.testing import RunningService, running_service

from tests.runtime.pipeline.room import Room


class Started:
    """A room and the service it is."""

    def __init__(self, room: Room, service: RunningService) -> None:
        self.room = room
        self.service = service

    @property
    def pipeline(self) -> Any:
        return self.service.host.pipeline

    async def without_retries(self) -> None:
        """Tests that move the clock try again themselves, and count it: the room's own loop, already at its first look, may be first."""
        loops = [task for task in self.pipeline._minding if task.get_name().endswith("_retry_due")]
        assert loops
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)

    async def rows(self, query: str) -> list[Any]:
        async with self.service.context.database.owner_transaction() as connection:
            return list(await connection.execute(sa.text(query)))

    async def titles(self) -> list[str]:
        return sorted(row.title for row in await self.rows("SELECT title FROM sample.notes"))

    async def parked(self) -> list[Any]:
        return await self.rows("SELECT * FROM sample.parked ORDER BY id")


Starter = Callable[..., AbstractAsyncContextManager[Started]]


@pytest.fixture
def start(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Starter:
    monkeypatch.setattr(pipeline, "RETRY_EVERY_S", 3600.0)  # for a door that is stopped and opened again

    @asynccontextmanager
    async def starting(broker_url: str | None = None) -> AsyncIterator[Started]:
        room = Room()
        async with running_service(room.build, database_url, broker_url, name="sample") as service:
            started = Started(room, service)
            await started.without_retries()
            await clear(started)
            yield started

    return starting


async def clear(started: Started) -> None:
    async with started.service.context.database.owner_transaction() as connection:
        for table in ("notes", "inbox", "outbox", "parked"):
            await connection.execute(sa.text(f"DELETE FROM sample.{table}"))
        await connection.execute(sa.text("CREATE TABLE IF NOT EXISTS sample.whole (id int PRIMARY KEY)"))
        await connection.execute(
            sa.text("CREATE TABLE IF NOT EXISTS sample.late (parent int REFERENCES sample.whole (id) DEFERRABLE INITIALLY DEFERRED)")
        )


@pytest.fixture
async def running(start: Starter) -> AsyncIterator[Started]:
    async with start() as started:
        yield started
