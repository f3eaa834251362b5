"""Who may do what in the database: a schema, an owner role and an API role per service, with rights on nothing else."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import asyncpg
from sqlalchemy.engine import make_url

from weft_runtime.database.tenancy import api_role, quote

# Any constant does; it only has to be the same in every process that provisions.
_PROVISION_LOCK = 0x57_45_46_54
# That lock is of one database, roles are of all of a server; each attempt that fails so is the success of another database's.
ATTEMPTS = 20
OVERTAKEN = (asyncpg.UniqueViolationError, asyncpg.InternalServerError)  # the latter: "tuple concurrently updated"


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    """Where a service finds its database: as the owner of its schema, and as its API role."""

    owner: str
    api: str


def password_of(secret: str, role: str) -> str:
    """The password of a role, derived, so that nothing has to be stored.

    secret: the installation's secret.  Returns: 43 URL-safe characters' worth of HMAC-SHA-256, as 64 hex digits.
    """
    return hmac.new(secret.encode(), f"weft database role {role}".encode(), hashlib.sha256).hexdigest()


def service_urls(superuser_url: str, service: str, secret: str) -> ServiceUrls:
    """The two addresses of a service in the superuser's database, without asking the database."""
    base = make_url(superuser_url).set(drivername="postgresql")

    def of(role: str) -> str:
        return base.set(username=role, password=password_of(secret, role)).render_as_string(hide_password=False)

    return ServiceUrls(of(service), of(api_role(service)))


def driver_url(url: str) -> str:
    """The address as the bare driver takes it. url: `postgresql://…`, whatever driver it names."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def provision(superuser_url: str, service: str, secret: str) -> ServiceUrls:
    """Make the schema and both roles of a service, or bring them in order; any number may do so at once, for any databases of a server.

    superuser_url: of the database, as a role that may create roles.  service: also the schema's and the owner's name.
    Raises: asyncpg.PostgresError, OSError.
    """
    urls = service_urls(superuser_url, service, secret)
    connection = await asyncpg.connect(driver_url(superuser_url))
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await _provision(connection, service, secret)
            except OVERTAKEN:
                if attempt == ATTEMPTS:
                    raise
            else:
                break
    finally:
        await connection.close()
    return urls


async def _provision(connection: asyncpg.Connection, service: str, secret: str) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _PROVISION_LOCK)
        for role in (service, api_role(service)):
            await _role(connection, role, password_of(secret, role))
        await _schema(connection, service)


async def _role(connection: asyncpg.Connection, role: str, password: str) -> None:
    exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if exists else "CREATE"
    await connection.execute(
        f"{verb} ROLE {quote(role)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD '{password}'"
    )


async def _schema(connection: asyncpg.Connection, service: str) -> None:
    owner, api = quote(service), quote(api_role(service))
    database = '"' + str(await connection.fetchval("SELECT current_database()")).replace('"', '""') + '"'
    await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {owner}, {api}")
    # A role that is no superuser must belong to a role to give it a schema; where it is one, this changes nothing.
    if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        await connection.execute(f"GRANT {owner} TO CURRENT_USER")
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {owner} AUTHORIZATION {owner}")
    await connection.execute(f"GRANT USAGE ON SCHEMA {owner} TO {api}")
    for role in (owner, api):
        await connection.execute(f"ALTER ROLE {role} SET search_path = {owner}")
