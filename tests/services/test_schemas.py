"""Every service's schema goes up, down and up again, and one tenant's rows are all that its HTTP door can see, whatever a query forgets."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, date, datetime

import asyncpg
import pytest
import sqlalchemy as sa
from weft.rooms import ROOMS, Room
from weft_analytics.tables import own_executions
from weft_engine.journal import months_from
from weft_runtime.clock import new_id
from weft_runtime.database import check, downgrade, migrate, plumbing, provision
from weft_runtime.database.engine import Database
from weft_runtime.testing.running import TEST_SECRET

from tests.support.isolation import SharedStack

TABLES = [(room, table) for room in ROOMS for table in importlib.import_module(f"{room.package}.tables").metadata.sorted_tables]
OF_TENANTS = [(room, table) for room, table in TABLES if "tenant_id" in table.columns]
VIEWS = {"analytics": (own_executions,)}
"""What the HTTP door reads besides tables."""
SAMPLES: dict[type[object], Callable[[], object]] = {
    sa.Uuid: new_id,
    sa.Integer: lambda: 1,
    sa.Float: lambda: 1.0,
    sa.Numeric: lambda: 1,
    sa.Date: lambda: date(2026, 1, 1),
    sa.Boolean: lambda: False,
    sa.TIMESTAMP: sa.func.now,
    sa.ARRAY: list,
    sa.JSON: dict,
    sa.LargeBinary: lambda: new_id().bytes,
    sa.Text: lambda: str(new_id()),
}


Databases = Mapping[Room, Database]


def named(value: object) -> str:
    return value.name if isinstance(value, Room | sa.Table) else str(value)


@pytest.fixture(scope="module")
async def databases(stack: SharedStack) -> AsyncIterator[Databases]:
    """Each room's, brought up once for all tests that only look at rows; those that bring schemas up and down have others."""
    url = stack.new_database()
    made: dict[Room, Database] = {}
    for room in ROOMS:
        urls = await provision(url, room.name, TEST_SECRET)
        await migrate(urls.owner, room.package, room.name)
        made[room] = Database(urls.owner, urls.api, room.name)
    yield made
    for database in made.values():
        await database.close()
    stack.drop_database(url)


@pytest.mark.parametrize("room", ROOMS, ids=named)
async def test_the_schema_goes_up_down_and_up_again(database_url: str, room: Room) -> None:
    urls = await provision(database_url, room.name, TEST_SECRET)
    await migrate(urls.owner, room.package, room.name)
    await downgrade(urls.owner, room.package, room.name)
    await migrate(urls.owner, room.package, room.name)
    assert await check(urls.owner, room.package, room.name) == []


async def test_a_month_that_a_running_engine_makes_meanwhile_is_no_difference(database_url: str) -> None:
    urls = await provision(database_url, "engine", TEST_SECRET)
    await migrate(urls.owner, "weft_engine", "engine")
    ((month, made),) = months_from(datetime(2099, 1, 1, tzinfo=UTC), 1)
    comparing = threading.Event()

    async def make() -> None:
        connection = await asyncpg.connect(urls.owner)
        await connection.execute(made)
        await connection.close()

    def just_before(_: object, cursor: object, statement: str, *rest: object) -> None:
        if "relkind" in statement and not comparing.is_set():
            comparing.set()
            maker = threading.Thread(target=asyncio.run, args=(make(),))
            maker.start()
            maker.join()

    sa.event.listen(sa.Engine, "before_cursor_execute", just_before)
    try:
        assert await check(urls.owner, "weft_engine", "engine") == []
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", just_before)
    assert comparing.is_set(), f"{month} was not made while the tables were listed"


@pytest.mark.parametrize(("room", "table"), OF_TENANTS, ids=named)
async def test_a_query_without_a_tenant_sees_and_changes_rows_of_one_tenant_only(databases: Databases, room: Room, table: sa.Table) -> None:
    database = databases[room]
    for tenant in ("one", "two"):
        async with database.owner_transaction() as connection:
            await connection.execute(sa.insert(table).values(row(table) | {"tenant_id": tenant}))
    async with database.transaction("one") as connection:
        assert {found.tenant_id for found in await connection.execute(sa.select(table))} == {"one"}
        may = await connection.scalar(sa.select(sa.func.has_table_privilege(table.fullname, "DELETE")))
        deleted = (await connection.execute(sa.delete(table))).rowcount if may else 0
    async with database.owner_transaction() as connection:
        left = [found.tenant_id for found in await connection.execute(sa.select(table).order_by(table.columns.tenant_id))]
        assert left == (["two"] if deleted == 1 else ["one", "two"])
        await connection.execute(sa.delete(table))


@pytest.mark.parametrize("room", ROOMS, ids=named)
async def test_a_transaction_without_a_tenant_sees_no_row_also_none_that_names_no_tenant(databases: Databases, room: Room) -> None:
    database = databases[room]
    own = [table for one, table in OF_TENANTS if one is room] + [plumbing.table(room.name, name) for name in plumbing.TENANT_TABLES]
    async with database.owner_transaction() as connection:
        for table in own:
            await connection.execute(sa.insert(table).values(row(table) | {"tenant_id": ""}))
    async with database.transaction("") as connection:
        shown = [*own, *VIEWS.get(room.name, ())]
        seen = {table.name: await connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in shown}
    async with database.owner_transaction() as connection:
        for table in own:
            await connection.execute(sa.delete(table).where(table.columns.tenant_id == ""))
    assert seen == dict.fromkeys(seen, 0)


def row(table: sa.Table) -> dict[str, object]:
    """A row of the values that the table must have."""
    needed = [column for column in table.columns if column.server_default is None and not column.nullable]
    return {column.name: next(sample() for kind, sample in SAMPLES.items() if isinstance(column.type, kind)) for column in needed}
