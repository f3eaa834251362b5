"""Retries at the gates: who is retried stands in line with who starts, whatever dies and however many processes there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import TenantChanged
from weft_contracts.executions import AdmitExecution, RetryExecution
from weft_engine import store
from weft_engine.app import build
from weft_engine.hotloop import programs
from weft_engine.journal import Batch, Journal, JournalRow
from weft_runtime.clock import new_id
from weft_runtime.errors import Unavailable
from weft_runtime.testing import eventually, running_service, tell
from weft_runtime.uow import UnitOfWork

from tests.services.engine.conftest import Engine
from tests.services.engine.test_bulk import finished, items

NODES: list[dict[str, Any]] = [
    {"id": "ready", "type": "if", "with": {"when": "default(input.ready, false)"}},
    {"id": "hold", "type": "state", "with": {"signals": {"go": {}}}},
    {"id": "stop", "type": "fail", "with": {"code": "not_ready", "message": "not ready"}},
]
EDGES = [{"from": "ready", "to": "hold", "on": "true"}, {"from": "ready", "to": "stop", "on": "false"}]
"""Fails unless its input says `ready`; then it lives until the signal `go`."""
READY = {"from": "ready", "input": {"ready": True, "who": "ann"}}


async def publish(engine: Engine, slug: str, on_conflict: str | None, limit: int = 1) -> str:
    rule = {"key": "{{ input.who }}", "limit": limit, "on_conflict": on_conflict}
    more = {} if on_conflict is None else {"settings": {"concurrency": rule}}
    return await engine.publish(slug, nodes=NODES, edges=EDGES, **more)


async def failed(engine: Engine, slug: str, **body: Any) -> str:
    """One that has failed."""
    execution = await engine.start(slug, **{"input": {"who": "ann"}, **body})
    await comes_to(engine, execution, "failed")
    return execution


async def live(engine: Engine, slug: str) -> str:
    """One that lives until it is told to go."""
    execution = await engine.start(slug, input=READY["input"])
    await engine.waiting(execution)
    return execution


async def comes_to(engine: Engine, execution: str, status: str) -> dict[str, Any]:
    return await engine.until(execution, lambda shown: shown["status"] == status)


async def retry(engine: Engine, execution: str, **body: Any) -> httpx2.Response:
    return await engine.client.post(f"/api/v1/executions/{execution}/retry", json={**READY, **body})


async def post(engine: Engine, execution: str, verb: str, status: int = 200) -> dict[str, Any]:
    answer = await engine.client.post(f"/api/v1/executions/{execution}/{verb}")
    assert answer.status_code == status, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def kinds(engine: Engine, execution: str) -> list[str]:
    found = (await engine.client.get(f"/api/v1/executions/{execution}/history")).json()["items"]
    assert [entry["position"] for entry in found] == list(range(len(found)))
    return [entry["kind"] for entry in found]


async def test_retries_stand_in_line_with_where_they_stand_and_one_may_rest_there_or_leave_it(engine: Engine) -> None:
    slug = await publish(engine, "lined-up", "queue")
    resting, leaving, patient = await asyncio.gather(*(failed(engine, slug) for _ in range(3)))
    before = await engine.get(leaving)
    holder = await live(engine, slug)
    for execution in (resting, leaving, patient):
        engine.service.clock.advance(timedelta(seconds=1))
        answer = await retry(engine, execution)
        assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    told = (await engine.client.get(f"/api/v1/executions/{patient}/explain")).json()
    gates = [(gate["kind"], gate["name"], gate["limit"], gate["live"], gate["ahead"]) for gate in told["queued_for"]]
    assert (told["status"], gates) == ("queued", [("concurrency", "ann", 1.0, 1, 2)])
    assert "has failed, and is to be retried from ready by " in told["because"][0]
    assert "of which 1 of 1 live" in told["because"][1]
    await post(engine, resting, "pause")
    shown = await post(engine, leaving, "cancel")
    assert [shown[name] for name in SAME] == [before[name] for name in SAME]
    assert (await engine.client.get(f"/api/v1/executions/{leaving}/explain")).json()["queued_for"] == []
    await post(engine, holder, "signals/go", 202)
    await engine.waiting(patient)
    assert [(await engine.get(one))["status"] for one in (resting, leaving)] == ["paused", "failed"]
    await post(engine, patient, "signals/go", 202)
    await post(engine, resting, "resume")
    await engine.waiting(resting)
    assert (await kinds(engine, resting)).count("execution.retried") == 1


SAME = ("status", "error", "completed_at", "allowed_actions")


async def test_of_two_retries_at_once_where_further_ones_are_skipped_one_goes_on_and_the_other_is_told_of_it(engine: Engine) -> None:
    slug = await publish(engine, "either", "skip")
    one, two = [await failed(engine, slug) for _ in range(2)]
    answers = await asyncio.gather(retry(engine, one), retry(engine, two))
    by_status = {answer.status_code: answer.json() for answer in answers}
    assert sorted(by_status) == [200, 409]
    assert (by_status[409]["code"], by_status[409]["execution_id"]) == ("place_taken", by_status[200]["id"])
    loser = two if by_status[200]["id"] == one else one
    before = await kinds(engine, loser)
    await engine.waiting(by_status[200]["id"])
    refused = await retry(engine, loser)
    assert (refused.json()["code"], (await engine.get(loser))["status"], await kinds(engine, loser)) == ("place_taken", "failed", before)


async def test_a_retry_takes_the_place_of_who_runs_where_the_workflow_says_so(engine: Engine) -> None:
    slug = await publish(engine, "newest-again", "cancel_running")
    execution = await failed(engine, slug)
    holder = await live(engine, slug)
    await retry(engine, execution)
    await comes_to(engine, holder, "cancelled")
    await engine.waiting(execution)


async def test_a_retry_whose_key_another_has_is_refused_with_who_has_it_and_one_that_waits_has_its_own(engine: Engine) -> None:
    slug = await publish(engine, "keyed-again", "queue")
    execution, other = [await failed(engine, slug, key=key) for key in ("k-1", "k-2")]
    holder = await engine.start(slug, input=READY["input"], key="k-1")
    await engine.waiting(holder)
    refused = await retry(engine, execution)
    assert (refused.status_code, refused.json()["code"], refused.json()["execution_id"]) == (409, "key_taken", holder)
    assert (await retry(engine, other)).json()["status"] == "queued"
    started = await engine.client.post(f"/api/v1/workflows/{slug}/trigger", json={"key": "k-2"})
    assert (started.status_code, started.json()["code"], started.json()["execution_id"]) == (409, "key_taken", other)
    await post(engine, other, "cancel")
    assert (await engine.client.post(f"/api/v1/workflows/{slug}/trigger", json={"key": "k-2"})).status_code == 202


async def test_what_a_suspension_holds_up_is_retried_when_it_is_lifted(engine: Engine, heard_at_once: None) -> None:
    slug = await publish(engine, "held-again", None)
    execution = await failed(engine, slug)
    suspension = (await engine.client.post("/api/v1/suspensions", json={"kind": "workflow", "name": slug})).json()["id"]
    assert (await retry(engine, execution)).json()["status"] == "queued"
    told = (await engine.client.get(f"/api/v1/executions/{execution}/explain")).json()
    assert [(gate["kind"], gate["name"]) for gate in told["queued_for"]] == [("suspension", suspension)]
    await engine.client.delete(f"/api/v1/suspensions/{suspension}")
    await engine.waiting(execution)


@pytest.fixture
def heard_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition knows at once what of a tenant has changed."""
    monkeypatch.setattr(programs, "SUSPENDED_TTL_S", 0.0)
    monkeypatch.setattr(programs, "TENANT_TTL_S", 0.0)


