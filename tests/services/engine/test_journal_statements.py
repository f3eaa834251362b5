"""One commit names only what it writes, so each combination is a statement of its own: PostgreSQL takes all of them."""

from __future__ import annotations

from itertools import combinations

import asyncpg
import pytest
from weft_engine.journal import Batch
from weft_engine.journal.statements import PARTS, commit
from weft_runtime.database import driver_url

MIXES = [mix for size in range(len(PARTS) + 1) for mix in combinations(PARTS, size)]


def test_every_part_is_a_list_of_the_batch() -> None:
    batch = Batch()
    assert [getattr(batch, part.name) for part in PARTS] == [[] for _ in PARTS]


@pytest.mark.usefixtures("engine")
async def test_each_mix_is_a_statement_that_writes_nothing_when_the_fence_has_moved(database_url: str) -> None:
    connection = await asyncpg.connect(driver_url(database_url))
    try:
        for mix in MIXES:
            empty: list[list[object]] = [[] for part in mix for _ in part.types]
            assert await connection.fetchval(commit(mix), [0], [-1], [0], *empty) == 0
    finally:
        await connection.close()
