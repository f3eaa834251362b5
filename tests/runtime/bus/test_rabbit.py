"""The bus over RabbitMQ keeps every promise."""

import asyncio

import pytest
from weft_runtime.bus import Bus, OutFrame
from weft_runtime.bus.rabbit import splice
from weft_runtime.errors import NotFound

from tests.runtime.bus.promises import BusPromises, declared, exactly, read, to, until


class TestRabbit(BusPromises):
    @pytest.fixture
    def address(self, broker_url: str) -> str:
        return broker_url

    async def test_what_is_not_taken_is_bounded_in_bytes_and_comes_once_there_is_room(
        self, bus: Bus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(splice, "HELD_BYTES", 1_000_000)
        queue = await declared(bus)
        reader = await read(bus, "consume", queue)
        sizes = [200_000 + number for number in range(40)]
        await bus.publish([OutFrame("", queue, bytes(size)) for size in sizes])
        held = reader._splice  # type: ignore[attr-defined]

        async def full() -> bool:
            return held._deaf is not None

        await until(full)
        assert held._held < sum(sizes) / 2
        assert [len(got.body) for got in await exactly(reader, len(sizes))] == sizes
        assert (held._held, held._deaf) == (0, None)

    async def test_a_reader_that_is_closed_while_it_is_attached_again_leaves_the_frames_to_the_next(
        self, bus: Bus, second: Bus, way: str
    ) -> None:
        queue = await declared(bus, single=True)
        reader = await read(bus, way, queue)
        attaching = asyncio.create_task(reader.attach(bus._reading))  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        assert reader._channel is None, "it has left the channel it had and is not yet on the next"  # type: ignore[attr-defined]
        await reader.close()
        await attaching
        await bus.publish([to(queue, 1)])
        assert [int(got.body) for got in await exactly(await read(second, way, queue), 1)] == [1]

    async def test_an_ack_that_waits_for_others_is_told_when_the_reader_closes(self, bus: Bus, second: Bus) -> None:
        queue = await declared(bus)
        reader = await bus.consume(queue, prefetch=100, ack_within_s=3600)
        await bus.publish([to(queue, number) for number in range(3)])
        taken = await exactly(reader, 3)
        await reader.ack(taken[:2])
        await reader.close()
        (left,) = await exactly(await second.consume(queue, prefetch=100), 1)
        assert int(left.body) == 2

    async def test_a_channel_that_the_broker_closes_gives_its_number_to_no_other_before_it_is_closed_here_too(self, bus: Bus) -> None:
        queue = await declared(bus)
        reader = await read(bus, "consume", queue)
        channel = reader._channel  # type: ignore[attr-defined]

        async def look(number: int) -> None:
            with pytest.raises(NotFound):
                await bus.depth(f"missing.{number}")
            assert await bus.depth(queue) == 0

        for round_ in range(5):
            await asyncio.gather(*(look(20 * round_ + number) for number in range(20)))
        assert reader._channel is channel, "one channel too many opened would have cost the connection"  # type: ignore[attr-defined]
