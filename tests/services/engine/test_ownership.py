"""A node looks, with every beat, whether what it serves is still its own."""

from __future__ import annotations

import asyncpg
from weft_runtime.database import driver_url
from weft_runtime.testing import eventually

from tests.services.engine.conftest import Engine

PARTITION = 3


async def test_what_another_took_and_left_while_we_slept_is_taken_again_though_nothing_arrives(engine: Engine, database_url: str) -> None:
    connection = await asyncpg.connect(driver_url(database_url))
    try:

        async def owned_with_epoch() -> int | None:
            row = await connection.fetchrow("SELECT owner, epoch FROM engine.partitions WHERE partition = $1", PARTITION)
            return None if row is None or row["owner"] is None else int(row["epoch"])

        before = await eventually(owned_with_epoch, "the engine owning the partition")
        await connection.execute("UPDATE engine.partitions SET epoch = epoch + 1, owner = NULL WHERE partition = $1", PARTITION)
        after = await eventually(owned_with_epoch, "the engine owning it again")
        assert after == before + 2
    finally:
        await connection.close()