async def crowd(engine: Engine, tenant: str, count: int, **quotas: Any) -> tuple[Engine, list[str]]:
    """A tenant with quotas, set once so many of its executions have failed."""
    own = Engine(engine.service, tenant)
    document = {"format": "weft/v1", "slug": "crowd", "name": "crowd", "nodes": NODES, "edges": EDGES}
    await tell(
        engine.service,
        WorkflowChanged(slug="crowd", name="crowd", revision=1, status="active", active_version=1, definition=document),
        tenant=tenant,
    )
    ids = await asyncio.gather(*(own.start("crowd") for _ in range(count)))
    await asyncio.gather(*(comes_to(own, one, "failed") for one in ids))
    await tell(engine.service, TenantChanged(tenant=tenant, name=tenant, tier="standard", revision=1, settings={"quotas": quotas}))
    return own, list(ids)


async def drained(engine: Engine, ids: Sequence[str], quota: int) -> None:
    """Let each go on as it comes to live, until all have ended; never do more live than the quota."""
    left = set(ids)
    while left:
        shown = {one: (await engine.get(one))["status"] for one in left}
        assert sum(status in ("running", "waiting") for status in shown.values()) <= quota, shown
        left -= {one for one, status in shown.items() if status == "completed"}
        for one, status in shown.items():
            if status == "waiting":
                await post(engine, one, "signals/go", 202)
                await comes_to(engine, one, "completed")


