"""Between the socket and the client library: what the hot path hears most is read here as its bytes arrive, the rest passes on.

The library reads each AMQP frame in a task, three reads and a general decoder a frame, which costs a message some 100 µs. Here a
delivery or a confirm costs under 10 µs and wakes nobody but who waits for it.

It stands on these things of the locked libraries, guarded by `tests/runtime/bus/test_splice.py`: `aiormq.Connection` takes a
`transport_factory`, `aio_pika.RobustConnection.kwargs` are given to it, and FastStream's broker gives its `_connection_kwargs` to
`connect_robust`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, cast

from aio_pika import RobustConnection
from aio_pika.abc import TimeoutType
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory

from weft_runtime.bus.rabbit import wire
from weft_runtime.bus.rabbit.asking import letting_go

SIGN_OF_LIFE_S = 1.0
"""While only hot frames come, or parts of one, the library is told so often that the connection lives."""

HELD_BYTES = 64 * 1024 * 1024
"""What one connection's consumers may hold untaken: with more, nothing further is read until half of it was taken."""

CLOSED_WITHIN_S = 5.0
"""How long one that is given up while it is made has to close."""

_HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


class Sink(Protocol):
    """Who hears the hot frames of one channel."""

    def heard(self, method: wire.Deliver | wire.Return, header: wire.Header, body: bytes) -> None:
        """A whole message."""

    def on_confirm(self, tag: int, *, multiple: bool, kept: bool) -> None:
        """A confirm."""


class _Content:
    """A message of which not everything has come."""

    __slots__ = ("header", "method", "missing", "parts")

    def __init__(self, method: wire.Deliver | wire.Return) -> None:
        self.method = method
        self.header: wire.Header | None = None
        self.parts: list[bytes] = []
        self.missing = 0


