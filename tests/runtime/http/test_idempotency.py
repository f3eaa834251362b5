import asyncio
import uuid
from datetime import timedelta

import sqlalchemy as sa
from weft_runtime.database import plumbing
from weft_runtime.http import idempotency
from weft_runtime.testing import RunningService

from tests.runtime.sample.app import halfway, patience


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


async def count(sample: RunningService, tenant: str) -> int:
    return len((await sample.client(tenant).get("/api/v1/notes?limit=200")).json()["items"])


async def test_the_same_request_again_acts_once_and_gets_the_first_answer(sample: RunningService, tenant: str) -> None:
    client, once = sample.client(tenant), key()
    first = await client.post("/api/v1/notes", json={"title": "a"}, headers=once)
    again = await client.post("/api/v1/notes", json={"title": "a"}, headers=once)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (again.headers["etag"], again.headers["location"]) == (first.headers["etag"], first.headers["location"])
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert await count(sample, tenant) == 1


async def test_another_request_with_the_key_is_refused(sample: RunningService, tenant: str) -> None:
    client, once = sample.client(tenant), key()
    await client.post("/api/v1/notes", json={"title": "a"}, headers=once)
    other = await client.post("/api/v1/notes", json={"title": "b"}, headers=once)
    elsewhere = await client.post("/api/v1/raw", json={"title": "a"}, headers=once)
    assert [(answer.status_code, answer.json()["code"]) for answer in (other, elsewhere)] == [(422, "idempotency_mismatch")] * 2


async def test_while_the_first_runs_the_second_is_told_to_wait(sample: RunningService, tenant: str) -> None:
    client, once = sample.client(tenant), key()
    halfway.begin()
    first = asyncio.create_task(client.post("/api/v1/notes", json={"title": "slow"}, headers=once))
    await halfway.reached.wait()
    answers = await asyncio.gather(*(client.post("/api/v1/notes", json={"title": "slow"}, headers=once) for _ in range(3)))
    halfway.go_on.set()
    assert [answer.status_code for answer in answers] == [409] * 3
    assert {(answer.json()["code"], answer.headers["retry-after"]) for answer in answers} == {("idempotency_running", "1")}
    assert (await first).status_code == 201
    assert await count(sample, tenant) == 1


async def test_of_many_such_requests_at_once_one_acts(sample: RunningService, tenant: str) -> None:
    client, once = sample.client(tenant), key()
    answers = await asyncio.gather(*(client.post("/api/v1/notes", json={"title": "a"}, headers=once) for _ in range(6)))
    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.json()["code"] for answer in answers if answer not in made} <= {"idempotency_running"}
    assert {answer.json()["id"] for answer in made} == {made[0].json()["id"]}
    assert await count(sample, tenant) == 1


async def test_a_key_belongs_to_its_tenant_and_caller(sample: RunningService, tenant: str) -> None:
    once = key()
    for client in (sample.client(tenant), sample.client(tenant, sub="somebody-else"), sample.client(tenant + "-2")):
        answer = await client.post("/api/v1/notes", json={"title": "a"}, headers=once)
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (201, False)


async def test_a_request_that_failed_may_be_sent_again_with_its_key(sample: RunningService, tenant: str) -> None:
    client, once = sample.client(tenant), key()
    first = await client.post("/api/v1/notes", json={"title": "clash"}, headers=once)
    again = await client.post("/api/v1/notes", json={"title": "fine"}, headers=once)
    assert (first.status_code, again.status_code) == (409, 201)


async def test_a_key_is_forgotten_after_72_hours(sample: RunningService, tenant: str) -> None:
    client, once = sample.client(tenant), key()
    await client.post("/api/v1/notes", json={"title": "a"}, headers=once)
    before = sample.clock.now()
    try:
        sample.clock.advance(timedelta(hours=72, seconds=1))
        kept = plumbing.table("sample", "idempotency")
        async with sample.context.owner_transaction() as uow:
            await idempotency.forget_old(uow, "sample")
            # Whoever was first: the service forgets by itself, too.
            assert (await uow.conn.execute(sa.select(kept.c.key).where(kept.c.key == once["Idempotency-Key"]))).all() == []
        answer = await sample.client(tenant).post("/api/v1/notes", json={"title": "b"}, headers=once)
        assert answer.status_code == 201
    finally:
        sample.clock.set(before)


async def test_the_answer_that_came_after_waiting_is_the_one_kept(sample: RunningService, tenant: str) -> None:
    client, once = sample.client(tenant), key()
    first = await client.post("/api/v1/later", json={"title": "later"}, headers=once)
    again = await client.post("/api/v1/later", json={"title": "later"}, headers=once)
    assert (first.status_code, first.json()) == (200, {"found": "1"})
    assert (again.status_code, again.json(), again.headers["idempotent-replayed"]) == (200, {"found": "1"}, "true")


async def test_while_the_first_waits_for_others_the_second_is_told_to_wait(sample: RunningService, tenant: str) -> None:
    client, once = sample.client(tenant), key()
    patience.begin()
    waiting = asyncio.create_task(client.post("/api/v1/later", json={"title": "patience"}, headers=once))
    await patience.reached.wait()
    second = await client.post("/api/v1/later", json={"title": "patience"}, headers=once)
    patience.go_on.set()
    assert (second.status_code, second.json()["code"], second.headers["retry-after"]) == (409, "idempotency_running", "1")
    assert (await waiting).json() == {"found": "1"}
    third = await client.post("/api/v1/later", json={"title": "patience"}, headers=once)
    assert (third.json(), third.headers["idempotent-replayed"]) == ({"found": "1"}, "true")


async def test_a_refusal_that_came_after_waiting_is_the_answer_kept(sample: RunningService, tenant: str) -> None:
    client, once = sample.client(tenant), key()
    answers = [await client.post("/api/v1/later", json={"title": "refused"}, headers=once) for _ in range(2)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "note_refused")] * 2
    assert ["idempotent-replayed" in answer.headers for answer in answers] == [False, True]
    assert answers[1].headers["content-type"] == "application/problem+json"
    assert await count(sample, tenant) == 1


async def test_who_died_while_waiting_leaves_the_answer_without_it(sample: RunningService, tenant: str) -> None:
    client, once = sample.client(tenant), key()
    before = sample.clock.now()
    patience.begin()
    waiting = asyncio.create_task(client.post("/api/v1/later", json={"title": "patience"}, headers=once))
    try:
        await patience.reached.wait()
        sample.clock.advance(idempotency.LONGEST_RUN)
        again = await client.post("/api/v1/later", json={"title": "patience"}, headers=once)
        assert (again.status_code, again.json(), again.headers["idempotent-replayed"]) == (202, {"status": "queued"}, "true")
    finally:
        sample.clock.set(before)
        patience.go_on.set()
        await waiting


async def test_a_key_that_is_none_is_refused(sample: RunningService) -> None:
    for bad in ("", "a b", "x" * 256):
        answer = await sample.client().post("/api/v1/notes", json={"title": "a"}, headers={"Idempotency-Key": bad})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")
