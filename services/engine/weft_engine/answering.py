"""How a worker's answers travel: each in an envelope made from its request's, in frames to the partition that asked.

They are sent until the broker has them. What is no request travels with them to the dead letters: it is owed like an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import encode_frame, split
from weft_runtime.bus import Bus, BusClosed, Consumer, Delivery, OutFrame, Unroutable
from weft_runtime.errors import WeftError

SOURCE: Final = "weft/worker"
SEND_AGAIN_S: Final = 0.5
_ENVELOPE_BYTES: Final = 300
log = structlog.get_logger(__name__)
_encode: Final = msgspec.json.Encoder().encode


@dataclass(slots=True, eq=False)
class Answering:
    """A delivery of requests. open: answers that the broker does not have yet; at none the delivery is acked."""

    consumer: Consumer
    delivery: Delivery
    open: int


@dataclass(slots=True, eq=False)
class Owed:
    """What the broker is to be given. queue: where to.  dead: set when the item is no request and goes to the dead letters instead."""

    queue: str
    item: Item
    answering: Answering | None
    dead: OutFrame | None = None


class Answers:
    """What a worker has answered or set aside and the broker does not have yet."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._owed: list[Owed] = []
        self._event = asyncio.Event()

    def put(self, queue: str, item: Item, answering: Answering | None) -> None:
        """Send an answer. answering: the delivery that is acked when it was the last; None for a sign of life."""
        self._owe(Owed(queue, item, answering))

    def set_aside(self, queue: str, item: Item, code: str, reason: str, answering: Answering) -> None:
        """Park what is no request, as surely as others are answered."""
        # Guarded by tests/services/engine/test_worker_pools.py::test_what_is_no_request_is_parked_once_the_broker_takes_it_and_acked_then.
        self._owe(Owed(queue, item, answering, dead_frame(queue, item, code, reason)))

    def _owe(self, owed: Owed) -> None:
        self._owed.append(owed)
        self._event.set()

    async def run(self) -> None:
        """Send everything that is owed, in frames; ack the requests whose answers the broker has. Raises: BusClosed."""
        while True:
            await self._event.wait()
            self._event.clear()
            owed, self._owed = self._owed, []
            await self._publish(owed)
            for answering in {id(one.answering): one.answering for one in owed if one.answering is not None}.values():
                answering.open -= sum(1 for one in owed if one.answering is answering)
                if not answering.open:
                    await _ack(answering)

    async def _publish(self, owed: Sequence[Owed]) -> None:
        places: dict[str, list[Item]] = {}
        for one in owed:
            if one.dead is None:
                places.setdefault(one.queue, []).append(one.item)
        frames = [frame for queue, items in places.items() for frame in answer_frames(queue, items)]
        frames += [one.dead for one in owed if one.dead is not None]
        while True:
            try:
                await self._bus.publish(frames)
                return
            except BusClosed:
                raise
            except Unroutable as error:
                # A place to answer to that does not exist would hold up every answer after it.
                log.warning("answers_unroutable", frames=len(error.frames), queue=error.frames[0].routing_key)
                frames = [frame if frame.exchange == routing.DEAD else dead_answer(frame) for frame in error.frames]
                if any(frame.exchange == routing.DEAD for frame in error.frames):
                    await asyncio.sleep(SEND_AGAIN_S)
            except WeftError as error:
                log.warning("answers_not_sent", frames=len(frames), error=str(error))
                await asyncio.sleep(SEND_AGAIN_S)


async def _ack(answering: Answering) -> None:
    try:
        await answering.consumer.ack([answering.delivery])
    except WeftError as error:
        log.warning("ack_failed", error=str(error))  # it comes again and is answered again, under the same id


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
