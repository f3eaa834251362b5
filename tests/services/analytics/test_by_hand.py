"""Executions that completed without anybody's having retried them are told apart, in whatever order that is heard."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from weft_analytics.app import build
from weft_analytics.domain import Fact
from weft_contracts.executions import ExecutionCompleted, ExecutionResumed
from weft_runtime.testing import RunningService, running_service, tell

from tests.services.analytics.facts import START, life

SPAN = {"from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z", "bucket": "hour"}


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url) as running:
        yield running


def retried() -> list[Fact]:
    """The facts of an execution that failed, was retried by somebody and completed."""
    start, failed = life("failed", id=uuid4())
    same = {"execution_id": start.execution_id, "workflow": "leave", "workflow_version": 3}
    resumed = ExecutionResumed(**same, position=10, at=START + timedelta(minutes=5), by="ann", retried=True)
    completed = ExecutionCompleted(**same, position=12, at=START + timedelta(minutes=6), started_at=START, duration_ms=360_000)
    return [start, failed, resumed, completed]


async def test_what_somebody_had_to_retry_completed_but_not_unaided(service: RunningService) -> None:
    async def rates(tenant: str) -> tuple[float | None, float | None]:
        answer = await service.client(tenant, ["viewer"]).get("/api/v1/analytics/overview", params=SPAN)
        assert answer.status_code == 200, answer.text
        return answer.json()["success_rate"], answer.json()["unaided_rate"]

    await tell(service, *life(), *life("failed"), *retried(), tenant="rates")
    assert await rates("rates") == (0.6667, 0.3333)
    for number, order in enumerate(list(permutations(range(4)))[::4]):
        facts = retried()
        for place in order:
            await tell(service, facts[place], facts[place], tenant=f"order-{number}")
        assert await rates(f"order-{number}") == (1.0, 0.0), order
    paused = [fact.model_copy(update={"retried": False}) if isinstance(fact, ExecutionResumed) else fact for fact in retried()]
    await tell(service, *paused, tenant="paused")
    assert await rates("paused") == (1.0, 1.0)
    assert await rates("nothing") == (None, None)