async def test_many_retries_under_a_quota_go_on_a_few_at_a_time_at_two_engines(
    engine: Engine, heard_at_once: None, database_url: str, broker_url: str
) -> None:
    own, ids = await crowd(engine, "crowding", 6, live_executions=2)
    async with running_service(build, database_url, broker_url, clock=engine.service.clock, issuer=engine.service.issuer):
        body = {"verb": "retry", "filter": {"workflow": "crowd"}, "options": READY}
        job = await finished(own, (await own.client.post("/api/v1/executions/bulk", json=body)).json())
        assert job["progress"] == {"waiting": 0, "sent": 0, "ok": 6, "refused": 0}
        assert {item["code"] for item in await items(own, job)} == {"queued"}
        await drained(own, ids, 2)
    assert [(await kinds(own, one)).count("execution.retried") for one in ids] == [1] * 6


WRITTEN = ("execution.retry_queued", "execution.retried")


def breaking(monkeypatch: pytest.MonkeyPatch, hit: Callable[[JournalRow], str | None]) -> list[str]:
    """Lose each commit that is hit: the first time before it is done, then after it was. Returns: what was lost, to be filled."""
    commit, lost = Journal.commit, list[str]()

    async def breaking_commit(journal: Journal, batch: Batch) -> None:
        hits = [name for row in batch.rows if (name := hit(row)) is not None and lost.count(name) < 2]
        undone = any(name not in lost for name in hits)
        lost.extend(hits)  # before the commit: what it does is seen by others sooner than by who asked for it
        if not undone:
            await commit(journal, batch)
        if hits:
            raise ConnectionResetError("the connection is lost")

    monkeypatch.setattr(Journal, "commit", breaking_commit)
    return lost


async def test_whatever_commit_fails_and_then_is_done_in_doubt_it_waits_once_and_goes_on_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = await publish(engine, "doubted", "queue")
    execution = await failed(engine, slug, key="k")

    def hit(row: JournalRow) -> str | None:
        return next((kind for kind in WRITTEN if kind in row.entries and str(row.execution_id) == execution), None)

    lost = breaking(monkeypatch, hit)
    assert (await retry(engine, execution)).status_code == 202
    await engine.waiting(execution)
    assert sorted(lost) == sorted(2 * WRITTEN)
    assert [(await kinds(engine, execution)).count(kind) for kind in WRITTEN] == [1, 1]


async def test_who_is_let_in_by_a_gatekeeper_that_dies_is_let_in_by_the_next_look(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    slug = await publish(engine, "looked", "queue")
    execution = await failed(engine, slug)
    let_in, dead = store.let_in, list[UUID]()

    async def dying(uow: UnitOfWork, ids: Sequence[UUID]) -> None:
        await let_in(uow, ids)
        if UUID(execution) in ids and not dead:
            dead.append(UUID(execution))
            raise Unavailable("it died before its commit")

    monkeypatch.setattr(store, "let_in", dying)
    await retry(engine, execution)
    await engine.waiting(execution)
    assert dead


async def test_words_that_come_again_do_nothing_twice_and_one_of_an_earlier_time_lets_nobody_in(engine: Engine) -> None:
    slug = await publish(engine, "repeated", "queue")
    execution = UUID(await failed(engine, slug))
    holder = await live(engine, slug)
    asked = RetryExecution(execution_id=execution, node="ready", input=READY["input"], answer_id=new_id())
    late = new_id()
    async with engine.service.context.owner_transaction("acme") as uow:
        uow.say(asked, asked, AdmitExecution(execution_id=execution))
        uow.say(RetryExecution(execution_id=execution, answer_id=late))

    async def answer_of(id_: UUID) -> Callable[[], Any]:
        async def look() -> Any:
            async with engine.service.context.transaction("acme") as reading:
                return await store.answer(reading, id_)

        return look

    refused = await eventually(await answer_of(late), "the answer to a retry of one that waits for one")
    assert (refused[0], refused[1]["code"]) == (409, "illegal_move")
    accepted = await eventually(await answer_of(asked.answer_id or late), "the answer to the first")
    assert (accepted[0], (await engine.get(str(execution)))["status"]) == (202, "queued")
    await post(engine, holder, "signals/go", 202)
    await engine.waiting(str(execution))
    assert [(await kinds(engine, str(execution))).count(kind) for kind in WRITTEN] == [1, 1]
