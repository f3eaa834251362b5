"""Looking ahead, and at tenants beside each other: the pure forecast, and both at the door on a real database."""

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_analytics.app import build
from weft_analytics.domain import Fact
from weft_analytics.forecast import INSIDE, NEEDED, SEASONS, forecast
from weft_contracts.ai import AiCalled
from weft_runtime.testing import RunningService, running_service, tell

from tests.services.analytics.facts import life

WEEK = SEASONS["week"]


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url) as running:
        yield running


def weekly(hour: int) -> int:
    """Busy by day, idle at the weekend."""
    return 0 if hour % WEEK >= 5 * 24 else 10 + 5 * (8 <= hour % 24 < 18)


def chance(weeks: int, seed: int = 7) -> list[int]:
    """The same, where each start comes by chance."""
    chosen = random.Random(seed)
    return [sum(chosen.random() < 0.01 for _ in range(100 * weekly(hour))) for hour in range(weeks * WEEK)]


def test_what_repeats_each_week_is_told_exactly_and_without_an_error() -> None:
    found = forecast([weekly(hour) for hour in range(4 * WEEK)], 48)
    assert (found.season, [one.expected for one in found.hours]) == ("week", [float(weekly(hour)) for hour in range(48)])
    assert found.error is not None
    assert (found.error.mae, found.error.mase, found.error.coverage, found.error.hours) == (0.0, None, 1.0, 2 * WEEK)


def test_of_what_comes_by_chance_the_mean_is_nearer_than_the_week_before_and_the_interval_keeps_its_word() -> None:
    found = forecast(chance(8), WEEK)
    assert (found.method, found.error is not None) == ("seasonal_mean", True)
    assert found.error is not None and found.error.mase is not None
    assert found.error.mase < 0.9
    assert found.error.coverage == pytest.approx(INSIDE, abs=0.08)
    after = chance(9)[8 * WEEK :]
    inside = sum(one.low <= was <= one.high for one, was in zip(found.hours, after, strict=True)) / WEEK
    assert inside == pytest.approx(INSIDE, abs=0.1)


def test_after_a_change_the_week_before_alone_is_repeated() -> None:
    weeks = [1, 2, 4, 8, 16, 32]
    found = forecast([times * weekly(hour) for times in weeks for hour in range(WEEK)], 24)
    assert (found.method, found.hours[10].expected) == ("seasonal_naive", 32.0 * weekly(10))
    assert found.error is not None and found.error.mase == 1.0


def test_days_are_repeated_where_weeks_are_too_few_and_nothing_is_told_of_less_than_three_days() -> None:
    history = [hour % 24 for hour in range(NEEDED * 24)]
    found = forecast(history, 100)
    assert (found.season, len(found.hours), found.hours[5].expected) == ("day", 24, 5.0)
    nothing = forecast(history[1:], 24)
    assert (nothing.season, nothing.method, nothing.error, list(nothing.hours)) == (None, None, None, [])


@given(st.lists(st.integers(0, 1000), max_size=NEEDED * WEEK + 50), st.integers(1, WEEK))
def test_a_forecast_is_within_its_interval_and_never_below_nothing(history: list[int], ahead: int) -> None:
    found = forecast(history, ahead)
    for one in found.hours:
        assert 0 <= one.low <= one.expected <= one.high
        assert one.expected <= max(history)
    if found.error is not None:
        assert found.error.mase is None or 0 <= found.error.mase <= 1
        assert 0 <= found.error.coverage <= 1
    assert len(found.hours) == (0 if found.season is None else min(ahead, SEASONS[found.season]))


def starts(begins: datetime, hours: int, workflow: str = "leave") -> list[Fact]:
    """Two executions in each hour, and a third in every hour of a day's second half."""
    return [
        fact
        for hour in range(hours)
        for _ in range(2 + (hour % 24 >= 12))
        for fact in life(at=begins + timedelta(hours=hour, minutes=1), workflow=workflow)
    ]


async def test_a_forecast_tells_its_error_and_why_there_is_none(service: RunningService) -> None:
    now = service.clock.now()
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    await tell(service, *starts(this_hour - timedelta(hours=96), 96), *starts(this_hour - timedelta(hours=5), 5, "new"), tenant="ahead")

    async def shown(**query: Any) -> Any:
        answer = await service.client("ahead", ["viewer"]).get("/api/v1/analytics/forecast", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    found = await shown(workflow="leave")
    assert (found["history_hours"], found["season"], found["reason"], found["interval"]) == (96, "day", None, 0.8)
    assert found["error"] == {"mae": 0.0, "mase": None, "coverage": 1.0, "hours": 48}
    assert [one["expected"] for one in found["hours"]] == [2.0] * 12 + [3.0] * 12
    assert datetime.fromisoformat(found["hours"][0]["at"]) == this_hour
    assert len((await shown(hours=3))["hours"]) == 3
    young = await shown(workflow="new")
    assert (young["season"], young["method"], young["error"], young["hours"]) == (None, None, None, [])
    assert young["reason"] == "72 whole hours since the first start are needed, and there are 5"
    client = service.client("ahead", ["viewer"])
    assert (await client.get("/api/v1/analytics/forecast", params={"workflow": "nothing"})).json()["code"] == "workflow_not_found"
    assert (await client.get("/api/v1/analytics/forecast", params={"hours": 169})).status_code == 422
    assert (await service.anonymous().get("/api/v1/analytics/forecast")).status_code == 401


async def test_operators_alone_see_tenants_beside_each_other(service: RunningService) -> None:
    at = service.clock.now() - timedelta(hours=2)
    for tenant, ends in (("big", ("completed", "completed", "failed")), ("small", ("completed",))):
        await tell(service, *(fact for end in ends for fact in life(end, at=at)), tenant=tenant)
    call = AiCalled(
        call_id=uuid4(), execution_id=uuid4(), workflow="leave", node="n", action="ai.generate", connection="c", provider="openai",
        model="m", outcome="answered", cost="1.5", at=service.clock.now(),
    )  # fmt: skip
    await tell(service, call, tenant="asks")
    answer = await service.client("anywhere", ["operator"]).get("/api/v1/analytics/tenants")
    assert answer.status_code == 200, answer.text
    found = {one["tenant"]: one for one in answer.json()["items"]}
    assert (found["big"]["executions"]["total"], found["big"]["executions"]["failed"], found["big"]["success_rate"]) == (3, 1, 0.6667)
    assert (found["small"]["executions"]["total"], found["small"]["success_rate"], found["small"]["ai"]) == (
        1,
        1.0,
        {"calls": 0, "cost": 0},
    )
    assert (found["asks"]["executions"]["total"], found["asks"]["success_rate"], found["asks"]["ai"]) == (
        0,
        None,
        {"calls": 1, "cost": 1.5},
    )
    order = [one["tenant"] for one in answer.json()["items"]]
    assert order.index("big") < order.index("small") < order.index("asks")
    span = {"from": (at + timedelta(hours=1)).isoformat()}
    later = (await service.client("anywhere", ["operator"]).get("/api/v1/analytics/tenants", params=span)).json()["items"]
    assert "small" not in {one["tenant"] for one in later}
    for role in ("admin", "editor", "viewer"):
        assert (await service.client("big", [role]).get("/api/v1/analytics/tenants")).status_code == 403
    assert (await service.client("big", ["operator"]).get("/api/v1/analytics/tenants", params={"from": "x"})).status_code == 422
