"""Payloads too large for a row: kept once per tenant, given back whole, seen by their tenant alone, forgotten in time."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from weft_runtime.database import Database
from weft_runtime.database.blobs import MAX_BYTES, BlobMissing, Blobs, BlobTooLarge, claim_of

from tests.runtime.sample.tables import blobs as table

NOW = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
BLOBS = Blobs("sample")
TEXT = b'{"rows": [' + b'{"name": "Anna", "amount": 42},' * 5000 + b"null]}"


@pytest.fixture(autouse=True)
async def empty(database: Database) -> None:
    async with database.owner_transaction() as connection:
        await connection.execute(sa.delete(table))


async def sizes(database: Database) -> list[tuple[str, int, int]]:
    """(tenant, size, bytes stored) of every blob."""
    async with database.owner_transaction() as connection:
        query = sa.select(table.c.tenant_id, table.c.size_bytes, sa.func.octet_length(table.c.content)).order_by(table.c.tenant_id)
        return [tuple(row) for row in await connection.execute(query)]


@given(st.binary(max_size=200))
def test_a_claim_is_named_by_its_content(content: bytes) -> None:
    assert claim_of(content) == claim_of(bytes(bytearray(content)))
    assert claim_of(content).id != claim_of(content + b"!").id
    assert claim_of(content).size_bytes == len(content)


@pytest.mark.parametrize("content", [b"", b"x", TEXT, bytes(range(256)) * 4096])
async def test_what_is_stored_comes_back_as_it_was(database: Database, content: bytes) -> None:
    async with database.transaction("acme") as connection:
        claim = await BLOBS.store(connection, "acme", content, now=NOW, until=NOW + DAY)
    async with database.transaction("acme") as connection:
        assert await BLOBS.load(connection, "acme", [claim.id]) == {claim.id: content}


async def test_the_same_content_is_kept_once_compressed_and_for_its_longest_keeper(database: Database) -> None:
    async with database.transaction("acme") as connection:
        for until in (NOW + 2 * DAY, NOW + 5 * DAY, NOW + DAY):
            claim = await BLOBS.store(connection, "acme", TEXT, now=NOW, until=until)
    ((tenant, size, stored),) = await sizes(database)
    assert (tenant, size) == ("acme", len(TEXT))
    assert stored < size / 10
    async with database.owner_transaction() as connection:
        assert await BLOBS.sweep(connection, NOW + 4 * DAY) == 0
        assert await BLOBS.load(connection, "acme", [claim.id]) == {claim.id: TEXT}
        assert await BLOBS.sweep(connection, NOW + 5 * DAY) == 1
    assert await sizes(database) == []


async def test_a_tenant_sees_its_own_blobs_only(database: Database) -> None:
    async with database.transaction("acme") as connection:
        claim = await BLOBS.store(connection, "acme", b"secret", now=NOW, until=NOW + DAY)
    async with database.transaction("other") as connection:
        assert list(await connection.execute(sa.select(table))) == [], "row-level security, whatever a query forgets"
        with pytest.raises(BlobMissing):
            await BLOBS.load(connection, "acme", [claim.id])
    async with database.owner_transaction() as connection:
        with pytest.raises(BlobMissing):
            await BLOBS.load(connection, "other", [claim.id])
    with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
        async with database.transaction("other") as connection:
            await BLOBS.store(connection, "acme", b"forged", now=NOW, until=NOW + DAY)
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        async with database.transaction("acme") as connection:
            await connection.execute(sa.update(table).values(content=b"changed"))


async def test_what_is_too_large_is_refused(database: Database) -> None:
    async with database.transaction("acme") as connection:
        await BLOBS.store(connection, "acme", b"x" * MAX_BYTES, now=NOW, until=NOW + DAY)
        with pytest.raises(BlobTooLarge, match="1048577 bytes"):
            await BLOBS.store(connection, "acme", b"x" * (MAX_BYTES + 1), now=NOW, until=NOW + DAY)


async def test_a_sweep_takes_the_oldest_first_and_only_so_many(database: Database) -> None:
    async with database.owner_transaction() as connection:
        for number in range(5):
            await BLOBS.store(connection, f"t{number}", b"x", now=NOW, until=NOW + number * DAY)
        assert await BLOBS.sweep(connection, NOW + 10 * DAY, limit=2) == 2
    assert [tenant for tenant, _, _ in await sizes(database)] == ["t2", "t3", "t4"]
