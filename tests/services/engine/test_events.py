"""Domain events and the executions that wait for them, through the engine and the events service, on real PostgreSQL and RabbitMQ."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from weft_contracts.definitions import WorkflowChanged
from weft_events.app import build as build_events
from weft_events.tables import subscription
from weft_runtime.testing import RunningService, eventually, running_service, tell

from tests.services.engine.conftest import Engine

WAITS = {
    "id": "s",
    "type": "state",
    "with": {"events": {"paid": {"event": "order.paid", "match": "event.data.order == input.order"}}, "signals": {"stop": {}}},
}


@pytest.fixture(scope="module")
async def events(database_url: str, broker_url: str) -> AsyncIterator[RunningService]:
    """The events service beside the engine."""
    async with running_service(build_events, database_url, broker_url) as service:
        yield service


async def publish(engine: Engine, events: RunningService, slug: str, number: int = 1, **document: Any) -> None:
    """Let both hear of a published version of a workflow."""
    whole = {"format": "weft/v1", "slug": slug, "name": slug, **document}
    changed = WorkflowChanged(slug=slug, name=slug, revision=number, status="active", active_version=number, definition=whole)
    await tell(engine.service, changed)
    await tell(events, changed)


async def send(events: RunningService, type_: str, id_: str, **data: Any) -> str:
    """Let an event happen; our id of it."""
    event = {"specversion": "1.0", "id": id_, "source": "/shop", "type": type_, "data": data}
    headers = {"content-type": "application/cloudevents+json"}
    answer = await events.client().post("/api/v1/events", content=json.dumps(event), headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["ids"][0])


async def delivered(events: RunningService, event: str) -> list[str]:
    """The executions that an event was brought to, once the events service is told of the end of their waits."""

    async def told() -> list[str] | None:
        return (await events.client().get(f"/api/v1/events/{event}/explain")).json()["delivered"] or None

    return await eventually(told, f"event {event} having ended a wait")


async def test_an_event_reaches_the_execution_that_waits_for_its_value_and_no_other(engine: Engine, events: RunningService) -> None:
    await publish(engine, events, "paying", nodes=[WAITS], output={"amount": "{{ step.s.output.amount }}"})
    one, two = [await engine.start("paying", input={"order": order}) for order in ("a", "b")]
    for execution in (one, two):
        shown = await engine.waiting(execution)
        assert shown["waiting_for"][0]["for"]["events"][0]["pattern"] == "order.paid"
    event = await send(events, "order.paid", "p1", order="a", amount=5)
    shown = await engine.ended(one)
    assert (shown["status"], shown["output"]) == ("completed", {"amount": 5})
    assert (await engine.get(two))["status"] == "waiting"
    assert await delivered(events, event) == [one]


async def test_an_event_that_comes_before_the_wait_is_delivered_when_it_begins_and_each_once(
    engine: Engine, events: RunningService
) -> None:
    first = {"id": "first", "type": "state", "with": {"signals": {"go": {}}}}
    again = {**WAITS, "id": "t"}
    edges = [{"from": "first", "to": "s", "on": "go"}, {"from": "s", "to": "t", "on": "paid"}]
    output = {"amounts": "{{ [step.s.output.amount, step.t.output.amount] }}"}
    await publish(engine, events, "early", nodes=[first, WAITS, again], edges=edges, output=output)
    execution = await engine.start("early", input={"order": "e"})
    await engine.waiting(execution)
    await send(events, "order.paid", "e1", order="e", amount=1)
    await engine.client.post(f"/api/v1/executions/{execution}/signals/go")
    await engine.until(execution, lambda shown: [one["node"] for one in shown["waiting_for"]] == ["t"])
    await send(events, "order.paid", "e1", order="e", amount=1)
    await send(events, "order.paid", "e2", order="e", amount=2)
    assert (await engine.ended(execution))["output"] == {"amounts": [1, 2]}


async def test_what_a_workflow_started_by_an_event_waits_for_may_come_right_behind_it(engine: Engine, events: RunningService) -> None:
    trigger = {"on": "event", "event": "order.placed", "input": {"order": "{{ trigger.payload.order }}"}}
    await publish(engine, events, "ordering", nodes=[WAITS], triggers=[trigger], output={"amount": "{{ step.s.output.amount }}"})
    placed = await send(events, "order.placed", "o1", order="z")
    await send(events, "order.paid", "o2", order="z", amount=9)
    execution = (await events.client().get(f"/api/v1/events/{placed}")).json()["started"][0]
    shown = await engine.ended(await engine.begun(execution))
    assert (shown["output"], shown["trigger"]["type"], shown["trigger"]["event_id"]) == ({"amount": 9}, "event", "o1")


async def test_a_wait_that_a_migration_renames_gets_its_event_and_is_closed(engine: Engine, events: RunningService) -> None:
    await publish(engine, events, "renaming", nodes=[WAITS])
    execution = await engine.start("renaming", input={"order": "r"})
    await engine.waiting(execution)
    await publish(engine, events, "renaming", 2, nodes=[{**WAITS, "id": "t"}], output={"amount": "{{ step.t.output.amount }}"})
    moved = await engine.client.post(f"/api/v1/executions/{execution}/migrate", json={"version": 2})
    assert (moved.status_code, moved.json()["status"]) == (200, "migrated")
    event = await send(events, "order.paid", "r1", order="r", amount=7)
    assert (await engine.ended(execution))["output"] == {"amount": 7}
    assert await delivered(events, event) == [execution]

    async def closed() -> bool | None:
        async with events.context.owner_transaction("acme") as uow:
            waits = sa.select(subscription.c.name).where(subscription.c.execution_id == UUID(execution))
            return True if not (await uow.conn.execute(waits)).all() else None

    await eventually(closed, "the wait being closed in the events service")
