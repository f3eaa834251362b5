"""Backtests over HTTP: what is asked of events, how long one waits, and where the answer is found."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from weft_contracts.questions import BacktestTriggers, Problem, TriggersBacktested
from weft_runtime.testing import RunningService, eventually, said, tell

from tests.services.definitions.documents import definition

PATH = "/api/v1/workflows"
SPAN = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-08T00:00:00+01:00"}
RESULT = {"events": 3, "would_start": 1, "complete": True}


@pytest.fixture
def client(definitions: RunningService, tenant: str) -> httpx2.AsyncClient:
    return definitions.client(tenant, ["editor"])


def trigger(number: int) -> dict[str, Any]:
    """A trigger that is another one."""
    return {"id": "made", "on": "event", "event": "order.made", "when": f"trigger.payload.n > {number}"}


async def asked_of(definitions: RunningService, tenant: str) -> BacktestTriggers:
    async def one() -> BacktestTriggers | None:
        return next(iter(said(definitions, BacktestTriggers, tenant=tenant)), None)

    return await eventually(one, "the question")


async def test_a_draft_is_tried_beside_the_live_version(definitions: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await client.post(PATH, json={"definition": definition(triggers=[trigger(1)]), "status": "active"})
    await client.put(f"{PATH}/greet", json=definition(triggers=[trigger(2)]))
    asking = asyncio.create_task(client.post("/api/v1/workflows/greet/backtest", json=SPAN))
    question = await asked_of(definitions, tenant)
    assert (question.workflow, question.workflow_version, question.live_version) == ("greet", 2, 1)
    assert (question.triggers, question.live_triggers) == ((trigger(2),), (trigger(1),))
    assert question.until - question.since == timedelta(days=7, hours=-1)
    await tell(definitions, TriggersBacktested(question_id=question.question_id, result=RESULT), tenant=tenant)
    answer = await asking
    told = answer.json()
    assert (answer.status_code, told["status"], told["result"]) == (200, "completed", RESULT)
    assert (told["version"], told["live_version"], told["from"]) == (2, 1, "2026-11-01T00:00:00+00:00")
    again = await client.get(answer.headers["location"])
    assert again.json() == told


async def test_one_that_takes_long_is_asked_for_again(
    definitions: RunningService, client: httpx2.AsyncClient, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definitions.context, "settings", definitions.context.settings.model_copy(update={"answer_wait_s": 0}))
    await client.post(PATH, json=definition(triggers=[trigger(1)]))
    answer = await client.post("/api/v1/workflows/greet/backtest", json={**SPAN, "version": 1})
    told = answer.json()
    assert (answer.status_code, told["status"], told["result"], told["live_version"]) == (202, "running", None, None)
    question = await asked_of(definitions, tenant)
    problem = Problem(code="invalid", detail="a trigger cannot be compiled")
    await tell(definitions, TriggersBacktested(question_id=question.question_id, problem=problem), tenant=tenant)
    await tell(definitions, TriggersBacktested(question_id=question.question_id, result=RESULT), tenant=tenant)
    failed = (await client.get(f"/api/v1/workflows/greet/backtests/{told['id']}")).json()
    assert (failed["status"], failed["problem"]["code"], failed["result"]) == ("failed", "invalid", None), "the first answer stands"
    assert (await client.get(f"{PATH}/greet/backtests/{question.question_id}")).status_code == 200
    stranger = definitions.client(f"{tenant}-x", ["editor"])
    assert (await stranger.get(f"{PATH}/greet/backtests/{told['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({}, 422, "/from"),
        ({"from": "2026-11-08T00:00:00Z", "to": "2026-11-08T00:00:00Z"}, 422, "/from"),
        ({"from": "2020-11-08T00:00:00Z", "to": "2026-11-08T00:00:00Z"}, 422, "/from"),
        ({"from": "2026-11-08T00:00:00", "to": "2026-11-09T00:00:00Z"}, 422, "/from"),
        ({**SPAN, "version": 0}, 422, "/version"),
        ({**SPAN, "version": 9}, 404, None),
    ],
)
async def test_what_cannot_be_tried_is_refused(client: httpx2.AsyncClient, body: Any, status: int, where: str | None) -> None:
    await client.post(PATH, json=definition())
    answer = await client.post(f"{PATH}/greet/backtest", json=body)
    assert answer.status_code == status, answer.text
    assert [one["pointer"] for one in answer.json().get("errors", ())] == ([where] if where else [])


async def test_a_backtest_of_nothing_is_not_found(client: httpx2.AsyncClient) -> None:
    assert (await client.post(f"{PATH}/nobody/backtest", json=SPAN)).json()["code"] == "workflow_not_found"
    await client.post(PATH, json=definition())
    absent = await client.get(f"{PATH}/greet/backtests/01a2143a-1029-742e-a9d7-a5415f1988b0")
    assert (absent.status_code, absent.json()["code"]) == (404, "backtest_not_found")


async def test_a_tenant_has_so_many_under_way_and_no_more(
    definitions: RunningService, client: httpx2.AsyncClient, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definitions.context, "settings", definitions.context.settings.model_copy(update={"answer_wait_s": 0}))
    await client.post(PATH, json=definition())
    asked = [(await client.post(f"{PATH}/greet/backtest", json=SPAN)) for _ in range(6)]
    assert [one.status_code for one in asked] == [202, 202, 202, 202, 202, 409]
    assert asked[-1].json()["code"] == "backtests_open"
    question = await asked_of(definitions, tenant)
    await tell(definitions, TriggersBacktested(question_id=question.question_id, result=RESULT), tenant=tenant)
    assert (await client.post(f"{PATH}/greet/backtest", json=SPAN)).status_code == 202
