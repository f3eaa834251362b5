"""The HTTP server: many applications in one event loop, each on its own port.

Granian does the protocol outside of Python's lock, closes half-sent requests and bounds their size; why it was chosen is told in
docs/decisions/0003-http-server.md.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from granian._granian import ListenerSpec
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp, Message, Receive, Scope, Send

GRACE_S = 10.0
"""How long running requests are waited for when the server stops; streams end at once."""
HEADER_TIMEOUT_S = 5.0
"""A request whose head is not complete after this is closed."""
SWALLOW_BYTES, SWALLOW_S = 8 * 1024 * 1024, 2.0
"""How much of a refused body is still read, and for how long."""
WRITE_TIMEOUT_S = 30.0
"""How long a client may take nothing of what it was sent. Then its connection is closed, and what made the answer is ended."""
STREAMS_END_S = 2.0
"""How long streams have to say goodbye when the server stops."""
SOCKETS_LET_GO_S = 0.1
MAX_HEAD_BYTES = 64 * 1024
BACKLOG = 1024
MAX_CONNECTIONS = 4096


class HttpServer:
    """One listening port. host: an address.  port: 0 takes a free one. Raises: OSError when the port is taken."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._drain = _Drain(app)
        self._server = _Embedded(
            self._drain,
            address=host,
            port=port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=int(HEADER_TIMEOUT_S * 1000), max_buffer_size=MAX_HEAD_BYTES),
            websockets=True,
            backlog=BACKLOG,
            backpressure=MAX_CONNECTIONS,
            log_enabled=False,
        )
        self.port = self._server.bind()
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to accept."""
        self._serving = asyncio.create_task(self._server.serve())

    async def stop(self) -> None:
        """Accept no more, end streams, finish what runs (at most `GRACE_S`), close."""
        if self._serving is None:
            return
        # Before the server stops: what a WebSocket is closed with is not sent by a server that is gone.
        if ending := self._drain.end_streams():
            await asyncio.wait(ending, timeout=STREAMS_END_S)
        self._server.stop()  # type: ignore[no-untyped-call]
        self._drain.end_streams()
        done, _ = await asyncio.wait([self._serving], timeout=GRACE_S)
        if not done:
            self._drain.end_all()
            await self._serving
        self._serving = None
        if self._drain.had_sockets:
            # The library's threads let go of a WebSocket a moment after its end; an interpreter that ends before them is aborted.
            await asyncio.sleep(SOCKETS_LET_GO_S)


class _Embedded(Server):
    """The server on a socket that is bound, and refused when it cannot be, before anything else starts."""

    def bind(self) -> int:
        """Bind. Returns: the port."""
        try:
            holder = ListenerSpec(self.bind_addr, self.bind_port, self.backlog).build()
        except RuntimeError as error:
            why = str(error).partition("\n")[0]
            raise OSError(f"cannot listen on {self.bind_addr}:{self.bind_port}: {why}; stop what has it or choose another port") from error
        descriptor: int = holder.get_fd()
        self._shd, self._sfd = holder, descriptor  # type: ignore[assignment]
        with socket.socket(fileno=os.dup(descriptor)) as bound:
            # The library binds so that others may bind the same port too; a second server there would take half of our requests.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
            if (user_timeout := getattr(socket, "TCP_USER_TIMEOUT", None)) is not None:
                # The server hands an answer to the kernel and waits as long as that does, which is for ever where the other side takes
                # nothing and says that it lives. Connections have this from the socket they were accepted on. Source: RFC 5482.
                bound.setsockopt(socket.IPPROTO_TCP, user_timeout, int(WRITE_TIMEOUT_S * 1000))
            # From here on connections wait for `start` instead of being refused, and nobody else can listen here.
            bound.listen(self.backlog)
            return int(bound.getsockname()[1])

    def _init_shared_socket(self) -> None:
        """Nothing is left to do: `bind` did it."""


def _sends_body(scope: Scope) -> bool:
    """Whether a body comes without being asked for. Who asks first (`Expect: 100-continue`) is told to send it by the first reading."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if any(name == b"expect" and value.lower() == b"100-continue" for name, value in headers):
        return False
    return any(name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in headers)


async def _swallow(receive: Receive, more: Callable[[], bool]) -> None:
    """Read the rest of a body that is refused, within bounds, before the refusal is sent.

    A connection closed on unread bytes is reset, and the client, still sending, never sees why. Guarded by
    tests/stack/test_forward.py.
    """
    left = SWALLOW_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(SWALLOW_S):
            while more() and left > 0:
                left -= len((await receive()).get("body", b""))


class _Drain:
    """The application with its running requests known, so that they can be ended."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._running: dict[asyncio.Task[Any], bool] = {}
        self.had_sockets = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        task = asyncio.current_task()
        if task is None:
            await self._app(scope, receive, send)
            return
        self._running[task] = False

        unread = scope["type"] == "http" and _sends_body(scope)

        async def receiving() -> Message:
            nonlocal unread
            message: Message = await receive()
            unread = unread and message["type"] == "http.request" and bool(message.get("more_body"))
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "websocket.accept":
                self._running[task] = self.had_sockets = True
            elif message["type"] == "http.response.start":
                self._running[task] = any(name == b"content-type" and b"event-stream" in value for name, value in message["headers"])
                if unread:
                    await _swallow(receiving, lambda: unread)
            await send(message)

        try:
            await self._app(scope, receiving, sending)
        except asyncio.CancelledError:
            # Only `end_streams` and `end_all` cancel requests; the client sees its connection close.
            return
        finally:
            del self._running[task]

    def end_streams(self) -> list[asyncio.Task[Any]]:
        """End the streams of events and WebSockets, which would never end by themselves; their clients connect again elsewhere.

        Returns: those that are to end.
        """
        ending = [task for task, streams in self._running.items() if streams]
        for task in ending:
            task.cancel()
        return ending

    def end_all(self) -> None:
        """End every running request."""
        for task in list(self._running):
            task.cancel()
