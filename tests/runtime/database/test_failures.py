"""What a database error means, and that its pool heals."""

import asyncio
import traceback
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from weft_runtime.clock import new_id
from weft_runtime.database import Database, ServiceUrls, as_weft_error
from weft_runtime.errors import Conflict, Invalid, StaleWrite, Unavailable
from weft_runtime.telemetry.redaction import redact_text

from tests.runtime.sample.tables import notes

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def note(**changed: Any) -> dict[str, Any]:
    row = {"id": new_id(), "tenant_id": "one", "title": "t", "data": {}, "stars": 0, "revision": 1, "created_at": NOW}
    return row | changed


@pytest.mark.parametrize("changed", [{"title": "a\x00b"}, {"data": {"a": "\x00"}}, {"stars": 2**40}, {"title": "\ud800"}])
async def test_a_value_that_cannot_be_stored_is_invalid(database: Database, changed: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        async with database.transaction("one") as connection:
            await connection.execute(sa.insert(notes), [note(**changed)])


async def test_a_row_that_is_there_is_a_conflict(database: Database) -> None:
    row = note()
    with pytest.raises(Conflict):
        async with database.transaction("one") as connection:
            await connection.execute(sa.insert(notes), [row])
            await connection.execute(sa.insert(notes), [row])


async def test_what_a_statement_was_given_is_not_in_the_log_of_its_failure(database: Database) -> None:
    row = note(title="what somebody entered")
    async with database.owner.connect() as connection:
        await connection.execute(sa.text("ALTER TABLE notes ADD CONSTRAINT short CHECK (length(title) < 9)"))
        with pytest.raises(sa.exc.DBAPIError) as refused:
            await connection.execute(sa.insert(notes), [row])
    shown = redact_text("".join(traceback.format_exception(refused.value)))
    assert "somebody entered" not in shown
    assert "check constraint" in shown and "INSERT INTO" in shown, "but what failed, and why, is"


async def test_a_lost_race_is_a_stale_write(database: Database) -> None:
    row = note()
    async with database.transaction("one") as connection:
        await connection.execute(sa.insert(notes), [row])
    change = sa.update(notes).values(stars=notes.c.stars + 1).where(notes.c.id == row["id"])
    async with database.owner.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        await connection.execute(sa.select(notes.c.id))
        async with database.transaction("one") as other:
            await other.execute(change)
        with pytest.raises(sa.exc.DBAPIError) as lost:
            await connection.execute(change)
    assert isinstance(as_weft_error(lost.value), StaleWrite)


async def test_a_statement_that_takes_too_long_is_unavailable(database: Database) -> None:
    with pytest.raises(Unavailable) as refused:
        async with database.transaction("one") as connection:
            await connection.execute(sa.text("SET LOCAL statement_timeout = 50"))
            await connection.execute(sa.text("SELECT pg_sleep(5)"))
    assert refused.value.code == "database_timeout"


async def test_a_pool_that_is_used_up_is_unavailable(urls: ServiceUrls) -> None:
    small = Database(urls.owner, urls.api, "sample", owner_connections=1, api_connections=1, wait_s=0.05)
    try:
        async with small.transaction("one"):
            with pytest.raises(Unavailable) as refused:
                async with small.transaction("one"):
                    pass
        assert (refused.value.code, refused.value.retry_after_s) == ("database_busy", 1)
    finally:
        await small.close()


async def test_a_bug_of_ours_stays_a_bug(database: Database) -> None:
    with pytest.raises(sa.exc.ProgrammingError):
        async with database.transaction("one") as connection:
            await connection.execute(sa.text("SELECT nonsense"))
    with pytest.raises(ZeroDivisionError):
        async with database.transaction("one"):
            _ = 1 / 0
    with pytest.raises(sa.exc.DBAPIError, match="got 'str'"):
        async with database.transaction("one") as connection:
            await connection.execute(sa.insert(notes), [note(created_at="yesterday")])


async def test_where_nobody_listens_is_unavailable(urls: ServiceUrls) -> None:
    url = sa.make_url(urls.owner).set(port=1).render_as_string(hide_password=False)
    nowhere = Database(url, url, "sample")
    with pytest.raises(Unavailable) as refused:
        async with nowhere.transaction("one"):
            pass
    assert (refused.value.code, refused.value.retry_after_s) == ("database_unavailable", 1)
    assert await nowhere.answers() is False


async def end_connections(database_url: str, which: str) -> None:
    """As a server does that goes down: every connection of the roles named like `which` is closed."""
    server = await asyncpg.connect(database_url)
    try:
        await server.execute(
            "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename LIKE $1 AND datname = current_database()", which
        )
    finally:
        await server.close()


async def ask(database: Database) -> int:
    async with database.transaction("one") as connection:
        return int((await connection.execute(sa.text("SELECT 1"))).scalar_one())


async def test_the_pool_heals_when_the_server_ended_its_connections(database: Database, database_url: str) -> None:
    await asyncio.gather(ask(database), ask(database))
    await end_connections(database_url, "sample%")
    assert list(await asyncio.gather(ask(database), ask(database))) == [1, 1]


async def test_a_connection_lost_in_the_middle_is_unavailable_and_the_next_is_fine(database: Database, database_url: str) -> None:
    with pytest.raises(Unavailable) as refused:
        async with database.transaction("one") as connection:
            await connection.execute(sa.text("SELECT 1"))
            await end_connections(database_url, "sample_api")
            await connection.execute(sa.text("SELECT 1"))
    assert refused.value.code == "database_unavailable"
    assert await ask(database) == 1
