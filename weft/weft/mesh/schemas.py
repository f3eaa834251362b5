"""Schemas and roles of every service, made and brought up to this code before the services start.

What was done is written on the schema itself, as its comment: a warm start reads six comments and does nothing more, and
does not load the migration library, which a running mesh has no use for.
"""

import asyncio
import hashlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from weft_runtime.database.roles import ServiceUrls, service_urls
from weft_runtime.database.tenancy import quote

from weft.rooms import ROOMS, Room
from weft.stack.errors import StackError

MARK = "weft "
MIGRATION_TIMEOUT_S = 120.0


def urls(superuser_url: str, secret: str, rooms: Sequence[Room] = ROOMS) -> dict[str, ServiceUrls]:
    """Where each service finds its database."""
    return {room.name: service_urls(superuser_url, room.name, secret) for room in rooms}


async def bring_up(superuser_url: str, secret: str, rooms: Sequence[Room] = ROOMS) -> list[str]:
    """Provision and migrate whatever is not at this code; can be repeated. Returns: the services that had to be.

    Raises: StackError `database_unreachable`, `migration_failed`.
    """
    try:
        connection = await asyncpg.connect(superuser_url, timeout=10)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise StackError(
            "database_unreachable",
            f"The database does not answer: {error or type(error).__name__}.",
            "Check WEFT_DATABASE_URL (postgresql://user:password@host:port/database) and that the server runs.",
        ) from error
    try:
        wanted = {room.name: MARK + _fingerprint(room, secret) for room in rooms}
        found = await connection.fetch("SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace")
        behind = [room for room in rooms if dict(map(tuple, found)).get(room.name) != wanted[room.name]]
        if behind:
            await _migrate(superuser_url, secret, behind)
        for room in behind:
            await connection.execute(f"COMMENT ON SCHEMA {quote(room.name)} IS '{wanted[room.name]}'")
    finally:
        await connection.close()
    return [room.name for room in behind]


async def _migrate(superuser_url: str, secret: str, rooms: Sequence[Room]) -> None:
    """In a process of its own, so that what it loads is gone when it is done."""
    environment = os.environ | {"WEFT_DATABASE_URL": superuser_url, "WEFT_SECRET_KEY": secret}
    command = [sys.executable, "-P", "-m", "weft", "migrate", *(room.name for room in rooms)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(MIGRATION_TIMEOUT_S):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        said = f"no end after {MIGRATION_TIMEOUT_S:.0f} s".encode()
    if process.returncode:
        raise StackError(
            "migration_failed",
            f"The schemas could not be brought up to this code: {said.decode(errors='replace').strip()[-1500:]}",
            "The database is as it was before the failing step; mend the cause and start again.",
        )


def _fingerprint(room: Room, secret: str) -> str:
    """What the schema depends on: the migrations, and the secret behind the passwords of its roles."""
    spec = importlib.util.find_spec(room.package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    digest = hashlib.sha256(secret.encode())
    for folder in folders:
        for version in sorted((Path(folder) / "migrations" / "versions").glob("*.py")):
            digest.update(version.name.encode())
            digest.update(version.read_bytes())
    return digest.hexdigest()[:32]
