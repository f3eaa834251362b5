"""Executions from their start to their end, through the engine's doors, on real PostgreSQL and RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from weft_connectors.activity import ActivityCall, ActivityError
from weft_contracts.definitions import WorkflowChanged
from weft_runtime.testing import eventually, tell

from tests.services.engine.conftest import Engine


async def test_three_inline_nodes_complete_in_one_transition(engine: Engine) -> None:
    nodes = [
        {"id": "a", "type": "set", "with": {"x": "{{ input.amount }}"}},
        {"id": "b", "type": "set", "with": {"y": "{{ vars.x * 2 }}"}},
        {"id": "c", "type": "transform", "with": {"expression": "vars.x + vars.y"}},
    ]
    await engine.publish("inline", nodes=nodes, output={"sum": "{{ step.c.output }}"})
    shown = await engine.ended(await engine.start("inline", input={"amount": 20}))
    assert (shown["status"], shown["output"], shown["error"]) == ("completed", {"sum": 60}, None)


async def test_three_activities_are_done_by_a_worker_one_after_the_other(engine: Engine, working: Callable[..., None]) -> None:
    async def double(call: ActivityCall) -> Any:
        return call.input * 2

    working(double=double)
    nodes = [
        {"id": "a", "type": "activity", "with": {"name": "double", "input": "{{ input.n }}"}},
        {"id": "b", "type": "activity", "with": {"name": "double", "input": "{{ step.a.output }}"}},
        {"id": "c", "type": "activity", "with": {"name": "double", "input": "{{ step.b.output }}"}},
    ]
    await engine.publish("remote", nodes=nodes, output={"n": "{{ step.c.output }}"})
    shown = await engine.ended(await engine.start("remote", input={"n": 1}))
    assert (shown["status"], shown["output"]) == ("completed", {"n": 8})
    assert [(step["node"], step["input"], step["output"]) for step in await engine.steps(shown["id"])] == [
        ("a", 1, 2),
        ("b", 2, 4),
        ("c", 4, 8),
    ]


async def test_a_failing_activity_is_tried_again_with_the_same_key(engine: Engine, working: Callable[..., None]) -> None:
    keys: list[tuple[str, int]] = []

    async def shaky(call: ActivityCall) -> Any:
        keys.append((call.key, call.attempt))
        if call.attempt < 3:
            raise ActivityError("busy", "come back later")
        return "done"

    working(shaky=shaky)
    node = {"id": "a", "type": "activity", "with": {"name": "shaky"}, "retry": {"attempts": 5, "delay": "10s", "jitter": False}}
    await engine.publish("shaky", nodes=[node])
    execution = await engine.start("shaky")
    for attempt in (1, 2):
        await engine.until(execution, partial(_retries, keys, attempt))
        engine.service.clock.advance(timedelta(seconds=30))
    shown = await engine.ended(execution)
    assert shown["status"] == "completed"
    assert keys == [(f"{execution}:a:1", 1), (f"{execution}:a:1", 2), (f"{execution}:a:1", 3)]


def _retries(keys: Sequence[Any], tried: int, shown: dict[str, Any]) -> bool:
    return len(keys) == tried and [wait["kind"] for wait in shown["waiting_for"]] == ["retry"]


async def test_an_error_shows_all_of_its_members(engine: Engine) -> None:
    await engine.publish("broken", nodes=[{"id": "f", "type": "fail", "with": {"code": "boom", "message": "no"}}])
    shown = await engine.ended(await engine.start("broken"))
    expected = {"code": "boom", "message": "no", "node": "f", "attempt": 1, "permanent": True, "details": None}
    assert shown["error"] == expected
    (step,) = await engine.steps(shown["id"])
    assert step["error"] == expected


async def test_an_error_takes_its_edge_and_is_read_there(engine: Engine, working: Callable[..., None]) -> None:
    async def refuse(call: ActivityCall) -> Any:
        raise ActivityError("no_stock", "nothing left", permanent=True)

    working(refuse=refuse)
    nodes = [
        {"id": "a", "type": "activity", "with": {"name": "refuse"}},
        {"id": "good", "type": "set", "with": {"way": "good"}},
        {"id": "bad", "type": "set", "with": {"way": "{{ step.a.error.code }}"}},
    ]
    edges = [{"from": "a", "to": "good"}, {"from": "a", "to": "bad", "on": "error"}]
    await engine.publish("refused", nodes=nodes, edges=edges, output={"way": "{{ vars.way }}"})
    shown = await engine.ended(await engine.start("refused"))
    assert (shown["status"], shown["output"]) == ("completed", {"way": "no_stock"})


async def test_a_wait_ends_when_its_time_has_come_and_not_before(engine: Engine) -> None:
    await engine.publish("pause", nodes=[{"id": "w", "type": "wait", "with": {"for": "2h"}}])
    execution = await engine.start("pause")
    shown = await engine.waiting(execution)
    assert shown["waiting_for"][0]["kind"] == "timer"
    engine.service.clock.advance(timedelta(hours=1, minutes=59))
    assert (await engine.get(execution))["status"] == "waiting"
    engine.service.clock.advance(timedelta(minutes=2))
    assert (await engine.ended(execution))["status"] == "completed"


async def test_a_signal_is_refused_by_its_guard_and_then_taken(engine: Engine) -> None:
    nodes = [
        {"id": "s", "type": "state", "with": {"signals": {"approve": {}}}},
        {"id": "end", "type": "set", "with": {"by": "{{ step.s.output.by }}"}},
    ]
    edges = [{"from": "s", "to": "end", "on": "approve", "when": "signal.amount < 100"}]
    await engine.publish("guarded", nodes=nodes, edges=edges, output={"by": "{{ vars.by }}"})
    execution = await engine.start("guarded")
    await engine.waiting(execution)
    url = f"/api/v1/executions/{execution}/signals"
    refused = await engine.client.post(f"{url}/approve", json={"payload": {"amount": 500, "by": "ann"}})
    assert (refused.status_code, refused.json()["code"]) == (409, "signal_refused")
    unknown = await engine.client.post(f"{url}/nonsense", json={})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "signal_unknown")
    taken = await engine.client.post(f"{url}/approve", json={"payload": {"amount": 5, "by": "bob"}})
    assert (taken.status_code, taken.json()["status"]) == (202, "delivered")
    assert (await engine.ended(execution))["output"] == {"by": "bob"}


async def test_a_signal_that_comes_first_is_kept_for_the_node_that_waits_later(engine: Engine) -> None:
    nodes = [
        {"id": "first", "type": "state", "with": {"signals": {"go": {}}}},
        {"id": "then", "type": "state", "with": {"signals": {"paid": {}}}},
    ]
    await engine.publish("early", nodes=nodes, edges=[{"from": "first", "to": "then", "on": "go"}])
    execution = await engine.start("early")
    await engine.waiting(execution)
    url = f"/api/v1/executions/{execution}/signals"
    assert (await engine.client.post(f"{url}/paid", json={"payload": {"n": 1}})).json()["status"] == "kept"
    assert (await engine.client.post(f"{url}/go", json={})).status_code == 202
    shown = await engine.ended(execution)
    assert shown["status"] == "completed"
    assert [step["outcome"] for step in await engine.steps(execution)] == ["go", "paid"]


async def test_a_body_that_wraps_nothing_is_the_payload_itself(engine: Engine) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    states = [{"id": f"s{n}", "type": "state", "with": {"signals": {"go": {"schema": schema}}}} for n in range(3)]
    output = {"seen": "{{ [step.s0.output, step.s1.output, step.s2.output] }}"}
    await engine.publish("bare", nodes=states, output=output)
    execution = await engine.start("bare")
    await engine.waiting(execution)
    url = f"/api/v1/executions/{execution}/signals/go"
    for typo in ({"payload": {"n": 1}, "paylod": 2}, {"signal_id": 7}):
        refused = await engine.client.post(url, json=typo)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"/{list(typo)[-1]}")
    wrong = await engine.client.post(url, json={"n": "one"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "signal_payload_invalid")
    for body in ({"n": 1}, {"payload": {"n": 2}, "signal_id": "two"}, {}):
        answer = await engine.client.post(url, json=body)
        assert (answer.status_code, answer.json()["status"]) == (202, "delivered")
    assert (await engine.ended(execution))["output"] == {"seen": [{"n": 1}, {"n": 2}, {}]}


async def test_a_refused_signal_is_refused_again_by_its_idempotency_key(engine: Engine) -> None:
    await engine.publish("once", nodes=[{"id": "s", "type": "state", "with": {"signals": {"go": {}}}}])
    execution = await engine.start("once")
    await engine.waiting(execution)
    await engine.client.post(f"/api/v1/executions/{execution}/cancel")
    url, once = f"/api/v1/executions/{execution}/signals/go", {"Idempotency-Key": f"signal-{execution}"}
    answers = [await engine.client.post(url, json={}, headers=once) for _ in range(2)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "execution_ended")] * 2
    assert answers[1].headers["idempotent-replayed"] == "true"


async def test_cancelling_is_answered_when_it_is_durable(engine: Engine) -> None:
    await engine.publish("endless", nodes=[{"id": "w", "type": "wait", "with": {"for": "9d"}}])
    execution = await engine.start("endless")
    await engine.waiting(execution)
    answer = await engine.client.post(f"/api/v1/executions/{execution}/cancel", json={"reason": "enough"})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    again = await engine.client.post(f"/api/v1/executions/{execution}/cancel")
    assert (await engine.client.get(f"/api/v1/workflows/executions/{execution}")).json() == await engine.get(execution)
    assert (await engine.client.post(f"/api/v1/workflows/executions/{execution}/cancel")).json()["code"] == "execution_ended"
    assert (again.status_code, again.json()["code"]) == (409, "execution_ended")


async def test_waiting_for_the_end_answers_with_the_finished_execution(engine: Engine) -> None:
    await engine.publish("quick", nodes=[{"id": "a", "type": "set", "with": {"x": 1}}])
    answer = await engine.client.post("/api/v1/workflows/quick/trigger?wait=30s", json={})
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")


async def test_waiting_in_vain_tells_where_the_execution_is_by_then(engine: Engine) -> None:
    await engine.publish("slow", nodes=[{"id": "w", "type": "wait", "with": {"for": "1h"}}])

    async def rests() -> bool | None:
        answer = await engine.client.post("/api/v1/workflows/slow/trigger?wait=500ms", json={})
        assert (answer.status_code, answer.headers["location"]) == (202, f"/api/v1/executions/{answer.json()['execution_id']}")
        return answer.json()["status"] == "waiting" or None

    assert await eventually(rests, "an answer with an execution that waits")


async def test_what_cannot_be_started_says_why(engine: Engine) -> None:
    schema = {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}
    await engine.publish("typed", input=schema, nodes=[{"id": "a", "type": "set", "with": {"x": 1}}])
    unknown = await engine.client.post("/api/v1/workflows/nowhere/trigger", json={})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "workflow_not_found")
    await tell(engine.service, WorkflowChanged(slug="sketch", name="sketch", revision=1, status="inactive"))
    draft = await engine.client.post("/api/v1/workflows/sketch/trigger", json={})
    assert (draft.status_code, draft.json()["code"], draft.json()["workflow_status"]) == (409, "workflow_inactive", "draft")
    assert (await engine.client.get("/api/v1/workflows/sketch/migrations")).json()["items"] == []
    assert (await engine.client.get("/api/v1/workflows/nowhere/migrations")).json()["code"] == "workflow_not_found"
    bad = await engine.client.post("/api/v1/workflows/typed/trigger", json={"input": {"amount": "much"}})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/input/amount")


async def test_the_history_tells_everything_in_order(engine: Engine) -> None:
    await engine.publish("told", nodes=[{"id": "a", "type": "set", "with": {"x": 1}}])
    execution = await engine.start("told")
    await engine.ended(execution)
    page = (await engine.client.get(f"/api/v1/executions/{execution}/history", params={"limit": 2})).json()
    rest = (await engine.client.get(f"/api/v1/executions/{execution}/history", params={"limit": 2, "cursor": page["next_cursor"]})).json()
    kinds = [entry["kind"] for entry in page["items"] + rest["items"]]
    assert kinds == ["execution.started", "step.completed", "execution.completed"]
    assert [entry["position"] for entry in page["items"] + rest["items"]] == [0, 1, 2]
    url = f"/api/v1/executions/{execution}/state"
    at = [(await engine.client.get(url, params={"at": position})).json() for position in range(3)]
    assert [(state["at"], state["status"], state["vars"]) for state in at] == [
        (0, "running", {}),
        (1, "running", {"x": 1}),
        (2, "completed", {"x": 1}),
    ]
    assert (await engine.client.get(url)).json() == at[2]


async def test_steps_and_effects_come_whole_or_in_pages(engine: Engine) -> None:
    await engine.publish("long", nodes=[{"id": f"n{number}", "type": "set", "with": {"x": number}} for number in range(60)])
    execution = await engine.start("long")
    await engine.ended(execution)
    steps = await engine.steps(execution)
    assert len(steps) == 60
    url = f"/api/v1/executions/{execution}/steps"
    pages = [(await engine.client.get(url, params={"limit": 25})).json()]
    while (cursor := pages[-1]["next_cursor"]) is not None:
        pages.append((await engine.client.get(url, params={"limit": 25, "cursor": cursor})).json())
    assert [len(page["items"]) for page in pages] == [25, 25, 10]
    assert [step for page in pages for step in page["items"]] == steps
    elsewhere = (await engine.client.get(url, params={"limit": 25})).json()["next_cursor"]
    other = await engine.client.get(f"/api/v1/executions/{execution}/effects", params={"cursor": elsewhere})
    assert (other.status_code, other.json()["code"]) == (400, "bad_cursor")
