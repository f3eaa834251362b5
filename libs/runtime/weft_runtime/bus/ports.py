"""What a transport of the bus gives. Both transports pass one conformance suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from weft_contracts.frames import BATCH, MAX_FRAME_BYTES

from weft_runtime.bus.topology import Topology
from weft_runtime.errors import Unavailable, WeftError

ACK_WITHIN_S = 0.01
"""Acks wait so long for others: each is a write to the queue's log, and nobody waits for one. A reader's crash repeats that much more."""
MAX_TAKE = 500
"""Frames taken at once unless the reader says otherwise."""


@dataclass(frozen=True, slots=True)
class OutFrame:
    """One AMQP message to send. exchange "" sends to the queue named by the routing key."""

    exchange: str
    routing_key: str
    body: bytes
    content_type: str = BATCH
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Delivery:
    """One AMQP message taken and not yet acked.

    tag: its number on its channel, rising.  delivery_count: times it was given out before and not acked.
    link: what it came by, the transport's own.
    """

    body: bytes
    content_type: str | None
    headers: Mapping[str, Any]
    exchange: str
    routing_key: str
    redelivered: bool
    delivery_count: int
    tag: int
    link: Any


class Unroutable(WeftError):
    """No queue is bound for these frames; every other frame of the same call was confirmed."""

    kind: ClassVar[str] = "unavailable"
    code = "unroutable"

    def __init__(self, frames: Sequence[OutFrame]) -> None:
        first = frames[0]
        super().__init__(
            f"{len(frames)} frame(s) found no queue, the first on exchange {first.exchange!r} with key {first.routing_key!r}: "
            "start the service that hears it, which declares its queue"
        )
        self.frames = tuple(frames)


OnDone = Callable[[WeftError | None], None]
"""Told once: None when the broker has confirmed every frame, else Unroutable (the others were confirmed) or Unavailable."""


class BusClosed(Unavailable):
    """The bus or the consumer was closed by this process."""

    code = "bus_closed"


class Consumer(Protocol):
    """A subscription to one queue. It outlives the broker: after a loss it comes back by itself, and what was not acked comes again."""

    @property
    def active(self) -> bool:
        """Whether the broker knows this subscription now."""

    @property
    def waiting(self) -> bool:
        """Whether there is something to take now."""

    async def take(self, *, max_frames: int = MAX_TAKE, max_bytes: int = MAX_FRAME_BYTES) -> list[Delivery]:
        """Everything waiting, at least one, in queue order; waits only while there is none.

        At most max_frames, and no further frame once max_bytes are reached. Raises: BusClosed.
        """

    def take_now(self, *, max_frames: int = MAX_TAKE, max_bytes: int = MAX_FRAME_BYTES) -> list[Delivery]:
        """What `take` would give, without waiting: nothing when nothing is there or the subscription was ended."""

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """These are done for good. Those from before a broker loss are ignored: they come again.

        The broker may be told some milliseconds later, with others: what is lost with this process until then comes again.
        """

    async def ack_through(self, last: Delivery) -> None:
        """`last` and all taken before it are done for good, with one command."""

    async def reject(self, delivery: Delivery) -> None:
        """To the queue's dead-letter exchange."""

    async def requeue(self, delivery: Delivery) -> None:
        """Back to the queue; its delivery count rises."""

    async def stop(self) -> None:
        """Take no more: what was not yet taken goes back to the queue; what was taken can still be acked."""

    async def close(self) -> None:
        """End the subscription; what is not acked goes back to the queue."""


class Bus(Protocol):
    """Frames out, frames in."""

    async def start(self) -> None:
        """Connect. Raises: Unavailable when the broker does not answer."""

    async def close(self) -> None:
        """Close every consumer and the connection."""

    async def declare(self, topology: Topology) -> None:
        """Make sure these queues and bindings (and the mesh's exchanges) exist, now and after each reconnect. Idempotent.

        Raises: Unavailable.
        """

    async def publish(self, frames: Sequence[OutFrame]) -> None:
        """Send all at once; returns when the broker has confirmed every one. Empty is allowed.

        Raises: Unroutable (the others were confirmed), Unavailable (nothing is known: send all again).
        """

    def send(self, frames: Sequence[OutFrame], on_done: OnDone) -> None:
        """`publish` for who does not wait: frames of one caller leave in the order of its calls unless the broker is slow or away."""

    async def consume(
        self, queue: str, *, prefetch: int, on_arrival: Callable[[], None] | None = None, ack_within_s: float = ACK_WITHIN_S
    ) -> Consumer:
        """A bare subscription for the hot path. prefetch: frames given out and not yet acked, 1..65535.

        on_arrival: called when there is something to take; it must not raise.
        ack_within_s: how long an ack may wait for others. Raises: Unavailable.
        """

    async def subscribe(self, queue: str, *, prefetch: int) -> Consumer:
        """The same with the framework's middlewares, so that each frame is traced and counted: for rooms. Raises: Unavailable."""

    async def depth(self, queue: str) -> int:
        """Frames ready in a queue, not counting those taken. Raises: Unavailable; NotFound when there is no such queue."""

    @property
    def away_s(self) -> float:
        """For how many seconds connections or subscriptions have been missing; 0 while everything is there."""

    @property
    def healthy(self) -> bool:
        """False once the bus has been without connection or consumers for longer than it may be: let the process be restarted."""
