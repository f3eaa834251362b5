"""Events that correlate: one execution lives with their value, and the others go to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from weft_contracts.executions import SignalExecution, StartExecution, TriggerInfo
from weft_engine import store
from weft_runtime.clock import new_id
from weft_runtime.testing import eventually, said

from tests.services.engine.conftest import Engine

ORDER = [
    {"id": "paid", "type": "state", "with": {"signals": {"payment": {}}}},
    {"id": "sent", "type": "state", "with": {"signals": {"go": {}}}},
]


def event(slug: str, key: str, number: int) -> StartExecution:
    trigger = TriggerInfo(type="event", id="payment", event_id=str(new_id()), payload={"number": number})
    start = {"execution_id": new_id(), "workflow": slug, "workflow_version": 1, "trigger": trigger, "key": key, "correlated": True}
    return StartExecution(**start, input={"number": number})


async def send(engine: Engine, *starts: StartExecution | SignalExecution) -> None:
    async with engine.service.context.owner_transaction("acme") as uow:
        uow.say(*starts)


async def shown(engine: Engine, starts: list[StartExecution], wanted: list[str]) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]] | None:
        answers = [await engine.client.get(f"/api/v1/executions/{one.execution_id}") for one in starts]
        found = [answer.json() for answer in answers if answer.status_code == 200]
        return found if sorted(one["status"] for one in found) == sorted(wanted) else None

    return await eventually(look, f"the executions are {wanted}")


async def test_of_two_such_events_at_once_one_starts_and_the_other_goes_to_it(engine: Engine) -> None:
    slug = await engine.publish("order-of-two", nodes=ORDER)
    starts = [event(slug, "A-17", number) for number in (1, 2)]
    await send(engine, *starts)
    found = await shown(engine, starts, ["waiting", "cancelled"])
    [living] = [one for one in found if one["status"] == "waiting"]
    living = await engine.until(living["id"], lambda one: one["waiting_for"][0]["node"] == "sent")
    steps = {step["node"]: step["output"] for step in await engine.steps(living["id"])}
    assert (living["key"], {living["input"]["number"], steps["paid"]["number"]}) == ("A-17", {1, 2})


async def test_an_event_with_another_value_starts_another(engine: Engine) -> None:
    slug = await engine.publish("order-apart", nodes=ORDER)
    starts = [event(slug, key, 1) for key in ("A-1", "A-2")]
    await send(engine, *starts)
    await shown(engine, starts, ["waiting", "waiting"])


async def test_one_that_comes_before_it_is_waited_for_is_kept(engine: Engine) -> None:
    slug = await engine.publish("order-early", nodes=[ORDER[1], ORDER[0]])
    first, second = event(slug, "A-3", 1), event(slug, "A-3", 2)
    await send(engine, first)
    await engine.waiting(str(await shown_id(engine, first)))
    await send(engine, second)
    await shown(engine, [second], ["cancelled"])
    await engine.until(str(first.execution_id), lambda one: one["status"] == "waiting")

    async def kept() -> bool | None:
        answer = await engine.client.get(f"/api/v1/executions/{first.execution_id}/state")
        return answer.json()["kept_signals"] == ["payment"] or None

    await eventually(kept, "the event is kept")
    await engine.client.post(f"/api/v1/executions/{first.execution_id}/signals/go")
    await engine.ended(str(first.execution_id))


async def shown_id(engine: Engine, start: StartExecution) -> UUID:
    await shown(engine, [start], ["waiting"])
    return start.execution_id


async def test_one_that_reaches_an_execution_which_has_just_ended_starts_another_and_only_once(engine: Engine) -> None:
    slug = await engine.publish("order-late", nodes=ORDER)
    first, late = event(slug, "A-4", 1), event(slug, "A-4", 2)
    await send(engine, first)
    await shown_id(engine, first)
    await engine.client.post(f"/api/v1/executions/{first.execution_id}/cancel")
    await engine.ended(str(first.execution_id))
    signal = SignalExecution(
        execution_id=first.execution_id, signal_id=str(late.trigger.event_id), name="payment", payload={"number": 2}, otherwise=late
    )
    await send(engine, signal, signal)

    async def begun() -> dict[str, Any] | None:
        async with engine.service.context.transaction("acme") as uow:
            holder = await store.holder(uow, slug, "A-4")
        answer = await engine.client.get(f"/api/v1/executions/{holder}")
        return answer.json() if answer.status_code == 200 and answer.json()["status"] == "waiting" else None

    living = await eventually(begun, "another execution has the key, and waits")
    assert living["id"] not in (str(first.execution_id), str(late.execution_id))
    assert (living["input"], living["waiting_for"][0]["node"]) == ({"number": 2}, "paid")
    at_once = [str(start.execution_id) for start in said(engine.service, StartExecution)]
    assert living["id"] in at_once, "it is not left to the sweeper"
