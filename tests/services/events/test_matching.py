"""What events start, whom workflows reach, and why: matching and its explanation, on a real database."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import httpx2
import pytest
from weft_contracts.calendars import CalendarChanged
from weft_contracts.cloudevents import CloudEvent
from weft_contracts.definitions import WorkflowInstalled
from weft_contracts.directory import TenantChanged
from weft_contracts.executions import ExecutionSkipped, Failure, StartExecution, StartRejected
from weft_events.domain import Matching, Received, TriggerIndex, candidates
from weft_events.registry import Registry
from weft_events.usecases import events as verbs
from weft_runtime.clock import SystemClock, new_id
from weft_runtime.testing import RunningService, said, tell

from tests.services.events.conftest import order, workflow

PATH = "/api/v1/events"
NOW = SystemClock().now()


async def sent(client: httpx2.AsyncClient, event: dict[str, Any]) -> str:
    answer = await client.post(PATH, content=json.dumps(event), headers={"content-type": "application/cloudevents+json"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["log_ids"][0])


async def test_others_have_their_turn_between_the_triggers_of_an_event_and_no_match_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "REST_AFTER_S", 0.0, raising=False)
    monkeypatch.setattr(verbs, "REST_S", 0.0, raising=False)
    triggers = [{"on": "event", "event": "order.*", "id": f"t{each}", "when": "trigger.payload.n == 1"} for each in range(200)]
    known = {"acme": Matching(TriggerIndex(candidates("flow", 1, triggers)))}
    event = CloudEvent(id="o1", source="/shop", type="order.placed", data={"n": 1}, time=NOW)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(others())
    [(_, considered)] = await verbs.matched([Received(new_id(), "acme", event, NOW)], known)
    task.cancel()
    assert (len([one for one in considered if one.matched]), turns >= 150) == (200, True)


async def test_a_condition_counts_by_the_newest_calendar_of_its_tenant(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    monday_at_nine = "business_time('2030-06-02T12:00:00Z', '1h', 'office') == timestamp('2030-06-03T10:00:00Z')"
    await tell(events, workflow({"when": monday_at_nine}), tenant=tenant)

    async def hear(revision: int, opens: str, of: str = tenant) -> None:
        hours = {"mon": ((opens, "17:00"),)}
        await tell(events, CalendarChanged(name="office", revision=revision, zone="UTC", hours=hours, at=NOW), tenant=of)

    async def came_of(number: int) -> tuple[str, bool | None]:
        (one,) = await explained(client, await sent(client, order(number)))
        return one["reason"], one["condition"]["value"]

    assert await came_of(1) == ("error", None)
    await hear(1, "09:00", of="elsewhere")
    assert await came_of(2) == ("error", None)
    await hear(1, "09:00")
    assert await came_of(3) == ("matched", True)
    await hear(3, "11:00")
    await hear(2, "09:00")
    assert await came_of(4) == ("condition", False)
    assert len(said(events, StartExecution, tenant=tenant)) == 1


async def explained(client: httpx2.AsyncClient, event: str) -> list[dict[str, Any]]:
    answer = await client.get(f"{PATH}/{event}/explain")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["triggers"])


async def test_a_match_starts_an_execution_and_says_where_it_went(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await tell(events, workflow({"id": "placed", "key": "{{ trigger.payload.number }}"}), tenant=tenant)
    event = await sent(client, order(7))
    [start] = said(events, StartExecution, tenant=tenant)
    assert (start.workflow, start.workflow_version, start.key, start.input, start.trigger.event_id) == (
        "flow",
        1,
        "7",
        {"number": 7},
        event,
    )
    view = (await client.get(f"{PATH}/{event}")).json()
    assert (view["status"], view["started"]) == ("matched", [str(start.execution_id)])


async def test_every_trigger_considered_is_explained_with_what_its_condition_saw(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    triggers: list[dict[str, Any]] = [
        {"id": "large", "when": "trigger.payload.number > 100 && trigger.type == 'event'"},
        {"id": "wrong", "when": "trigger.payload.nothing == 1", "priority": 1},
        {"id": "other", "event": "invoice.*"},
        {"id": "all", "priority": 500},
    ]
    await tell(events, workflow(*triggers), tenant=tenant)
    found = await explained(client, await sent(client, order(7)))
    assert [(one["trigger"], one["matched"], one["reason"]) for one in found] == [
        ("wrong", False, "error"),
        ("large", False, "condition"),
        ("all", True, "matched"),
    ]
    tree = found[1]["condition"]
    assert (tree["value"], tree["children"][0]["expression"], tree["children"][0]["children"][0]["value"]) == (
        False,
        "trigger.payload.number > 100",
        7,
    )
    assert "nothing" in found[0]["detail"]
    assert "nothing" in found[0]["condition"]["children"][0]["error"]["message"]
    assert (found[2]["condition"], found[2]["execution_id"] is not None) == (None, True)


async def test_an_old_event_is_explained_by_the_version_that_saw_it(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    await tell(events, workflow({"id": "t", "when": "trigger.payload.number == 1"}), tenant=tenant)
    event = await sent(client, order(7))
    await tell(events, workflow({"id": "t"}, revision=2, version=2), tenant=tenant)
    [then] = await explained(client, event)
    [now] = await explained(client, await sent(client, order(8)))
    assert (then["version"], then["condition"]["expression"], then["matched"]) == (1, "trigger.payload.number == 1", False)
    assert (now["version"], now["condition"], now["matched"]) == (2, None, True)


async def test_an_event_of_a_correlating_trigger_asks_for_its_key_and_is_explained_by_whom_it_was_brought_to(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    await tell(events, workflow({"id": "again", "correlate": "{{ trigger.payload.number }}"}), tenant=tenant)
    event = await sent(client, order(7))
    [start] = said(events, StartExecution, tenant=tenant)
    assert (start.key, start.correlated) == ("7", True)
    told = {"workflow": start.workflow, "key": "7", "live_execution_id": UUID(int=5), "event_id": event, "trigger_id": "again"}
    await tell(events, ExecutionSkipped(execution_id=start.execution_id, correlated=True, **told), tenant=tenant)
    [one] = await explained(client, event)
    assert (one["reason"], one["matched"]) == ("correlated", True)
    assert f"brought to execution {UUID(int=5)}" in one["detail"]
    assert (await client.get(f"{PATH}/{event}")).json()["status"] == "matched"


async def test_what_the_engine_did_not_start_completes_the_explanation(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    await tell(events, workflow({"id": "a"}, slug="first"), workflow({"id": "b"}, slug="second"), tenant=tenant)
    event = await sent(client, order())
    first, second = said(events, StartExecution, tenant=tenant)
    skipped = ExecutionSkipped(
        execution_id=first.execution_id, workflow="first", key="k", live_execution_id=UUID(int=5), event_id=event, trigger_id="a"
    )
    error = Failure(code="input_invalid", message="amount is required")
    rejected = StartRejected(execution_id=second.execution_id, workflow="second", error=error, event_id=event, trigger_id="b")
    await tell(events, skipped, tenant=tenant)
    assert (await client.get(f"{PATH}/{event}")).json()["started"] == [str(second.execution_id)]
    await tell(events, rejected, rejected, tenant=tenant)
    assert [(one["reason"], one["matched"]) for one in await explained(client, event)] == [("key_taken", True), ("rejected", True)]
    assert "input_invalid: amount is required" in (await explained(client, event))[1]["detail"]
    view = (await client.get(f"{PATH}/{event}")).json()
    assert (view["status"], view["started"]) == ("matched", [])
    refused = StartRejected(execution_id=UUID(int=9), workflow="x", error=error, event_id="not-ours", trigger_id="b")
    await tell(events, refused, refused.model_copy(update={"event_id": None}), tenant=tenant)


async def test_an_event_all_of_whose_starts_were_refused_is_rejected(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    await tell(events, workflow({}), tenant=tenant)
    event = await sent(client, order())
    [start] = said(events, StartExecution, tenant=tenant)
    error = Failure(code="workflow_inactive", message="it is inactive")
    await tell(events, StartRejected(execution_id=start.execution_id, workflow="flow", error=error, event_id=event), tenant=tenant)
    assert [item["log_id"] for item in (await client.get(PATH, params={"status": "rejected"})).json()["items"]] == [event]
    several = {"status": "rejected,duplicate"}
    assert [item["log_id"] for item in (await client.get(PATH, params=several)).json()["items"]] == [event]


async def test_only_the_active_version_of_an_active_workflow_starts_anything(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    changes = [
        workflow({}),
        workflow({}, revision=2, status="inactive"),
        workflow({}, revision=3, version=2),
        workflow({}, revision=4, status="archived"),
    ]
    started = []
    for number, change in enumerate(changes):
        await tell(events, change, tenant=tenant)
        await sent(client, order(number))
        started.append(len(said(events, StartExecution, tenant=tenant)))
    assert started == [1, 1, 2, 2]
    assert [word.revision for word in said(events, WorkflowInstalled, tenant=tenant)] == [1, 2, 3, 4]
    assert {word.service for word in said(events, WorkflowInstalled, tenant=tenant)} == {"events"}


async def test_a_change_told_late_changes_nothing_and_is_answered(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await tell(events, workflow({}, revision=5), tenant=tenant)
    await tell(events, workflow({}, revision=4, status="inactive"), tenant=tenant)
    await sent(client, order())
    assert len(said(events, StartExecution, tenant=tenant)) == 1
    assert [word.revision for word in said(events, WorkflowInstalled, tenant=tenant)] == [5, 4]


async def test_conditions_read_the_tenant_as_the_gateway_tells_it(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await tell(events, workflow({"when": "tenant.tier == 'premium' && tenant.settings.region == 'eu'"}), tenant=tenant)
    await sent(client, order(1))
    changed = TenantChanged(tenant=tenant, name="T", tier="premium", settings={"region": "eu"}, revision=2)
    await tell(events, changed, changed.model_copy(update={"tier": "standard", "revision": 1}), tenant=tenant)
    await sent(client, order(2))
    assert [start.input["number"] for start in said(events, StartExecution, tenant=tenant)] == [2]


async def test_a_tenant_only_starts_its_own_workflows(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await tell(events, workflow({}), tenant="somebody-else")
    await sent(client, order())
    assert said(events, StartExecution, tenant=tenant) == []


async def test_a_workflow_whose_triggers_cannot_be_compiled_is_parked_and_the_old_one_stands(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    await tell(events, workflow({}), workflow({"when": "1 +"}, revision=2, version=2), tenant=tenant)
    await sent(client, order())
    assert len(said(events, StartExecution, tenant=tenant)) == 1
    parked = (await events.client(tenant, ["admin"]).get("/api/v1/events/parked")).json()["items"]
    assert [one["code"] for one in parked] == ["broken_triggers"]


async def test_processes_that_share_a_database_agree_without_talking(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    other = Registry()

    async def patterns() -> int:
        async with events.context.transaction(tenant) as uow:
            return len((await other.matching(uow, tenant)).index.of("order.placed"))

    assert await patterns() == 0
    await tell(events, workflow({}), tenant=tenant)
    assert await patterns() == 1
    await tell(events, workflow({}, {}, revision=2, version=2), tenant=tenant)
    assert await patterns() == 2


async def test_a_registry_keeps_the_tenants_used_last_and_stays_right(events: RunningService) -> None:
    small = Registry(capacity=2)
    for name in ("r1", "r2", "r3"):
        await tell(events, workflow({}), tenant=name)
    for name in ("r1", "r2", "r3", "r1"):
        async with events.context.transaction(name) as uow:
            assert len((await small.matching(uow, name)).index.of("order.placed")) == 1