class Splice(asyncio.Protocol):
    """The protocol of one connection's transport. below: the library's own, which it stands in front of."""

    def __init__(self, transport: asyncio.Transport, below: Any, writer: asyncio.StreamWriter) -> None:
        self._transport = transport
        self._below = below
        self._writer = writer
        self._rest = b""
        self._sinks: dict[int, Sink] = {}
        self._contents: dict[int, _Content] = {}
        self._loop = asyncio.get_running_loop()
        self._told_at = 0.0
        self._held = 0
        self._deaf: asyncio.TimerHandle | None = None
        self.last_number = 0
        """Of the channel that was opened last."""
        self.paused = False
        self.blocked = False
        """Whether the broker, short of memory or disk, reads nothing more of this connection until it says so."""

    def listen(self, channel: int, sink: Sink) -> None:
        """Give the hot frames of a channel to `sink` from now on."""
        self._sinks[channel] = sink

    def forget(self, channel: int, sink: Sink) -> None:
        """Give them to it no longer."""
        if self._sinks.get(channel) is sink:
            del self._sinks[channel]
            self._contents.pop(channel, None)

    def hold(self, size_bytes: int) -> None:
        """So much more waits to be taken; less, when negative. The prefetch bounds frames, this bounds their bytes."""
        self._held += size_bytes
        if self._deaf is None and self._held > HELD_BYTES and not self._transport.is_closing():
            self._transport.pause_reading()
            self._stay_alive()
        elif self._deaf is not None and self._held <= HELD_BYTES // 2:
            self._deaf.cancel()
            self._deaf = None
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def _stay_alive(self) -> None:
        """While nothing is read, the library must not take the connection for dead."""
        self._below.data_received(_HEARTBEAT)
        self._deaf = self._loop.call_later(SIGN_OF_LIFE_S, self._stay_alive)

    def write(self, payload: bytes) -> None:
        """Hand bytes to the socket. A connection that is gone takes them too: who waits for an answer is told by its channel."""
        if not self._transport.is_closing():
            self._transport.write(payload)

    async def drain(self) -> None:
        """Wait until the socket has taken most of what was written, which is how a slow broker slows the sender. Raises: OSError."""
        await self._writer.drain()

    def data_received(self, data: bytes) -> None:
        """Read the hot frames in it, pass the rest on."""
        if self._rest:
            data = self._rest + data
        start = passed = 0
        end = len(data)
        while end - start >= wire.FRAME_OVERHEAD_BYTES:
            kind, channel, size = wire.frame_head(data, start)
            after = start + wire.FRAME_OVERHEAD_BYTES + size
            if kind == wire.NO_FRAME:
                after = start = end  # "AMQP…", the broker's way to refuse our version: the library knows what to say
                break
            if after > end:
                break
            sink = self._sinks.get(channel)
            if channel == 0 and kind == wire.METHOD:
                self.blocked = wire.blocked(data, start + 7, self.blocked)
            elif sink is not None and self._take(sink, kind, channel, data, start + 7, after - 1):
                if passed < start:
                    self._below.data_received(data[passed:start])
                passed = after
            start = after
        if passed < start:
            self._below.data_received(data[passed:start])
            self._told_at = self._loop.time()
        elif self._sinks and self._loop.time() - self._told_at >= SIGN_OF_LIFE_S:
            # Of a large frame on a slow line only parts come for long, and a broker cannot send a sign of life in between.
            self._told_at = self._loop.time()
            self._below.data_received(_HEARTBEAT)
        self._rest = data[start:]

    def _take(self, sink: Sink, kind: int, channel: int, data: bytes, start: int, end: int) -> bool:
        """Read one frame's payload if it is hot. Returns: whether it was."""
        content = self._contents.get(channel)
        if kind == wire.METHOD:
            method = wire.hot_method(data, start)
            if method is None:
                return False
            if isinstance(method, wire.Confirm):
                sink.on_confirm(method.tag, multiple=method.multiple, kept=method.kept)
            else:
                self._contents[channel] = _Content(method)
            return True
        if content is None:
            return False
        if kind == wire.HEADER:
            content.header = wire.header(data, start, end)
            content.missing = content.header.size_bytes
        elif kind == wire.BODY:
            content.parts.append(bytes(data[start:end]))
            content.missing -= end - start
        if content.missing <= 0 and content.header is not None:
            del self._contents[channel]
            body = content.parts[0] if len(content.parts) == 1 else b"".join(content.parts)
            sink.heard(content.method, content.header, body)
        return True

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return cast("bool | None", self._below.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        if self._deaf is not None:
            self._deaf.cancel()
            self._deaf = None
        self._below.connection_lost(exc)

    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self.paused = True
        self._below.pause_writing()

    def resume_writing(self) -> None:
        """It does again."""
        self.paused = False
        self._below.resume_writing()


class SplicedTransport(TransportFactory):
    """Opens a connection's socket and puts a splice before the library's protocol. splice: of the newest connection made."""

    splice: Splice | None = None

    async def create(self, url: Any, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect. Raises: the client library's errors."""
        factory = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        reader, writer = await factory.create(url, **kwargs)
        transport = cast(asyncio.Transport, writer.transport)
        self.splice = Splice(transport, transport.get_protocol(), writer)
        transport.set_protocol(self.splice)
        return reader, writer


class SplicedConnection(RobustConnection):
    """The library's connection over a spliced transport."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.spliced = SplicedTransport()
        self.kwargs["transport_factory"] = self.spliced

    async def connect(self, timeout: TimeoutType = None) -> None:  # noqa: ASYNC109 - the signature is the library's
        """As the library's. Where it is given up nothing of it is left.

        The library would go on trying in a task of its own, which a cancellation sends to sleep until its next attempt: a connection that
        nobody has, or a process that does not end. Guarded by
        `tests/runtime/bus/test_cancelling.py::test_a_connection_that_is_given_up_while_it_is_made_leaves_nothing`.
        """
        try:
            await super().connect(timeout)
        except BaseException:
            with letting_go():
                async with asyncio.timeout(CLOSED_WITHIN_S):
                    await self.close()
            raise
