"""A TCP proxy of our own that is a bad network: it resets, swallows one direction or both, delays, and passes single bytes."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

OUT, BACK = "out", "back"
"""From us to the server, and from the server to us."""
BOTH = frozenset({OUT, BACK})


class Cable:
    """The way through. `url` leads to the real server.

    delay_s, jitter_s: how long bytes travel one way, and at most how much longer.
    piece_bytes: passed at once at most, 0 for all.
    """

    def __init__(self, url: str, seed: int = 0) -> None:
        self._target = urlsplit(url)
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._swallows: frozenset[str] = frozenset()
        self._new_pass = True
        self._chance = random.Random(seed)
        self.delay_s = self.jitter_s = 0.0
        self.piece_bytes = 0
        self.connections = 0
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

    def swallow(self, directions: frozenset[str] = BOTH) -> None:
        """Bytes in these directions vanish and nobody is told, on new connections too, until healed."""
        self._swallows, self._new_pass = directions, False

    def fall_silent(self) -> None:
        """Nothing passes and nobody is told, until new connections are made."""
        self._swallows, self._new_pass = BOTH, True

    def heal(self) -> None:
        """New connections pass. One that has lost bytes stays half-open: neither side is ever told."""
        self._swallows = frozenset()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._new_pass:
            self._swallows = frozenset()
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        for direction, source, sink in ((OUT, reader, far_writer), (BACK, far_reader, writer)):
            task = asyncio.create_task(self._pump(direction, source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._writers |= {writer, far_writer}

    async def _pump(self, direction: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        deaf = False
        on_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        passing = asyncio.create_task(self._pass_on(on_way, sink))
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                deaf = deaf or direction in self._swallows
                if not deaf:
                    delay_s = self.delay_s + self._chance.random() * self.jitter_s
                    on_way.put_nowait((asyncio.get_running_loop().time() + delay_s, data))
        # What ends without a word ends at the other side too, unless that word is swallowed as well.
        if deaf or direction in self._swallows:
            passing.cancel()
            return
        on_way.put_nowait((0.0, b""))
        await passing
        self._writers.discard(sink)

    async def _pass_on(self, on_way: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = await on_way.get()
                if not data:
                    break
                left = due - asyncio.get_running_loop().time()
                if left > 0:
                    await asyncio.sleep(left)
                size = self.piece_bytes or len(data)
                for start in range(0, len(data), size):
                    sink.write(data[start : start + size])
                    await sink.drain()
                    if self.piece_bytes:
                        await asyncio.sleep(0)
        sink.close()

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
