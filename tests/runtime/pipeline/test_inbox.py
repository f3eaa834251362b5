"""The whole way, over both transports: hostile frames are parked with their code, dead letters too, and nothing is blocked or lost."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from weft_contracts import routing
from weft_contracts.frames import encode_frame
from weft_runtime.bus import OutFrame
from weft_runtime.testing import ears, packed

from tests.runtime.bus.promises import until
from tests.runtime.pipeline.conftest import Started, Starter
from tests.runtime.pipeline.room import create, frame

TRACE = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
GOOD = {"specversion": "1.0", "id": "1", "source": "x", "type": "task.create", "tenantid": "acme", "data": {}}


@pytest.fixture(params=["inprocess", "rabbit"])
async def running(request: pytest.FixtureRequest, start: Starter) -> AsyncIterator[Started]:
    url = request.getfixturevalue("broker_url") if request.param == "rabbit" else None
    async with start(url) as started:
        yield started


async def send(running: Started, *frames: OutFrame) -> None:
    await running.service.context.bus.publish(frames)


async def has_titles(running: Started, *titles: str) -> bool:
    return await running.titles() == sorted(titles)


async def parked_are(running: Started, count: int) -> bool:
    return len(await running.parked()) == count


async def test_words_from_the_broker_are_handled_in_the_order_they_were_said(running: Started) -> None:
    titles = [f"n{number:03}" for number in range(120)]
    async with ears(running.service.context.bus) as listener:
        for start in range(0, 120, 10):
            await send(running, frame(encode_frame(packed(*(create(title) for title in titles[start : start + 10])))))
        await listener.items(120)
    assert running.room.calls == titles
    await until(lambda: empty(running))


async def empty(running: Started) -> bool:
    return await running.rows("SELECT 1 FROM sample.outbox") == []


HOSTILE = {
    "not_a_frame": b"\xff\xfe not json",
    "not_a_cloudevent": b'{"hello": "world"}',
    "unknown_type": {**GOOD, "type": "never.heard"},
    "unknown_version": {**GOOD, "dataschema": "urn:weft:task.create:99"},
    "bad_message": {**GOOD, "data": {"title": 7}},
    "no_tenant": {name: value for name, value in GOOD.items() if name != "tenantid"},
    "bad_tenant": {**GOOD, "tenantid": "ACME; DROP"},
    "nul_character": {**GOOD, "id": "1\x00"},
    "no_handler": {**GOOD, "type": "task.cancel", "data": {"task_id": str(uuid4()), "execution_id": str(uuid4())}},
}


@pytest.mark.parametrize("code", HOSTILE)
async def test_what_cannot_be_read_is_parked_with_its_code_and_its_neighbours_go_on(running: Started, code: str) -> None:
    hostile = HOSTILE[code]
    body = hostile if isinstance(hostile, bytes) else json.dumps(hostile).encode()
    await send(running, frame(encode_frame(packed(create("before")))), frame(body), frame(encode_frame(packed(create("after")))))
    await until(lambda: has_titles(running, "after", "before"))
    await until(lambda: parked_are(running, 1))
    (parked,) = await running.parked()
    assert (parked.code, parked.status, parked.queue) == (code, "parked", "sample.inbox")


DEEP = b'{"a":' * 50_000 + b"1" + b"}" * 50_000


def deep(levels: int) -> bytes:
    """A frame whose one item is nested so deep."""
    return b"[" + json.dumps(GOOD).encode()[:-1] + b', "data": {"title": ' + b"[" * levels + b"]" * levels + b"}}]"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (DEEP, "not_a_frame"),
        (b"[" * 50_000, "not_a_cloudevent"),
        (deep(50_000), "not_a_frame"),
        (deep(300), "bad_message"),
    ],
)
async def test_what_is_nested_without_end_is_parked_shown_and_stops_nobody(running: Started, body: bytes, code: str) -> None:
    await send(running, frame(body), frame(encode_frame(packed(create("after")))))
    await until(lambda: has_titles(running, "after"))
    await until(lambda: parked_are(running, 1))
    (parked,) = await running.parked()
    assert parked.code == code
    path = "/api/v1/sample/parked" + ("" if parked.tenant_id else "/without-tenant")
    shown = await running.service.client(parked.tenant_id or "acme", ["admin", "operator"]).get(f"{path}/{parked.id}")
    assert (shown.status_code, shown.json()["item"]) == (200, None)


async def test_the_same_unreadable_frame_is_parked_once(running: Started) -> None:
    await send(running, frame(b"?"), frame(b"?"), frame(encode_frame(packed(create("after")))))
    await until(lambda: has_titles(running, "after"))
    await until(lambda: parked_are(running, 1))
    assert [row.code for row in await running.parked()] == ["not_a_frame"]


async def test_a_dead_letter_is_parked_with_the_reason_and_can_be_replayed(running: Started) -> None:
    items = packed(create("buried"))
    dead = OutFrame(
        routing.DEAD,
        "sample.inbox",
        encode_frame(items),
        headers={
            "x-first-death-queue": "sample.inbox",
            "x-first-death-reason": "delivery_limit",
            "x-first-death-exchange": "weft.commands",
        },
    )
    await send(running, dead)
    await until(lambda: parked_are(running, 1))
    (parked,) = await running.parked()
    assert (parked.code, parked.queue, parked.message_id) == ("dead_delivery_limit", "sample.inbox", items[0].id)
    client = running.service.client()
    listed = (await client.get("/api/v1/sample/parked")).json()["items"]
    assert [(row["id"], row["code"]) for row in listed] == [(str(parked.id), "dead_delivery_limit")]
    replayed = await client.post(f"/api/v1/sample/parked/{parked.id}/replay")
    assert replayed.status_code == 200, replayed.text
    await running.pipeline.retry_due()
    assert await running.titles() == ["buried"]
    (parked,) = await running.parked()
    assert parked.status == "replayed"
    await running.pipeline.hear(items)
    assert await running.titles() == ["buried"]


async def test_a_parked_message_is_its_tenants_own_and_is_settled_once(running: Started) -> None:
    await running.pipeline.hear(packed(create("invalid")))
    (parked,) = await running.parked()
    path = f"/api/v1/sample/parked/{parked.id}"
    assert (await running.service.client("other").get(path)).status_code == 404
    assert (await running.service.client(roles=["viewer"]).get(path)).status_code == 403
    client = running.service.client()
    one = (await client.get(path)).json()
    assert (one["item"]["data"]["title"], one["reason"], one["attempts"]) == ("invalid", "the title is invalid", 1)
    assert (await client.post(f"{path}/discard")).json()["status"] == "discarded"
    again = await client.post(f"{path}/replay")
    assert (again.status_code, again.json()["code"]) == (409, "parked_settled")


async def test_a_replayed_message_that_fails_again_is_parked_again(running: Started) -> None:
    await running.pipeline.hear(packed(create("invalid")))
    (parked,) = await running.parked()
    await running.service.client().post(f"/api/v1/sample/parked/{parked.id}/replay")
    await running.pipeline.retry_due()
    (parked,) = await running.parked()
    assert (parked.status, parked.code, parked.settled_by) == ("parked", "title_invalid", None)


async def test_domain_events_reach_their_handler_unread_and_the_culprit_alone_is_parked(running: Started) -> None:
    events = [OutFrame(routing.DOMAIN, "acme.order.paid", body, "application/cloudevents+json") for body in (b"e1", b"poison", b"e2")]
    await send(running, *events)
    await until(lambda: has_titles(running, "e1", "e2"))
    await until(lambda: parked_are(running, 1))
    (parked,) = await running.parked()
    assert (parked.code, parked.exchange, parked.routing_key, bytes(parked.body)) == ("poison", "weft.domain", "acme.order.paid", b"poison")


async def test_a_stopped_door_finishes_what_it_took_and_leaves_the_rest(running: Started) -> None:
    for number in range(30):
        await send(running, frame(encode_frame(packed(create(f"n{number:02}")))))
    await running.pipeline.stop()
    assert not running.pipeline.healthy
    await running.pipeline.start()
    assert running.pipeline.healthy
    await until(lambda: has_titles(running, *(f"n{number:02}" for number in range(30))))


async def test_the_trace_of_an_item_runs_on_in_what_is_said_of_it(running: Started) -> None:
    async with ears(running.service.context.bus) as listener:
        await send(running, frame(encode_frame(packed(create("traced"), traceparent=TRACE))))
        (said,) = await listener.items(1)
    assert said.traceparent is not None
    assert said.traceparent.split("-")[1] == "ab" * 16
    assert said.traceparent.endswith("-01")
    await asyncio.sleep(0)
