"""Simulations by HTTP: definitions that are saved nowhere, published versions, and executions from any moment of theirs."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from weft_contracts.definitions import WorkflowChanged, WorkflowDrafted, WorkflowInstalled
from weft_engine.tables import executions
from weft_runtime.testing import said, tell

from tests.services.engine.conftest import Engine

NODES = [
    {"id": "score", "type": "activity", "with": {"name": "score", "input": {"of": "{{ input.amount }}"}, "queue": "simulated"}},
    {"id": "high", "type": "if", "with": {"when": "step.score.output > 5"}},
    {"id": "ask", "type": "task", "with": {"title": "Pay {{ input.amount }}?", "outcomes": ["yes", "no"]}},
    {"id": "rest", "type": "wait", "with": {"for": "2d"}},
    {"id": "pay", "type": "http.request", "with": {"url": "https://bank.example/pay", "method": "POST", "body": "{{ input.amount }}"}},
]
EDGES = [
    {"from": "score", "to": "high"},
    {"from": "high", "to": "ask", "on": "true"},
    {"from": "high", "to": "rest", "on": "false"},
    {"from": "ask", "to": "rest", "on": "yes"},
    {"from": "rest", "to": "pay"},
]
TRIGGERS = [
    {
        "id": "big",
        "on": "event",
        "event": "invoice.*",
        "when": "trigger.payload.amount > 100",
        "input": {"amount": "{{ trigger.payload.amount }}"},
    },
    {"id": "other", "on": "event", "event": "order.paid"},
]
DEFINITION: dict[str, Any] = {"format": "weft/v1", "slug": "tried", "name": "Tried", "nodes": NODES, "edges": EDGES, "triggers": TRIGGERS}


async def tried(engine: Engine, **body: Any) -> Any:
    """What the definition above would do."""
    answer = await engine.client.post("/api/v1/workflows/simulate", json={"definition": DEFINITION, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def simulated(engine: Engine, path: str, **body: Any) -> Any:
    answer = await engine.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(engine: Engine, path: str = "/api/v1/workflows/simulate", **body: Any) -> Any:
    answer = await engine.client.post(path, json=body)
    assert 400 <= answer.status_code < 500, answer.text
    return answer.status_code, answer.json()


async def test_a_definition_that_is_saved_nowhere_shows_what_it_would_do(engine: Engine) -> None:
    shown = await tried(engine, input={"amount": 900}, outputs={"score": 9}, outcomes={"ask": "yes"}, at="2026-03-02T09:00:00Z")
    assert (shown["status"], shown["version"], shown["path"]) == ("completed", None, ["score", "high", "ask", "rest", "pay"])
    assert shown["ended_at"] == "2026-03-04T09:00:00Z"
    steps = {step["node"]: step for step in shown["steps"]}
    assert steps["score"]["input"] == {"of": 900}
    assert steps["high"]["condition"]["expression"] == "step.score.output > 5"
    assert steps["high"]["condition"]["value"] is True
    assert [(wait["node"], wait["kind"], wait["for"]) for wait in shown["waits"]][-1] == ("rest", "timer", "PT172800S")
    effects = [(one["node"], one["type"]) for one in shown["effects"]]
    assert effects == [("score", "activity"), ("ask", "task"), ("pay", "http.request")]
    assert shown["effects"][-1]["with"]["body"] == 900
    assert ("answer_assumed", "pay") in [(one["code"], one["node"]) for one in shown["findings"]]


async def test_a_simulation_keeps_nothing(engine: Engine) -> None:
    shown = await tried(engine, input={"amount": 900}, outputs={"score": 9}, outcomes={"ask": "yes"})
    assert shown["status"] == "completed"
    async with engine.service.context.transaction(engine.tenant) as uow:
        assert (await uow.conn.execute(sa.select(executions.c.id).where(executions.c.workflow == "tried"))).all() == []


async def test_an_event_begins_it_by_the_trigger_that_takes_it(engine: Engine) -> None:
    event = {"type": "invoice.created", "data": {"amount": 200}}
    shown = await tried(engine, event=event, outputs={"score": 1})
    assert (shown["trigger"]["id"], shown["input"], shown["status"]) == ("big", {"amount": 200}, "completed")
    assert [(look["trigger"], look["matched"], look["reason"]) for look in shown["triggers"]] == [
        ("big", True, "matched"),
        ("other", False, "event"),
    ]
    small = await tried(engine, event={"type": "invoice.created", "data": {"amount": 2}})
    assert (small["status"], small["path"], small["triggers"][0]["reason"]) == ("unmatched", [], "condition")
    assert small["triggers"][0]["condition"]["value"] is False


async def test_an_event_is_taken_as_it_is_sent(engine: Engine) -> None:
    trigger = {
        "id": "eu",
        "on": "event",
        "event": "invoice.*",
        "when": "trigger.event.region == 'eu' && trigger.event.specversion == '1.0'",
    }
    nodes = [{"id": "seen", "type": "transform", "with": {"map": {"id": "{{ trigger.event.id }}", "text": "{{ trigger.payload }}"}}}]
    sent = {
        "specversion": "1.0", "id": "i-1", "source": "/shop", "type": "invoice.created", "time": "2026-03-02T09:00:00Z",
        "datacontenttype": "text/plain", "region": "eu", "data": "paid",
    }  # fmt: skip
    definition = {**DEFINITION, "nodes": nodes, "edges": [], "triggers": [trigger]}
    shown = await simulated(engine, "/api/v1/workflows/simulate", definition=definition, event=sent)
    assert (shown["status"], shown["steps"][0]["output"]) == ("completed", {"id": "i-1", "text": "paid"})


async def test_a_wait_of_less_than_a_second_tells_how_long_it_is_and_times_are_utc(engine: Engine) -> None:
    definition = {**DEFINITION, "nodes": [{"id": "rest", "type": "wait", "with": {"for": "500ms"}}], "edges": []}
    shown = await simulated(engine, "/api/v1/workflows/simulate", definition=definition, at="2026-03-02T10:00:00+01:00")
    assert [(wait["for"], wait["since"]) for wait in shown["waits"]] == [("PT0.5S", "2026-03-02T09:00:00Z")]


async def test_a_published_version_is_simulated_as_it_is(engine: Engine) -> None:
    await engine.publish("simulated", nodes=[{"id": "x", "type": "transform", "with": {"expression": "input.a * 2"}}])
    shown = await simulated(engine, "/api/v1/workflows/simulated/simulate", input={"a": 4})
    assert (shown["version"], shown["steps"][0]["output"]) == (1, 8)


async def test_an_execution_goes_on_from_any_moment_with_what_was_answered(engine: Engine) -> None:
    nodes = [
        {"id": "one", "type": "set", "with": {"x": 1}},
        {"id": "rest", "type": "state", "with": {"signals": {"go": {}}, "after": {"late": "9d"}}},
        {"id": "end", "type": "transform", "with": {"expression": "default(step.rest.output.n, 0) + vars.x"}},
    ]
    await engine.publish("forked", nodes=nodes, output={"sum": "{{ step.end.output }}"})
    execution = await engine.start("forked")
    await engine.waiting(execution)
    signalled = await engine.client.post(f"/api/v1/executions/{execution}/signals/go", json={"payload": {"n": 41}})
    assert signalled.status_code == 202
    assert (await engine.ended(execution))["output"] == {"sum": 42}
    path = f"/api/v1/executions/{execution}/simulate"
    entries = (await engine.client.get(f"/api/v1/executions/{execution}/history")).json()["items"]
    again = await simulated(engine, path)
    assert (again["status"], again["output"], again["path"]) == ("completed", {"sum": 42}, ["one", "rest", "end"])
    for at in range(len(entries)):
        assert (await simulated(engine, path, at=at))["output"] == {"sum": 42}
    other = await simulated(engine, path, at=1, outcomes={"rest": "go"}, outputs={"rest": {"n": 1}})
    assert other["output"] == {"sum": 2}
    mended = {"format": "weft/v1", "slug": "forked", "name": "Forked", "nodes": nodes, "output": {"twice": "{{ step.end.output * 2 }}"}}
    assert (await simulated(engine, path, definition=mended))["output"] == {"twice": 84}
    for both in ({"at": 1, "input": {}}, {"version": 1, "definition": mended}):
        assert (await refused(engine, path, **both))[1]["errors"][0]["code"] == "one_of"
    beyond = await refused(engine, path, at=len(entries))
    assert (beyond[0], beyond[1]["code"]) == (404, "position_not_found")
    assert (await engine.get(execution))["output"] == {"sum": 42}


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"definition": {**DEFINITION, "nodes": []}}, 422, "invalid_definition", "/definition/nodes"),
        ({"definition": DEFINITION, "outputs": {"scor": 1}}, 422, "simulation_invalid", "/outputs/scor"),
        ({"definition": DEFINITION, "outcomes": {"ask": "perhaps"}}, 422, "simulation_invalid", "/outcomes/ask"),
        ({"definition": DEFINITION, "input": {}, "event": {"type": "a"}}, 422, "invalid", "/event"),
        ({"definition": {**DEFINITION, "input": {"required": ["amount"]}}, "input": {}}, 422, "input_invalid", "/input"),
        ({"definition": DEFINITION, "outcome": {}}, 422, "invalid", "/outcome"),
        ({"definition": DEFINITION, "event": {"data": 1}}, 422, "invalid", "/event/type"),
        ({"definition": DEFINITION, "event": {"type": "a", "Region": "eu"}}, 422, "invalid", "/event/Region"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_place(engine: Engine, body: Any, status: int, code: str, pointer: str) -> None:
    found, problem = await refused(engine, **body)
    assert (found, problem["code"]) == (status, code)
    assert any(one["pointer"].startswith(pointer) for one in problem["errors"])


async def test_what_is_not_there_is_not_found(engine: Engine) -> None:
    assert (await refused(engine, "/api/v1/workflows/nowhere/simulate"))[1]["code"] == "workflow_not_found"
    await engine.publish("once", nodes=[{"id": "x", "type": "set", "with": {"x": 1}}])
    assert (await refused(engine, "/api/v1/workflows/once/simulate", version=7))[1]["code"] == "version_not_found"
    stranger = Engine(engine.service, "elsewhere")
    assert (await refused(stranger, "/api/v1/workflows/once/simulate"))[0] == 404
    assert (await simulated(engine, "/api/v1/workflows/once/simulate", version=1))["status"] == "completed"


async def drafted(engine: Engine, slug: str, edit: int, value: int, version: int = 1) -> None:
    whole = {"format": "weft/v1", "slug": slug, "name": slug, "nodes": [{"id": "x", "type": "set", "with": {"x": value}}]}
    word = WorkflowDrafted(slug=slug, draft_version=version, edit=edit, definition={**whole, "output": {"x": "{{ vars.x }}"}})
    await tell(engine.service, word, tenant=engine.tenant)


async def test_a_draft_is_simulated_until_something_is_published_and_by_its_number_after(engine: Engine) -> None:
    path = "/api/v1/workflows/sketch/simulate"
    await tell(engine.service, WorkflowChanged(slug="sketch", name="s", revision=1, status="inactive"), tenant=engine.tenant)
    assert (await refused(engine, path))[0] == 404
    await drafted(engine, "sketch", 2, value=2)
    await drafted(engine, "sketch", 1, value=1)  # late
    shown = await simulated(engine, path)
    assert (shown["version"], shown["output"], shown["status"]) == (1, {"x": 2}, "completed")
    assert {one.revision for one in said(engine.service, WorkflowInstalled) if (one.slug, one.service) == ("sketch", "engine.drafts")} == {
        1,
        2,
    }
    assert (await engine.client.post("/api/v1/workflows/sketch/trigger", json={"version": 1})).status_code == 409
    whole = {"format": "weft/v1", "slug": "sketch", "name": "s", "nodes": [{"id": "x", "type": "set", "with": {"x": 3}}]}
    published = {"active_version": 1, "definition": {**whole, "output": {"x": "{{ vars.x }}"}}}
    await tell(engine.service, WorkflowChanged(slug="sketch", name="s", revision=2, status="active", **published), tenant=engine.tenant)
    await drafted(engine, "sketch", 4, value=4, version=2)
    assert (await simulated(engine, path))["output"] == {"x": 3}
    assert (await simulated(engine, path, version=2))["output"] == {"x": 4}
    assert (await refused(engine, path, version=3))[1]["code"] == "version_not_found"
    started = await engine.client.post("/api/v1/workflows/sketch/trigger", json={"version": 2})
    assert (started.status_code, started.json()["code"]) == (404, "version_not_found"), "a draft is simulated and never run"
    await tell(
        engine.service, WorkflowChanged(slug="sketch", name="s", revision=9, status="archived", active_version=1), tenant=engine.tenant
    )
    assert (await refused(engine, path, version=2))[1]["code"] == "version_not_found"


@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_definition_is_read_as_yaml_too(engine: Engine, wrapped: bool) -> None:
    body = {"definition": DEFINITION, "input": {"amount": 1}, "outputs": {"score": 1}} if wrapped else DEFINITION
    for content, kind in ((yaml.safe_dump(body), "application/yaml"), (json.dumps(body), "application/json")):
        answer = await engine.client.post("/api/v1/workflows/simulate", content=content, headers={"content-type": kind})
        assert (answer.status_code, answer.json()["workflow"]) == (200, "tried"), answer.text
        assert answer.json()["path"][:1] == ["score"]


async def test_yaml_that_cannot_be_read_or_does_not_fit_says_where(engine: Engine) -> None:
    async def asked(content: str) -> Any:
        path, kind = "/api/v1/workflows/simulate", {"content-type": "application/yaml; charset=utf-8"}
        return await engine.client.post(path, content=content, headers=kind)

    twice, unknown = await asked("definition: {}\ndefinition: {}\n"), await asked("definition: {nodes: []}\noutcome: {}\n")
    assert (twice.status_code, twice.json()["code"]) == (400, "duplicate_key")
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/outcome")
    other = await engine.client.post("/api/v1/executions/bulk", content="verb: cancel", headers={"content-type": "application/yaml"})
    assert other.status_code == 415
