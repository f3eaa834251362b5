"""The log of a rule: each of its executions as success, failure or pending."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from weft_analytics.app import build
from weft_contracts.definitions import WorkflowChanged
from weft_runtime.testing import RunningService, running_service, tell

from tests.services.analytics.facts import START, life

TENANT = "ruled"


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url) as running:
        await tell(running, WorkflowChanged(slug="approved", name="n", revision=1, status="active", active_version=1), tenant=TENANT)
        for place, end in enumerate(("completed", "failed", "cancelled", None)):
            facts = life(end, workflow="approved", at=START + timedelta(minutes=place), event_id=f"e-{place}")
            await tell(running, *facts, *life(workflow="other"), tenant=TENANT)
        yield running


async def log(service: RunningService, **query: Any) -> Any:
    answer = await service.client(TENANT, ["viewer"]).get("/api/v1/rules/approved/log", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_a_rule_did_is_success_failure_or_pending(service: RunningService) -> None:
    items = (await log(service))["items"]
    assert [(one["trigger_event_id"], one["status"], one["result"]["status"]) for one in items] == [
        ("e-3", "pending", "running"),
        ("e-2", "failure", "cancelled"),
        ("e-1", "failure", "failed"),
        ("e-0", "success", "completed"),
    ]
    assert {one["workflow_id"] for one in items} == {"approved"}
    assert [one["error"]["code"] for one in items if one["error"]] == ["boom"]
    assert (items[-1]["executed_at"], items[-1]["result"]["duration_ms"]) == ("2026-01-05T08:30:00Z", 1500)


async def test_the_log_is_filtered_and_comes_in_pages(service: RunningService) -> None:
    assert [one["trigger_event_id"] for one in (await log(service, status="failure"))["items"]] == ["e-2", "e-1"]
    assert [one["trigger_event_id"] for one in (await log(service, status="success,pending"))["items"]] == ["e-3", "e-0"]
    first = await log(service, limit=3)
    assert [one["trigger_event_id"] for one in (await log(service, limit=3, cursor=first["next_cursor"]))["items"]] == ["e-0"]


async def test_a_rule_that_nobody_heard_of_has_no_log(service: RunningService) -> None:
    answer = await service.client("stranger", ["admin"]).get("/api/v1/rules/approved/log")
    assert answer.status_code == 404
