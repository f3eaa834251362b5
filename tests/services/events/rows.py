"""A tenant's own database, with tables that are watched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx2
from weft_contracts.connections import ConnectionSaved
from weft_contracts.executions import StartExecution
from weft_events.relaying import Relay
from weft_runtime.sealing import Envelope
from weft_runtime.testing import RunningService, eventually, said, tell
from weft_runtime.testing.running import TEST_SECRET

from tests.services.events.signing import id_of

PASSWORD = "a password of theirs"
ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, status text, total numeric, note text)"


class Customer:
    """A database of a tenant. url: its superuser's.  role: who owns its tables, with few rights."""

    def __init__(self, url: str, role: str) -> None:
        self.url, self.role = url, role
        parts = urlsplit(url)
        self.host, self.port, self.database = parts.hostname or "", parts.port or 5432, parts.path.removeprefix("/")

    async def connect(self, *, as_superuser: bool = False) -> asyncpg.Connection:
        """A connection of theirs."""
        if as_superuser:
            return await asyncpg.connect(self.url)
        where: dict[str, Any] = {"host": self.host, "port": self.port, "database": self.database}
        return await asyncpg.connect(**where, user=self.role, password=PASSWORD)

    async def run(self, *statements: str, as_superuser: bool = False) -> None:
        """Run statements, each a transaction of its own."""
        connection = await self.connect(as_superuser=as_superuser)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def value(self, query: str) -> Any:
        """The one value of a query, as the superuser."""
        connection = await self.connect(as_superuser=True)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    def connection(self, tenant: str, revision: int = 1, password: str = PASSWORD, **settings: Any) -> ConnectionSaved:
        """What the engine says of the connection `shop`, which leads here."""
        id_, envelope = id_of(tenant, "shop"), Envelope(TEST_SECRET)
        secrets = {"username": self.role, "password": password}
        where = {"host": self.host, "port": self.port, "database": self.database, "sslmode": "disable"} | settings
        sealed = {field: envelope.close(text, tenant=tenant, connection=str(id_), field=field) for field, text in secrets.items()}
        return ConnectionSaved(
            connection_id=id_, revision=revision, name="shop", connection_type="postgres", settings=where, sealed=sealed,
            at=datetime.now(UTC),
        )  # fmt: skip


@asynccontextmanager
async def customer_of(url: str) -> AsyncIterator[Customer]:
    """A database with an account of few rights, in which it owns the schema `public`. url: a superuser's, of a fresh database."""
    role = f"shop_{uuid4().hex[:12]}"
    customer = Customer(url, role)
    await customer.run(
        f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'",
        f"ALTER SCHEMA public OWNER TO {role}",
        f"GRANT CREATE ON DATABASE {customer.database} TO {role}",
        as_superuser=True,
    )
    yield customer
    await customer.run(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}", as_superuser=True)


async def watching(events: RunningService, tenant: str, customer: Customer, *tables: Any, **body: Any) -> dict[str, Any]:
    """A source of a tenant, installed. tables: as in a body, `orders` where there are none."""
    await tell(events, customer.connection(tenant), tenant=tenant)
    admin = events.client(tenant, ["admin"])
    given = {"name": "shop", "kind": "postgres", "connection": "shop", "tables": list(tables) or ["orders"]} | body
    made = await admin.post("/api/v1/sources", json=given)
    assert made.status_code == 201, made.text
    installed = await admin.post(f"/api/v1/sources/{made.json()['id']}/install")
    assert installed.status_code == 200, installed.text
    found: dict[str, Any] = installed.json()
    return found


async def source_of(client: httpx2.AsyncClient, id_: str) -> dict[str, Any]:
    """A source as it is shown."""
    found: dict[str, Any] = (await client.get(f"/api/v1/sources/{id_}")).json()
    return found


async def until_shown(client: httpx2.AsyncClient, id_: str, **fields: Any) -> dict[str, Any]:
    """A source, once these fields of it are so."""

    async def look() -> dict[str, Any] | None:
        shown = await source_of(client, id_)
        return shown if {name: shown.get(name) for name in fields} == fields else None

    return await eventually(look, f"{fields} of the source")


async def until_started(events: RunningService, tenant: str, count: int) -> list[StartExecution]:
    """What was started, once there are so many."""

    async def look() -> list[StartExecution] | None:
        found = said(events, StartExecution, tenant=tenant)
        return found if len(found) >= count else None

    return await eventually(look, f"{count} starts")


def retried(events: RunningService) -> None:
    """Let the service look at once for what can be read."""
    events.context.part(Relay).wake.call()
