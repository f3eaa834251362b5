"""`weft secrets`: what is sealed, and by which secret key."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Final

import weft_engine.store.resealing
import weft_events.store.resealing
import weft_gateway.store.resealing
from weft_runtime.clock import SystemClock
from weft_runtime.database.engine import engine
from weft_runtime.database.roles import service_urls
from weft_runtime.sealing import Resealed
from weft_runtime.uow import UnitOfWork

from weft.commands.terminal import SOME_REFUSED, refuse, say, table

_WORK: Final[dict[str, Callable[[UnitOfWork, tuple[str, ...]], Awaitable[Resealed]]]] = {
    "gateway": weft_gateway.store.resealing.reseal,
    "engine": weft_engine.store.resealing.reseal,
    "events": weft_events.store.resealing.reseal,
}
_STATEMENT_TIMEOUT_MS: Final = 60_000


def reseal() -> None:
    """Seal by WEFT_SECRET_KEY what a key of WEFT_SECRET_KEYS_BEFORE sealed; says how much, and what no key opens.

    Exits with 1 where it is not told where and by which keys, with 3 where something opens by none of them.
    """
    url, newest = os.environ.get("WEFT_DATABASE_URL"), os.environ.get("WEFT_SECRET_KEY")
    if not url or not newest:
        refuse("Set WEFT_DATABASE_URL (as for `weft migrate`) and WEFT_SECRET_KEY, the new one.")
    done = asyncio.run(resealed(url, (newest, *_before())))
    table(("SERVICE", "SEALED ANEW", "ALREADY", "BROKEN"), [_line(name, one) for name, one in done.items()])
    broken = [why for one in done.values() for why in one.broken]
    for why in broken:
        say(why)
    if broken:
        raise SystemExit(SOME_REFUSED)


async def resealed(url: str, secrets: tuple[str, ...]) -> dict[str, Resealed]:
    """What came of it, by service. url: a superuser's.  secrets: the newest first, from which the passwords of the services are, too."""
    done: dict[str, Resealed] = {}
    for name, work in _WORK.items():
        pool = engine(service_urls(url, name, secrets[0]).owner, f"weft-{name}-reseal", _STATEMENT_TIMEOUT_MS, 1)
        try:
            async with pool.begin() as connection:
                done[name] = await work(UnitOfWork("", connection, SystemClock().now()), secrets)
        finally:
            await pool.dispose()
    return done


def _before() -> tuple[str, ...]:
    try:
        given = json.loads(os.environ.get("WEFT_SECRET_KEYS_BEFORE", "[]"))
    except ValueError:
        given = None
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        refuse("WEFT_SECRET_KEYS_BEFORE is a list in JSON: '[\"the one before\"]'.")
    return tuple(given)


def _line(name: str, one: Resealed) -> tuple[str, ...]:
    return name, str(one.anew), str(one.already), str(len(one.broken))
