"""`POST /events`: all three modes, durable before the answer, each event once."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx2
import pytest
from weft_contracts.executions import StartExecution
from weft_runtime.database import check
from weft_runtime.testing import RunningService, said, tell

from tests.services.events.conftest import order, workflow

PATH = "/api/v1/events"
STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


async def post(client: httpx2.AsyncClient, body: Any, headers: dict[str, str] = STRUCTURED) -> httpx2.Response:
    return await client.post(PATH, content=body if isinstance(body, bytes) else json.dumps(body), headers=headers)


async def test_the_schema_is_what_the_tables_say(events: RunningService) -> None:
    assert await check(events.context.settings.database_url.get_secret_value(), "weft_events", "events") == []


async def test_an_event_is_taken_in_every_mode_and_read_as_it_was_sent(client: httpx2.AsyncClient) -> None:
    binary = {
        "ce-specversion": "1.0",
        "ce-id": "o2",
        "ce-source": "/shop",
        "ce-type": "order.placed",
        "ce-region": "eu",
        "content-type": "text/plain",
    }
    answers = [
        await post(client, order(1, region="eu", subject="Anna")),
        await post(client, b"two", binary),
        await post(client, [order(3), order(4)], BATCH),
        await post(client, order(5), {"content-type": "application/json"}),
        await post(client, order(6, data=None, data_base64="AAE=", datacontenttype="image/png")),
    ]
    assert [(answer.status_code, answer.json()["accepted"], answer.json()["duplicates"]) for answer in answers] == [
        (202, 1, 0),
        (202, 1, 0),
        (202, 2, 0),
        (202, 1, 0),
        (202, 1, 0),
    ]
    ids = [one for answer in answers for one in answer.json()["ids"]]
    log_ids = [one for answer in answers for one in answer.json()["log_ids"]]
    seen = [(await client.get(f"{PATH}/{one}")).json() for one in ids]
    assert ids == [event["id"] for event in seen] == ["o1", "o2", "o3", "o4", "o5", "o6"]
    assert [event["log_id"] for event in seen] == log_ids
    assert [(await client.get(f"{PATH}/{one}")).json() for one in log_ids] == seen
    assert (seen[0]["region"], seen[0]["subject"], seen[0]["data"], seen[0]["type"]) == ("eu", "Anna", {"number": 1}, "order.placed")
    assert (seen[1]["data"], seen[1]["datacontenttype"]) == ("two", "text/plain")
    assert seen[5]["data_base64"] == "AAE="


async def test_the_same_event_is_taken_once_however_it_comes_again(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await tell(events, workflow({}), tenant=tenant)
    first = (await post(client, order())).json()
    again = (await post(client, order(data={"number": "changed"}))).json()
    batch = (await post(client, [order(), order(2), order(2), order(source="/other")], BATCH)).json()
    assert (first["accepted"], again["accepted"], again["duplicates"]) == (1, 0, 1)
    assert (batch["accepted"], batch["duplicates"]) == (2, 2)
    assert again["log_ids"] == first["log_ids"] == batch["log_ids"][:1]
    assert batch["log_ids"][1] == batch["log_ids"][2]
    assert (first["ids"], batch["ids"]) == (["o1"], ["o1", "o2", "o2", "o1"])
    assert len(said(events, StartExecution, tenant=tenant)) == 3
    stored = (await client.get(f"{PATH}/{first['log_ids'][0]}")).json()
    assert (await client.get(f"{PATH}/o1", params={"source": stored["source"]})).json() == stored
    assert (await client.get(f"{PATH}/o1")).json()["source"] == "/other"
    assert (await client.get(f"{PATH}/o1/explain", params={"source": "/nobody"})).status_code == 404
    assert (stored["data"], stored["duplicates"]) == ({"number": 1}, 2)
    assert len((await client.get(PATH)).json()["items"]) == 3


async def test_the_same_events_from_many_sides_at_once_are_taken_once(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    await tell(events, workflow({}), tenant=tenant)
    some = [order(number) for number in range(40)]
    answers = await asyncio.gather(*(post(client, some if turn % 2 else some[::-1], BATCH) for turn in range(6)))
    assert {answer.status_code for answer in answers} == {202}
    assert sum(answer.json()["accepted"] for answer in answers) == 40
    assert len(said(events, StartExecution, tenant=tenant)) == 40


async def test_a_batch_of_five_hundred_is_one_transaction(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await tell(events, workflow({"when": "trigger.payload.number % 2 == 0"}), tenant=tenant)
    answer = await post(client, [order(number) for number in range(500)], BATCH)
    assert answer.json()["accepted"] == 500
    assert len(said(events, StartExecution, tenant=tenant)) == 250
    ids = answer.json()["log_ids"]
    assert ids == sorted(ids)


async def test_an_event_of_another_tenant_is_refused_and_of_the_own_taken(client: httpx2.AsyncClient, tenant: str) -> None:
    own = await post(client, order(tenantid=tenant))
    foreign = await post(client, [order(2), order(3, tenantid="somebody-else")], BATCH)
    assert (own.status_code, foreign.status_code, foreign.json()["code"]) == (202, 422, "foreign_tenant")
    assert [error["pointer"] for error in foreign.json()["errors"]] == ["/1/tenantid"]
    assert len((await client.get(PATH)).json()["items"]) == 1


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", STRUCTURED, 400, "not_json"),
        (b"[]", STRUCTURED, 422, "invalid_event"),
        (order(data="\0"), STRUCTURED, 400, "nul_character"),
        (b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":NaN}', STRUCTURED, 400, "not_json"),
        (b'{"specversion":"1.0","id":"1","source":"/s","type":"t","id":"2"}', STRUCTURED, 400, "duplicate_key"),
        (b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":' + b"[" * 500 + b"]" * 500 + b"}", STRUCTURED, 400, "not_json"),
        (b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":' + b"9" * 5000 + b"}", STRUCTURED, 400, "not_json"),
        (order(source="not a uri"), STRUCTURED, 422, "invalid_event"),
        (order(id=None), STRUCTURED, 422, "invalid_event"),
        (order(id="x" * 2000), STRUCTURED, 422, "invalid_event"),
        (order(specversion="2.0"), STRUCTURED, 422, "invalid_event"),
        (order(), {"content-type": "application/cloudevents+protobuf"}, 415, "unsupported_format"),
        (b"hello", {"content-type": "text/plain"}, 422, "invalid_event"),
        (order(data="x" * 300 * 1024), STRUCTURED, 413, "event_too_large"),
        (b" " * 2 * 1024 * 1024, STRUCTURED, 413, "too_large"),
        ([order(number) for number in range(1001)], BATCH, 422, "too_many_events"),
    ],
)
async def test_what_is_no_event_is_refused_and_nothing_of_it_kept(
    client: httpx2.AsyncClient, body: Any, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await post(client, body, headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await client.get(PATH)).json()["items"] == []


async def test_odd_values_come_back_as_they_were_sent(client: httpx2.AsyncClient) -> None:
    odd = {"big": 10**40, "small": 1e-300, "text": "𝄞 \\u0000 €", "nested": [[[{"": None}]]], "exact": 12345678901234567890123}
    answer = await post(client, order(data=odd))
    assert answer.status_code == 202
    assert (await client.get(f"{PATH}/{answer.json()['ids'][0]}")).json()["data"] == odd


async def test_extensions_with_our_names_do_not_hide_ours(client: httpx2.AsyncClient) -> None:
    answer = await post(client, order(status="mine", started="never", duplicates=9))
    event = (await client.get(f"{PATH}/{answer.json()['ids'][0]}")).json()
    assert (event["status"], event["started"], event["duplicates"]) == ("unmatched", [], 0)


async def test_the_log_is_filtered_and_paged_and_carries_no_data(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await tell(events, workflow({"event": "order.paid"}), tenant=tenant)
    await post(client, [order(1), order(2, type="order.paid"), order(3, type="invoice.paid", source="/erp", subject="Bolt 100%")], BATCH)
    await post(client, order(1))

    async def found(**params: Any) -> list[str]:
        answer = await client.get("/api/v1/workflows/events/log", params=params)
        assert answer.status_code == 200, answer.text
        return [event["id"] for event in answer.json()["items"]]

    assert await found() == ["o3", "o2", "o1"]
    assert await found(type="order.paid") == ["o2"]
    assert await found(type="*.paid") == ["o3", "o2"]
    assert await found(type="order_paid*") == []
    assert await found(source="/erp") == ["o3"]
    assert await found(status="matched") == ["o2"]
    assert await found(status="duplicate") == ["o1"]
    assert await found(q="100%") == ["o3"]
    assert await found(**{"from": "2026-01-05T09:00:00Z"}) == ["o3", "o2", "o1"]
    assert await found(to="2026-01-05T09:00:00Z") == []
    first = (await client.get(PATH, params={"limit": 2})).json()
    rest = (await client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [event["id"] for event in first["items"] + rest["items"]] == ["o3", "o2", "o1"]
    assert rest["next_cursor"] is None
    assert all("data" not in event for event in first["items"])


async def test_another_tenant_sees_nothing_of_it(events: RunningService, client: httpx2.AsyncClient) -> None:
    [ours] = (await post(client, order())).json()["log_ids"]
    other = events.client("somebody-else", ["admin"])
    for path in (f"{PATH}/{ours}", f"{PATH}/{ours}/explain", f"{PATH}/o1", f"{PATH}/{UUID(int=1)}"):
        answer = await other.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "event_not_found")
    assert (await other.get(PATH)).json()["items"] == []
    assert (await post(events.client("somebody-else", ["viewer"]), order())).status_code == 403


async def test_a_repeat_with_the_same_key_gets_the_first_answer(client: httpx2.AsyncClient) -> None:
    headers = STRUCTURED | {"Idempotency-Key": "k"}
    first, again = await post(client, order(), headers), await post(client, order(), headers)
    assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")


@pytest.mark.parametrize("id_", ["a/b", "/", "a/explain", "100%/2F?#", "urn:x/y z/\u00e9"])
async def test_an_event_is_reached_by_its_id_whatever_it_holds(client: httpx2.AsyncClient, id_: str) -> None:
    assert (await post(client, {**order(1), "id": id_})).status_code == 202
    path = f"{PATH}/{quote(id_, safe='')}"
    read, explained = await client.get(path), await client.get(f"{path}/explain")
    assert (read.status_code, read.json().get("id")) == (200, id_), read.text
    assert (explained.status_code, explained.json()["event"]["id"]) == (200, id_)
    assert (await client.get(f"{PATH}/{quote(id_ + '/no', safe='')}")).json()["code"] == "event_not_found"
