"""What every transport of the bus promises. A transport's test module inherits these and gives `address`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar
from uuid import uuid4

import pytest
from weft_contracts import routing
from weft_runtime.bus import Binding, Bus, BusClosed, Consumer, Delivery, OutFrame, QueueSpec, Topology, Unroutable, open_bus
from weft_runtime.bus import topology as make

GivenT = TypeVar("GivenT")
SOON_S = 60.0
"""A bound on waiting, not a wait: everything awaited below comes in milliseconds."""


class BusPromises:
    """Inherited by the tests of each transport."""

    @pytest.fixture
    def address(self) -> str:
        raise AssertionError("a transport's tests say where its broker is")

    @pytest.fixture(params=["consume", "subscribe"])
    def way(self, request: pytest.FixtureRequest) -> str:
        """Both ways to read must keep the promises."""
        return str(request.param)

    @pytest.fixture
    async def bus(self, address: str) -> AsyncIterator[Bus]:
        opened = open_bus(address, name="test", settle_s=0)
        await opened.start()
        yield opened
        await opened.close()

    @pytest.fixture
    async def second(self, address: str) -> AsyncIterator[Bus]:
        opened = open_bus(address, name="test-2", settle_s=0)
        await opened.start()
        yield opened
        await opened.close()

    async def test_a_frame_arrives_as_it_was_sent(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        reader = await read(bus, way, queue)
        await bus.publish([OutFrame(routing.COMMANDS, queue, b"[1]", "application/x", {"traceparent": "00-ab", "n": 1})])
        (got,) = await soon(reader.take())
        assert (got.body, got.content_type, got.exchange, got.routing_key) == (b"[1]", "application/x", routing.COMMANDS, queue)
        assert (got.headers["traceparent"], got.headers["n"]) == ("00-ab", 1)
        assert not got.redelivered
        assert got.delivery_count == 0

    async def test_frames_of_every_size_arrive_whole(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        reader = await read(bus, way, queue)
        sizes = [0, 1, 131_063, 131_064, 131_065, 131_072, 300_000, 4 * 1024 * 1024]
        await bus.publish([OutFrame(routing.COMMANDS, queue, bytes(size)) for size in sizes])
        assert [len(got.body) for got in await exactly(reader, len(sizes))] == sizes

    async def test_one_queue_keeps_the_order(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        reader = await read(bus, way, queue)
        for start in range(0, 1000, 100):
            await bus.publish([to(queue, number) for number in range(start, start + 100)])
        assert [int(got.body) for got in await exactly(reader, 1000)] == list(range(1000))

    async def test_taking_gives_everything_waiting_up_to_the_bounds(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        reader = await read(bus, way, queue)
        await bus.publish([to(queue, number) for number in range(10)])
        taken = await exactly(reader, 10)
        await reader.ack(taken)
        await bus.publish([OutFrame(routing.COMMANDS, queue, bytes(100)) for _ in range(10)])
        assert len(await soon(reader.take(max_frames=3))) <= 3
        assert len(await soon(reader.take(max_bytes=150))) <= 2

    async def test_what_is_not_acked_comes_again_in_order_and_says_so(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        reader = await read(bus, way, queue)
        await bus.publish([to(queue, number) for number in range(5)])
        taken = await exactly(reader, 5)
        await reader.ack(taken[:2])
        await reader.close()
        again = await exactly(await read(bus, way, queue), 3)
        assert [int(got.body) for got in again] == [2, 3, 4]
        assert all(got.redelivered for got in again)
        assert [got.delivery_count for got in again] == [1, 1, 1]

    async def test_acking_through_the_last_acks_all_before_it(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        reader = await read(bus, way, queue)
        await bus.publish([to(queue, number) for number in range(5)])
        taken = await exactly(reader, 5)
        await reader.ack_through(taken[3])
        await reader.close()
        assert [int(got.body) for got in await exactly(await read(bus, way, queue), 1)] == [4]

    async def test_a_duplicate_ack_and_an_ack_of_a_former_subscription_do_no_harm(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        first = await read(bus, way, queue)
        await bus.publish([to(queue, 1)])
        (old,) = await exactly(first, 1)
        await first.close()
        reader = await read(bus, way, queue)
        (new,) = await exactly(reader, 1)
        await reader.ack([old])
        await reader.ack_through(old)
        await reader.reject(old)
        await reader.requeue(old)
        await reader.ack([new])
        await bus.publish([to(queue, 2)])
        assert [int(got.body) for got in await exactly(reader, 1)] == [2]

    async def test_the_same_frame_sent_twice_arrives_twice(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        reader = await read(bus, way, queue)
        await bus.publish([to(queue, 7), to(queue, 7)])
        await bus.publish([to(queue, 7)])
        assert [int(got.body) for got in await exactly(reader, 3)] == [7, 7, 7]

    async def test_a_rejected_frame_goes_to_the_dead_letters(self, bus: Bus, way: str) -> None:
        room = f"room{uuid4().hex[:8]}"
        await bus.declare(make.room(room, ()))
        reader = await read(bus, way, routing.inbox_queue(room))
        graves = await read(bus, way, make.dead_queue(room))
        await bus.publish([to(routing.inbox_queue(room), 1), to(routing.inbox_queue(room), 2)])
        bad, good = await exactly(reader, 2)
        await reader.reject(bad)
        await reader.ack([good])
        (dead,) = await exactly(graves, 1)
        assert (int(dead.body), dead.exchange, dead.routing_key) == (1, routing.DEAD, routing.inbox_queue(room))
        assert dead.headers["x-first-death-queue"] == routing.inbox_queue(room)
        assert dead.headers["x-first-death-reason"] == "rejected"

    async def test_a_frame_that_keeps_coming_back_is_buried_and_its_neighbours_go_on(self, bus: Bus, way: str) -> None:
        room = f"room{uuid4().hex[:8]}"
        inbox = QueueSpec(f"{room}.inbox", (Binding(routing.COMMANDS, f"{room}.inbox"),), delivery_limit=3)
        await bus.declare(Topology((inbox, make.dead_letters(room, inbox.name))))
        reader = await read(bus, way, inbox.name)
        graves = await read(bus, way, make.dead_queue(room))
        await bus.publish([to(inbox.name, 13)])
        counts = []
        for _ in range(4):
            (poison,) = await exactly(reader, 1)
            counts.append(poison.delivery_count)
            await reader.requeue(poison)
        (dead,) = await exactly(graves, 1)
        await bus.publish([to(inbox.name, 14)])
        assert [int(got.body) for got in await exactly(reader, 1)] == [14]
        assert (int(dead.body), counts) == (13, [0, 1, 2, 3])
        assert dead.headers["x-first-death-reason"] == "delivery_limit"

    async def test_no_more_than_the_prefetch_is_given_out_before_an_ack(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        reader = await read(bus, way, queue, prefetch=4)
        await bus.publish([to(queue, number) for number in range(10)])
        taken = await exactly(reader, 4)
        assert await bus.depth(queue) == 6
        await reader.ack(taken)
        assert [int(got.body) for got in await exactly(reader, 4)] == [4, 5, 6, 7]

    async def test_readers_of_one_queue_share_its_frames(self, bus: Bus, second: Bus, way: str) -> None:
        queue = await declared(bus)
        one, two = await read(bus, way, queue, prefetch=1), await read(second, way, queue, prefetch=1)
        await bus.publish([to(queue, 1), to(queue, 2)])
        got = [*await exactly(one, 1), *await exactly(two, 1)]
        assert sorted(int(frame.body) for frame in got) == [1, 2]

    async def test_of_many_readers_one_is_active_and_the_next_takes_over_in_order(self, bus: Bus, second: Bus, way: str) -> None:
        queue = await declared(bus, single=True)
        first, standby = await read(bus, way, queue), await read(second, way, queue)
        await bus.publish([to(queue, number) for number in range(3)])
        taken = await exactly(first, 3)
        await first.ack(taken[:1])
        await first.close()
        assert [int(got.body) for got in await exactly(standby, 2)] == [1, 2]

    async def test_events_reach_everybody_who_listens_and_only_them(self, bus: Bus, way: str) -> None:
        name = uuid4().hex[:8]
        mine, all_of_acme = f"{name}.mine", f"{name}.acme"
        await bus.declare(
            Topology(
                (
                    QueueSpec(mine, (Binding(routing.EVENTS, f"*.{name}.done"),)),
                    QueueSpec(all_of_acme, (Binding(routing.EVENTS, f"acme-{name}.#"),)),
                )
            )
        )
        one, two = await read(bus, way, mine), await read(bus, way, all_of_acme)
        keys = [f"acme-{name}.{name}.done", f"other.{name}.done", f"acme-{name}.x.y.z"]
        await bus.publish([OutFrame(routing.EVENTS, key, b"") for key in keys])
        assert [got.routing_key for got in await exactly(one, 2)] == keys[:2]
        assert [got.routing_key for got in await exactly(two, 2)] == [keys[0], keys[2]]

    async def test_a_frame_nobody_can_hear_is_named_and_the_others_are_sent(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        reader = await read(bus, way, queue)
        nowhere = OutFrame(routing.COMMANDS, f"nobody.{uuid4()}", b"0")
        with pytest.raises(Unroutable) as refused:
            await bus.publish([to(queue, 1), nowhere, to(queue, 2)])
        assert refused.value.frames == (nowhere,)
        assert [int(got.body) for got in await exactly(reader, 2)] == [1, 2]

    async def test_many_senders_at_once_lose_nothing(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        reader = await read(bus, way, queue, prefetch=1000)
        await asyncio.gather(*(bus.publish([to(queue, sender * 10 + n) for n in range(10)]) for sender in range(50)))
        got = await exactly(reader, 500)
        assert sorted(int(frame.body) for frame in got) == list(range(500))

    async def test_a_reader_that_stops_gives_back_the_untaken_and_may_ack_the_taken(self, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        reader = await read(bus, way, queue)
        await bus.publish([to(queue, number) for number in range(4)])
        await until(lambda: depth_is(bus, queue, 0))
        taken = await soon(reader.take(max_frames=2))
        await reader.stop()
        await reader.ack(taken)
        await reader.close()
        left = [int(got.body) for got in await exactly(await read(bus, way, queue), 4 - len(taken))]
        assert left == list(range(len(taken), 4))

    async def test_closing_while_somebody_takes_wakes_them(self, bus: Bus, way: str) -> None:
        reader = await read(bus, way, await declared(bus))
        waiting = asyncio.create_task(reader.take())
        await asyncio.sleep(0)
        await reader.close()
        with pytest.raises(BusClosed):
            await soon(waiting)
        assert not reader.active

    async def test_closing_the_bus_while_a_frame_is_handled_gives_the_frame_to_the_next(self, address: str, bus: Bus, way: str) -> None:
        queue = await declared(bus)
        leaving = open_bus(address, name="leaving")
        await leaving.start()
        reader = await read(leaving, way, queue)
        await bus.publish([to(queue, 1)])
        (taken,) = await exactly(reader, 1)
        await leaving.close()
        await reader.ack([taken])
        with pytest.raises(BusClosed):
            await leaving.publish([to(queue, 2)])
        assert [int(got.body) for got in await exactly(await read(bus, way, queue), 1)] == [1]

    async def test_declaring_again_changes_nothing(self, bus: Bus, second: Bus) -> None:
        queue = await declared(bus)
        await bus.publish([to(queue, 1)])
        spec = QueueSpec(queue, (Binding(routing.COMMANDS, queue),))
        await bus.declare(Topology((spec,)))
        await second.declare(Topology((spec,)))
        assert await bus.depth(queue) == 1


async def declared(bus: Bus, *, single: bool = False) -> str:
    """A fresh queue, bound to the commands by its name."""
    name = f"q.{uuid4().hex[:12]}"
    await bus.declare(Topology((QueueSpec(name, (Binding(routing.COMMANDS, name),), single=single),)))
    return name


async def read(bus: Bus, way: str, queue: str, *, prefetch: int = 1000) -> Consumer:
    consumer: Consumer = await getattr(bus, way)(queue, prefetch=prefetch)
    assert consumer.active
    return consumer


def to(queue: str, number: int) -> OutFrame:
    return OutFrame(routing.COMMANDS, queue, str(number).encode())


async def soon(waited: Awaitable[GivenT]) -> GivenT:
    async with asyncio.timeout(SOON_S):
        return await waited


async def exactly(reader: Consumer, count: int) -> list[Delivery]:
    """The next `count` frames, and the certainty that no more had come with them."""
    got: list[Delivery] = []
    while len(got) < count:
        got += await soon(reader.take())
    assert len(got) == count
    return got


async def depth_is(bus: Bus, queue: str, count: int) -> bool:
    return await bus.depth(queue) == count


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = SOON_S) -> None:
    """Wait for a fact about another process, which cannot tell us when it becomes true."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
