"""Sending with confirms, at most so much on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from weft_runtime.bus.metrics import BusMetrics
from weft_runtime.bus.ports import OutFrame, Unroutable
from weft_runtime.bus.rabbit.asking import BROKER_ERRORS
from weft_runtime.bus.rabbit.channel import FrameChannel, Sent
from weft_runtime.bus.rabbit.link import Link
from weft_runtime.errors import Unavailable

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

    async def attach(self) -> None:
        """Open the channel on the connection of the moment. Raises: Unavailable."""
        self._channel = await self._link.channel(confirms=True, on_delivery=_unexpected)

    @property
    def ready(self) -> bool:
        """Whether sending is possible."""
        return self._channel is not None and not self._channel.is_closed

    async def publish(self, frames: Sequence[OutFrame]) -> None:
        """Send all; returns when every one is confirmed. Raises: Unroutable, Unavailable."""
        returned: list[OutFrame] = []
        for start in range(0, len(frames), MAX_IN_FLIGHT):
            returned += await self._publish(frames[start : start + MAX_IN_FLIGHT])
        if returned:
            self._metrics.unpublished.labels("unroutable").inc(len(returned))
            raise Unroutable(returned)

    async def _publish(self, frames: Sequence[OutFrame]) -> list[OutFrame]:
        size = sum(len(frame.body) for frame in frames)
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                while self._frames and (self._frames + len(frames) > MAX_IN_FLIGHT or self._bytes + size > MAX_IN_FLIGHT_BYTES):
                    self._room.clear()
                    await self._room.wait()
                sent = await self._confirmed(frames, size)
        except TimeoutError as error:
            self._metrics.unpublished.labels("timeout").inc(len(frames))
            await self._give_up()
            raise Unavailable(
                f"the broker confirmed nothing for {CONFIRM_TIMEOUT_S:g} s; it is tried again", code="not_confirmed"
            ) from error
        except Unavailable:
            self._metrics.unpublished.labels("unavailable").inc(len(frames))
            raise
        self._metrics.published.inc(len(frames))
        self._metrics.confirm_seconds.observe(loop.time() - began)
        return sent.returned

    async def _confirmed(self, frames: Sequence[OutFrame], size: int) -> Sent:
        channel = self._channel
        if channel is None or channel.is_closed:
            raise Unavailable("the broker is not connected; it is tried again", code="broker_unavailable")
        self._frames += len(frames)
        self._bytes += size
        try:
            sent = await channel.send(frames)
            await sent.done
        except BROKER_ERRORS as error:
            if isinstance(error, TimeoutError):
                raise
            raise Unavailable(
                f"the connection to the broker was lost ({type(error).__name__}); it is tried again", code="broker_unavailable"
            ) from error
        finally:
            self._frames -= len(frames)
            self._bytes -= size
            self._room.set()
        return sent

    async def _give_up(self) -> None:
        # A broker that confirms nothing may be half gone; the link is thrown away, so that the bus makes a new one.
        self._channel = None
        self._link.abandon()


def _unexpected(_: object) -> None:
    """A publishing channel is given no messages."""
