import asyncio

import asyncpg
from weft_runtime.database import ServiceUrls, check, downgrade, migrate

PACKAGE, SCHEMA = "tests.runtime.sample", "sample"


async def relations(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", SCHEMA)
    finally:
        await connection.close()
    return {row["tablename"] for row in rows}


async def test_the_migrated_schema_is_the_one_the_tables_describe(urls: ServiceUrls) -> None:
    assert await check(urls.owner, PACKAGE, SCHEMA) == []


async def test_a_difference_is_found(urls: ServiceUrls) -> None:
    connection = await asyncpg.connect(urls.owner)
    try:
        await connection.execute("ALTER TABLE sample.notes ADD COLUMN forgotten text")
        assert "forgotten" in (await check(urls.owner, PACKAGE, SCHEMA))[0]
        await connection.execute("ALTER TABLE sample.notes DROP COLUMN forgotten")
    finally:
        await connection.close()


async def test_migrations_go_up_down_and_up(urls: ServiceUrls) -> None:
    mine = {"notes", "inbox", "outbox", "parked", "idempotency", "rates", "blobs", "alembic_version"}
    assert await relations(urls.owner) == mine
    await downgrade(urls.owner, PACKAGE, SCHEMA)
    assert await relations(urls.owner) == {"alembic_version"}
    await migrate(urls.owner, PACKAGE, SCHEMA)
    assert await relations(urls.owner) == mine


async def test_several_processes_may_migrate_at_once(urls: ServiceUrls) -> None:
    await downgrade(urls.owner, PACKAGE, SCHEMA)
    await asyncio.gather(*(migrate(urls.owner, PACKAGE, SCHEMA) for _ in range(4)))
    assert "notes" in await relations(urls.owner)
