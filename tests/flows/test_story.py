"""The story of Weft, by HTTP alone: an event starts a workflow, a service is called, a person decides, everything is explained."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from weft_runtime.testing import until

from tests.support.meshes import MeshProcess, described, publish

pytestmark = pytest.mark.timeout(400)

WORKFLOW: dict[str, Any] = {
    "format": "weft/v1",
    "name": "Order approval",
    "slug": "order-approval-story",
    "triggers": [
        {
            "id": "placed",
            "on": "event",
            "event": "order.*",
            "when": "trigger.payload.amount > 100",
            "input": {"order": "{{ trigger.payload.order }}", "amount": "{{ trigger.payload.amount }}"},
        }
    ],
    "nodes": [
        {"id": "net", "type": "set", "with": {"gross": "{{ input.amount * 1.22 }}"}},
        {"id": "check", "type": "http.request", "with": {"method": "POST", "url": "SERVICE", "body": {"order": "{{ input.order }}"}}},
        {
            "id": "approve",
            "type": "task",
            "with": {
                "title": "Approve {{ input.order }}",
                "candidates": {"roles": ["approver"]},
                "outcomes": ["approve", "reject"],
                "due": "2d",
                "form": {"type": "object", "required": ["note"], "properties": {"note": {"type": "string"}}},
            },
        },
    ],
    "output": {"gross": "{{ vars.gross }}", "credit": "{{ step.check.output.body.credit }}", "by": "{{ step.approve.output.outcome }}"},
}


def post_event(client: httpx2.Client, id_: str, amount: float) -> httpx2.Response:
    event = {"specversion": "1.0", "id": id_, "source": "shop", "type": "order.placed", "data": {"order": id_, "amount": amount}}
    return client.post("/events", json=event, headers={"Content-Type": "application/cloudevents+json"})


def test_one_event_becomes_a_finished_execution_through_a_person(mesh: MeshProcess, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/credit", method="POST").respond_with_json({"credit": "good"})
    editor, approver = mesh.signed_in("editor"), mesh.signed_in("approver")
    document = {**WORKFLOW, "nodes": [dict(node) for node in WORKFLOW["nodes"]]}
    document["nodes"][1] = {**document["nodes"][1], "with": {**document["nodes"][1]["with"], "url": httpserver.url_for("/credit")}}
    assert publish(editor, document)["status"] == "active"

    accepted = post_event(editor, "o-1", 1000)
    assert (accepted.status_code, accepted.json()["accepted"]) == (202, 1), accepted.text
    again = post_event(editor, "o-1", 1000)
    assert again.json()["duplicates"] == 1
    small = post_event(editor, "o-2", 50)

    def open_task() -> dict[str, Any] | None:
        listed = approver.get("/user-tasks", params={"view": "team", "workflow": document["slug"]}).json()["items"]
        return next((task for task in listed if task["title"] == "Approve o-1"), None)

    task = until(open_task, "the task for the approver")
    shown = approver.get(f"/user-tasks/{task['id']}").json()
    wrong = approver.post(f"/user-tasks/{task['id']}/complete", json={"outcome": "approve", "form": {}})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/form/note")
    done = approver.post(f"/user-tasks/{task['id']}/complete", json={"outcome": "approve", "form": {"note": "fine"}})
    assert done.status_code == 200, done.text
    assert approver.post(f"/user-tasks/{task['id']}/complete", json={"outcome": "approve", "form": {"note": "fine"}}).status_code == 409

    def finished() -> dict[str, Any] | None:
        execution = editor.get(f"/executions/{shown['execution_id']}").json()
        return execution if execution["status"] == "completed" else None

    execution = until(finished, "the end of the execution")
    assert execution["output"] == {"gross": 1220.0, "credit": "good", "by": "approve"}
    calls = [request for request, _ in httpserver.log if request.path == "/credit"]
    assert [call.headers["Idempotency-Key"] for call in calls] == [f"{execution['id']}:check:1"]

    explained = editor.get(f"/events/{small.json()['ids'][0]}/explain").json()
    mine = next(trigger for trigger in explained["triggers"] if trigger["workflow"] == document["slug"])
    assert (mine["matched"], mine["condition"]["value"]) == (False, False)

    def counted() -> dict[str, Any] | None:
        listed = editor.get("/executions", params={"workflow": document["slug"]}).json()["items"]
        numbers = editor.get(f"/analytics/workflows/{document['slug']}").json()
        return numbers if [row["status"] for row in listed] == ["completed"] and numbers["executions"]["completed"] == 1 else None

    assert until(counted, "the numbers")["success_rate"] == 1.0


def test_a_workflow_that_was_just_published_can_be_started_at_once(mesh: MeshProcess) -> None:
    editor = mesh.signed_in("editor")
    document = {"format": "weft/v1", "name": "At once", "slug": "at-once", "nodes": [{"id": "a", "type": "set", "with": {"x": 1}}]}
    publish(editor, document)
    answer = editor.post("/workflows/at-once/trigger", params={"wait": "30s"}, json={})
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")


def test_the_description_of_the_api_names_every_part(mesh: MeshProcess) -> None:
    document = described(mesh)
    assert document["openapi"].startswith("3.1")
    paths = (
        "/api/v1/workflows",
        "/api/v1/events",
        "/api/v1/user-tasks",
        "/api/v1/executions",
        "/api/v1/analytics/overview",
        "/api/v1/auth/login",
    )
    assert not [path for path in paths if path not in document["paths"]]


def test_nobody_gets_in_without_a_token(mesh: MeshProcess) -> None:
    for path in ("/workflows", "/executions", "/events", "/user-tasks", "/analytics/overview", "/me"):
        answer = httpx2.get(f"{mesh.url}/api/v1{path}", trust_env=False, timeout=30)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), path
