"""Connections: a pool for the message door (owner role) and one for the HTTP door (API role), both healing when PostgreSQL comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from weft_runtime.database.failures import as_weft_error
from weft_runtime.database.tenancy import SETTING

CONNECT_TIMEOUT_S = 5.0
POOL_TIMEOUT_S = 5.0
OWNER_STATEMENT_TIMEOUT_MS = 30_000
API_STATEMENT_TIMEOUT_MS = 10_000
LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
ANSWER_WITHIN_S = 2.0
"""The server ends a statement that runs into its timeout; one that has said nothing so much later will never answer."""
READY_WITHIN_S = 3.0

_set_tenant = sa.text(f"SELECT set_config('{SETTING}', :tenant, true)")


class Database:
    """One service's database.

    owner_url, api_url: `postgresql://…`; the API role is held to one tenant by row-level security.
    name: shown in `application_name`.  owner_connections, api_connections: at most so many of each.
    wait_s: for a free connection.
    """

    def __init__(
        self,
        owner_url: str,
        api_url: str,
        name: str,
        *,
        owner_connections: int = 6,
        api_connections: int = 8,
        wait_s: float = POOL_TIMEOUT_S,
    ) -> None:
        self.name = name
        self.owner = engine(owner_url, f"weft-{name}", OWNER_STATEMENT_TIMEOUT_MS, owner_connections, wait_s)
        self.api = engine(api_url, f"weft-{name}-api", API_STATEMENT_TIMEOUT_MS, api_connections, wait_s)

    @asynccontextmanager
    async def transaction(self, tenant: str) -> AsyncIterator[AsyncConnection]:
        """A transaction as the API role that sees `tenant` only; committed at the end of the block, rolled back on an error.

        Raises: Unavailable when PostgreSQL does not answer, StaleWrite when another transaction won.
        """
        async with _begin(self.api) as connection:
            await connection.execute(_set_tenant, {"tenant": tenant})
            yield connection

    @asynccontextmanager
    async def owner_transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction as the owner of the schema, which sees every tenant. Raises: as `transaction`."""
        async with _begin(self.owner) as connection:
            yield connection

    async def answers(self) -> bool:
        """Whether PostgreSQL answers both roles now, within `READY_WITHIN_S`."""
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                for pool in (self.owner, self.api):
                    async with pool.connect() as connection:
                        await connection.execute(sa.text("SELECT 1"))
        except (exc.SQLAlchemyError, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self.owner.dispose()
        await self.api.dispose()


@asynccontextmanager
async def _begin(pool: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with pool.begin() as connection:
            yield connection
    except Exception as error:
        # The one place where driver errors become the house's kinds; anything unknown stays what it is.
        known = as_weft_error(error)
        if known is None or known is error:
            raise
        raise known from error


def engine(url: str, application: str, statement_timeout_ms: int, connections: int, wait_s: float = POOL_TIMEOUT_S) -> AsyncEngine:
    """A pool of at most `connections`, opened when needed. url: `postgresql://…` of any driver."""
    made = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        # A connection costs milliseconds to open, so every one is kept; the newest is used first, so that quiet times touch few.
        pool_size=connections,
        max_overflow=0,
        pool_use_lifo=True,
        pool_timeout=wait_s,
        pool_recycle=3600,
        # What a statement was given are rows: what people entered, hashes of passwords. Its error goes to the log.
        hide_parameters=True,
        json_serializer=to_json,
        json_deserializer=msgspec.json.decode,
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": statement_timeout_ms / 1000 + ANSWER_WITHIN_S,
            "server_settings": {
                "application_name": application,
                "statement_timeout": str(statement_timeout_ms),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
                "timezone": "UTC",
                "jit": "off",
            },
        },
    )
    event.listen(made.sync_engine, "checkout", _refuse_closed)
    event.listen(made.sync_engine, "handle_error", _give_up)
    return made


def to_json(value: Any) -> str:
    """A value as JSON text for a jsonb column. Raises: ValueError for what JSON has no form for."""
    try:
        return msgspec.json.encode(value).decode()
    except OverflowError:
        # msgspec writes integers up to 64 bits; jsonb holds any.
        return json.dumps(value, allow_nan=False)


def _refuse_closed(connection: Any, record: Any, proxy: Any) -> None:
    # The driver knows at once when the server went away, so no ping is paid for; the pool then opens a new connection.
    # Guarded by tests/runtime/database/test_healing.py.
    if connection.driver_connection.is_closed():
        raise exc.DisconnectionError("the server closed this connection")


def _give_up(context: Any) -> None:
    # Bytes can vanish without either side being told. What else waits on such a connection, the rollback first, would wait as long
    # again, so it is thrown away, and with it all that were open then. Guarded by tests/runtime/database/test_silence.py.
    if isinstance(context.original_exception, TimeoutError) and context.connection is not None:
        context.is_disconnect = True
        context.connection.connection.driver_connection.terminate()
