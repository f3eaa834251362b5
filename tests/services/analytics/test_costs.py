"""What models cost, budgets, and what both are watched for: on a real database, through both doors."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from weft_analytics import alerting, costs
from weft_analytics.app import build
from weft_analytics.usecases import alerts
from weft_analytics.usecases import costs as verbs
from weft_contracts.ai import AiCalled, BudgetChanged, first_day
from weft_contracts.alerts import AlertRaised, AlertResolved
from weft_contracts.definitions import WorkflowChanged
from weft_runtime.testing import RunningService, running_service, said, tell

HOLDER = UUID(int=5)
BEGAN = datetime.fromisoformat("1990-01-01")
"""Without a zone, as hypothesis takes its bounds."""
NUMBERS = ("calls", "answered", "failed", "unanswered", "cached", "refused", "repairs", "unpriced", "input_tokens", "output_tokens", "cost")


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    # The service's own loop finds the duty taken and changes nothing: here a test looks, when it is time to.
    async with running_service(build, database_url) as running:
        async with running.context.owner_transaction() as uow:
            taken = "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until"
            mine = sa.text(f"INSERT INTO analytics.duties VALUES (:name, :holder, now() + interval '1 day') {taken}")
            await uow.conn.execute(mine, {"name": alerting.DUTY, "holder": HOLDER})
        yield running


def called(service: RunningService, cost: str | None = "0.5", *, ago: timedelta = timedelta(), **more: Any) -> AiCalled:
    given: dict[str, Any] = {
        "call_id": uuid4(), "execution_id": uuid4(), "workflow": "sort", "node": "n", "action": "ai.classify", "connection": "brain",
        "provider": "openai", "model": "small", "outcome": "answered", "input_tokens": 10, "output_tokens": 5, "took_ms": 1000,
        "cost": None if cost is None else Decimal(cost), "at": service.clock.now() - ago,
    }  # fmt: skip
    return AiCalled(**given | more)


async def known(service: RunningService, tenant: str, *slugs: str) -> None:
    words = [WorkflowChanged(slug=slug, name=slug, revision=1, status="active", active_version=1, definition={}) for slug in slugs]
    await tell(service, *words, tenant=tenant)


async def shown(service: RunningService, tenant: str, path: str, **query: Any) -> Any:
    answer = await service.client(tenant, ["viewer"]).get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def kept(service: RunningService, tenant: str, status: int = 201, **body: Any) -> Any:
    answer = await service.client(tenant, ["admin"], sub="ann").post("/api/v1/budgets", json={"limit": 10, **body})
    assert answer.status_code == status, answer.text
    return answer.json()


async def look(service: RunningService, tenant: str) -> None:
    async with service.context.owner_transaction(tenant) as uow:
        await alerts.look(uow)


async def test_costs_are_told_by_day_workflow_node_model_and_connection_and_each_call_counts_once(service: RunningService) -> None:
    await known(service, "told", "sort", "write")
    first = called(service, ago=timedelta(days=1))
    calls = [
        first,
        called(service, "1.25", workflow="write", model="large", took_ms=4000, repair=True),
        called(service, None, outcome="answered"),
        called(service, "0.75", outcome="unanswered", code="ai_timeout"),
        called(service, "0", outcome="cached", input_tokens=0, output_tokens=0),
        called(service, "0", outcome="refused", input_tokens=0, output_tokens=0),
        called(service, "0", outcome="failed", code="ai_unavailable", connection="spare", input_tokens=0, output_tokens=0),
    ]
    await tell(service, *calls, tenant="told")
    await tell(service, first, first, tenant="told")
    await tell(service, called(service, "9"), tenant="beside")
    found = await shown(service, "told", "/analytics/costs")
    assert [found["total"][name] for name in NUMBERS] == [5, 3, 1, 1, 1, 1, 1, 1, 40, 20, 2.5]
    today = service.clock.now().date()
    assert (found["to"], found["currency"]) == (today.isoformat(), "USD")
    assert [(one["day"], one["cost"]) for one in found["days"]] == [
        ((today - timedelta(days=1)).isoformat(), 0.5),
        (today.isoformat(), 2.0),
    ]
    assert [(one["workflow"], one["cost"]) for one in found["workflows"]] == [("sort", 1.25), ("write", 1.25)]
    assert [(one["workflow"], one["node"], one["calls"]) for one in found["nodes"]] == [("sort", "n", 4), ("write", "n", 1)]
    assert [(one["provider"], one["model"], one["cost"]) for one in found["models"]] == [
        ("openai", "large", 1.25),
        ("openai", "small", 1.25),
    ]
    assert [(one["connection"], one["failed"]) for one in found["connections"]] == [("brain", 0), ("spare", 1)]
    assert found["errors"] == [
        {"connection": "brain", "code": "ai_timeout", "calls": 1}, {"connection": "spare", "code": "ai_unavailable", "calls": 1},
    ]  # fmt: skip
    assert found["latency_ms"]["p99"] == pytest.approx(4000, rel=0.045)


async def test_more_calls_at_once_than_a_statement_takes_are_all_counted(service: RunningService) -> None:
    await tell(service, *(called(service, "0.000000000001", execution_id=HOLDER) for _ in range(2200)), tenant="many")
    total = (await shown(service, "many", "/analytics/costs"))["total"]
    assert (total["calls"], total["cost"], total["input_tokens"]) == (2200, 2.2e-09, 22_000)


async def test_costs_are_asked_for_by_span_workflow_model_and_connection(service: RunningService) -> None:
    await known(service, "spans", "sort", "write")
    old, new = called(service, "1", ago=timedelta(days=40)), called(service, "2", workflow="write", model="large", connection="spare")
    await tell(service, old, new, tenant="spans")

    async def cost(**query: Any) -> float:
        return float((await shown(service, "spans", "/analytics/costs", **query))["total"]["cost"])

    day = old.at.date().isoformat()
    assert (await cost(), await cost(**{"from": day}), await cost(**{"from": day, "to": day})) == (2, 3, 1)
    assert (await cost(workflow="write"), await cost(model="small"), await cost(connection="spare"), await cost(workflow="sort")) == (
        2,
        0,
        2,
        0,
    )
    client = service.client("spans", ["viewer"])
    assert (await client.get("/api/v1/analytics/costs", params={"workflow": "nothing"})).json()["code"] == "workflow_not_found"
    for bad in ({"from": "x"}, {"from": "2026-02-01", "to": "2026-01-01"}, {"from": "2020-01-01"}, {"workflow": ""}):
        assert (await client.get("/api/v1/analytics/costs", params=bad)).status_code == 422
    assert (await service.client("spans", ["nobody"]).get("/api/v1/analytics/costs")).status_code == 403
    async with service.context.owner_transaction() as uow:
        await verbs.forget(timedelta(days=39), uow)
    assert await cost(**{"from": day}) == 2


async def test_a_budget_is_made_changed_said_to_the_engine_and_shown_as_it_stands(service: RunningService) -> None:
    await known(service, "keeps", "sort")
    made = await kept(
        service, "keeps", workflow="sort", period="day", limit=0.1, alerts_at=[0.9, 0.5, 0.5], saving={"from": 0.5, "tier": "free"}
    )
    assert (made["alerts_at"], made["saving"], made["version"], made["current"]["left"]) == (
        [0.5, 0.9],
        {"from": 0.5, "tier": "free"},
        1,
        0.1,
    )
    everything = await kept(service, "keeps", limit=7)
    assert (everything["workflow"], everything["period"], everything["hard"], everything["alerts_at"]) == (None, "month", True, [0.8])
    await tell(service, called(service, "0.25"), called(service, "0.25", workflow="other"), tenant="keeps")
    changed = await kept(service, "keeps", 200, workflow="sort", period="day", limit=0.5, hard=False)
    assert (changed["id"], changed["version"], changed["saving"], changed["updated_by"]) == (made["id"], 2, None, "ann")
    listed = (await shown(service, "keeps", "/budgets"))["items"]
    assert [(one["workflow"], one["limit"], one["current"]["spent"], one["current"]["share"]) for one in listed] == [
        ("sort", 0.5, 0.25, 0.5), (None, 7.0, 0.5, 0.0714),
    ]  # fmt: skip
    first, _, third = said(service, BudgetChanged, tenant="keeps")
    assert (str(first.budget_id), first.limit, first.saving_tier, first.by) == (made["id"], Decimal("0.1"), "free", "ann")
    assert (third.budget_id, third.revision, third.hard) == (first.budget_id, 2, False)
    deeds = (await service.client("keeps", ["admin"]).get("/api/v1/audit", params={"resource_type": "budget"})).json()["items"]
    assert [(one["action"], one["actor"]) for one in deeds] == [
        ("budget.changed", "ann"),
        ("budget.created", "ann"),
        ("budget.created", "ann"),
    ]


async def test_what_is_no_budget_is_refused_with_where_and_who_may_make_one_is_bounded(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = service.client("refused", ["admin"])
    for body, pointer in (
        ({}, "/limit"), ({"limit": 0}, "/limit"), ({"limit": 1, "period": "year"}, "/period"),
        ({"limit": 1, "alerts_at": [2]}, "/alerts_at/0"),
        ({"limit": 1, "workflow": "nothing"}, "/workflow"), ({"limit": 1, "saving": {"from": 0.5, "tier": "enterprise"}}, "/saving/tier"),
        ({"limit": 1, "other": 1}, "/other"),
    ):  # fmt: skip
        answer = await client.post("/api/v1/budgets", json=body)
        assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, [pointer]), answer.text
    for role, status in (("editor", 403), ("viewer", 403), ("operator", 201)):
        assert (await service.client("refused", [role]).post("/api/v1/budgets", json={"limit": 1})).status_code == status
    monkeypatch.setattr(verbs, "BUDGETS_MOST", 1)
    answer = await client.post("/api/v1/budgets", json={"limit": 1, "period": "day"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_budgets")


async def test_a_budget_raises_an_alert_at_each_share_and_all_are_over_with_its_period(service: RunningService) -> None:
    await known(service, "alarms", "sort")
    await kept(service, "alarms", workflow="sort", period="day", limit=1, alerts_at=[0.5])
    await tell(service, called(service, "0.4"), tenant="alarms")
    await look(service, "alarms")
    assert (await shown(service, "alarms", "/alerts"))["items"] == []
    await tell(service, called(service, "0.2"), called(service, "5", workflow="other"), tenant="alarms")
    for _ in range(2):
        await look(service, "alarms")
    (half,) = (await shown(service, "alarms", "/alerts", kind="budget"))["items"]
    assert (half["workflow"], half["severity"], half["details"]["spent"], half["details"]["share"]) == ("sort", "warning", 0.6, 0.5)
    assert half["summary"] == "0.60 of 1.00 US dollars are spent that models may cost sort in this day"
    await tell(service, called(service, "0.6"), tenant="alarms")
    await look(service, "alarms")
    assert {one["severity"] for one in (await shown(service, "alarms", "/alerts"))["items"]} == {"warning", "critical"}
    service.clock.advance(timedelta(days=1))
    await look(service, "alarms")
    assert (await shown(service, "alarms", "/alerts", status="open"))["items"] == []
    assert len(said(service, AlertRaised, tenant="alarms")) == 2
    assert [one.reason for one in said(service, AlertResolved, tenant="alarms")] == ["over", "over"]
    await tell(service, called(service, "0.7"), tenant="alarms")
    await look(service, "alarms")
    assert len((await shown(service, "alarms", "/alerts", status="open"))["items"]) == 1


async def test_a_costly_rule_tells_which_executions_cost_the_most(service: RunningService) -> None:
    client = service.client("costly", ["editor"])
    assert (await client.post("/api/v1/alerts/rules", json={"name": "r", "kind": "costly"})).status_code == 422
    assert (await client.post("/api/v1/alerts/rules", json={"name": "r", "kind": "budget"})).status_code == 422
    rule = {"name": "Dear", "kind": "costly", "costly": {"over": 1, "within": "PT24H"}}
    made = (await client.post("/api/v1/alerts/rules", json=rule)).json()
    assert made["costly"] == {"over": 1.0, "within": "PT24H"}
    dear, cheap = uuid4(), uuid4()
    await tell(service, called(service, "0.9", execution_id=cheap), called(service, "5", ago=timedelta(days=2)), tenant="costly")
    await look(service, "costly")
    assert (await shown(service, "costly", "/alerts"))["items"] == []
    await tell(service, *(called(service, "0.6", execution_id=dear) for _ in range(2)), tenant="costly")
    await look(service, "costly")
    (alert,) = (await shown(service, "costly", "/alerts", kind="costly"))["items"]
    assert (alert["rule_id"], alert["workflow"]) == (made["id"], "sort")
    assert alert["details"] == {"cost": 2.1, "calls": 3, "executions": [str(dear), str(cheap)]}


@given(st.datetimes(timezones=st.just(UTC), min_value=BEGAN, max_value=BEGAN.replace(year=2100)), st.sampled_from(["day", "week", "month"]))
def test_a_moment_is_in_its_period_and_periods_follow_each_other(moment: datetime, period: Any) -> None:
    begins, ends = costs.period_of(period, moment)
    assert begins <= moment < ends
    assert costs.period_of(period, ends)[0] == ends
    assert first_day(period, moment.date()) == begins.date() and isinstance(begins.date(), date)
