"""Domain events from `weft.domain`, over a real broker: all three modes, each once, and what is none is parked alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from weft_contracts import routing
from weft_contracts.cloudevents import CloudEvent, write_amqp
from weft_contracts.executions import StartExecution
from weft_contracts.message import Message
from weft_events.app import build
from weft_runtime.bus import OutFrame
from weft_runtime.testing import RunningService, ears, running_service, tell

from tests.services.events.conftest import workflow


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str, broker_url: str) -> AsyncIterator[RunningService]:
    """The service on RabbitMQ."""
    async with running_service(build, database_url, broker_url) as running:
        yield running


def event(number: int, **extensions: Any) -> CloudEvent:
    return CloudEvent(id=f"o{number}", source="/shop", type="order.placed", data={"number": number}, extensions=extensions)


def frame(key: str, written: tuple[str | None, dict[str, Any], bytes]) -> OutFrame:
    content_type, headers, body = written
    return OutFrame(routing.DOMAIN, key, body, content_type or "", headers)


async def numbers(events: RunningService, frames: list[OutFrame], count: int) -> list[int]:
    """What the executions that these messages start have as their input, in order of their starts."""
    async with ears(events.context.bus) as listener:
        await events.context.bus.publish(frames)
        # Not just any words: that the workflow of the test is installed may be said only now.
        return starts(await listener.said(count, StartExecution))


def starts(words: list[Message]) -> list[int]:
    """What the executions that these words start have as their input."""
    return sorted(word.input["number"] for word in words if isinstance(word, StartExecution))


async def parked(events: RunningService, tenant: str) -> list[tuple[str, str]]:
    async with events.context.owner_transaction() as uow:
        rows = await uow.conn.exec_driver_sql("SELECT code, routing_key FROM events.parked WHERE routing_key LIKE $1", (f"{tenant}.%",))
        return sorted((row.code, row.routing_key) for row in rows)


async def test_a_message_in_any_mode_starts_what_it_should(events: RunningService) -> None:
    await tell(events, workflow({}), tenant="modes")
    key = "modes.order.placed"
    underscored = {name.replace(":", "_"): value for name, value in write_amqp(event(3), binary=True)[1].items()}
    frames = [
        frame(key, write_amqp(event(1))),
        frame(key, write_amqp(event(2), binary=True)),
        OutFrame(routing.DOMAIN, key, b'{"number": 3}', "application/json", underscored),
        frame(key, write_amqp([event(4), event(5)])),
        frame("anything.at.all", write_amqp(event(6, tenantid="modes"))),
    ]
    assert await numbers(events, frames, 6) == [1, 2, 3, 4, 5, 6]
    assert await numbers(events, [*frames, frame(key, write_amqp(event(7)))], 1) == [7]
    listed = (await events.client("modes", ["viewer"]).get("/api/v1/events")).json()["items"]
    assert sorted(one["id"] for one in listed) == [f"o{number}" for number in range(1, 8)]


async def test_what_is_no_event_is_parked_and_its_neighbours_are_taken(events: RunningService) -> None:
    await tell(events, workflow({}), tenant="hostile")
    key = "hostile.order.placed"
    broken = json.dumps({"specversion": "1.0", "id": "", "source": "a b", "type": "t"}).encode()
    bad = [
        OutFrame(routing.DOMAIN, key, b"hello", "text/plain"),
        OutFrame(routing.DOMAIN, key, b"{", "application/cloudevents+json"),
        OutFrame(routing.DOMAIN, key, broken, "application/cloudevents+json"),
        OutFrame(routing.DOMAIN, key, b'{"data": "\\u0000"}', "application/cloudevents+json"),
        frame(key, write_amqp(event(90, tenantid="somebody-else"))),
        frame(key, write_amqp(CloudEvent(id="big", source="/s", type="order.placed", data="x" * 300 * 1024))),
        OutFrame(routing.DOMAIN, "hostile.", b"\x00\xff", "application/cloudevents-batch+json"),
    ]
    good = [frame(key, write_amqp(event(number))) for number in range(len(bad) + 1)]
    mixed = [one for pair in zip(good, bad, strict=False) for one in pair] + good[len(bad) :]
    assert await numbers(events, mixed, len(good)) == list(range(len(good)))
    # One more word behind all of them: what was parked is parked when its start is heard.
    assert await numbers(events, [frame(key, write_amqp(event(99)))], 1) == [99]
    codes = [code for code, _ in await parked(events, "hostile")]
    assert codes == sorted(["invalid_event", "not_json", "invalid_event", "nul_character", "foreign_tenant", "event_too_large", "not_json"])
    # The tenant of the routing key sees them, but for the one that names another tenant.
    shown = (await events.client("hostile", ["admin"]).get("/api/v1/events/parked")).json()["items"]
    assert sorted(one["code"] for one in shown) == [code for code in codes if code != "foreign_tenant"]
    assert (await events.client("elsewhere", ["admin"]).get("/api/v1/events/parked")).json()["items"] == []


async def test_the_same_event_by_both_doors_is_one(events: RunningService) -> None:
    await tell(events, workflow({}), tenant="both")
    client = events.client("both", ["service"])
    body = {"specversion": "1.0", "id": "o1", "source": "/shop", "type": "order.placed", "data": {"number": 1}}
    frames = [frame("both.order.placed", write_amqp(event(number))) for number in (1, 2)]
    async with ears(events.context.bus) as listener:
        answer = await client.post("/api/v1/events", content=json.dumps(body), headers={"content-type": "application/cloudevents+json"})
        assert answer.json()["accepted"] == 1
        await events.context.bus.publish(frames)
        assert starts(await listener.said(2, StartExecution)) == [1, 2]


async def test_events_of_many_tenants_in_one_transaction_stay_apart(events: RunningService) -> None:
    for tenant in ("one", "two"):
        await tell(events, workflow({}), tenant=tenant)
    frames = [frame(f"{tenant}.order.placed", write_amqp(event(1))) for tenant in ("one", "two", "nobody")]
    async with ears(events.context.bus) as listener:
        await events.context.bus.publish(frames)
        items = await listener.items(2, StartExecution)
    assert sorted(str(item.tenantid) for item in items) == ["one", "two"]
