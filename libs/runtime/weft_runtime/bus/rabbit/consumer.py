"""A subscription that outlives the broker: on a channel of its own, with no task per message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

from weft_runtime.bus.ports import ACK_WITHIN_S, Delivery
from weft_runtime.bus.rabbit import wire
from weft_runtime.bus.rabbit.asking import asking, letting_go
from weft_runtime.bus.rabbit.channel import FrameChannel
from weft_runtime.bus.rabbit.link import CALL_TIMEOUT_S, Link
from weft_runtime.bus.rabbit.splice import Splice
from weft_runtime.bus.taking import Taking


class RabbitConsumer(Taking):
    """A bare subscription on a channel of its own. The bus attaches it, and attaches it again after a loss."""

    _in_order = True
    """Whether all frames up to one that was taken have been taken too."""

    def __init__(
        self,
        queue: str,
        *,
        prefetch: int,
        on_closed: Callable[[RabbitConsumer], None],
        on_arrival: Callable[[], None] | None = None,
        ack_within_s: float = ACK_WITHIN_S,
    ) -> None:
        super().__init__(queue, on_arrival)
        self.prefetch = prefetch
        self._ack_within_s = ack_within_s
        self._acked: set[int] = set()
        self._splice: Splice | None = None
        self._telling: asyncio.TimerHandle | None = None
        self._on_closed = on_closed
        self._channel: Any = None
        self._tag: str | None = None
        self._unacked: dict[int, None] = {}
        self._closed = False

    @property
    def active(self) -> bool:
        """Whether the broker knows this subscription now: the channel is open and the broker has not cancelled it."""
        channel = self._channel
        return channel is not None and not channel.is_closed and self._tag in channel.consumers

    @property
    def wanted(self) -> bool:
        """Whether the bus should keep this subscription alive."""
        return not self._stopped

    async def attach(self, link: Link) -> None:
        """Subscribe on the connection of the moment. Raises: Unavailable."""
        await self._leave()
        self._forget()
        try:
            with asking(f"take the subscription to {self.queue}"):
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    await self._enter(link)
        finally:
            if self._stopped:
                # Closed meanwhile, with no channel that it could have closed. The broker would go on giving frames to this subscription,
                # which nobody takes, and where one reader alone is given them, to no other. Guarded by tests/runtime/bus/test_rabbit.py.
                await self._leave()

    async def _enter(self, link: Link) -> None:
        channel: FrameChannel = await link.channel(confirms=False, on_delivery=self._deliver)
        self._channel, self._splice = channel, channel.splice
        await channel.basic_qos(prefetch_count=self.prefetch)
        self._tag = (await channel.basic_consume(self.queue, _unused)).consumer_tag

    async def _leave(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None and not channel.is_closed:
            with letting_go():
                await channel.close(timeout=CALL_TIMEOUT_S)

    def _forget(self) -> None:
        # What was given out on a channel that is gone comes again on the next: giving it on too would break the order.
        self._drop_waiting()
        self._unacked.clear()
        self._acked.clear()
        self._arrived.clear()

    def _drop_waiting(self) -> None:
        self._let_go(sum(len(delivery.body) for delivery in self._waiting))
        self._waiting.clear()

    def _let_go(self, size: int) -> None:
        if self._splice is not None:
            self._splice.hold(-size)

    def _deliver(self, delivery: Delivery) -> None:
        if self._stopped:
            return
        if self._splice is not None:
            self._splice.hold(len(delivery.body))
        self._unacked[delivery.tag] = None
        self._came(delivery)

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Done for good; those of a lost channel are ignored."""
        self._ack_tags([delivery.tag for delivery in deliveries if delivery.link is self._channel])

    def _ack_tags(self, tags: Sequence[int]) -> None:
        if not tags:
            return
        self._acked.update(tags)
        if len(self._acked) * 4 >= self.prefetch:
            self._tell()  # the broker must not run out of frames it may give us
        elif self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(self._ack_within_s, self._tell)

    def _tell(self) -> None:
        """Tell the broker what is acked: with one command when all before it is, too."""
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        tags, self._acked = sorted(self._acked), set()
        for tag in tags:
            self._unacked.pop(tag, None)
        if not tags or self._channel is None:
            return
        oldest = next(iter(self._unacked), None)  # given out in rising order
        if self._in_order and (oldest is None or tags[-1] < oldest):
            self._say(wire.ack(self._channel.number, tags[-1], multiple=True))
        else:
            self._say(wire.acks(self._channel.number, tags))

    async def ack_through(self, last: Delivery) -> None:
        """`last` and all taken before it, with one command where that is possible."""
        if last.link is self._channel:
            self._ack_tags([*takewhile(lambda tag: tag <= last.tag, self._unacked)])

    async def reject(self, delivery: Delivery) -> None:
        """To the dead letters."""
        if delivery.link is self._channel:
            self._unacked.pop(delivery.tag, None)
            self._say(wire.reject(delivery.link.number, delivery.tag))

    async def requeue(self, delivery: Delivery) -> None:
        """Back to the queue."""
        if delivery.link is self._channel:
            self._unacked.pop(delivery.tag, None)
            self._say(wire.requeue(delivery.link.number, delivery.tag))

    def _say(self, payload: bytes) -> None:
        if self._splice is not None and self._channel is not None and not self._channel.is_closed:
            self._splice.write(payload)

    async def stop(self) -> None:
        """Take no more; what was not taken goes back."""
        if self._stopped:
            return
        self._stopped = True
        self._arrived.set()
        self._tell()
        link = self._channel
        if link is not None and not link.is_closed and self._tag is not None:
            with letting_go():
                await link.basic_cancel(self._tag, timeout=CALL_TIMEOUT_S)
        self._say(b"".join(wire.requeue(link.number, delivery.tag) for delivery in self._waiting if delivery.link is link))
        self._drop_waiting()

    async def close(self) -> None:
        """End the subscription; what is not acked goes back."""
        await self.stop()
        if not self._closed:
            self._closed = True
            self._tell()
            await self._leave()
            self._on_closed(self)


async def _unused(_: Any) -> None:
    """Deliveries are handled by the channel before the library would call this."""
