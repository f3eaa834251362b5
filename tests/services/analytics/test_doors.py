"""Executions listed and counted: on a real database, through both doors."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from weft_analytics.app import build
from weft_analytics.domain import Fact
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.executions import ExecutionsForgotten, ExecutionStarted, ExecutionWaiting
from weft_contracts.tasks import TaskCompleted, TaskCreated
from weft_runtime.database.migrate import check
from weft_runtime.testing import RunningService, running_service, tell

from tests.services.analytics.facts import START, life


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url) as running:
        yield running


async def get(service: RunningService, path: str, tenant: str, **query: Any) -> Any:
    answer = await service.client(tenant, ["viewer"]).get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_tables_and_migrations_agree(service: RunningService) -> None:
    url = service.context.settings.database_url.get_secret_value()
    assert await check(url, "weft_analytics", "analytics") == []


async def test_an_execution_is_listed_as_the_api_shapes_it(service: RunningService) -> None:
    id_, parent = uuid4(), uuid4()
    await tell(service, *life("failed", id=id_, key="k-1", user="ann", parent=parent), tenant="shape")
    (item,) = (await get(service, "/executions", "shape"))["items"]
    assert item == {
        "id": str(id_),
        "workflow": "leave",
        "version": 3,
        "status": "failed",
        "key": "k-1",
        "labels": {"team": "hr"},
        "trigger": {"type": "event", "id": "t", "event_id": "e-1", "user": "ann"},
        "started_at": "2026-01-05T08:30:00Z",
        "completed_at": "2026-01-05T08:30:01.500000Z",
        "duration_ms": 1500,
        "parent": str(parent),
        "children": [],
        "priority": 0,
        "error": {"code": "boom", "message": "it broke", "node": "call"},
        "waiting_for": [],
        "allowed_actions": ["retry"],
    }


async def test_an_execution_that_waits_to_begin_is_listed_and_counted_as_queued(service: RunningService) -> None:
    facts = life(None, queued=True, key="k-2")
    await tell(service, facts[0], tenant="queue")
    [item] = (await get(service, "/executions", "queue", status="queued"))["items"]
    assert (item["id"], item["status"], item["key"], item["started_at"]) == (
        str(facts[0].execution_id),
        "queued",
        "k-2",
        "2026-01-05T08:29:00Z",
    )
    span = {"from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z"}
    assert (await get(service, "/analytics/overview", "queue", **span))["executions"]["queued"] == 1
    await tell(service, facts[1], tenant="queue")
    assert (await get(service, "/executions", "queue", status="queued"))["items"] == []
    assert (await get(service, "/analytics/overview", "queue", **span))["executions"]["queued"] == 0


def some_facts() -> list[Fact]:
    ends = ["completed", "failed", None, "cancelled"] * 5
    lives = [life(end, waits=number % 3, took_ms=100 * number) for number, end in enumerate(ends)]
    return [fact for facts in lives for fact in facts]


async def test_facts_in_any_order_and_repeated_give_the_same_numbers(service: RunningService) -> None:
    await tell(service, *some_facts(), tenant="ordered")
    mixed = [*some_facts(), *some_facts()]
    random.Random(5).shuffle(mixed)
    mixed[20:] = [*mixed[20:], *mixed[20:30]]
    for start in range(0, len(mixed), 7):
        await tell(service, *mixed[start : start + 7], tenant="mixed")
    ordered, shuffled = [await get(service, "/analytics/overview", tenant) for tenant in ("ordered", "mixed")]
    assert ordered["executions"]["total"] == 20
    assert shuffled["executions"]["total"] == 40
    for half, whole in [(ordered["executions"], shuffled["executions"]), *zip(ordered["buckets"], shuffled["buckets"], strict=True)]:
        assert {name: count * 2 for name, count in half.items() if name != "at"} == {n: c for n, c in whole.items() if n != "at"}
    assert ordered["duration_ms"] == shuffled["duration_ms"]


async def test_the_overview_counts_by_status_and_by_time(service: RunningService) -> None:
    for number in range(10):
        await tell(service, *life(took_ms=1000 * (number + 1), at=START + timedelta(minutes=number)), tenant="counted")
    await tell(service, *life("failed"), *life("timed_out"), *life(None), tenant="counted")
    numbers = await get(service, "/analytics/overview", "counted", bucket="PT5M", **{"from": START.isoformat()})
    counts = numbers["executions"]
    assert (counts["total"], counts["completed"], counts["failed"], counts["timed_out"], counts["running"]) == (13, 10, 1, 1, 1)
    assert numbers["success_rate"] == pytest.approx(10 / 12, abs=1e-4)
    assert numbers["duration_ms"]["p50"] == pytest.approx(5000, rel=0.05)
    assert numbers["duration_ms"]["p99"] == pytest.approx(10_000, rel=0.05)
    assert numbers["buckets"][0] == {"at": "2026-01-05T08:30:00Z", "started": 8, "completed": 5, "failed": 2}
    assert numbers["buckets"][1] == {"at": "2026-01-05T08:35:00Z", "started": 5, "completed": 5, "failed": 0}
    assert len(numbers["buckets"]) == 6
    assert await get(service, "/workflows/analytics/overview", "counted", bucket="PT5M", **{"from": START.isoformat()}) == numbers


async def test_a_workflow_has_numbers_of_its_own_and_an_unknown_one_has_none(service: RunningService) -> None:
    await tell(service, WorkflowChanged(slug="fresh", name="Fresh", revision=1, status="active"), tenant="flows")
    await tell(service, *life(workflow="leave"), *life("failed", workflow="other"), tenant="flows")
    task = {"task_id": uuid4(), "execution_id": uuid4(), "workflow": "leave", "node": "n", "at": START}
    done = TaskCompleted(**task, task_version=2, outcome="ok", completed_by="ann")
    await tell(service, done, TaskCreated(**task, task_version=1, title="t"), tenant="flows")
    leave = await get(service, "/analytics/workflows/leave", "flows")
    assert (leave["workflow"], leave["executions"]["total"], leave["success_rate"]) == ("leave", 1, 1.0)
    assert (leave["tasks"]["total"], leave["tasks"]["completed"]) == (1, 1)
    assert (await get(service, "/workflows/leave/analytics", "flows"))["executions"] == leave["executions"]
    for path in ("/analytics/workflows/nothing", "/workflows/nothing/analytics", "/workflows/nothing/executions"):
        unknown = await service.client("flows", ["viewer"]).get(f"/api/v1{path}")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "workflow_not_found")
    fresh = await get(service, "/analytics/workflows/fresh", "flows")
    assert (fresh["executions"]["total"], fresh["success_rate"], fresh["duration_ms"]["p50"]) == (0, None, None)
    overview = await get(service, "/analytics/overview", "flows")
    assert [(share["workflow"], share["executions"]["total"]) for share in overview["workflows"]] == [("leave", 1), ("other", 1)]
    assert (await service.client("flows").get("/api/v1/analytics/workflows/none")).status_code == 404
    assert (await service.client("elsewhere").get("/api/v1/analytics/workflows/leave")).status_code == 404


async def test_the_list_is_narrowed_by_each_filter(service: RunningService) -> None:
    ids = {name: uuid4() for name in ("plain", "failed", "waiting", "late")}
    await tell(service, *life(id=ids["plain"], event_id="order-17", labels={}), tenant="narrow")
    await tell(service, *life("failed", id=ids["failed"], key="k%1", labels={"team": "it"}), tenant="narrow")
    await tell(service, *life(None, id=ids["waiting"], waits=1, workflow="other"), tenant="narrow")
    await tell(service, *life(id=ids["late"], at=START + timedelta(minutes=20), labels={"team": "hr", "site": "a=b"}), tenant="narrow")
    names = {str(id_): name for name, id_ in ids.items()}

    async def found(path: str = "/executions", **query: Any) -> list[str]:
        return sorted(names[item["id"]] for item in (await get(service, path, "narrow", **query))["items"])

    assert await found() == sorted(ids)
    assert await found(workflow="other") == await found("/workflows/other/executions") == ["waiting"]
    assert await found(status=["failed", "waiting"]) == ["failed", "waiting"]
    assert await found(status="completed") == ["late", "plain"]
    assert await found(key="k%1") == ["failed"]
    assert await found(label="team=it") == ["failed"]
    assert await found(label=["team:hr", "site=a=b"]) == ["late"]
    assert await found(label="site") == ["late"]
    assert await found(label=["team=hr", "site"]) == ["late"]
    assert await found(label=["team", "nowhere"]) == []
    assert await found(**{"from": (START + timedelta(minutes=1)).isoformat()}) == ["late"]
    assert await found(to=(START + timedelta(minutes=1)).isoformat()) == ["failed", "plain", "waiting"]
    assert await found(q=str(ids["plain"])) == ["plain"]
    assert await found(q="order-1") == ["plain"]
    assert await found(q="k%") == ["failed"]
    assert await found(q="boom") == ["failed"]
    assert await found(event_id="order-17") == ["plain"]


async def test_everybody_finds_what_they_started(service: RunningService) -> None:
    mine, hers, nobodys = (str(uuid4()) for _ in range(3))
    for id_, user in ((mine, "ann"), (hers, "eve"), (nobodys, None)):
        await tell(service, *life(id=UUID(id_), user=user), tenant="people")
    ann = service.client("people", ["viewer"], sub="ann")

    async def found(path: str, who: str) -> list[str]:
        return [item["id"] for item in (await ann.get(f"/api/v1{path}", params={"started_by": who})).json()["items"]]

    assert await found("/executions", "me") == await found("/workflows/leave/executions", "ann") == [mine]
    assert await found("/executions", "eve") == [hers]
    assert await found("/executions", "nobody") == []
    elsewhere = await service.client("elsewhere", ["viewer"], sub="ann").get("/api/v1/executions", params={"started_by": "me"})
    assert elsewhere.json()["items"] == []


async def test_pages_follow_each_other_without_a_gap_or_a_repeat(service: RunningService) -> None:
    same_time = [fact for _ in range(7) for fact in life()]
    await tell(service, *same_time, tenant="paged")
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = await get(service, "/executions", "paged", **query)
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 7
    stolen = await service.client("other").get("/api/v1/executions", params={"limit": 3, "cursor": query["cursor"]})
    assert stolen.status_code == 400 or stolen.status_code == 422


async def test_executions_that_are_forgotten_leave_the_list_and_stay_in_the_numbers(service: RunningService) -> None:
    gone, stays, foreign = uuid4(), uuid4(), uuid4()
    await tell(service, *life(id=gone), *life(id=stays), tenant="brief")
    await tell(service, *life(id=foreign), tenant="other")
    await tell(service, ExecutionsForgotten(execution_ids=(gone, foreign)), tenant="brief")
    assert [item["id"] for item in (await get(service, "/executions", "brief"))["items"]] == [str(stays)]
    assert [item["id"] for item in (await get(service, "/executions", "other"))["items"]] == [str(foreign)]
    span = {"from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z"}
    assert (await get(service, "/analytics/overview", "brief", **span))["executions"]["completed"] == 2


async def test_an_id_of_another_tenant_is_neither_shown_nor_overwritten(service: RunningService) -> None:
    id_ = UUID(int=77)
    await tell(service, *life(id=id_, workflow="mine"), tenant="owner")
    await tell(service, *life("failed", id=id_, workflow="forged"), tenant="thief")
    (item,) = (await get(service, "/executions", "owner"))["items"]
    assert (item["workflow"], item["status"]) == ("mine", "completed")
    assert (await get(service, "/executions", "thief"))["items"] == []


@pytest.mark.parametrize(
    "query",
    [{"status": "done"}, {"from": "yesterday"}, {"label": "=plain"}, {"staus": "failed"}, {"limit": 0}, {"parent": "x"}, {"q": "x" * 301}],
)
async def test_a_question_that_makes_no_sense_is_a_422(service: RunningService, query: dict[str, Any]) -> None:
    assert (await service.client().get("/api/v1/executions", params=query)).status_code == 422


@pytest.mark.parametrize("query", [{"bucket": "fortnight"}, {"from": "2026-01-05T10:00:00Z", "to": "2026-01-05T09:00:00Z"}])
async def test_a_span_that_makes_no_sense_is_a_422(service: RunningService, query: dict[str, Any]) -> None:
    answer = await service.client().get("/api/v1/analytics/overview", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_window")


async def test_whoever_may_not_read_is_refused(service: RunningService) -> None:
    assert (await service.anonymous().get("/api/v1/executions")).status_code == 401
    assert (await service.client("acme", ["nobody"]).get("/api/v1/analytics/overview")).status_code == 403


async def test_a_list_tells_whom_an_execution_waits_for(service: RunningService) -> None:
    about: dict[str, Any] = {"execution_id": uuid4(), "workflow": "leave", "workflow_version": 3, "at": START}
    waits = ExecutionWaiting(**about, position=5, node="review", kind="task", waits_for={"assignee": "ann"})
    await tell(service, ExecutionStarted(**about, position=1, trigger_type="manual"), waits, tenant="whom")
    (item,) = (await get(service, "/executions", "whom"))["items"]
    assert item["waiting_for"] == [{"node": "review", "kind": "task", "until": None, "for": {"assignee": "ann"}}]
    await tell(service, waits.model_copy(update={"position": 6, "waits_for": None}), tenant="whom")
    (item,) = (await get(service, "/executions", "whom"))["items"]
    assert item["waiting_for"][0]["for"] is None


async def test_a_misspelled_filter_is_named_and_those_there_are(service: RunningService) -> None:
    for path in ("/executions", "/workflows/leave/executions"):
        answer = await service.client("narrow", ["viewer"]).get(f"/api/v1{path}", params={"staus": "failed", "limit": 1, "workflow": "x"})
        (wrong,) = answer.json()["errors"]
        assert (answer.status_code, wrong["pointer"], wrong["code"], wrong["in"]) == (422, "/staus", "unknown_parameter", "query")
        assert "status" in wrong["detail"]
        assert "cursor" in wrong["detail"]
