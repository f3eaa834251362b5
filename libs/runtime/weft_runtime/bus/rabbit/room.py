"""A subscription that FastStream makes: each frame passes its middlewares, so it is traced and counted, and is acked by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faststream import AckPolicy
from faststream.rabbit import Channel as ChannelSettings
from faststream.rabbit import RabbitMessage, RabbitQueue

from weft_runtime.bus.ports import Delivery
from weft_runtime.bus.rabbit.asking import letting_go
from weft_runtime.bus.rabbit.consumer import RabbitConsumer

if TYPE_CHECKING:
    from weft_runtime.bus.rabbit.link import Link


class RoomConsumer(RabbitConsumer):
    """The bare consumer with FastStream in front."""

    _subscriber: Any = None
    _in_order = False

    async def _enter(self, link: Link) -> None:
        # FastStream remembers a queue together with the channel it was first read on, which may be closed by now.
        link.broker.config.declarer.disconnect()
        self._splice = link.splice
        subscriber = link.broker.subscriber(
            RabbitQueue(self.queue, declare=False, robust=False),
            channel=ChannelSettings(prefetch_count=self.prefetch, publisher_confirms=False),
            ack_policy=AckPolicy.MANUAL,
            decoder=_whole,
        )
        self._subscriber = subscriber

        @subscriber
        async def heard(message: RabbitMessage) -> None:
            raw = message.raw_message
            if self._subscriber is subscriber and self._channel is None:
                self._channel = raw.channel
            if raw.channel is not self._channel:
                return  # of a channel the library restored by itself: it is closed soon and its frames come again
            count = raw.headers.get("x-delivery-count")
            self._deliver(
                Delivery(
                    body=raw.body,
                    content_type=raw.content_type,
                    headers=raw.headers,
                    exchange=raw.exchange or "",
                    routing_key=raw.routing_key or "",
                    redelivered=bool(raw.redelivered),
                    delivery_count=count if isinstance(count, int) else 0,
                    tag=int(raw.delivery_tag or 0),
                    link=raw.channel,
                )
            )

        subscriber.running = True  # it drops, never to be acked, what comes between the broker's consent and its own flag
        await subscriber.start()
        queue = subscriber._queue_obj  # FastStream shows neither the queue nor the tag in any other way
        if queue is None:
            raise RuntimeError("FastStream started a subscriber without a queue")
        self._channel = await queue.channel.get_underlay_channel()
        self._tag = subscriber._consumer_tag

    async def ack_through(self, last: Delivery) -> None:
        """`last` and all taken before it; one by one, since a frame still inside a middleware must not be acked with them."""
        if last.link is self._channel:
            waiting = {delivery.tag for delivery in self._waiting}
            self._ack_tags([tag for tag in self._unacked if tag <= last.tag and tag not in waiting])

    async def _leave(self) -> None:
        subscriber, self._subscriber = self._subscriber, None
        channel, self._channel = self._channel, None
        if subscriber is None or channel is None or channel.is_closed:
            return
        queue = subscriber._queue_obj
        with letting_go():
            await subscriber.stop()
        if queue is not None:
            with letting_go():
                await queue.channel.close()


async def _whole(message: RabbitMessage) -> RabbitMessage:
    """Give the handler the message itself, undecoded: reading frames is the pipeline's, which parks what cannot be read."""
    return message
