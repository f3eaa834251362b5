"""A node looks, with every beat, whether what it serves is still its own; nodes share partitions, and the journal is parted by month."""

from __future__ import annotations

from collections import Counter
from statistics import mean
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_engine.journal import months_from
from weft_engine.partitions import shares
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


_NODES = st.lists(st.uuids(), min_size=1, max_size=9, unique=True)


@given(st.integers(1, 64), _NODES)
def test_every_partition_has_an_owner_and_no_node_owns_two_more_than_another(partitions: int, nodes: list[UUID]) -> None:
    owners = shares(partitions, frozenset(nodes))
    assert set(owners) == set(range(partitions))
    owned = Counter(owners.values())
    assert max(owned[node] for node in nodes) - min(owned[node] for node in nodes) <= 1


@pytest.mark.parametrize(("partitions", "nodes"), [(8, 1), (8, 2), (64, 1), (64, 2), (64, 4)])
def test_a_node_that_comes_moves_little_but_its_own_share(partitions: int, nodes: int) -> None:
    moved = []
    for number in range(20):
        present = frozenset(UUID(int=2**100 + 7919 * (number * 10 + one)) for one in range(nodes))
        before, after = shares(partitions, present), shares(partitions, present | {UUID(int=2**90 + number)})
        moved.append(sum(before[partition] != after[partition] for partition in range(partitions)))
    assert mean(moved) <= 1.25 * partitions / (nodes + 1)
