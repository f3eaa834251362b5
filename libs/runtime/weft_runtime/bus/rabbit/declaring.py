"""Declaring exchanges, quorum queues and bindings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiormq.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed
from weft_contracts import routing

from weft_runtime.bus.rabbit.asking import asking, letting_go
from weft_runtime.bus.rabbit.channel import FrameChannel
from weft_runtime.bus.rabbit.link import CALL_TIMEOUT_S, Link
from weft_runtime.bus.topology import EXCHANGES, QueueSpec, Topology
from weft_runtime.errors import Conflict, Unavailable


def arguments(queue: QueueSpec) -> dict[str, Any]:
    """The queue arguments RabbitMQ takes. Dead letters are moved with confirms, so that a crash in between loses none."""
    given: dict[str, Any] = {"x-queue-type": "quorum", "x-delivery-limit": queue.delivery_limit}
    if queue.single:
        given["x-single-active-consumer"] = True
    if queue.dead_letters:
        given |= {
            "x-dead-letter-exchange": routing.DEAD,
            "x-dead-letter-routing-key": queue.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
    return given


class Settling:
    """Lets whoever made a queue wait until it can be relied on. settle_s: how long after the last that was new.

    RabbitMQ registers the log of a new quorum queue on disk only after half a second without other such changes; killed before, it comes
    back with a queue that has lost what was confirmed and never finds a leader (rabbitmq/rabbitmq-server#15725). Guarded by
    tests/runtime/bus/test_broker_loss.py.
    """

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._timer: asyncio.TimerHandle | None = None
        self._settled = asyncio.Event()
        self._settled.set()

    def begin(self) -> None:
        """A queue was new just now; whoever waits for an earlier one waits for it, too."""
        if self._timer is not None:
            self._timer.cancel()
        self._settled.clear()
        self._timer = asyncio.get_running_loop().call_later(self._settle_s, self._settled.set)

    async def wait(self) -> None:
        """Until all have settled."""
        await self._settled.wait()


async def declare(link: Link, topology: Topology) -> bool:
    """Make sure all of it exists. Returns: whether a queue was new.

    Raises: Unavailable; Conflict when a queue of the name has other arguments.
    """
    # Side by side: on a slow line each question takes long, and a reconnect asks about all queues of a process.
    there = await asyncio.gather(*(_exists(link, queue.name) for queue in topology.queues))
    async with _channel(link) as channel:
        with asking("declare the queues"):
            await _declare(channel, topology)
    return not all(there)


async def _exists(link: Link, queue: str) -> bool:
    async with _channel(link) as channel:
        try:
            with asking("look for a queue"):
                await channel.queue_declare(queue, passive=True, timeout=CALL_TIMEOUT_S)
        except Unavailable as error:
            if isinstance(error.__cause__, ChannelNotFoundEntity):
                return False
            raise
    return True


@asynccontextmanager
async def _channel(link: Link) -> AsyncIterator[FrameChannel]:
    channel = await link.channel(confirms=False, on_delivery=lambda _: None)
    try:
        yield channel
    finally:
        with letting_go():
            await channel.close()


async def _declare(channel: FrameChannel, topology: Topology) -> None:
    try:
        for exchange, kind in EXCHANGES.items():
            await channel.exchange_declare(exchange, exchange_type=kind, durable=True, timeout=CALL_TIMEOUT_S)
        for queue in topology.queues:
            await channel.queue_declare(queue.name, durable=True, arguments=arguments(queue), timeout=2 * CALL_TIMEOUT_S)
            for binding in queue.bindings:
                await channel.queue_bind(queue.name, binding.exchange, binding.key, timeout=CALL_TIMEOUT_S)
    except ChannelPreconditionFailed as error:
        raise Conflict(f"RabbitMQ has a queue of another make: {error}; delete it once it is empty", code="queue_differs") from error
