"""Rules, tried over HTTP: what is asked of the engine, and what is said of its answer in the words of the rule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from weft_contracts.questions import DefinitionSimulated, Problem, SimulateDefinition
from weft_runtime.testing import RunningService, eventually, said, tell

from tests.services.definitions.test_rules import RULES, WORKFLOWS, created


@pytest.fixture
def client(definitions: RunningService, tenant: str) -> httpx2.AsyncClient:
    return definitions.client(tenant, ["editor"], sub="ada")


SIMULATION: dict[str, Any] = {
    "status": "completed",
    "triggers": [{"trigger": "rule", "matched": True, "reason": "matched", "detail": None, "condition": None}],
    "effects": [{"node": "action_1", "visit": 1, "type": "http.request", "with": {"url": "https://crm.example/hook", "body": {"a": 1}}}],
    "steps": [],
    "findings": [],
}
UNMATCHED = {
    **SIMULATION,
    "status": "unmatched",
    "effects": [],
    "triggers": [{**SIMULATION["triggers"][0], "matched": False, "reason": "condition", "detail": "its condition is false"}],
}


@asynccontextmanager
async def answering(definitions: RunningService, tenant: str, **answer: Any) -> AsyncIterator[list[SimulateDefinition]]:
    """An engine that answers every question of a tenant. Gives what was asked."""
    asked: list[SimulateDefinition] = []

    async def next_one() -> SimulateDefinition | None:
        every = said(definitions, SimulateDefinition, tenant=tenant)
        return every[len(asked)] if len(every) > len(asked) else None

    async def answer_all() -> None:
        while True:
            asked.append(await eventually(next_one, "a question"))
            await tell(definitions, DefinitionSimulated(question_id=asked[-1].question_id, **answer), tenant=tenant)

    task = asyncio.create_task(answer_all())
    try:
        yield asked
    finally:
        task.cancel()


async def test_a_test_asks_the_engine_of_the_draft_and_says_what_would_be_done(
    definitions: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    await created(client)
    async with answering(definitions, tenant, simulation=SIMULATION) as asked:
        body = {"record": {"id": 7, "status": "approved", "total": 100}, "old": {"id": 7, "status": "open", "total": 100}}
        answer = await client.post("/api/v1/rules/approved/test", json=body)
    told = answer.json()
    assert (answer.status_code, told["matched"], told["why"], told["workflow_version"]) == (200, True, [], 1)
    assert [(one["pointer"], one["type"], one["held"]) for one in told["conditions"]] == [
        ("/trigger/field_conditions/status", "field_conditions", True),
        ("/conditions/0", "field_value", True),
    ]
    (action,) = told["actions"]
    assert (action["pointer"], action["done"], action["to"]) == ("/actions/0", True, "https://crm.example/hook")
    assert action["with"]["body"] == {"a": 1}
    (question,) = asked
    assert question.definition == (await client.get(f"{WORKFLOWS}/approved")).json()["definition"]
    assert (question.event["type"], question.event["source"]) == ("record.orders.update", "weft/records/test")
    data = question.event["data"]
    assert (data["table"], data["key"], data["changed"], data["old"]["status"]) == ("orders", {"id": 7}, ["status"], "open")


async def test_a_test_that_does_not_match_says_which_conditions_do_not_hold(
    definitions: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    await created(client)
    async with answering(definitions, tenant, simulation=UNMATCHED):
        told = (await client.post(f"{RULES}/approved/test", json={"record": {"status": "approved", "total": 5}})).json()
    assert (told["matched"], told["status"], told["why"]) == (False, "unmatched", ["/conditions/0 (field_value) does not hold"])
    assert [one["done"] for one in told["actions"]] == [False]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "one_of"),
        ({"event": {}, "record": {}}, "one_of"),
        ({"event": {}, "old": {}}, "one_of"),
        ({"event": {"id": ""}}, "invalid"),
        ({"event": {"data": {}, "time": "yesterday"}}, "invalid"),
    ],
)
async def test_a_sample_that_is_none_is_refused(client: httpx2.AsyncClient, body: dict[str, Any], code: str) -> None:
    await created(client)
    answer = await client.post(f"{RULES}/approved/test", json=body)
    assert answer.status_code == 422, answer.text
    assert all(one["pointer"].startswith(("/event", "/old")) for one in answer.json()["errors"])
    assert code in {answer.json()["code"], *(one["code"] for one in answer.json()["errors"])}


async def test_what_the_engine_refuses_is_told(definitions: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await created(client)
    problem = Problem(code="simulation_too_large", detail="try it with a smaller event")
    async with answering(definitions, tenant, problem=problem):
        answer = await client.post(f"{RULES}/approved/test", json={"record": {}})
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (422, "simulation_too_large", problem.detail)


async def test_nobody_waits_for_ever_for_an_engine_that_is_away(
    definitions: RunningService, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await created(client)
    monkeypatch.setattr(definitions.context, "settings", definitions.context.settings.model_copy(update={"answer_wait_s": 0}))
    answer = await client.post(f"{RULES}/approved/test", json={"record": {}})
    assert (answer.status_code, answer.json()["code"], "retry-after" in answer.headers) == (503, "unanswered", True)
