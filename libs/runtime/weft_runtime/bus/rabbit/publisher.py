"""Sending with confirms, at most so much on the way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from weft_runtime.bus.metrics import BusMetrics
from weft_runtime.bus.ports import OnDone, OutFrame, Unroutable
from weft_runtime.bus.rabbit.channel import FrameChannel, Sent
from weft_runtime.bus.rabbit.link import Link
from weft_runtime.errors import Unavailable, WeftError

MAX_IN_FLIGHT = 4096
"""Frames sent and not yet confirmed; a sender beyond that waits."""

MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024
CONFIRM_TIMEOUT_S = 10.0
"""A quorum queue confirms in milliseconds; past this the link counts as lost and is made anew."""


class Publisher:
    """Publishes on one channel of a link. Back-pressure: frames and bytes on the way are bounded."""

    def __init__(self, link: Link, metrics: BusMetrics) -> None:
        self._link = link
        self._metrics = metrics
        self._channel: FrameChannel | None = None
        self._frames = self._bytes = 0
        self._room = asyncio.Event()
        self._pending: deque[Sent] = deque()
        self._watching: asyncio.TimerHandle | None = None
        self._waiting: set[asyncio.Task[None]] = set()

    async def attach(self) -> None:
        """Open the channel on the connection of the moment. Raises: Unavailable."""
        self._channel = await self._link.channel(confirms=True, on_delivery=_unexpected)

    @property
    def ready(self) -> bool:
        """Whether sending is possible."""
        return self._channel is not None and not self._channel.is_closed

    @property
    def blocked(self) -> bool:
        """Whether the broker takes no messages for now and has said so."""
        return self._channel is not None and self._channel.splice.blocked

    def send(self, frames: Sequence[OutFrame], on_done: OnDone) -> None:
        """Send all at once; `on_done` is told once: None when every one is confirmed, else what `publish` would raise."""
        size = sum([len(frame.body) for frame in frames])
        channel = self._channel
        splice = None if channel is None or channel.is_closed else channel.splice
        if channel is not None and splice is not None and not (splice.paused or splice.blocked or self._full(len(frames), size)):
            self._write(channel, frames, size, on_done)
            return
        task = asyncio.create_task(self._patiently(frames, on_done))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def publish(self, frames: Sequence[OutFrame]) -> None:
        """Send all; returns when every one is confirmed. Raises: Unroutable, Unavailable."""
        returned: list[OutFrame] = []
        for start in range(0, len(frames), MAX_IN_FLIGHT):
            try:
                await self._publish(frames[start : start + MAX_IN_FLIGHT])
            except Unroutable as error:
                returned += error.frames
        if returned:
            raise Unroutable(returned)

    async def _patiently(self, frames: Sequence[OutFrame], on_done: OnDone) -> None:
        try:
            await self.publish(frames)
        except WeftError as error:
            on_done(error)
        else:
            on_done(None)

    async def _publish(self, frames: Sequence[OutFrame]) -> None:
        size = sum([len(frame.body) for frame in frames])
        channel = await self._free(frames, size)
        told = asyncio.get_running_loop().create_future()

        def done(error: WeftError | None) -> None:
            if told.done():
                return  # who sent it is gone
            if error is None:
                told.set_result(None)
            else:
                told.set_exception(error)

        self._write(channel, frames, size, done)
        await told

    async def _free(self, frames: Sequence[OutFrame], size: int) -> FrameChannel:
        """Wait until so much more may be on its way. Returns: the channel to send it on. Raises: Unavailable."""
        if self.blocked:
            self._metrics.unpublished.labels("blocked").inc(len(frames))
            raise Unavailable(
                "the broker is short of memory or disk and takes no messages; they are sent when it does", code="broker_blocked"
            )
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                while self._full(len(frames), size):
                    self._room.clear()
                    await self._room.wait()
                channel = self._channel
                if channel is not None and not channel.is_closed and channel.splice.paused:
                    await channel.splice.drain()
        except TimeoutError as error:
            self._metrics.unpublished.labels("timeout").inc(len(frames))
            self._give_up()
            raise _late() from error
        except OSError as error:
            raise self._away(frames) from error
        if channel is None or channel.is_closed:
            raise self._away(frames)
        return channel

    def _full(self, frames: int, size: int) -> bool:
        return bool(self._frames) and (self._frames + frames > MAX_IN_FLIGHT or self._bytes + size > MAX_IN_FLIGHT_BYTES)

    def _write(self, channel: FrameChannel, frames: Sequence[OutFrame], size: int, on_done: OnDone) -> None:
        loop = asyncio.get_running_loop()
        self._frames += len(frames)
        self._bytes += size

        def settled(sent: Sent, error: Unavailable | None) -> None:
            self._frames -= len(frames)
            self._bytes -= size
            self._room.set()
            if error is not None:
                self._metrics.unpublished.labels("unavailable").inc(len(frames))
                on_done(error)
                return
            self._metrics.published.inc(len(frames))
            self._metrics.confirm_seconds.observe(loop.time() - sent.began)
            if sent.returned:
                self._metrics.unpublished.labels("unroutable").inc(len(sent.returned))
            on_done(Unroutable(sent.returned) if sent.returned else None)

        sent = Sent(frames, loop.time(), settled)
        self._pending.append(sent)
        channel.send(sent)
        if self._watching is None:
            self._watching = loop.call_later(CONFIRM_TIMEOUT_S, self._watch)
        while self._pending and self._pending[0].settled:
            self._pending.popleft()

    def _watch(self) -> None:
        """Look whether the oldest of what is on its way is overdue: one timer for all, for one a call would cost more than the call."""
        self._watching = None
        while self._pending and self._pending[0].settled:
            self._pending.popleft()
        if not self._pending:
            return
        loop = asyncio.get_running_loop()
        left = self._pending[0].began + CONFIRM_TIMEOUT_S - loop.time()
        if left > 0:
            self._watching = loop.call_later(left, self._watch)
            return
        while self._pending:
            self._pending.popleft().fail(_late().args[0])
        self._give_up()

    def _away(self, frames: Sequence[OutFrame]) -> Unavailable:
        self._metrics.unpublished.labels("unavailable").inc(len(frames))
        return Unavailable("the broker is not connected; it is tried again", code="broker_unavailable")

    def _give_up(self) -> None:
        # A broker that blocks us is there. On a new connection it would block us too, and of each old one, which it cannot even see
        # closed, it would take once more what was sent when it takes again. Guarded by tests/runtime/pipeline/test_faults.py.
        if self.blocked:
            return
        # A broker that confirms nothing may be half gone; the link is thrown away, so that the bus makes a new one.
        self._channel = None
        self._link.abandon()


def _late() -> Unavailable:
    return Unavailable(f"the broker confirmed nothing for {CONFIRM_TIMEOUT_S:g} s; it is tried again", code="not_confirmed")


def _unexpected(_: object) -> None:
    """A publishing channel is given no messages."""
