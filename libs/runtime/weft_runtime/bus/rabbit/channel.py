"""A channel for the hot path: deliveries and confirms are handled as their bytes arrive, with no task and no future per message.

It stands on three things of the locked client library: `Channel.frames.put` is called by the connection's reader for each AMQP frame,
`Connection.channels` maps numbers to channels, and `Connection.write_queue` is what the writer sends. `tests/runtime/bus` guards all three.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiormq
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from pamqp import commands as spec
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from weft_runtime.bus.ports import Delivery, OutFrame
from weft_runtime.bus.rabbit import wire
from weft_runtime.errors import Unavailable

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel

DRAIN_BYTES = 64 * 1024
"""Writes from this size wait until the socket has taken them, which is how a slow broker slows the sender."""


class Sent:
    """Frames of one call, until the last is confirmed. done: set when it is; returned: those no queue was bound for."""

    __slots__ = ("done", "frames", "left", "returned")

    def __init__(self, frames: Sequence[OutFrame], done: asyncio.Future[None]) -> None:
        self.frames = frames
        self.left = len(frames)
        self.done = done
        self.returned: list[OutFrame] = []

    def confirm(self) -> None:
        """One more is on disk."""
        self.left -= 1
        if not self.left and not self.done.done():
            self.done.set_result(None)

    def fail(self, why: str) -> None:
        """The outcome of at least one will never be known."""
        if not self.done.done():
            self.done.set_exception(Unavailable(why, code="not_confirmed"))
            self.done.exception()  # its caller may have gone: not a thing to warn about


class _Intake(asyncio.Queue[Any]):
    """What the connection's reader puts AMQP frames into: messages and confirms are handled at once, the rest is the library's."""

    def __init__(self, channel: FrameChannel) -> None:
        super().__init__()
        self._channel = channel
        self._method: spec.Basic.Deliver | spec.Basic.Return | None = None
        self._header: ContentHeader | None = None
        self._parts: list[bytes] = []
        self._missing = 0

    async def put(self, item: Any) -> None:
        frame = item[1]
        kind = type(frame)
        if kind is spec.Basic.Deliver or kind is spec.Basic.Return:
            self._method = frame
        elif self._method is not None and kind is ContentHeader:
            self._header, self._parts, self._missing = frame, [], frame.body_size
            if not self._missing:
                self._complete()
        elif self._method is not None and kind is ContentBody:
            self._parts.append(frame.value)
            self._missing -= len(frame.value)
            if self._missing <= 0:
                self._complete()
        elif kind is spec.Basic.Ack or kind is spec.Basic.Nack:
            self._channel.on_confirm(frame.delivery_tag, multiple=frame.multiple, kept=kind is spec.Basic.Ack)
        else:
            await super().put(item)

    def _complete(self) -> None:
        method, header = self._method, self._header
        self._method = self._header = None
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        if isinstance(method, spec.Basic.Deliver) and header is not None:
            self._channel.on_delivery(delivery(self._channel, method, header, body))
        elif header is not None:
            self._channel.on_return(header.properties.message_id or "")


def delivery(channel: AbstractChannel, method: Any, header: ContentHeader, body: bytes) -> Delivery:
    """A delivered message as the bus gives it on."""
    properties = header.properties
    headers: dict[str, Any] = properties.headers or {}
    count = headers.get("x-delivery-count", 0)
    return Delivery(
        body=body,
        content_type=properties.content_type,
        headers=headers,
        exchange=method.exchange or "",
        routing_key=method.routing_key or "",
        redelivered=bool(method.redelivered),
        delivery_count=count if isinstance(count, int) else 0,
        tag=int(method.delivery_tag or 0),
        link=channel,
    )


class FrameChannel(Channel):
    """One AMQP channel: for publishing with confirms, or for one consumer."""

    def __init__(self, connection: Any, number: int, *, confirms: bool, on_delivery: Callable[[Delivery], None]) -> None:
        super().__init__(connection, number, publisher_confirms=confirms, on_return_raises=False)
        self.frames = _Intake(self)
        self.on_delivery = on_delivery
        self._sending = asyncio.Lock()
        self._epoch = uuid4().hex[:12]
        self._sent: dict[int, tuple[Sent, int]] = {}
        self._first = 1
        self._last = 0
        self._frame_max = connection.connection_tune.frame_max
        self._closing.add_done_callback(lambda _: self._fail_all("the connection to the broker was lost before it confirmed"))

    async def send(self, frames: Sequence[OutFrame]) -> Sent:
        """Write all of them in one go. Raises: Unavailable when the channel is closed."""
        loop = asyncio.get_running_loop()
        async with self._sending:
            if self.is_closed:
                raise Unavailable("the broker is not connected; it is tried again", code="broker_unavailable")
            first = self._last + 1
            parts: list[bytes] = []
            for tag, frame in enumerate(frames, first):
                parts += wire.publish(
                    self.number,
                    self._frame_max,
                    exchange=frame.exchange,
                    key=frame.routing_key,
                    body=frame.body,
                    content_type=frame.content_type,
                    headers=frame.headers,
                    message_id=f"{self._epoch}-{tag}",
                )
            await self.write(b"".join(parts))
            sent = Sent(frames, loop.create_future())
            for index in range(len(frames)):
                self._sent[first + index] = (sent, index)
            self._last += len(frames)
        if self.closing.done():
            self._fail_all("the connection to the broker was lost before it confirmed")
        return sent

    async def write(self, payload: bytes) -> None:
        """Hand bytes to the connection's writer."""
        await write(self, payload)

    def on_confirm(self, tag: int, *, multiple: bool, kept: bool) -> None:
        """The broker has one message, or all up to it, on disk (kept) or could not take it."""
        for number in range(self._first, tag + 1) if multiple else (tag,):
            found = self._sent.pop(number, None)
            if found is None:
                continue
            if kept:
                found[0].confirm()
            else:
                found[0].fail("the broker refused a frame (nack): its queue has no leader or is full; it is tried again")
        while self._first <= self._last and self._first not in self._sent:
            self._first += 1

    def on_return(self, message_id: str) -> None:
        """No queue was bound; a confirm for it still follows."""
        found = self._sent.get(int(message_id.rpartition("-")[2] or 0))
        if found is not None:
            found[0].returned.append(found[0].frames[found[1]])

    def _fail_all(self, why: str) -> None:
        while self._sent:
            self._sent.popitem()[1][0].fail(why)


async def write(channel: Any, payload: bytes) -> None:
    """Hand bytes to the writer of a channel's connection, waiting for the socket when they are many."""
    drained = asyncio.get_running_loop().create_future() if len(payload) >= DRAIN_BYTES else None
    await channel.write_queue.put(ChannelFrame(payload=payload, should_close=False, drain_future=drained))


async def open_channel(
    connection: aiormq.Connection, *, confirms: bool, on_delivery: Callable[[Delivery], None], timeout_s: float
) -> FrameChannel:
    """A hot-path channel on a connection that is open. Raises: the client library's errors, TimeoutError."""
    async with connection.last_channel_lock:
        number = next(free for free in range(1, 65536) if free not in connection.channels)
        channel = FrameChannel(connection, number, confirms=confirms, on_delivery=on_delivery)
        connection.channels[number] = channel
    await channel.open(timeout=timeout_s)
    return channel
