"""Row-level security: what a query forgets, the database remembers."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from weft_runtime.clock import new_id
from weft_runtime.database import Database
from weft_runtime.database.tenancy import POLICY, SETTING, renew

from tests.runtime.sample.tables import notes

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def note(tenant: str) -> dict[str, Any]:
    return {"id": new_id(), "tenant_id": tenant, "title": tenant, "data": {}, "stars": 0, "revision": 1, "created_at": NOW}


async def titles(connection: Any) -> set[str]:
    return set((await connection.execute(sa.select(notes.c.title))).scalars())


@pytest.fixture(autouse=True)
async def rows(database: Database) -> None:
    async with database.owner_transaction() as connection:
        await connection.execute(sa.delete(notes))
        await connection.execute(sa.insert(notes), [note("one"), note("two")])


async def test_a_query_that_forgets_the_tenant_sees_only_its_own(database: Database) -> None:
    for tenant in ("one", "two"):
        async with database.transaction(tenant) as connection:
            assert await titles(connection) == {tenant}
    async with database.transaction("nobody") as connection:
        assert await titles(connection) == set()


async def test_without_a_tenant_nothing_is_seen_and_nothing_can_be_written(database: Database) -> None:
    async with database.api.begin() as connection:
        assert await titles(connection) == set()
        with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
            await connection.execute(sa.insert(notes), [note("one")])
        await connection.rollback()


async def test_an_empty_tenant_is_none_also_for_rows_that_name_none(database: Database) -> None:
    async with database.owner_transaction() as connection:
        await connection.execute(sa.insert(notes), [note("")])
    async with database.transaction("") as connection:
        assert await titles(connection) == set()
        with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
            await connection.execute(sa.insert(notes), [note("")])
        await connection.rollback()
    async with database.owner_transaction() as connection:
        assert await titles(connection) == {"", "one", "two"}


async def test_a_policy_of_an_older_release_is_made_what_it_is_today(database: Database) -> None:
    class Directly:
        """Alembic's operations, on a connection at hand."""

        def __init__(self, connection: sa.Connection) -> None:
            self.connection = connection

        def get_bind(self) -> sa.Connection:
            return self.connection

        def execute(self, sqltext: str) -> None:
            self.connection.execute(sa.text(sqltext))

    async def seen() -> set[str]:
        async with database.transaction("") as connection:
            return await titles(connection)

    as_it_was = f"tenant_id = current_setting('{SETTING}', true)"
    async with database.owner_transaction() as connection:
        await connection.execute(sa.insert(notes), [note("")])
        await connection.execute(sa.text(f"ALTER POLICY {POLICY} ON sample.notes USING ({as_it_was}) WITH CHECK ({as_it_was})"))
    assert await seen() == {""}
    async with database.owner_transaction() as connection:
        await connection.run_sync(lambda bound: renew(Directly(bound), "sample"))
    assert await seen() == set()
    async with database.transaction("one") as connection:
        assert await titles(connection) == {"one"}


async def test_a_row_of_another_tenant_can_be_neither_written_nor_changed_nor_deleted(database: Database) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
        async with database.transaction("one") as connection:
            await connection.execute(sa.insert(notes), [note("two")])
    async with database.transaction("one") as connection:
        assert (await connection.execute(sa.delete(notes).where(notes.c.tenant_id == "two"))).rowcount == 0
        assert (await connection.execute(sa.update(notes).values(title="x").where(notes.c.title == "two"))).rowcount == 0
    with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
        async with database.transaction("one") as connection:
            await connection.execute(sa.update(notes).values(tenant_id="two"))


async def test_a_pooled_connection_does_not_carry_its_tenant_to_the_next(database: Database) -> None:
    async def one(tenant: str) -> set[str]:
        async with database.transaction(tenant) as connection:
            await asyncio.sleep(0)
            return await titles(connection)

    wanted = ["one", "two", "nobody"] * 20
    seen = await asyncio.gather(*(one(tenant) for tenant in wanted))
    assert seen == [{tenant} if tenant != "nobody" else set() for tenant in wanted]
    async with database.api.connect() as connection:
        assert (await connection.execute(sa.text(f"SELECT current_setting('{SETTING}', true)"))).scalar_one() in (None, "")
        assert await titles(connection) == set()


async def test_an_error_does_not_leave_the_tenant_behind(database: Database) -> None:
    for _ in range(4):
        with pytest.raises(RuntimeError):
            async with database.transaction("one"):
                raise RuntimeError
    async with database.api.connect() as connection:
        assert await titles(connection) == set()


async def test_the_message_door_sees_every_tenant(database: Database) -> None:
    async with database.owner_transaction() as connection:
        assert await titles(connection) == {"one", "two"}


async def test_the_api_role_cannot_read_what_is_to_be_said_or_what_was_heard(database: Database) -> None:
    for table in ("outbox", "inbox"):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            async with database.transaction("one") as connection:
                await connection.execute(sa.text(f"SELECT * FROM sample.{table}"))


async def test_every_table_of_a_tenant_is_guarded(database: Database) -> None:
    async with database.owner_transaction() as connection:
        unguarded = await connection.execute(
            sa.text(
                "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                " WHERE c.relnamespace = 'sample'::regnamespace AND c.relkind IN ('r', 'p')"
                " AND a.attname = 'tenant_id' AND NOT c.relrowsecurity"
            )
        )
        assert list(unguarded) == []
