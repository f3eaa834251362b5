"""How a worker's answers travel: each in an envelope made from its request's, in frames to the partition that asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import encode_frame, split
from weft_runtime.bus import Consumer, Delivery, OutFrame

SOURCE: Final = "weft/worker"
_ENVELOPE_BYTES: Final = 300
_encode: Final = msgspec.json.Encoder().encode


@dataclass(slots=True, eq=False)
class Answering:
    """A delivery of requests. open: answers that the broker does not have yet; at none the delivery is acked."""

    consumer: Consumer
    delivery: Delivery
    open: int


def answer_item(request: Item, type_: str, data: Mapping[str, Any]) -> Item:
    """An answer to a request. The same answer to the same request has the same id. Raises: TypeError, ValueError for what is no JSON."""
    return Item(
        id=f"{request.id}:{type_}",
        source=SOURCE,
        type=type_,
        subject=request.subject,
        tenantid=request.tenantid,
        traceparent=request.traceparent,
        dataschema=schema_of(type_, 1),
        data=msgspec.Raw(_encode(data)),
    )


def answer_frames(queue: str, items: Iterable[Item]) -> list[OutFrame]:
    """Frames to one partition's queue."""
    sized = ((item, memoryview(item.data).nbytes + _ENVELOPE_BYTES) for item in items)
    return [OutFrame(routing.COMMANDS, queue, encode_frame(part)) for part in split(sized)]


def dead_frame(queue: str, item: Item, code: str, reason: str) -> OutFrame:
    """An item that no worker can use, on its way to where it is parked."""
    return OutFrame(routing.DEAD, queue, encode_frame([item]), headers={"x-weft-code": code, "x-weft-reason": reason[:500]})


def dead_answer(frame: OutFrame) -> OutFrame:
    """Answers that no queue takes, on their way to where they are parked under the name of the pools."""
    reason = f"no queue {frame.routing_key!r} takes this answer: replyto of the request must be the queue of an engine partition"
    return OutFrame(routing.DEAD, "work.answers", frame.body, headers={"x-weft-code": "unroutable_answer", "x-weft-reason": reason[:500]})
