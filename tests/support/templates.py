"""Databases in which a room's schema is made already: it is migrated once, and copied for whoever needs a fresh one."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from pathlib import Path

import asyncpg
import weft_runtime
from weft.stack.shared import PREFIX
from weft.stack.sql import with_database
from weft_runtime.database import migrate, provision
from weft_runtime.testing.running import TEST_SECRET

_LOCK = 0x54_45_4D_50
"""Held by the process that looks for a template, and makes it where there is none."""


def template_of(superuser_url: str, room: str) -> str:
    """The name of a database that has a room's schema and nothing else; made where nobody has made it yet.

    superuser_url: of any other database of the server.  room: `engine`.
    """
    name = f"{PREFIX}_{room}_{_digest(room)}"
    with ThreadPoolExecutor(1) as thread:  # the caller's may have a loop that runs
        thread.submit(asyncio.run, _make(superuser_url, room, name)).result()
    return name


async def _make(superuser_url: str, room: str, name: str) -> None:
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            return
        # It gets its name once it is whole: who is killed in between leaves nothing that is taken for one.
        begun = f"{name}_begun"
        await connection.execute(f'DROP DATABASE IF EXISTS "{begun}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{begun}"')
        urls = await provision(with_database(superuser_url, begun), room, TEST_SECRET)
        await migrate(urls.owner, f"weft_{room}", room)
        await connection.execute(f'ALTER DATABASE "{begun}" RENAME TO "{name}"')
    finally:
        await connection.close()


@cache
def _digest(room: str) -> str:
    """Of all that makes the schema, so that changed code has a template of its own."""
    package = import_module(f"weft_{room}")
    found = hashlib.sha256()
    for module in (package, weft_runtime):
        assert module.__file__ is not None
        for path in sorted(Path(module.__file__).parent.rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()[:12]
