"""Large values in PostgreSQL: in the commit that names them or not at all, and gone when no journal names them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
from weft_engine.journal import Batch, BlobRow, Connection, Fence, Fenced, Journal, JournalRow, UseRow, forget_blobs
from weft_runtime.database import driver_url
from weft_runtime.database.blobs import packed
from weft_runtime.testing import eventually

from tests.services.engine.conftest import Engine

PARTITION = 999
"""One that no engine owns."""


@pytest.fixture
async def schema(database_url: str, engine: Engine) -> AsyncIterator[Connection]:
    """A connection to the schema of an engine that runs."""
    connection = await asyncpg.connect(driver_url(database_url))
    await connection.execute("INSERT INTO engine.partitions (partition, epoch) VALUES ($1, 1) ON CONFLICT DO NOTHING", PARTITION)
    yield connection
    await connection.close()


def batch_of(blob: str, execution: UUID, epoch: int, partition: int = PARTITION, seq: int = 10) -> Batch:
    """A commit whose one row names a large value."""
    entries = [{"kind": "step.completed", "data": {"output": None}, "claims": [[["output"], blob, 4, blob, None]]}]
    row = JournalRow(partition, seq, execution, "acme", 0, datetime.now(UTC), msgspec.json.encode(entries).decode())
    uses = [UseRow("acme", blob, execution)]
    return Batch(fences=[Fence(partition, epoch, 0)], rows=[row], blobs=[BlobRow("acme", blob, 4, packed(b'"ab"'))], uses=uses)


async def test_a_commit_that_is_fenced_off_keeps_nothing(schema: Connection) -> None:
    blob = f"sha256:{uuid4().hex}"
    with pytest.raises(Fenced):
        await Journal(schema).commit(batch_of(blob, uuid4(), epoch=10**9))

    assert await schema.fetchval("SELECT count(*) FROM engine.blobs WHERE id = $1", blob) == 0
    assert await schema.fetchval("SELECT count(*) FROM engine.blob_uses WHERE blob_id = $1", blob) == 0


async def written(schema: Connection, blob: str, execution: UUID, seq: int) -> None:
    await Journal(schema).commit(batch_of(blob, execution, 1, seq=seq))


async def stored(schema: Connection, blob: str) -> bool:
    return bool(await schema.fetchval("SELECT EXISTS (SELECT FROM engine.blobs WHERE id = $1)", blob))


async def test_a_value_is_deleted_when_its_time_has_come_and_no_journal_names_it(schema: Connection) -> None:
    blob, first, second = f"sha256:{uuid4().hex}", uuid4(), uuid4()
    base = 20
    await written(schema, blob, first, base)
    await written(schema, blob, second, base + 1)
    due = "UPDATE engine.blobs SET expires_at = now() - interval '1 hour' WHERE id = $1"

    await schema.execute(due, blob)
    await forget_blobs(schema)
    assert await stored(schema, blob), "two executions use it"
    await schema.execute("DELETE FROM engine.journal WHERE execution_id = $1", first)
    await forget_blobs(schema)
    assert await stored(schema, blob), "it is not looked at again so soon"
    await schema.execute(due, blob)
    await forget_blobs(schema)
    assert await stored(schema, blob), "one execution uses it"
    await schema.execute("DELETE FROM engine.journal WHERE execution_id = $1", second)
    await schema.execute(due, blob)
    await forget_blobs(schema)
    assert not await stored(schema, blob)
    assert await schema.fetchval("SELECT count(*) FROM engine.blob_uses WHERE blob_id = $1", blob) == 0


async def test_a_value_that_is_used_anew_while_it_is_being_deleted_is_there_afterwards(schema: Connection, database_url: str) -> None:
    blob, gone, new = f"sha256:{uuid4().hex}", uuid4(), uuid4()
    base = 30
    await written(schema, blob, gone, base)
    await schema.execute("DELETE FROM engine.journal WHERE execution_id = $1", gone)
    await schema.execute("UPDATE engine.blobs SET expires_at = now() - interval '1 hour' WHERE id = $1", blob)
    other = await asyncpg.connect(driver_url(database_url))
    try:
        removal = schema.transaction()
        await removal.start()
        await forget_blobs(schema)
        using = asyncio.create_task(written(other, blob, new, base + 1))

        async def held_up() -> bool | None:
            return await schema.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", other.get_server_pid()) or None

        await eventually(held_up, "the commit waiting for the removal")
        await removal.commit()
        await using

        assert await stored(schema, blob)
        assert (await Journal(other).blobs("acme", [blob]))[blob] == b'"ab"'
    finally:
        await other.close()
