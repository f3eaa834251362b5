"""Alerts: rules watch for what is wrong, each cause is told once and is over by itself; on a real database, through both doors."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from weft_analytics import alerting
from weft_analytics.app import build
from weft_analytics.store import duties
from weft_analytics.tables import alerts as table
from weft_analytics.usecases import alerts
from weft_contracts.alerts import AlertRaised, AlertResolved
from weft_contracts.service_levels import ExecutionSlaSet
from weft_runtime.testing import RunningService, running_service, said, tell

from tests.services.analytics.facts import life

HOLDER = UUID(int=5)
OTHER = UUID(int=6)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    # The service's own loop finds the duty taken and changes nothing: here a test looks, when it is time to.
    async with running_service(build, database_url) as running:
        async with running.context.owner_transaction() as uow:
            taken = "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until"
            mine = sa.text(f"INSERT INTO analytics.duties VALUES (:name, :holder, now() + interval '1 day') {taken}")
            await uow.conn.execute(mine, {"name": alerting.DUTY, "holder": HOLDER})
        yield running


async def rule(service: RunningService, tenant: str, status: int = 201, **body: Any) -> Any:
    answer = await service.client(tenant, ["editor"], sub="ann").post("/api/v1/alerts/rules", json={"name": "r", **body})
    assert answer.status_code == status, answer.text
    return answer.json()


async def look(service: RunningService, tenant: str) -> None:
    async with service.context.owner_transaction(tenant) as uow:
        await alerts.look(uow)


async def listed(service: RunningService, tenant: str, **query: Any) -> list[dict[str, Any]]:
    answer = await service.client(tenant, ["viewer"]).get("/api/v1/alerts", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def ago(service: RunningService, **by: float) -> datetime:
    return service.clock.now() - timedelta(**by)


def told(service: RunningService, tenant: str) -> list[Any]:
    return [*said(service, AlertRaised, tenant=tenant), *said(service, AlertResolved, tenant=tenant)]


async def test_failures_raise_one_alert_that_is_over_when_they_are_long_ago(service: RunningService) -> None:
    made = await rule(service, "failures", kind="failed", failed={"count": 2, "within": "PT10M"}, severity="critical")
    first = life("failed", at=ago(service, minutes=2))
    await tell(service, *first, *life("completed", at=ago(service, minutes=2)), tenant="failures")
    await look(service, "failures")
    assert await listed(service, "failures") == []
    second = life("timed_out", at=ago(service, minutes=1))
    await tell(service, *second, tenant="failures")
    for _ in range(2):
        await look(service, "failures")
    (alert,) = await listed(service, "failures")
    assert {name: alert[name] for name in ("rule_id", "kind", "workflow", "status", "severity", "allowed_actions")} == {
        "rule_id": made["id"], "kind": "failed", "workflow": "leave", "status": "open", "severity": "critical", "allowed_actions": ["ack"],
    }  # fmt: skip
    assert alert["details"] == {"failed": 2, "completed": 1, "executions": [str(second[0].execution_id), str(first[0].execution_id)]}
    assert alert["summary"] == "2 executions of leave failed in PT10M, 67% of those that ended"
    service.clock.advance(timedelta(minutes=20))
    await look(service, "failures")
    (over,) = await listed(service, "failures", status="resolved")
    assert (over["id"], over["status"], over["allowed_actions"]) == (alert["id"], "resolved", [])
    raised, resolved = told(service, "failures")
    assert (raised.type, str(raised.alert_id), raised.severity, raised.details["failed"]) == ("alert.raised", alert["id"], "critical", 2)
    assert (resolved.type, str(resolved.alert_id), resolved.reason) == ("alert.resolved", alert["id"], "over")


async def test_a_share_and_a_workflow_bound_what_a_rule_watches(service: RunningService) -> None:
    await rule(service, "shares", kind="failed", workflow="order", failed={"share": 0.5})
    at = ago(service, minutes=5)
    await tell(service, *life("failed", at=at), *life("failed", workflow="order", at=at), tenant="shares")
    await tell(service, *life(workflow="order", at=at), *life(workflow="order", at=at), tenant="shares")
    await look(service, "shares")
    assert await listed(service, "shares") == []
    await tell(service, *life("failed", workflow="order", at=at), tenant="shares")
    await look(service, "shares")
    assert [one["workflow"] for one in await listed(service, "shares")] == ["order"]


async def test_what_runs_without_a_sign_is_stuck_and_what_waits_is_not(service: RunningService) -> None:
    await rule(service, "stuck", kind="stuck", stuck={"after": "1h"})
    silent, resumed, late = uuid4(), uuid4(), ago(service, hours=2)
    await tell(service, *life(None, id=silent, at=late), *life(None, waits=1, at=late), *life(at=late), tenant="stuck")
    woke = life("completed", id=resumed, at=late, waits=1)[:3]
    woke[2] = woke[2].model_copy(update={"at": ago(service, minutes=5)})
    await tell(service, *woke, tenant="stuck")
    await look(service, "stuck")
    (alert,) = await listed(service, "stuck", kind="stuck")
    assert alert["details"] == {"stuck": 1, "executions": [str(silent)]}
    await tell(service, life("completed", id=silent, at=late)[-1], tenant="stuck")
    await look(service, "stuck")
    assert [one["status"] for one in await listed(service, "stuck")] == ["resolved"]


async def test_what_should_have_ended_by_its_sla_is_overdue(service: RunningService) -> None:
    await rule(service, "overdue", kind="overdue")
    late, soon = life(None, at=ago(service, hours=3)), life(None, at=ago(service, hours=3))
    for facts, due in ((late, ago(service, hours=1)), (soon, ago(service, hours=-1))):
        about = {"execution_id": facts[0].execution_id, "workflow": "leave", "workflow_version": 3, "at": facts[0].at, "position": 0}
        await tell(service, *facts, ExecutionSlaSet(**about, due_at=due, warn_at=due), tenant="overdue")
    await look(service, "overdue")
    (alert,) = await listed(service, "overdue", workflow="leave")
    assert alert["details"] == {"overdue": 1, "executions": [str(late[0].execution_id)]}


async def test_what_takes_too_long_is_slow(service: RunningService) -> None:
    await rule(service, "slow", kind="slow", slow={"over": "PT5S", "percentile": "p50", "count": 2})
    at = ago(service, minutes=5)
    await tell(service, *life(at=at, took_ms=9000), tenant="slow")
    await look(service, "slow")
    assert await listed(service, "slow") == []
    await tell(service, *life(at=at, took_ms=9000), *life(workflow="fast", at=at), *life(workflow="fast", at=at), tenant="slow")
    await look(service, "slow")
    (alert,) = await listed(service, "slow")
    assert (alert["workflow"], alert["details"]["p50_ms"], alert["details"]["completed"]) == ("leave", pytest.approx(9000, rel=0.045), 2)


async def test_who_has_seen_an_alert_stays_the_first_and_what_is_over_cannot_be_acknowledged(service: RunningService) -> None:
    made = await rule(service, "seen", kind="failed")
    await tell(service, *life("failed", at=ago(service, minutes=1)), tenant="seen")
    await look(service, "seen")
    (alert,) = await listed(service, "seen", status="open")
    path = f"/api/v1/alerts/{alert['id']}"
    for who, note in (("eve", "on it"), ("bob", None)):
        answer = await service.client("seen", ["editor"], sub=who).post(f"/api/v1/alerts/{alert['id']}/ack", json={"note": note})
        assert (answer.status_code, answer.json()["acknowledged_by"], answer.json()["note"]) == (200, "eve", "on it")
    assert [one["id"] for one in await listed(service, "seen", status="acknowledged")] == [alert["id"]]
    client = service.client("seen", ["editor"])
    assert (await client.delete(f"/api/v1/alerts/rules/{made['id']}")).status_code == 204
    await look(service, "seen")
    again = await client.post(f"{path}/ack")
    assert (again.status_code, again.json()["code"]) == (409, "alert_resolved")
    assert told(service, "seen")[-1].reason == "rule_changed"
    assert (await client.get(path)).json()["status"] == "resolved"
    assert (await service.client("elsewhere").get(path)).status_code == 404


async def test_rules_are_read_changed_and_removed(service: RunningService) -> None:
    made = await rule(service, "rules", kind="stuck", workflow="leave")
    assert (made["stuck"], made["failed"], made["enabled"], made["version"], made["created_by"]) == (
        {"count": 1, "after": "PT1H"}, None, True, 1, "ann",
    )  # fmt: skip
    client = service.client("rules", ["editor"], sub="eve")
    path = f"/api/v1/alerts/rules/{made['id']}"
    changed = await client.put(path, json={"name": "other", "kind": "overdue", "enabled": False}, headers={"If-Match": '"1"'})
    shown = changed.json()
    assert (changed.status_code, shown["stuck"], shown["overdue"], shown["version"], shown["updated_by"]) == (
        200,
        None,
        {"count": 1},
        2,
        "eve",
    )
    assert (await client.put(path, json={"name": "x", "kind": "failed"}, headers={"If-Match": '"1"'})).status_code == 412
    assert [one["name"] for one in (await client.get("/api/v1/alerts/rules")).json()["items"]] == ["other"]
    assert (await client.get(path)).headers["etag"] == '"2"'
    assert (await service.client("elsewhere", ["editor"]).get(path)).status_code == 404
    assert (await client.delete(path)).status_code == 204
    gone = await client.get(path)
    assert (gone.status_code, gone.json()["code"]) == (404, "alert_rule_not_found")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "costly"}, None), ({"kind": "slow"}, None), ({"kind": "failed", "stuck": {}}, None),
        ({"kind": "failed", "failed": {"within": "2 days"}}, None), ({"kind": "failed", "failed": {"within": "P2D"}}, None),
        ({"kind": "failed", "failed": {"count": 0}}, None), ({"kind": "loud"}, None), ({"kind": "stuck", "more": 1}, None),
    ],
)  # fmt: skip
async def test_a_rule_that_could_not_be_watched_is_refused(service: RunningService, body: dict[str, Any], code: str | None) -> None:
    refused = await rule(service, "refused", 422, **body)
    assert code is None or refused["code"] == code
    assert code is not None or refused["errors"]


async def test_who_may_only_read_watches_nothing(service: RunningService) -> None:
    viewer = service.client("seen", ["viewer"])
    assert (await viewer.post("/api/v1/alerts/rules", json={"name": "x", "kind": "failed"})).status_code == 403
    assert (await viewer.post(f"/api/v1/alerts/{uuid4()}/ack")).status_code == 403
    assert (await service.anonymous().get("/api/v1/alerts")).status_code == 401
    assert (await service.client("seen", ["nobody"]).get("/api/v1/alerts/rules")).status_code == 403


async def test_one_process_looks_at_a_time_and_another_follows_who_is_gone(service: RunningService) -> None:
    await rule(service, "lease", kind="failed")
    await tell(service, *life("failed", at=ago(service, minutes=1)), tenant="lease")
    assert not await alerting.look(service.context, OTHER)
    assert await listed(service, "lease") == []
    assert await alerting.look(service.context, HOLDER)
    (alert,) = await listed(service, "lease")
    async with service.context.owner_transaction() as uow:
        await uow.conn.execute(sa.text("UPDATE analytics.duties SET until = now() - interval '1 second'"))
        taken = await duties.take(uow, alerting.DUTY, OTHER, timedelta(days=1))
    assert taken
    assert await alerting.look(service.context, OTHER)
    assert not await alerting.look(service.context, HOLDER)
    assert [one["id"] for one in await listed(service, "lease")] == [alert["id"]]
    metrics = service.context.metrics.exposition().decode()
    assert 'weft_alerts_raised_total{kind="failed"}' in metrics
    assert "weft_alerts_looking 0.0" in metrics
    async with service.context.owner_transaction() as uow:
        await uow.conn.execute(sa.text("UPDATE analytics.duties SET holder = :mine"), {"mine": HOLDER})


async def test_alerts_are_kept_for_a_while_after_they_are_over(service: RunningService) -> None:
    made = await rule(service, "kept", kind="failed")
    await tell(service, *life("failed", at=ago(service, minutes=1)), tenant="kept")
    await look(service, "kept")
    await service.client("kept", ["editor"]).delete(f"/api/v1/alerts/rules/{made['id']}")
    await look(service, "kept")
    async with service.context.owner_transaction() as uow:
        await alerts.forget(timedelta(days=1), uow)
        assert (await uow.conn.execute(sa.select(sa.func.count()).where(table.c.tenant_id == "kept"))).scalar_one() == 1
    service.clock.advance(timedelta(days=2))
    async with service.context.owner_transaction() as uow:
        await alerts.forget(timedelta(days=1), uow)
    assert await listed(service, "kept") == []
