"""The fake service that activities call: it records every call with its key and the moment, over one socket per worker."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import cast


class Ledger:
    """A listening fake service. calls: how often each key was seen; a key is `<execution>:<node>:<visit>`."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The loopback port it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def repeats(self) -> int:
        """Calls beyond the first of each key."""
        return self.calls.total() - len(self.calls)

    async def __aenter__(self) -> Ledger:
        self._server = await asyncio.get_running_loop().create_server(lambda: _Recording(self.calls), "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()


class _Recording(asyncio.Protocol):
    """A key a line in; a byte out for each that is written down."""

    def __init__(self, calls: Counter[str]) -> None:
        self._calls = calls
        self._rest = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one without being derived from it

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._calls.update(line.decode() for line in lines)
        assert self._transport is not None
        self._transport.write(b"+" * len(lines))


class Caller(asyncio.Protocol):
    """The worker's side: many calls at once over one connection, answered in order."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one without being derived from it

    def data_received(self, data: bytes) -> None:
        for _ in data:
            called = self._waiting.popleft()
            if not called.done():
                called.set_result(None)

    async def call(self, key: str) -> None:
        """Have the effect recorded; returns when it is."""
        assert self._transport is not None
        called = asyncio.get_running_loop().create_future()
        self._waiting.append(called)
        self._transport.write(key.encode() + b"\n")
        await called


async def caller(port: int) -> Caller:
    """Connect to the fake service."""
    _, connected = await asyncio.get_running_loop().create_connection(Caller, "127.0.0.1", port)
    return connected
