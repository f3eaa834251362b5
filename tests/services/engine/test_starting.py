"""Starting by hand: who asked is known, a repeat is one, a key is held by one, and each execution keeps to its version."""

from __future__ import annotations

from typing import Any

import httpx2
from weft_contracts.definitions import WorkflowChanged
from weft_runtime.testing import tell

from tests.services.engine.conftest import Engine

REST = {"id": "rest", "type": "state", "with": {"signals": {"go": {}}}}
ANN = "00000000-0000-7000-8000-00000000a22a"


async def start(client: httpx2.AsyncClient, slug: str, body: dict[str, Any] | None = None, **headers: str) -> httpx2.Response:
    return await client.post(f"/api/v1/workflows/{slug}/trigger", json=body or {}, headers=headers)


async def change(engine: Engine, slug: str, version: int, status: str = "active", nodes: list[dict[str, Any]] | None = None) -> None:
    """Let the engine hear that a workflow has another version, or another status."""
    document = {"format": "weft/v1", "slug": slug, "name": slug, "nodes": nodes, "output": {"by": "{{ vars.by }}"}} if nodes else None
    word = WorkflowChanged(slug=slug, name=slug, revision=version, status=status, active_version=1, definition=document)
    await tell(engine.service, word.model_copy(update={"active_version": version}) if nodes else word)


async def test_expressions_and_history_know_who_asked_from_where_and_with_which_request(engine: Engine) -> None:
    context = {
        "user": "{{ trigger.user.id }}",
        "email": "{{ trigger.user.email }}",
        "roles": "{{ trigger.user.roles }}",
        "ip": "{{ trigger.request.ip }}",
        "request": "{{ trigger.request.id }}",
        "tenant": "{{ tenant.id }}",
        "amount": "{{ trigger.payload.amount }}",
    }
    await engine.publish("asked", nodes=[{"id": "a", "type": "set", "with": {"x": 1}}], output=context)
    client = engine.service.client(sub=ANN, email="ann@weft.example", roles=["editor"])
    answer = await start(client, "asked", {"input": {"amount": 7}})
    shown = await engine.ended(answer.json()["execution_id"])
    assert shown["output"] == {
        "user": ANN,
        "email": "ann@weft.example",
        "roles": ["editor"],
        "ip": "203.0.113.7",
        "request": answer.headers["X-Request-Id"],
        "tenant": "acme",
        "amount": 7,
    }
    assert (shown["trigger"]["type"], shown["trigger"]["user"]) == ("manual", ANN)
    history = (await client.get(f"/api/v1/executions/{shown['id']}/history")).json()["items"]
    told = history[0]["data"]["trigger"]
    assert (history[0]["kind"], told["type"], told["user"]["email"]) == ("execution.started", "manual", "ann@weft.example")
    assert told["request"]["id"] == answer.headers["X-Request-Id"]


async def test_who_pauses_resumes_and_cancels_an_execution_stands_in_its_history(engine: Engine) -> None:
    await engine.publish("watched", nodes=[REST])
    execution = await engine.start("watched")
    await engine.waiting(execution)
    client = engine.service.client(sub=ANN)
    for verb in ("pause", "resume", "cancel"):
        body = None if verb == "resume" else {"reason": "stocktaking"}
        assert (await client.post(f"/api/v1/executions/{execution}/{verb}", json=body)).status_code == 200
    history = (await client.get(f"/api/v1/executions/{execution}/history")).json()["items"]
    done = {entry["kind"]: entry["data"] for entry in history}
    assert [done[f"execution.{what}"]["by"] for what in ("paused", "unpaused", "cancelled")] == [ANN] * 3
    assert [done[f"execution.{what}"]["reason"] for what in ("paused", "cancelled")] == ["stocktaking"] * 2


async def test_the_same_request_again_starts_nothing_more(engine: Engine) -> None:
    await engine.publish("once", nodes=[REST])
    first = await start(engine.client, "once", {"input": {"n": 1}}, **{"Idempotency-Key": "order-1"})
    again = await start(engine.client, "once", {"input": {"n": 1}}, **{"Idempotency-Key": "order-1"})
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await start(engine.client, "once", {"input": {"n": 2}}, **{"Idempotency-Key": "order-1"})
    assert other.status_code == 422


async def test_a_key_is_held_by_one_living_execution_of_the_workflow_and_tenant(engine: Engine) -> None:
    await engine.publish("keyed", nodes=[REST])
    first = (await start(engine.client, "keyed", {"key": "A-17"})).json()["execution_id"]
    await engine.waiting(first)
    refused = await start(engine.client, "keyed", {"key": "A-17"})
    assert (refused.status_code, refused.json()["code"]) == (409, "key_taken")
    assert first in refused.json()["detail"]
    assert (await start(engine.client, "keyed", {"key": "A-18"})).status_code == 202
    await engine.client.post(f"/api/v1/executions/{first}/signals/go")
    await engine.ended(first)
    assert (await start(engine.client, "keyed", {"key": "A-17"})).status_code == 202


async def test_versions_live_beside_each_other_and_each_execution_keeps_to_its_own(engine: Engine) -> None:
    for version in (1, 2):
        await change(engine, "moving", version, nodes=[REST, {"id": "mark", "type": "set", "with": {"by": f"version {version}"}}])
        if version == 1:
            old = await engine.start("moving")
            await engine.waiting(old)
    new, asked_for = await engine.start("moving"), await engine.start("moving", version=1)
    for execution in (old, new, asked_for):
        await engine.waiting(execution)
        await engine.client.post(f"/api/v1/executions/{execution}/signals/go")
    ended = [await engine.ended(execution) for execution in (old, new, asked_for)]
    assert [(one["version"], one["output"]["by"]) for one in ended] == [(1, "version 1"), (2, "version 2"), (1, "version 1")]
    assert (await start(engine.client, "moving", {"version": 3})).status_code == 404
    await change(engine, "moving", 3)  # the first version is the active one again, and the second was published all the same
    back, named = await engine.start("moving"), await engine.start("moving", version=2)
    assert [(await engine.waiting(execution))["version"] for execution in (back, named)] == [1, 2]


async def test_a_workflow_that_is_not_active_starts_nothing_and_what_lives_goes_on(engine: Engine) -> None:
    await change(engine, "resting", 1, nodes=[REST, {"id": "mark", "type": "set", "with": {"by": "it went on"}}])
    living = await engine.start("resting")
    await engine.waiting(living)
    await tell(engine.service, WorkflowChanged(slug="resting", name="resting", revision=2, status="inactive", active_version=1))
    refused = await start(engine.client, "resting")
    assert (refused.status_code, refused.json()["code"]) == (409, "workflow_inactive")
    await engine.client.post(f"/api/v1/executions/{living}/signals/go")
    assert (await engine.ended(living))["output"] == {"by": "it went on"}


async def test_a_retry_that_is_refused_does_not_hold_the_key(engine: Engine) -> None:
    await engine.publish("failing-keyed", nodes=[{"id": "stop", "type": "fail", "with": {"code": "no", "message": "no"}}])
    first = await engine.start("failing-keyed", key="7")
    await engine.ended(first)
    refused = await engine.client.post(f"/api/v1/executions/{first}/retry", json={"from": "nowhere"})
    assert (refused.status_code, refused.json()["code"]) == (422, "retry_from_unknown")
    assert (await start(engine.client, "failing-keyed", {"key": "7"})).status_code == 202
