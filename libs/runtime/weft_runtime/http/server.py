"""The HTTP server: many applications in one event loop, each on its own port."""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from starlette.types import ASGIApp

GRACE_S = 10


class HttpServer:
    """One listening port. host, port: 0 takes a free one."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._listener = socket.create_server((host, port), backlog=1024)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=GRACE_S, server_header=False
        )
        self._server = uvicorn.Server(config)
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    async def start(self) -> None:
        """Begin to accept."""
        self._serving = asyncio.create_task(self._server._serve([self._listener]))

    async def stop(self) -> None:
        """Accept no more, finish what runs (at most 10 s), close."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
