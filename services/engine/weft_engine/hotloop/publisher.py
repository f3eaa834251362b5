"""Sends what a commit has to say, in frames, until the broker has it. The journal holds it too, so nothing is lost with this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import structlog
from weft_contracts import routing
from weft_contracts.envelope import Item
from weft_contracts.frames import encode_frame, split
from weft_runtime.bus import Bus, BusClosed, OutFrame, Unroutable
from weft_runtime.bus.topology import pool
from weft_runtime.errors import WeftError

from weft_engine.core.messages import Outgoing
from weft_engine.hotloop.owned import Outbound, Owned

WORK_FRAME_ITEMS: Final = 50
"""Activities in a frame: few enough that several workers share a burst, enough that a frame's cost is small."""
RETRY_S: Final = 0.5
UNROUTABLE_RETRY_S: Final = 5.0

log = structlog.get_logger(__name__)


def frames_of(outgoing: Iterable[Outgoing]) -> list[OutFrame]:
    """Items for the same place together, in order."""
    places: dict[tuple[str, str], list[tuple[Item, int]]] = {}
    for out in outgoing:
        places.setdefault((out.exchange, out.key), []).append((out.item, out.size_bytes))
    return [
        OutFrame(exchange, key, encode_frame(items))
        for (exchange, key), sized in places.items()
        for items in split(sized, max_items=WORK_FRAME_ITEMS if exchange == routing.WORK else 500)
    ]


class Publisher:
    """Publishes for one lane. A queue that nobody declared yet is declared when it is an activity's."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._declared: set[str] = set()
        self._sending: set[asyncio.Task[None]] = set()

    def say(self, outgoing: Sequence[Outgoing], outbounds: Sequence[tuple[Owned, Outbound]]) -> None:
        """Send in the background; each partition is told when the broker has its part."""
        if not outgoing:
            for owned, outbound in outbounds:
                owned.confirm(outbound)
            return
        task = asyncio.create_task(self._say(frames_of(outgoing), outbounds))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def settle(self, timeout_s: float = 5.0) -> None:
        """Wait until everything is confirmed, at most that long: what is left the next owner says."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=timeout_s)

    async def _say(self, frames: Sequence[OutFrame], outbounds: Sequence[tuple[Owned, Outbound]]) -> None:
        try:
            await self.send(frames)
        except BusClosed:
            return  # the journal has it too; the next owner says it
        for owned, outbound in outbounds:
            owned.confirm(outbound)

    async def send(self, frames: Sequence[OutFrame]) -> None:
        """Returns when the broker has confirmed every frame, however long that takes. Raises: BusClosed when this process ends."""
        waiting = list(frames)
        while waiting:
            try:
                await self._declare(waiting)
                await self._bus.publish(waiting)
                return
            except BusClosed:
                raise
            except Unroutable as error:
                waiting = needed(error.frames)
                if waiting:
                    log.warning("nobody_listens", frames=len(waiting), queue=waiting[0].routing_key)
                    self._declared.difference_update(frame.routing_key for frame in waiting)
                    await asyncio.sleep(UNROUTABLE_RETRY_S)
            except WeftError as error:
                log.warning("publish_failed", frames=len(waiting), error=str(error))
                await asyncio.sleep(RETRY_S)

    async def _declare(self, frames: Sequence[OutFrame]) -> None:
        new = {frame.routing_key for frame in frames if frame.exchange == routing.WORK} - self._declared
        for queue in sorted(new):
            await self._bus.declare(pool(queue.removeprefix("work.")))
            self._declared.add(queue)


def needed(frames: Sequence[OutFrame]) -> list[OutFrame]:
    """Those that must find a queue. Facts and domain events that nobody listens to are complete once said."""
    return [frame for frame in frames if frame.exchange in (routing.WORK, routing.COMMANDS)]
