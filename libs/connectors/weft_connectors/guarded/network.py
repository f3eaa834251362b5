"""Connections to checked addresses only."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import httpcore2

from weft_connectors.guarded.addresses import refusal
from weft_connectors.guarded.errors import GuardError
from weft_connectors.guarded.metering import Metered
from weft_connectors.guarded.urls import blocked

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the IP addresses of a host and port, best first. Raises: OSError when there are none."""

MAX_TRIED: Final = 4
"""Addresses of one name that are tried, one after the other."""


LOOKUPS: Final = 64
"""Names that are looked up at a time. One whose servers say nothing takes a thread for as long as the system waits for them, and an event
loop by itself has a handful."""
_lookups: Final = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """What the operating system knows: hosts file and DNS."""
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_lookups, look_up)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Resolves a name once, checks every address of it, and connects to a checked one."""

    def __init__(self, resolve: Resolver, *, allow_private: bool) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._plain = httpcore2.AnyIOBackend()
        self._asked: dict[tuple[str, int], asyncio.Future[Sequence[str]]] = {}

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is the library's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A stream to the first address that answers. Raises: GuardError, httpcore2.ConnectError, httpcore2.ConnectTimeout."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + (timeout or 60.0)
        addresses = (await self.checked(host, port, ends))[:MAX_TRIED]
        failure: Exception = httpcore2.ConnectError(f"no address of {host} answered")
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share_s = max(0.05, (ends - loop.time()) / left)
            try:
                return Metered(await self._plain.connect_tcp(address, port, share_s, local_address, socket_options))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is the library's
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Refused. Raises: GuardError."""
        raise GuardError("ssrf_blocked", "sockets of this machine are not reached")

    async def sleep(self, seconds: float) -> None:
        """Rest."""
        await self._plain.sleep(seconds)

    async def checked(self, host: str, port: int, ends: float) -> Sequence[str]:
        """The addresses of a name, each of which may be connected to. ends: by the event loop's clock.  Raises: GuardError."""
        try:
            async with asyncio.timeout_at(ends):
                addresses = await asyncio.shield(self._asking(host, port))
        except TimeoutError as error:
            raise GuardError("dns_failed", f"the name {host} was not resolved in time", host=host) from error
        except (OSError, UnicodeError) as error:
            raise GuardError("dns_failed", f"the name {host} has no address: {error}", host=host) from error
        if not addresses:
            raise GuardError("dns_failed", f"the name {host} has no address", host=host)
        for address in addresses:
            # One bad address spoils the name: which one is used is the attacker's to arrange.
            reason = refusal(address, allow_private=self._allow_private)
            if reason is not None:
                raise blocked(host, address, reason)
        return addresses

    def _asking(self, host: str, port: int) -> asyncio.Future[Sequence[str]]:
        """The question after a name, put once however many wait for its answer, and whether they still do."""
        asked = self._asked.get((host, port))
        if asked is None:
            asked = self._asked[host, port] = asyncio.ensure_future(self._resolve(host, port))
            asked.add_done_callback(partial(self._answered, (host, port)))
        return asked

    def _answered(self, name: tuple[str, int], asked: asyncio.Future[Sequence[str]]) -> None:
        del self._asked[name]
        if not asked.cancelled():
            asked.exception()  # nobody may be there any more to hear of it
