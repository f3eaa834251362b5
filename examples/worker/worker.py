"""A worker of a tenant's own: takes activities from its queue, does them, answers to the engine.

It needs only `weft-contracts` and `aio-pika`. Run it with the broker's address and the queue's name:

    WEFT_BROKER_URL=amqp://user:password@host:5672/ python worker.py prices
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aio_pika
import msgspec
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage, AbstractQueue
from weft_contracts import routing
from weft_contracts.activities import ActivityAccepted, ActivityCompleted, ActivityFailed, ActivityHeartbeat, ActivityRequested
from weft_contracts.envelope import Item, schema_of
from weft_contracts.executions import Failure
from weft_contracts.frames import BATCH, FrameError, decode_frame, encode_frame
from weft_contracts.message import PartitionReply

PREFETCH_FRAMES = 16

Activity = Callable[[ActivityRequested], Awaitable[Any]]


class WorkFailed(Exception):
    """An attempt that failed. code: what `retry.on` and `catch` in workflows name.  permanent: trying again is pointless."""

    def __init__(self, code: str, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.permanent = permanent


async def price(request: ActivityRequested) -> dict[str, Any]:
    """An order's total. input: `{lines: [{quantity, unit_price_cents}]}`."""
    lines = request.input["lines"]
    if not lines:
        raise WorkFailed("order_empty", "an order without lines has no price", permanent=True)
    # Whoever changes something elsewhere hands `request.key` on: it is the same on every attempt, so the effect happens once.
    return {"total_cents": sum(line["quantity"] * line["unit_price_cents"] for line in lines)}


ACTIVITIES: Mapping[str, Activity] = {"price": price}


async def work(channel: AbstractChannel, queue_name: str, activities: Mapping[str, Activity]) -> None:
    """Take activities until cancelled, frames of them at once. channel: with publisher confirms."""
    await channel.set_qos(prefetch_count=PREFETCH_FRAMES)
    queue, commands = await declare(channel, queue_name)
    async with asyncio.TaskGroup() as frames, queue.iterator() as messages:
        async for message in messages:
            frames.create_task(_frame(message, commands, activities))


async def declare(channel: AbstractChannel, queue_name: str) -> tuple[AbstractQueue, AbstractExchange]:
    """The queue and the exchange of the answers, made where the mesh has not yet: whoever comes first may be the worker."""
    commands = await channel.declare_exchange(routing.COMMANDS, "direct", durable=True)
    asked = await channel.declare_exchange(routing.WORK, "direct", durable=True)
    name = routing.work_queue(queue_name)
    queue = await channel.declare_queue(name, durable=True, arguments=routing.work_queue_arguments(queue_name))
    await queue.bind(asked, name)
    return queue, commands


async def _frame(message: AbstractIncomingMessage, commands: AbstractExchange, activities: Mapping[str, Activity]) -> None:
    """Do every request of a frame, then ack it: what a killed worker had in hand comes again."""
    try:
        items = decode_frame(message.body)
        requests = [(item, ActivityRequested.model_validate_json(bytes(item.data))) for item in items]
    except (FrameError, ValueError) as error:
        print(f"not a frame of activity.requested, set aside: {error}", file=sys.stderr)
        await message.reject(requeue=False)
        return
    try:
        await asyncio.gather(*(_answer(item, request, commands, activities) for item, request in requests))
    except aio_pika.exceptions.DeliveryError as error:
        print(f"the answer was not taken, the work comes again: {error}", file=sys.stderr)
        await asyncio.sleep(1)  # a mesh that is being moved has its queues again soon
        await message.nack(requeue=True)
        return
    await message.ack()


async def _answer(item: Item, request: ActivityRequested, commands: AbstractExchange, activities: Mapping[str, Activity]) -> None:
    living = asyncio.create_task(_live(item, request, commands))
    try:
        answer = await _do(request, activities)
    finally:
        living.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await living
    await _say(item, answer, commands)


async def _do(request: ActivityRequested, activities: Mapping[str, Activity]) -> PartitionReply:
    about = {"execution_id": request.execution_id, "node": request.node, "visit": request.visit, "attempt": request.attempt}
    try:
        if request.name not in activities:
            raise WorkFailed("activity_unknown", f"this worker knows {', '.join(activities)}, not {request.name}", permanent=True)
        return ActivityCompleted(**about, output=await activities[request.name](request))
    except WorkFailed as error:
        failure = Failure(code=error.code, message=str(error), permanent=error.permanent)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, OSError) as error:
        failure = Failure(code="activity_crashed", message=f"{request.name} raised {type(error).__name__}: {error}")
    return ActivityFailed(**about, error=failure)


async def _live(item: Item, request: ActivityRequested, commands: AbstractExchange) -> None:
    """Tell the engine that long work goes on, thrice within its lease; else it asks again."""
    about = {"execution_id": request.execution_id, "node": request.node, "visit": request.visit, "attempt": request.attempt}
    word: PartitionReply = ActivityAccepted(**about)
    while True:
        await asyncio.sleep(request.lease_s / 3)
        await _say(item, word, commands)
        word = ActivityHeartbeat(**about)


async def _say(request: Item, word: PartitionReply, commands: AbstractExchange) -> None:
    """Publish one answer and wait until the broker has it. The same answer to the same request has the same id."""
    item = Item(
        id=f"{request.id}:{word.type}",
        source="acme/price-worker",
        type=word.type,
        subject=request.subject,
        tenantid=request.tenantid,
        traceparent=request.traceparent,
        dataschema=schema_of(word.type, word.version),
        data=msgspec.Raw(word.model_dump_json(exclude_none=True).encode()),
    )
    message = aio_pika.Message(encode_frame([item]), content_type=BATCH, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    await commands.publish(message, routing_key=request.replyto or "", mandatory=True)


async def main(url: str, queue_name: str) -> None:
    """Connect, and reconnect when the broker was away; work until stopped."""
    connection = await aio_pika.connect_robust(url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        await work(channel, queue_name, ACTIVITIES)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(os.environ["WEFT_BROKER_URL"], sys.argv[1] if len(sys.argv) > 1 else "default"))
