"""RabbitMQ dies, comes back, forgets us, or falls silent: every reader hears again without a restart, and nothing is lost."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest
from weft_contracts import routing
from weft_runtime.bus import Binding, Bus, Consumer, OutFrame, QueueSpec, Topology, Unroutable, open_bus
from weft_runtime.bus.rabbit import link, publisher, watchdog
from weft_runtime.errors import Unavailable

from tests.runtime.bus.promises import SOON_S, declared, exactly, read, soon, to, until
from tests.support.cable import cable
from tests.support.faults import RabbitNode, private_rabbitmq

BACK_WITHIN_S = 10.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    with private_rabbitmq(tmp_path_factory.mktemp("broker")) as started:
        yield started


async def started(url: str) -> Bus:
    bus = open_bus(url, name="survivor")
    await bus.start()
    return bus


async def test_after_a_power_cut_of_the_broker_every_reader_is_back_within_ten_seconds(
    node: RabbitNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What it waits for between two tries.
    assert max(watchdog.LOOK_EVERY_S, watchdog.RETRY_MOST_S) + watchdog.RETRY_MOST_S + link.CALL_TIMEOUT_S < BACK_WITHIN_S
    monkeypatch.setattr(publisher, "CONFIRM_TIMEOUT_S", 2 * SOON_S)
    bus = await started(node.url())
    hot, partition, room = await declared(bus), await declared(bus, single=True), await declared(bus)
    readers = [await read(bus, "consume", hot), await read(bus, "consume", partition), await read(bus, "subscribe", room)]
    for queue in (hot, partition, room):
        await bus.publish([to(queue, number) for number in range(3)])
    for reader in readers:
        await exactly(reader, 3)

    await asyncio.to_thread(node.kill)
    await until(lambda: all_are(readers, active=False))
    with pytest.raises(Unavailable):  # at once: it waits for no confirmation
        await soon(bus.publish([to(hot, 99)]))
    await asyncio.to_thread(node.start)
    await until(lambda: all_are(readers, active=True))

    for queue, reader in zip((hot, partition, room), readers, strict=True):
        await until(lambda queue=queue: sent(bus, to(queue, 3)))  # type: ignore[misc]
        assert [int(got.body) for got in await exactly(reader, 4)] == [0, 1, 2, 3]
    assert bus.healthy
    await bus.close()


async def test_a_cut_connection_is_made_anew_and_old_acks_are_ignored(node: RabbitNode) -> None:
    async with cable(node.url()) as wire:
        bus = await started(wire.url)
        queue = await declared(bus, single=True)
        reader = await read(bus, "consume", queue)
        await bus.publish([to(queue, number) for number in range(4)])
        before = await exactly(reader, 4)
        wire.cut()
        after = await exactly(reader, 4)
        await reader.ack_through(before[-1])
        assert [int(got.body) for got in after] == [0, 1, 2, 3]
        await reader.ack(after)
        await bus.publish([to(queue, 4)])
        assert [int(got.body) for got in await exactly(reader, 1)] == [4]
        await bus.close()


@pytest.mark.parametrize("way", ["consume", "subscribe"])
async def test_a_connection_that_falls_silent_is_taken_for_dead(node: RabbitNode, way: str) -> None:
    async with cable(node.url()) as wire:
        bus = await started(f"{wire.url}?heartbeat=1")
        queue = await declared(bus)
        reader = await read(bus, way, queue)
        wire.fall_silent()
        other = await started(node.url())
        await other.publish([to(queue, 1)])
        assert [int(got.body) for got in await soon(reader.take())] == [1]
        await other.close()
        await bus.close()


@pytest.mark.parametrize("way", ["consume", "subscribe"])
async def test_a_reader_whose_queue_was_deleted_has_queue_and_subscription_again(node: RabbitNode, way: str) -> None:
    bus = await started(node.url())
    name = f"q.{uuid4().hex[:12]}"
    await bus.declare(Topology((QueueSpec(name, (Binding(routing.COMMANDS, name),)),)))
    reader = await read(bus, way, name)
    await delete_queue(node.url(), name)
    await until(lambda: sent(bus, to(name, 1)))
    assert [int(got.body) for got in await soon(reader.take())] == [1]
    await bus.close()


async def test_publishing_all_the_while_a_broker_is_killed_loses_nothing(node: RabbitNode) -> None:
    bus = await started(node.url())
    queue = await declared(bus, single=True)
    reader = await read(bus, "consume", queue)
    confirmed: set[int] = set()
    seen: set[int] = set()
    over = asyncio.Event()

    async def send() -> None:
        number = 0
        while not over.is_set():
            batch = range(number, number + 20)
            if await sent(bus, *(to(queue, one) for one in batch)):
                confirmed.update(batch)
            else:
                await asyncio.sleep(0.05)
            number += 20
            await asyncio.sleep(0)

    async def hear() -> None:
        while True:
            taken = await reader.take()
            seen.update(int(one.body) for one in taken)
            await reader.ack_through(taken[-1])

    sending, hearing = asyncio.create_task(send()), asyncio.create_task(hear())
    await until(lambda: more_than(confirmed, 500))
    await asyncio.to_thread(node.kill)
    await asyncio.to_thread(node.start)
    before = len(confirmed)
    await until(lambda: more_than(confirmed, before + 500))
    over.set()
    await soon(sending)
    await until(lambda: contains(seen, confirmed))
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    await bus.close()


async def all_are(readers: list[Consumer], *, active: bool) -> bool:
    return all(reader.active is active for reader in readers)


async def more_than(numbers: set[int], count: int) -> bool:
    return len(numbers) > count


async def contains(all_of: set[int], these: set[int]) -> bool:
    return these <= all_of


async def sent(bus: Bus, *frames: OutFrame) -> bool:
    try:
        await bus.publish(frames)
    except (Unavailable, Unroutable):
        return False
    return True


async def delete_queue(url: str, name: str) -> None:
    import aio_pika

    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    await channel.queue_delete(name)
    await connection.close()
