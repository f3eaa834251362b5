"""A TCP proxy of our own that can cut a cable: reset every connection, or let bytes vanish in silence."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Cable:
    """The way through. `url` leads to the real server."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._silent = False
        self.url = ""

    async def lay(self) -> asyncio.Server:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = self._target._replace(netloc=f"{self._target.username}:{self._target.password}@127.0.0.1:{port}").geturl()
        return server

    def cut(self) -> None:
        """Reset every connection; new ones pass."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    def fall_silent(self) -> None:
        """Nothing passes and nobody is told, until new connections are made."""
        self._silent = True

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._silent = False
        far_reader, far_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._writers |= {writer, far_writer}

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        deaf = False
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                deaf = deaf or self._silent
                if not deaf:
                    sink.write(data)
                    await sink.drain()
        sink.close()
        self._writers.discard(sink)

    async def close(self) -> None:
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def cable(url: str) -> AsyncIterator[Cable]:
    laid = Cable(url)
    server = await laid.lay()
    try:
        yield laid
    finally:
        server.close()
        await laid.close()
