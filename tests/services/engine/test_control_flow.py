"""Scopes, children, compensation, pauses and retries through the engine's doors, on real PostgreSQL and RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from weft_connectors.activity import ActivityCall, ActivityError

from tests.services.engine.conftest import Engine

EACH = {
    "id": "each", "type": "foreach",
    "with": {"items": "{{ input.items }}", "concurrency": 10, "body": {"nodes": [
        {"id": "work", "type": "activity", "with": {"name": "double", "input": "{{ item }}"}},
    ]}},
}  # fmt: skip


async def double(call: ActivityCall) -> Any:
    return call.input * 2


async def test_two_hundred_items_are_done_by_workers_and_come_back_in_order(engine: Engine, working: Callable[..., None]) -> None:
    working(double=double)
    await engine.publish("each", nodes=[EACH], output={"all": "{{ step.each.output }}"})
    shown = await engine.ended(await engine.start("each", input={"items": list(range(200))}))
    assert (shown["status"], shown["output"]) == ("completed", {"all": [2 * number for number in range(200)]})
    steps = [step for step in await engine.steps(shown["id"]) if step["node"] == "work"]
    assert {(step["visit"], step["scope"]) for step in steps} >= {(1, "each[0]"), (200, "each[199]")}


async def test_a_child_gives_its_output_to_the_step_that_called_it(engine: Engine) -> None:
    await engine.publish("child", nodes=[{"id": "s", "type": "set", "with": {"x": "{{ input.n + 1 }}"}}], output={"x": "{{ vars.x }}"})
    call = {"id": "call", "type": "call", "with": {"workflow": "child", "input": {"n": 41}}}
    await engine.publish("parent", nodes=[call], output={"got": "{{ step.call.output.x }}"})
    shown = await engine.ended(await engine.start("parent"))
    assert (shown["status"], shown["output"]) == ("completed", {"got": 42})
    child = await engine.get(shown["children"][0])
    assert (child["parent"], child["trigger"]["type"], child["status"]) == (shown["id"], "call", "completed")


async def test_the_failure_of_a_child_is_that_of_the_step_and_a_cancel_goes_on_to_it(engine: Engine) -> None:
    await engine.publish("failing", nodes=[{"id": "f", "type": "fail", "with": {"code": "no_way", "message": "never"}}])
    await engine.publish("calls-failing", nodes=[{"id": "call", "type": "call", "with": {"workflow": "failing"}}])
    shown = await engine.ended(await engine.start("calls-failing"))
    assert (shown["status"], shown["error"]["code"], shown["error"]["node"]) == ("failed", "no_way", "call")

    await engine.publish("resting", nodes=[{"id": "s", "type": "state", "with": {"signals": {"go": {}}}}])
    await engine.publish("calls-resting", nodes=[{"id": "call", "type": "call", "with": {"workflow": "resting"}}])
    parent = await engine.waiting(await engine.start("calls-resting"))
    await engine.waiting(await engine.begun(parent["children"][0]))
    await engine.client.post(f"/api/v1/executions/{parent['id']}/cancel")
    assert (await engine.ended(parent["children"][0]))["status"] == "cancelled"


async def test_a_call_of_what_is_not_there_fails_the_step_and_says_so(engine: Engine) -> None:
    await engine.publish("calls-nobody", nodes=[{"id": "call", "type": "call", "with": {"workflow": "nobody"}}])
    execution = await engine.start("calls-nobody")
    await engine.waiting(execution)
    (told,) = (await engine.client.get(f"/api/v1/executions/{execution}/explain")).json()["because"]
    assert told.startswith("call (visit 1) waits for the workflow 'nobody' to be published, for which it has time until about ")
    until = datetime.fromisoformat(told.partition("until about ")[2].partition(" ")[0])
    assert timedelta(seconds=28) <= until - engine.service.clock.now() <= timedelta(seconds=31)
    shown = await engine.until(execution, lambda shown: shown["status"] == "failed", passing=timedelta(seconds=31))
    assert shown["error"]["code"] == "workflow_not_found"


async def test_a_saga_is_undone_newest_first(engine: Engine, working: Callable[..., None]) -> None:
    done: list[str] = []

    async def work(call: ActivityCall) -> Any:
        done.append(f"{call.name}:{call.input}")
        if call.name == "fly":
            raise ActivityError("no_seat", "all seats are taken", permanent=True)
        return call.name.upper()

    working(book=work, rent=work, fly=work, undo=work)

    def booked(node: str) -> dict[str, Any]:
        undo = {"type": "activity", "with": {"name": "undo", "input": f"{{{{ step.{node}.output }}}}"}}
        return {"id": node, "type": "activity", "with": {"name": node}, "compensate": undo}

    await engine.publish("trip", nodes=[booked("book"), booked("rent"), booked("fly")], settings={"on_failure": "compensate"})
    shown = await engine.ended(await engine.start("trip"))
    assert (shown["status"], shown["error"]["code"]) == ("failed", "no_seat")
    assert done == ["book:None", "rent:None", "fly:None", "undo:RENT", "undo:BOOK"]


async def test_what_comes_during_a_pause_happens_when_it_ends(engine: Engine) -> None:
    nodes = [{"id": "s", "type": "state", "with": {"signals": {"go": {}}}}, {"id": "w", "type": "wait", "with": {"for": "1h"}}]
    await engine.publish("pausing", nodes=nodes)
    execution = await engine.start("pausing")
    await engine.waiting(execution)
    paused = await engine.client.post(f"/api/v1/executions/{execution}/pause", json={"reason": "lunch"})
    assert (paused.status_code, paused.json()["status"], paused.json()["allowed_actions"]) == (200, "paused", ["cancel", "resume"])
    assert (await engine.client.post(f"/api/v1/executions/{execution}/signals/go")).json()["status"] == "kept"
    resumed = await engine.client.post(f"/api/v1/executions/{execution}/resume")
    assert (resumed.json()["status"], resumed.json()["waiting_for"][0]["node"]) == ("waiting", "w")
    again = await engine.client.post(f"/api/v1/executions/{execution}/resume")
    assert (again.status_code, again.json()["code"]) == (409, "illegal_move")


async def test_a_failed_execution_is_retried_explained_and_shown_at_any_moment(engine: Engine, working: Callable[..., None]) -> None:
    calls: list[str] = []

    async def charge(call: ActivityCall) -> Any:
        calls.append(call.key)
        if len(calls) == 1:
            raise ActivityError("declined", "try another card", permanent=True)
        return "paid"

    working(charge=charge)
    nodes = [
        {"id": "big", "type": "if", "with": {"when": "input.amount > 100"}},
        {"id": "charge", "type": "activity", "with": {"name": "charge", "input": "{{ input.amount }}"}},
    ]
    await engine.publish("paying", nodes=nodes, output={"was": "{{ step.charge.output }}"})
    execution = await engine.start("paying", input={"amount": 180})
    assert (await engine.ended(execution))["allowed_actions"] == ["retry"]
    explained = (await engine.client.get(f"/api/v1/executions/{execution}/explain")).json()
    (choice,) = [choice for choice in explained["choices"] if choice["kind"] == "if"]
    tree = choice["considered"][0]["condition"]
    assert (tree["expression"], tree["value"], tree["children"][0]["value"]) == ("input.amount > 100", True, 180)
    retried = await engine.client.post(f"/api/v1/executions/{execution}/retry", json={})
    assert retried.status_code == 200, retried.text
    assert (await engine.ended(execution))["output"] == {"was": "paid"}
    effects = (await engine.client.get(f"/api/v1/executions/{execution}/effects")).json()["items"]
    assert [(effect["node"], effect["visit"], effect["status"]) for effect in effects] == [("charge", 1, "failed"), ("charge", 2, "done")]
    assert effects[0]["key"] != effects[1]["key"]
    first = (await engine.client.get(f"/api/v1/executions/{execution}/state?at=0")).json()
    assert (first["at"], first["status"], first["steps"], first["input"]) == (0, "running", [], {"amount": 180})
    beyond = await engine.client.get(f"/api/v1/executions/{execution}/state?at=5000")
    assert (beyond.status_code, beyond.json()["code"]) == (404, "position_not_found")
