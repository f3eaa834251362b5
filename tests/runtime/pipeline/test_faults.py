"""The database dies, the cable is cut, the broker stops taking: words wait, and each takes effect once."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from weft_contracts.frames import encode_frame
from weft_runtime.bus import open_bus
from weft_runtime.bus.rabbit import publisher
from weft_runtime.errors import Unavailable
from weft_runtime.pipeline import outbox
from weft_runtime.testing import ears, packed, running_service

from tests.runtime.bus.promises import SOON_S, declared, exactly, read, to, until
from tests.runtime.pipeline.conftest import Started, Starter
from tests.runtime.pipeline.room import Room, create, frame
from tests.support.cable import cable
from tests.support.faults import PostgresServer, RabbitNode, private_postgres, private_rabbitmq

WITHIN_S = 90.0
LEFT_AFTER_S = 1.0
"""After so long a row of the outbox counts as left behind here: nobody waits for the sweeper's usual 5 s."""


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with private_postgres(tmp_path_factory.mktemp("database")) as server:
        yield server


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    with private_rabbitmq(tmp_path_factory.mktemp("broker")) as started:
        yield started


async def test_while_the_database_is_dead_words_wait_unacked_and_then_each_takes_effect_once(
    postgres: PostgresServer, broker_url: str
) -> None:
    room = Room()
    async with running_service(room.build, postgres.url, broker_url, name="sample") as service:
        running = Started(room, service)
        bus = service.context.bus
        async with ears(bus) as listener:
            await bus.publish([frame(encode_frame(packed(create("before"))))])
            (before,) = await listener.items(1)
            await asyncio.to_thread(postgres.kill)
            titles = [f"n{number:02}" for number in range(20)]
            await bus.publish([frame(encode_frame(packed(create(title)))) for title in titles])
            await asyncio.to_thread(postgres.start)
            said: set[str] = set()
            while len(said) < 20:  # the first may be said again: that it was said could not be written down
                said |= {item.id for item in await listener.items(1)} - {before.id}
        assert await running.titles() == ["before", *titles]
        assert await running.parked() == []
        assert running.pipeline.healthy


async def test_a_cable_cut_again_and_again_neither_loses_nor_doubles_a_word(start: Starter, broker_url: str) -> None:
    async with cable(broker_url) as wire, start(wire.url) as running:
        sender = open_bus(broker_url, name="sender")
        await sender.start()
        titles = [f"n{number:04}" for number in range(600)]
        async with ears(sender) as listener:
            for begin in range(0, 600, 20):
                await sender.publish([frame(encode_frame(packed(create(title)))) for title in titles[begin : begin + 20]])
                if begin % 200 == 100:
                    wire.cut()
            heard: set[str] = set()
            async with asyncio.timeout(60):
                while len(heard) < 600:
                    heard |= {item.id for item in await listener.items(1)}
        assert await running.titles() == titles
        assert await running.parked() == []
        await sender.close()


async def test_while_the_broker_is_dead_the_metrics_tell_how_much_waits_and_for_how_long(
    node: RabbitNode, start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SWEEP_EVERY_S", 0.2)
    monkeypatch.setitem(outbox.Outbox.sweep.__kwdefaults__ or {}, "older_s", LEFT_AFTER_S)
    async with start(node.url()) as running:
        await asyncio.to_thread(node.kill)
        try:
            await running.pipeline.hear(packed(*(create(f"n{number}") for number in range(3))))
            # Longer than the sweeper leaves a row alone: it has tried in vain by then.
            await until(lambda: told(running, rows=3, oldest_s=LEFT_AFTER_S + 1), WITHIN_S)
        finally:
            await asyncio.to_thread(node.start)
        hearer = open_bus(node.url(), name="hearer")
        await hearer.start()
        async with ears(hearer):  # a fact that nobody hears is kept for a minute, in case that somebody comes
            await until(lambda: told(running, rows=0, oldest_s=0), WITHIN_S)
        await hearer.close()


async def told(running: Started, rows: int, oldest_s: float) -> bool:
    """Whether the metrics say that so many rows wait, the oldest at least for so long."""
    lines = (await running.service.anonymous().get("/metrics")).text.splitlines()
    values = {name.partition("{")[0]: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}
    return values["weft_outbox_rows"] == rows and values["weft_outbox_oldest_seconds"] >= oldest_s


async def test_a_broker_out_of_memory_still_hears_acks_and_takes_again_when_it_can(
    node: RabbitNode, start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A vhost of its own: queues that were new when the node was killed may never have a leader again.
    await asyncio.to_thread(node.add_vhosts, ["pressed"])
    async with start(node.url("pressed")) as running:
        bus: Any = running.service.context.bus
        connection = bus._writing.splice
        queue = await declared(bus)
        reader = await read(bus, "consume", queue)
        sender = open_bus(node.url("pressed"), name="sender")
        await sender.start()
        await sender.publish([to(queue, 1)])
        await sender.close()
        taken = await exactly(reader, 1)
        async with ears(bus) as listener:
            await asyncio.to_thread(node.evaluate, "rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []}).")
            try:
                with monkeypatch.context() as hasty, pytest.raises(Unavailable, match="confirmed nothing"):
                    hasty.setattr(publisher, "CONFIRM_TIMEOUT_S", 1.0)
                    await bus.publish([to(queue, number) for number in range(2, 50)])
                # From here on what is not confirmed is sent again, and would come twice where the confirmation was only late.
                monkeypatch.setattr(publisher, "CONFIRM_TIMEOUT_S", 2 * SOON_S)
                with pytest.raises(Unavailable, match="short of memory") as refused:
                    await bus.publish([to(queue, 50)])
                assert refused.value.code == "broker_blocked", "it is told at once, and nothing is written to a connection nobody reads"
                await reader.ack(taken)
                await running.pipeline.hear(packed(create("pressed")))
                assert await running.titles() == ["pressed"], "the room goes on: what it has to say waits in its outbox"
            finally:
                await asyncio.to_thread(node.evaluate, "rabbit_alarm:clear_alarm({resource_limit, memory, node()}).")
            assert len(await listener.items(1)) == 1
        await until(lambda: sent(bus, queue))
        numbers = [int(got.body) for got in await exactly(reader, 49)]
        assert numbers == [*range(2, 50), 3], "each once, and none of them is the one that was acked"
        assert bus._writing.splice is connection, "a connection that is blocked is kept: the broker would read each old one later"


async def sent(bus: object, queue: str) -> bool:
    try:
        await bus.publish([to(queue, 3)])  # type: ignore[attr-defined]
    except Unavailable:
        return False
    return True
