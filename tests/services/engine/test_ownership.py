"""A node looks, with every beat, whether what it serves is still its own; nodes share partitions, and the journal is parted by month."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import asyncpg
import pytest
from weft_engine.journal import months_from
from weft_engine.partitions import share
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


async def test_the_journal_has_a_part_for_this_month_and_the_next(engine: Engine, database_url: str) -> None:
    connection = await asyncpg.connect(driver_url(database_url))
    try:
        parts = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'engine.journal'::regclass"
        wanted = {f"engine.{name}" for name, _ in months_from(engine.service.clock.now())}

        async def made() -> bool | None:
            # By the first beat of the node, which may come after the doors are open.
            return wanted < {row[0] for row in await connection.fetch(parts)} or None

        await eventually(made, f"the parts {wanted}")
        await engine.publish("kept", nodes=[{"id": "a", "type": "set", "with": {"x": 1}}])
        execution = await engine.start("kept")
        await engine.ended(execution)
        where = "SELECT DISTINCT tableoid::regclass::text FROM engine.journal WHERE execution_id = $1"
        assert await connection.fetchval(where, UUID(execution)) == f"engine.{months_from(engine.service.clock.now())[0][0]}"
    finally:
        await connection.close()


@pytest.mark.parametrize("partitions", [8, 64])
def test_partitions_are_spread_over_the_living_nodes_and_few_move_when_one_comes(partitions: int) -> None:
    nodes = [UUID(int=2**100 + 7919 * number) for number in range(4)]
    before = {partition: share(partition, nodes) for partition in range(partitions)}
    assert len(set(before.values())) > 1
    after = {partition: share(partition, [*nodes, UUID(int=2**90)]) for partition in range(partitions)}
    assert {after[partition] for partition in range(partitions) if after[partition] != before[partition]} <= {UUID(int=2**90)}
    if partitions == 64:
        assert max(Counter(before.values()).values()) <= 2 * partitions // len(nodes)
