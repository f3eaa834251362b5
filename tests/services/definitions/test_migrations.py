"""The schema goes up, down and up again, and one tenant's rows are all that the HTTP door's role can see, whatever a query forgets."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from weft_definitions.tables import metadata
from weft_runtime.clock import new_id
from weft_runtime.database import check, downgrade, migrate, provision
from weft_runtime.database.engine import Database
from weft_runtime.testing.running import TEST_SECRET


async def test_the_schema_goes_up_down_and_up_again(database_url: str) -> None:
    urls = await provision(database_url, "definitions", TEST_SECRET)
    await migrate(urls.owner, "weft_definitions", "definitions")
    await downgrade(urls.owner, "weft_definitions", "definitions")
    await migrate(urls.owner, "weft_definitions", "definitions")
    assert await check(urls.owner, "weft_definitions", "definitions") == []


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
async def test_a_query_without_a_tenant_sees_one_tenant_only(database_url: str, table: sa.Table) -> None:
    urls = await provision(database_url, "definitions", TEST_SECRET)
    await migrate(urls.owner, "weft_definitions", "definitions")
    values = {column.name: _value(column) for column in table.columns if column.server_default is None and not column.nullable}
    database = Database(urls.owner, urls.api, "definitions")
    try:
        for tenant in ("one", "two"):
            async with database.owner_transaction() as connection:
                await connection.execute(sa.insert(table).values(values | {"tenant_id": tenant}))
        async with database.transaction("one") as connection:
            assert {row.tenant_id for row in await connection.execute(sa.select(table))} == {"one"}
            assert (await connection.execute(sa.delete(table))).rowcount == 1
        async with database.owner_transaction() as connection:
            assert {row.tenant_id for row in await connection.execute(sa.select(table))} == {"two"}
            await connection.execute(sa.delete(table))
    finally:
        await database.close()


def _value(column: sa.Column[object]) -> object:
    """Any value that the column takes."""
    samples = {sa.Uuid: new_id(), sa.Integer: 1, sa.Boolean: False, sa.TIMESTAMP: sa.func.now(), sa.ARRAY: [], sa.JSON: {}, sa.Text: "x"}
    return next(value for kind, value in samples.items() if isinstance(column.type, kind))
