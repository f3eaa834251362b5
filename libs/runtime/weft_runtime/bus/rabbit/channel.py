"""A channel for the hot path: deliveries and confirms are handled as their bytes arrive, with no task and no future per message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final
from uuid import uuid4

import aiormq
from aiormq.channel import Channel

from weft_runtime.bus.ports import Delivery, OutFrame
from weft_runtime.bus.rabbit import wire
from weft_runtime.bus.rabbit.splice import Splice
from weft_runtime.errors import Unavailable

NUMBERS: Final = 1_000
"""Numbers of channels that are ours: half of those RabbitMQ gives, since the client library goes on above the highest in use."""


class Sent:
    """Frames of one call, until the last is confirmed. on_done: told once how it went.  returned: those no queue was bound for."""

    __slots__ = ("_on_done", "began", "frames", "left", "returned")

    def __init__(self, frames: Sequence[OutFrame], began: float, on_done: Callable[[Sent, Unavailable | None], None]) -> None:
        self.frames = frames
        self.left = len(frames)
        self.began = began
        self.returned: list[OutFrame] = []
        self._on_done: Callable[[Sent, Unavailable | None], None] | None = on_done

    @property
    def settled(self) -> bool:
        """Whether it is known how it went."""
        return self._on_done is None

    def confirm(self) -> None:
        """One more is on disk."""
        self.left -= 1
        if not self.left:
            self._settle(None)

    def fail(self, why: str) -> None:
        """The outcome of at least one will never be known."""
        self._settle(Unavailable(why, code="not_confirmed"))

    def _settle(self, error: Unavailable | None) -> None:
        on_done, self._on_done = self._on_done, None
        if on_done is not None:
            on_done(self, error)


class FrameChannel(Channel):
    """One AMQP channel: for publishing with confirms, or for one consumer."""

    def __init__(self, connection: Any, splice: Splice, number: int, *, confirms: bool, on_delivery: Callable[[Delivery], None]) -> None:
        super().__init__(connection, number, publisher_confirms=confirms, on_return_raises=False)
        self.splice = splice
        self.on_delivery = on_delivery
        self._epoch = uuid4().hex[:12]
        self._sent: dict[int, tuple[Sent, int]] = {}
        self._first = 1
        self._last = 0
        self._frame_max = connection.connection_tune.frame_max
        self._closing.add_done_callback(self._ended)
        splice.listen(number, self)

    def send(self, sent: Sent) -> None:
        """Write all of them in one go. The channel must be open."""
        parts: list[bytes] = []
        for index, frame in enumerate(sent.frames):
            self._last += 1
            self._sent[self._last] = (sent, index)
            parts += wire.publish(
                self.number,
                self._frame_max,
                exchange=frame.exchange,
                key=frame.routing_key,
                body=frame.body,
                content_type=frame.content_type,
                headers=frame.headers,
                message_id=f"{self._epoch}-{self._last}",
            )
        self.splice.write(b"".join(parts))

    def heard(self, method: wire.Deliver | wire.Return, header: wire.Header, body: bytes) -> None:
        """A message given to our consumer, or one of ours that came back."""
        if isinstance(method, wire.Return):
            self._on_return(header.message_id)
            return
        count = header.headers.get("x-delivery-count", 0)
        self.on_delivery(
            Delivery(
                body, header.content_type, header.headers, method.exchange, method.routing_key, method.redelivered,
                count if isinstance(count, int) else 0, method.tag, self,
            )
        )  # fmt: skip

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

    def _on_return(self, message_id: str) -> None:
        """No queue was bound; a confirm for it still follows."""
        epoch, _, number = message_id.rpartition("-")
        found = self._sent.get(int(number)) if epoch == self._epoch else None
        if found is not None:
            found[0].returned.append(found[0].frames[found[1]])

    def _ended(self, _: asyncio.Future[Any]) -> None:
        self.splice.forget(self.number, self)
        while self._sent:
            self._sent.popitem()[1][0].fail("the connection to the broker was lost before it confirmed")


async def open_channel(
    connection: aiormq.Connection, splice: Splice, *, confirms: bool, on_delivery: Callable[[Delivery], None], timeout_s: float
) -> FrameChannel:
    """A hot-path channel on a connection that is open. Raises: the client library's errors, TimeoutError."""
    # A channel that the broker closes is free to the library before our own word that it is closed has gone out; opened again in
    # between, it costs the connection. So numbers go round, and each is used again as late as can be.
    most = min(connection.connection_tune.channel_max or NUMBERS, NUMBERS)
    turns = chain(range(splice.last_number + 1, most + 1), range(1, splice.last_number + 1))
    number = splice.last_number = next(free for free in turns if free not in connection.channels)
    channel = connection.channels[number] = FrameChannel(connection, splice, number, confirms=confirms, on_delivery=on_delivery)
    await channel.open(timeout=timeout_s)
    return channel
