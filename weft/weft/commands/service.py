"""`weft <service>`, `weft worker`, `weft migrate`: one part of a mesh, told by the environment what it needs."""

import asyncio
import os

import uvloop
from pydantic import ValidationError
from weft_runtime.database.roles import provision
from weft_runtime.errors import WeftError
from weft_runtime.service import run

from weft.commands.terminal import refuse
from weft.importing import uncollected
from weft.rooms import room
from weft.services import build, settings, worker


def serve(name: str) -> None:
    """Run one service until SIGTERM. Exits with 1 when it cannot be started."""
    _run_alone(name, None)


def work(pool: str | None) -> None:
    """Run a worker of this pool, WEFT_POOL or `default` when None, until SIGTERM. Exits with 1 when it cannot be started."""
    _run_alone("engine", {"pool": pool} if pool else {})


def migrate(names: tuple[str, ...]) -> None:
    """Make the schemas and roles of services and bring them up to this code.

    WEFT_DATABASE_URL is a role that may create roles; WEFT_SECRET_KEY is the installation's. Exits with 1 when either is missing.
    """
    url, secret = os.environ.get("WEFT_DATABASE_URL"), os.environ.get("WEFT_SECRET_KEY")
    if not url or not secret:
        refuse("Set WEFT_DATABASE_URL (as a role that may create roles) and WEFT_SECRET_KEY.")
    asyncio.run(_migrate(url, secret, names))


async def _migrate(url: str, secret: str, names: tuple[str, ...]) -> None:
    for name in names:
        urls = await provision(url, name, secret)
        values = {"database_url": urls.owner, "api_database_url": urls.api, "secret_key": secret}
        await build(room(name), settings(room(name), **values)).migrate()


def _run_alone(name: str, as_worker: dict[str, str] | None) -> None:
    with uncollected():
        try:
            given = settings(room(name), **(as_worker or {}))
        except ValidationError as error:
            missing = ", ".join("WEFT_" + str(part["loc"][0]).upper() for part in error.errors())
            refuse(f"The {name} cannot start: set or correct {missing}.\n{error}")
        service = build(room(name), given) if as_worker is None else worker(given)
    try:
        uvloop.run(run([service]))
    except (WeftError, OSError) as error:
        refuse(f"The {name} cannot start: {error}")
