"""Migrations: one Alembic environment for every service, its versions and its version table in the service's own package and schema."""

from __future__ import annotations

import asyncio
import importlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from alembic.config import Config

ENVIRONMENT = Path(__file__).parent / "environment"

# Alembic's `context` is one global of the process, so one migration runs at a time in it.
_turn = threading.Lock()


def config(url: str, package: str, schema: str) -> Config:
    """Alembic's settings for one service. package: has `migrations/versions` and `tables.metadata`."""
    module = importlib.import_module(package)
    if module.__file__ is None:
        raise ValueError(f"{package} is no package with an __init__.py")
    # Imported only by who migrates: it is 13 MiB that a running service does not need.
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(ENVIRONMENT))
    made.set_main_option("version_locations", str(Path(module.__file__).parent / "migrations" / "versions"))
    made.set_main_option("path_separator", "newline")
    made.attributes.update(
        url=make_url(url).set(drivername="postgresql+asyncpg"),
        schema=schema,
        metadata=_metadata(package),
        server_settings={},
    )
    return made


async def migrate(url: str, package: str, schema: str, revision: str = "head") -> None:
    """Bring a schema up to a revision; several processes may do so at once.

    url: as the owner role of the schema.  package: the service's, `weft_tasks`.
    Raises: alembic's CommandError, sqlalchemy's errors.
    """
    await asyncio.to_thread(_run, "upgrade", config(url, package, schema), revision)


async def downgrade(url: str, package: str, schema: str, revision: str = "base") -> None:
    """Take a schema down to a revision; `base` drops everything the migrations made."""
    await asyncio.to_thread(_run, "downgrade", config(url, package, schema), revision)


async def check(url: str, package: str, schema: str) -> list[str]:
    """What the service's tables have that the migrated schema has not, or the other way round; empty when equal."""
    comparison = config(url, package, schema)
    from alembic.util.exc import CommandError

    # With the schema on the path PostgreSQL's reflection takes its tables for those of no schema.
    comparison.attributes["server_settings"] = {"search_path": "pg_catalog"}
    try:
        await asyncio.to_thread(_run, "check", comparison)
    except CommandError as difference:
        return [str(difference)]
    return []


def _run(verb: str, *given: Any) -> None:
    from alembic import command

    with _turn:
        getattr(command, verb)(*given)


def _metadata(package: str) -> MetaData:
    found = getattr(importlib.import_module(f"{package}.tables"), "metadata", None)
    if not isinstance(found, MetaData):
        raise TypeError(f"{package}.tables has no `metadata`; give it `metadata = MetaData(schema=…)`")
    return found
