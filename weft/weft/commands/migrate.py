"""`weft migrate`: the schemas and roles of services, without loading the services."""

import asyncio
import os

from weft_runtime.database.migrate import migrate as bring_up
from weft_runtime.database.roles import provision

from weft.commands.terminal import refuse
from weft.rooms import room


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
        await bring_up(urls.owner, room(name).package, name)
