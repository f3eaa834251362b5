"""How what is said travels: which exchange and key a word takes, its envelope, and which items share a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from weft_contracts import catalog, routing
from weft_contracts.frames import MAX_FRAME_BYTES, MAX_FRAME_ITEMS
from weft_contracts.message import Command, Event, PartitionCommand, PartitionReply, WorkRequest

from weft_runtime.bus.ports import OutFrame
from weft_runtime.clock import new_id
from weft_runtime.uow import Saying

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One item on its way out, as the outbox keeps it. id: UUIDv7 of the row and the item."""

    id: UUID
    exchange: str
    routing_key: str
    item: bytes
    traceparent: str | None = None


def route(saying: Saying, partitions: int) -> tuple[str, str]:
    """Exchange and routing key of a word. Raises: TypeError for a word of no class that travels."""
    message = saying.message
    if isinstance(message, PartitionCommand | PartitionReply):
        if saying.replyto:
            return routing.COMMANDS, saying.replyto
        execution_id: UUID | None = getattr(message, "execution_id", None)
        if execution_id is None:
            raise TypeError(f"{message.type} goes to a partition but has no execution_id to find it by")
        return routing.COMMANDS, routing.partition_queue(routing.partition_of(execution_id, partitions))
    if isinstance(message, WorkRequest):
        return routing.WORK, routing.work_queue(routing.DEFAULT_POOL)
    if isinstance(message, Command):
        return routing.COMMANDS, routing.inbox_queue(message.owner)
    if isinstance(message, Event):
        return routing.EVENTS, routing.event_key(saying.tenant, message.type)
    raise TypeError(f"{type(message).__qualname__} is neither a command nor an event")


def outgoing(saying: Saying, *, room: str, partitions: int, traceparent: str | None) -> Outgoing:
    """A word in its envelope, routed. What a worker is asked is answered to this room, unless another place is named."""
    exchange, key = route(saying, partitions)
    number = new_id()
    subject: UUID | None = getattr(saying.message, "execution_id", None)
    item = catalog.pack(
        saying.message,
        id=str(number),
        source=f"weft/{room}",
        tenant=saying.tenant or None,
        subject=str(subject) if subject else None,
        traceparent=traceparent,
        replyto=saying.replyto or (routing.inbox_queue(room) if isinstance(saying.message, WorkRequest) else None),
    )
    return Outgoing(number, exchange, key, _encoder.encode(item), traceparent)


def frames(rows: Sequence[Outgoing]) -> list[tuple[OutFrame, list[UUID]]]:
    """Frames of the rows, those of one exchange and key together and in order, each with the ids of its rows."""
    groups: dict[tuple[str, str], list[Outgoing]] = {}
    for row in rows:
        groups.setdefault((row.exchange, row.routing_key), []).append(row)
    return [frame for group in groups.values() for frame in _cut(group)]


def _cut(group: Sequence[Outgoing]) -> Iterator[tuple[OutFrame, list[UUID]]]:
    start = size = 0
    for end, row in enumerate(group):
        if end > start and (end - start >= MAX_FRAME_ITEMS or size + len(row.item) > MAX_FRAME_BYTES):
            yield _frame(group[start:end])
            start, size = end, 0
        size += len(row.item) + 1
    yield _frame(group[start:])


def _frame(rows: Sequence[Outgoing]) -> tuple[OutFrame, list[UUID]]:
    traces = {row.traceparent for row in rows}
    trace = next(iter(traces)) if len(traces) == 1 else None
    return (
        OutFrame(
            rows[0].exchange,
            rows[0].routing_key,
            b"[" + b",".join([row.item for row in rows]) + b"]",
            headers={"traceparent": trace} if trace else {},
        ),
        [row.id for row in rows],
    )
