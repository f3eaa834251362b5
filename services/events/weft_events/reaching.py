"""Reaching a tenant's database: by the connection as it is now, at an address that may be reached, its secrets in memory only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from weft_connectors.guarded import refusal, system_resolver
from weft_runtime.database.outside import Outside, OutsideError, Place, outside
from weft_runtime.sealing import Envelope, SealBroken

from weft_events.store.connections import Connection

APPLICATION: Final = "weft"
"""What a connection is called there, with the source's name behind it."""
RESOLVE_TIMEOUT_S: Final = 10.0
MAX_TRIED: Final = 4

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


class Reaching:
    """The way to databases of tenants. envelope: opens secrets.  allow_private: whether private addresses may be reached."""

    def __init__(self, envelope: Envelope, *, allow_private: bool, resolve: Resolver = system_resolver) -> None:
        self._envelope = envelope
        self._allow_private = allow_private
        self._resolve = resolve

    async def place(self, tenant: str, name: str, found: Connection | None) -> Place:
        """Where a connection leads. name: what it is called.  found: it, None where there is none.  Raises: OutsideError."""
        if found is None:
            message = f"there is no connection {name!r} of type postgres; make it with POST /api/v1/connections"
            raise OutsideError("no_connection", message)
        try:
            user, password = (
                self._envelope.open(found.sealed[field], tenant=tenant, connection=str(found.id), field=field)
                for field in ("username", "password")
            )
        except KeyError as error:
            raise OutsideError("no_connection", f"the connection {name!r} lacks its {error.args[0]}; give it with PUT") from error
        except SealBroken as error:
            raise OutsideError("no_connection", f"the secrets of the connection {name!r} do not open: {error.message}") from error
        settings = found.settings
        host, port = str(settings.get("host")), int(settings.get("port", 5432))
        addresses = await self._addresses(host, port)
        return Place(host, port, str(settings.get("database")), addresses, str(settings.get("sslmode")), settings.get("ca"), user, password)

    def open(self, place: Place, source: str) -> AbstractAsyncContextManager[Outside]:
        """A connection for the length of a block. source: its name, by which the connection is known there.  Raises: OutsideError."""
        return outside(place, f"{APPLICATION} {source}"[:63])

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                addresses = await self._resolve(host, port)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise OutsideError("unreachable", f"the name {host} has no address: {error or 'no answer in time'}") from error
        for address in addresses:
            # One bad address spoils the name: which one is used would be the attacker's to arrange.
            reason = refusal(address, allow_private=self._allow_private)
            if reason is not None:
                message = f"{host} leads to an address that must not be reached ({reason}); use a public address, or allow private ones"
                raise OutsideError("blocked", f"{message} with WEFT_ALLOW_PRIVATE_ADDRESSES")
        return addresses[:MAX_TRIED]
