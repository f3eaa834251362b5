"""The example of a tenant's own worker, on a real broker: asked as the engine asks, answering where the engine listens."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import msgspec
import pytest
from aio_pika.abc import AbstractChannel, AbstractQueue
from weft_contracts import routing
from weft_contracts.activities import ActivityCompleted, ActivityFailed, ActivityRequested
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import BATCH, decode_frame, encode_frame
from weft_runtime.bus import OutFrame, open_bus
from weft_runtime.bus.topology import pool
from weft_runtime.testing.polling import WITHIN_S

from examples.worker import worker
from tests.support.isolation import SharedStack

REPLIES = "engine.p.3"


class Mesh:
    """The engine's side: its exchanges, the worker's queue, the partition's queue. pool: of this test alone."""

    def __init__(self, channel: AbstractChannel, pool: str, replies: AbstractQueue) -> None:
        self.channel, self.pool, self.replies = channel, pool, replies

    async def send(self, *bodies: bytes) -> None:
        work = await self.channel.get_exchange(routing.WORK)
        for body in bodies:
            await work.publish(aio_pika.Message(body, content_type=BATCH), routing.work_queue(self.pool), mandatory=True)

    async def answers(self, count: int) -> list[Item]:
        found: list[Item] = []
        async with asyncio.timeout(WITHIN_S), self.replies.iterator() as messages:
            async for message in messages:
                await message.ack()
                found += decode_frame(message.body)
                if len(found) >= count:
                    break
        return found


@pytest.fixture
async def mesh(broker_url: str) -> AsyncIterator[Mesh]:
    connection = await aio_pika.connect(broker_url)
    async with connection:
        channel = await connection.channel()
        work = await channel.declare_exchange(routing.WORK, "direct", durable=True)
        commands = await channel.declare_exchange(routing.COMMANDS, "direct", durable=True)
        # What a worker answered and had not acked when its test ended comes again: to nobody, where each test has a queue of its own.
        pool_name = f"prices-{uuid4().hex[:12]}"
        asked = await channel.declare_queue(routing.work_queue(pool_name), durable=True, arguments=routing.work_queue_arguments(pool_name))
        replies = await channel.declare_queue(REPLIES, durable=True, arguments={"x-queue-type": "quorum"})
        await asked.bind(work, asked.name)
        await replies.bind(commands, replies.name)
        yield Mesh(channel, pool_name, replies)


@asynccontextmanager
async def working(broker_url: str, mesh: Mesh) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.main(broker_url, mesh.pool))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def requested(number: int, name: str = "price", **given: Any) -> Item:
    request = ActivityRequested(
        execution_id=UUID(int=number),
        node="price_order",
        visit=1,
        attempt=2,
        name=name,
        input=given,
        key=f"{number}:price_order:1",
        lease_s=60,
    )
    return Item(
        id=f"{request.execution_id}:4", source="weft/engine", type=request.type, subject=str(request.execution_id), tenantid="acme",
        dataschema=schema_of(request.type, 1), replyto=REPLIES, data=msgspec.Raw(request.model_dump_json().encode()),
    )  # fmt: skip


async def test_it_does_the_work_of_a_frame_and_answers_each_to_its_partition(mesh: Mesh, broker_url: str) -> None:
    frame = [requested(number, lines=[{"quantity": number, "unit_price_cents": 250}]) for number in (1, 2, 3)]
    await mesh.send(encode_frame(frame))
    async with working(broker_url, mesh):
        answers = await mesh.answers(3)

    done = {answer.subject: ActivityCompleted.model_validate_json(bytes(answer.data)) for answer in answers}
    assert {answer.type for answer in answers} == {"activity.completed"}
    assert {answer.tenantid for answer in answers} == {"acme"}
    assert [done[str(UUID(int=number))].output for number in (1, 2, 3)] == [
        {"total_cents": 250},
        {"total_cents": 500},
        {"total_cents": 750},
    ]
    assert {(one.node, one.visit, one.attempt) for one in done.values()} == {("price_order", 1, 2)}


@pytest.mark.parametrize(
    ("item", "code", "permanent"),
    [
        (requested(4, lines=[]), "order_empty", True),
        (requested(5, lines=[{}]), "activity_crashed", False),
        (requested(6, "paint"), "activity_unknown", True),
    ],
)
async def test_a_failure_is_an_answer_too(item: Item, code: str, permanent: bool, mesh: Mesh, broker_url: str) -> None:
    await mesh.send(encode_frame([item]))
    async with working(broker_url, mesh):
        (answer,) = await mesh.answers(1)

    error = ActivityFailed.model_validate_json(bytes(answer.data)).error
    assert (answer.type, error.code, error.permanent) == ("activity.failed", code, permanent)


async def test_what_it_cannot_read_does_not_stop_it(mesh: Mesh, broker_url: str) -> None:
    await mesh.send(b"no frame", json.dumps([{"specversion": "1.0", "id": "1", "source": "x", "type": "x", "data": {}}]).encode())
    await mesh.send(encode_frame([requested(7, lines=[{"quantity": 1, "unit_price_cents": 1}])]))
    async with working(broker_url, mesh):
        (answer,) = await mesh.answers(1)

    assert answer.subject == str(UUID(int=7))


async def test_what_a_killed_worker_had_in_hand_comes_again(mesh: Mesh, broker_url: str) -> None:
    begun = asyncio.Event()

    async def forever(request: ActivityRequested) -> None:
        begun.set()
        await asyncio.Event().wait()

    connection = await aio_pika.connect(broker_url)
    dying = asyncio.create_task(worker.work(await connection.channel(), mesh.pool, {"price": forever}))
    await mesh.send(encode_frame([requested(8, lines=[{"quantity": 1, "unit_price_cents": 9}])]))
    await asyncio.wait_for(begun.wait(), WITHIN_S)
    dying.cancel()
    await asyncio.wait([dying])
    await connection.close()
    async with working(broker_url, mesh):
        (answer,) = await mesh.answers(1)

    assert ActivityCompleted.model_validate_json(bytes(answer.data)).output == {"total_cents": 9}


async def test_it_may_come_before_the_mesh_which_then_finds_its_queue_as_it_would_have_made_it(stack: SharedStack) -> None:
    url = stack.new_vhost()
    connection = await aio_pika.connect(url)
    async with connection:
        await worker.declare(await connection.channel(), "first")
        bus = open_bus(url, name="engine")
        await bus.start()
        await bus.declare(pool("first"))
        await bus.publish([OutFrame(routing.WORK, routing.work_queue("first"), encode_frame([requested(9)]))])
        assert await bus.depth(routing.work_queue("first")) == 1
        await bus.close()
    stack.drop_vhost(url)
