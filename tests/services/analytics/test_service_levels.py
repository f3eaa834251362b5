"""How it stands with slas: on a real database, through both doors."""

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from weft_analytics.app import build
from weft_analytics.service_levels import Fact
from weft_contracts.executions import ExecutionsForgotten
from weft_contracts.service_levels import ExecutionSlaBreached, ExecutionSlaSet, ExecutionSlaWarned
from weft_runtime.testing import RunningService, running_service, tell

from tests.services.analytics.facts import START, life

DUE = START + timedelta(hours=2)
WARN = START + timedelta(hours=1)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url) as running:
        yield running


async def sla(service: RunningService, tenant: str, **query: Any) -> Any:
    answer = await service.client(tenant, ["viewer"]).get("/api/v1/analytics/sla", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def levels(id_: UUID, said: int, workflow: str = "leave", due: datetime = DUE) -> list[Fact]:
    """What is said of an sla: that it is set, that it is at risk, that it is broken; as many of these as `said`."""
    about: dict[str, Any] = {"execution_id": id_, "workflow": workflow, "workflow_version": 3, "at": START}
    facts: list[Fact] = [
        ExecutionSlaSet(**about, position=0, due_at=due, warn_at=WARN),
        ExecutionSlaWarned(**about, position=7, due_at=due),
        ExecutionSlaBreached(**about, position=8, due_at=due),
    ]
    return facts[:said]


async def told(service: RunningService, tenant: str, said: int, end: str | None, **more: Any) -> str:
    id_ = uuid4()
    workflow = more.get("workflow", "leave")
    await tell(service, *life(end, id=id_, workflow=workflow), *levels(id_, said, workflow, more.get("due", DUE)), tenant=tenant)
    return str(id_)


async def test_slas_are_counted_by_what_became_of_them_and_the_open_ones_are_shown(service: RunningService) -> None:
    tenant = "counted"
    late = await told(service, tenant, 3, None, due=DUE - timedelta(minutes=90))
    for said, end in ((1, "completed"), (2, "completed"), (3, "completed"), (1, "failed"), (2, "cancelled")):
        await told(service, tenant, said, end)
    soon = await told(service, tenant, 2, None, workflow="order")
    later = await told(service, tenant, 1, None, due=DUE + timedelta(days=1))
    await tell(service, *life(None, id=uuid4()), tenant=tenant)  # which has no sla
    shown = await sla(service, tenant)
    assert shown["totals"] == {"on_track": 1, "warned": 1, "breached": 2, "met": 2, "unmet": 2, "met_rate": 0.5}
    assert [(one["workflow"], one["met"], one["warned"], one["met_rate"]) for one in shown["workflows"]] == [
        ("leave", 2, 0, 0.5), ("order", 0, 1, None),
    ]  # fmt: skip
    assert [(one["execution_id"], one["status"], one["warn_at"]) for one in shown["open"]] == [
        (late, "breached", "2026-01-05T09:30:00Z"), (soon, "warned", "2026-01-05T09:30:00Z"), (later, "on_track", "2026-01-05T09:30:00Z"),
    ]  # fmt: skip
    assert [one["workflow"] for one in (await sla(service, tenant, workflow="order"))["workflows"]] == ["order"]
    assert len((await sla(service, tenant, limit=1))["open"]) == 1


async def test_facts_give_the_same_in_whatever_order_and_however_often_they_come(service: RunningService) -> None:
    id_ = uuid4()
    facts = levels(id_, 3)
    moved = facts[0].model_copy(update={"position": 6, "due_at": DUE + timedelta(hours=3), "warn_at": WARN + timedelta(hours=3)})
    said: list[Any] = [facts[0], moved, facts[1].model_copy(update={"due_at": DUE + timedelta(hours=3)}), *life(None, id=id_)]
    for seed in range(4):
        tenant = f"order-{seed}"
        mine = uuid4()
        mixed = [fact.model_copy(update={"execution_id": mine}) for fact in (*said, *said)]
        random.Random(seed).shuffle(mixed)
        for fact in mixed:
            await tell(service, fact, tenant=tenant)
        (one,) = (await sla(service, tenant))["open"]
        assert (one["status"], one["due_at"], one["warn_at"]) == ("warned", "2026-01-05T13:30:00Z", "2026-01-05T12:30:00Z")


async def test_an_sla_that_is_no_more_and_one_that_is_forgotten_are_not_counted(service: RunningService) -> None:
    gone, forgotten = uuid4(), uuid4()
    for id_ in (gone, forgotten):
        await tell(service, *life(None, id=id_), *levels(id_, 1), tenant="gone")
    none = ExecutionSlaSet(execution_id=gone, workflow="leave", workflow_version=4, at=START, position=9)
    await tell(service, none, ExecutionsForgotten(execution_ids=(forgotten,)), tenant="gone")
    shown = await sla(service, "gone")
    assert (shown["workflows"], shown["open"]) == ([], [])


async def test_the_span_is_of_starts_and_slas_are_the_tenants_own(service: RunningService) -> None:
    id_ = await told(service, "span", 1, None)
    before = await sla(service, "span", **{"to": "2026-01-05T08:00:00Z"})
    assert (before["workflows"], before["open"]) == ([], [])
    within = await sla(service, "span", **{"from": "2026-01-05T08:00:00", "to": "2026-01-05T09:00:00Z"})
    assert [one["execution_id"] for one in within["open"]] == [id_]
    assert (await sla(service, "elsewhere"))["open"] == []
    pieces = await sla(service, "span", **{"from": "2026-01-05T07:30:00Z", "to": "2026-01-05T10:00:00Z", "bucket": "hour"})
    counted = [(one["at"], one["on_track"], one["met_rate"]) for one in pieces["buckets"]]
    assert (pieces["bucket_s"], counted) == (
        3600, [(f"2026-01-05T{hour}:00:00Z", int(hour == "08"), None) for hour in ("07", "08", "09")],
    )  # fmt: skip
    client = service.client("span", ["viewer"])
    bad = await client.get("/api/v1/analytics/sla", params={"from": "2026-01-05T08:00:00Z", "to": "2026-01-05T07:00:00Z"})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/from")
    unknown = await client.get("/api/v1/analytics/sla", params={"workflow": "nothing"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "workflow_not_found")
