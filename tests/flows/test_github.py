"""135 real GitHub payloads go through the whole mesh, and the triage workflow of `examples/` picks its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from weft_runtime.testing import until

from tests.support.meshes import MeshProcess, publish

pytestmark = pytest.mark.timeout(400)

ROOT = Path(__file__).parents[2]
PAYLOADS = Path(os.environ.get("WEFT_CONFORMANCE", str(ROOT.parent / "shared" / "conformance"))) / "github-events"


def events() -> list[dict[str, Any]]:
    """Each payload as a CloudEvent of type `github.<event>.<action>`."""
    found = []
    for path in sorted(PAYLOADS.glob("*.payload.json")):
        payload = json.loads(path.read_bytes())
        kind = path.name.split(".")[0]
        type_ = f"github.{kind}.{payload['action']}" if payload.get("action") else f"github.{kind}"
        found.append({"specversion": "1.0", "id": path.name, "source": "https://github.com", "type": type_, "data": payload})
    if not found:
        print("not run: no conformance data")
    return found


EVENTS = events()


@pytest.mark.parametrize("batch", [EVENTS] if EVENTS else [])
def test_every_payload_comes_in_and_the_right_ones_are_triaged(mesh: MeshProcess, batch: list[dict[str, Any]]) -> None:
    editor, approver = mesh.signed_in("editor"), mesh.signed_in("approver")
    document = json.loads((ROOT / "examples/github-triage/workflow.json").read_bytes())
    publish(editor, document)

    ids: dict[str, str] = {}
    for event in batch:
        answer = editor.post("/events", content=json.dumps(event), headers={"Content-Type": "application/cloudevents+json"})
        assert answer.status_code == 202, (event["id"], answer.text)
        ids[event["id"]] = answer.json()["ids"][0]
    assert len(ids) == 135

    wanted = [
        event["id"]
        for event in batch
        if event["type"].startswith("github.issues.")
        and event["data"]["action"] in ("opened", "reopened")
        and event["data"]["issue"]["state"] == "open"
    ]
    matched = [name for name, id_ in ids.items() if editor.get(f"/events/{id_}").json()["status"] == "matched"]
    assert matched == wanted

    def settled() -> list[dict[str, Any]] | None:
        outcomes = [editor.get(f"/events/{ids[name]}/explain").json()["triggers"][0] for name in wanted]
        return outcomes if all(one["execution_id"] or one["reason"] for one in outcomes) else None

    until(settled, "the explanation of each match")

    def task_of_mine() -> dict[str, Any] | None:
        listed = approver.get("/user-tasks", params={"view": "team", "workflow": "github-triage"}).json()["items"]
        return listed[0] if listed else None

    task = until(task_of_mine, "the triage task")
    assert task["title"].startswith("Codertocat/Hello-World #1: ")
    decision = {"outcome": "decline", "form": {"comment": "known"}}
    assert approver.post(f"/user-tasks/{task['id']}/complete", json=decision).status_code == 200

    def ended() -> dict[str, Any] | None:
        execution = editor.get(f"/executions/{task['execution_id']}").json()
        return execution if execution["status"] == "completed" else None

    assert until(ended, "the end of the triage")["output"] == {"decision": "decline", "comment": "known"}
