"""One connection to RabbitMQ, owned by FastStream's broker, made anew whole when it breaks.

The client library can restore a connection by itself, but may come back without consumers (ag2ai/faststream#2758,
mosquito/aio-pika#231), so that is not used: a broken link is thrown away, and there is one way back that every test of a
lost broker walks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import aiormq
from faststream.rabbit import RabbitBroker
from yarl import URL

from weft_runtime.bus.rabbit.asking import asking, letting_go
from weft_runtime.bus.rabbit.channel import FrameChannel, open_channel
from weft_runtime.bus.rabbit.splice import Splice, SplicedConnection
from weft_runtime.errors import Unavailable

if TYPE_CHECKING:
    from weft_runtime.bus.ports import Delivery

HEARTBEAT_S = 5
"""A connection that is silent for three of these is taken for dead: long enough for a busy process, short enough for a cut cable."""

CALL_TIMEOUT_S = 5.0
"""For what is asked of a broker that is connected: open, declare, subscribe."""

NEVER_S = 86_400 * 365


class Link:
    """A connection that is made, used and, once broken, replaced as a whole.

    on_lost: called once when the connection of the moment breaks.
    """

    def __init__(self, url: str, *, name: str, middlewares: Sequence[Any], on_lost: Callable[[], None]) -> None:
        address = URL(url)
        self._url = address.update_query({"heartbeat": str(HEARTBEAT_S), **address.query, "name": name})
        self._middlewares = tuple(middlewares)
        self._on_lost = on_lost
        self._broker: RabbitBroker | None = None
        self._connection: aiormq.Connection | None = None
        self._splice: Splice | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def alive(self) -> bool:
        """Whether there is a connection that, as far as is known, works."""
        return self._connection is not None and self._connection.is_opened

    @property
    def broker(self) -> RabbitBroker:
        """FastStream's broker on the connection of the moment. Raises: Unavailable."""
        if self._broker is None or not self.alive:
            raise Unavailable("the broker is not connected; it is tried again", code="broker_unavailable")
        return self._broker

    @property
    def splice(self) -> Splice:
        """What stands before the connection of the moment. Raises: Unavailable."""
        if self._splice is None or not self.alive:
            raise Unavailable("the broker is not connected; it is tried again", code="broker_unavailable")
        return self._splice

    async def connect(self) -> None:
        """Throw away what was and connect. Raises: Unavailable."""
        self._drop()
        broker = RabbitBroker(
            str(self._url),
            timeout=CALL_TIMEOUT_S,
            reconnect_interval=NEVER_S,
            graceful_timeout=None,
            middlewares=self._middlewares,
            logger=None,
            apply_types=False,
        )
        broker._connection_kwargs["connection_class"] = SplicedConnection  # FastStream has no other way to choose it
        try:
            with asking(f"accept a connection at {self._url.host}:{self._url.port} (WEFT_BROKER_URL)"):
                async with asyncio.timeout(2 * CALL_TIMEOUT_S):
                    robust = await broker.connect()
        except Unavailable:
            await _discard(broker)
            raise
        transport = robust.transport
        if transport is None or not isinstance(robust, SplicedConnection) or robust.spliced.splice is None:
            await _discard(broker)
            raise Unavailable("the broker closed the connection as it was made; it is tried again", code="broker_unavailable")
        connection = cast(aiormq.Connection, transport.connection)
        self._broker, self._connection, self._splice = broker, connection, robust.spliced.splice
        connection.closing.add_done_callback(lambda _: self._lost(connection))

    def _lost(self, connection: aiormq.Connection) -> None:
        if connection is self._connection:
            self._connection = None
            self._on_lost()

    async def channel(self, *, confirms: bool, on_delivery: Callable[[Delivery], None]) -> FrameChannel:
        """A new hot-path channel. Raises: Unavailable."""
        if self._connection is None:
            raise Unavailable("the broker is not connected; it is tried again", code="broker_unavailable")
        with asking("open a channel"):
            return await open_channel(self._connection, self.splice, confirms=confirms, on_delivery=on_delivery, timeout_s=CALL_TIMEOUT_S)

    def abandon(self) -> None:
        """Take the connection of the moment for lost, though it has not said so."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._on_lost()

    async def disconnect(self) -> None:
        """Close the connection of the moment, if there is one, and wait until those of before are gone too."""
        self._drop()
        await asyncio.gather(*self._leaving)

    def _drop(self) -> None:
        # Not waited for: a broken connection takes seconds to close, and the next one is wanted now.
        broker, self._broker, self._connection = self._broker, None, None
        if broker is not None:
            leaving = asyncio.create_task(_discard(broker))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)


async def _discard(broker: RabbitBroker) -> None:
    # A half-dead connection may neither close nor fail: it is given this long and then left to the collector.
    with letting_go():
        async with asyncio.timeout(CALL_TIMEOUT_S):
            await broker.stop()
