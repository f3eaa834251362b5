"""What Alembic runs: the service's versions against its own schema, one process at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import sqlalchemy as sa
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from weft_runtime.database import plumbing

settings = context.config.attributes
schema: str = settings["schema"]


_IS_WHOLE = sa.text(
    "SELECT NOT relispartition FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND relname = :name"
)


def _run(connection: sa.Connection) -> None:
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:lock))"), {"lock": f"weft migrations {schema}"})

    def named(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name == schema
        # Asked for each table as it is met: a running service makes partitions, also while this looks around.
        return kind != "table" or bool(connection.scalar(_IS_WHOLE, {"schema": schema, "name": name}))

    context.configure(
        connection=connection,
        target_metadata=[settings["metadata"], plumbing.metadata(schema)],
        version_table="alembic_version",
        version_table_schema=schema,
        include_schemas=True,
        include_name=named,
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _main() -> None:
    pool = create_async_engine(
        settings["url"],
        poolclass=NullPool,
        connect_args={"server_settings": {"application_name": f"weft-{schema}-migrate", **settings["server_settings"]}},
    )
    try:
        async with pool.begin() as connection:
            await connection.run_sync(_run)
    finally:
        await pool.dispose()


asyncio.run(_main())
