"""Several people decide, somebody else after them, and time where nobody does: through the whole mesh."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from weft_runtime.testing import until

from tests.support.meshes import MeshProcess, publish
from tests.support.modes import in_many_processes

pytestmark = pytest.mark.timeout(400)

SLUG = "four-eyes-and-a-ladder"
EVERYBODY = {"roles": ["approver", "editor", "admin"]}
DOCUMENT: dict[str, Any] = {
    "format": "weft/v1",
    "name": "Four eyes and a ladder",
    "slug": SLUG,
    "nodes": [
        {
            "id": "both",
            "type": "task",
            "with": {"outcomes": ["yes", "no"], "candidates": EVERYBODY, "due": "1h", "approvals": {"required": 2}},
        },
        {"id": "other", "type": "task", "with": {"candidates": EVERYBODY, "due": "1h", "separate_from": ["both"]}},
        {
            "id": "nobody",
            "type": "task",
            "with": {
                "candidates": EVERYBODY,
                "due": "1h",
                "on_timeout": [{"after": "100ms", "do": "escalate", "to": {"groups": ["board"]}}, {"after": "200ms", "do": "fail"}],
            },
        },
        {"id": "late", "type": "set", "with": {"code": "{{ step.nobody.error.code }}"}},
    ],
    "edges": [
        {"from": "both", "on": "yes", "to": "other"},
        {"from": "other", "to": "nobody"},
        {"from": "nobody", "on": "timeout", "to": "late"},
    ],
    "output": {"late": "{{ vars.code }}", "by": "{{ step.both.output.approvals.map(one, one.outcome) }}"},
}


def complete(client: httpx2.Client, task: dict[str, Any], outcome: str) -> httpx2.Response:
    return client.post(f"/user-tasks/{task['id']}/complete", json={"outcome": outcome})


@in_many_processes
def test_two_approve_a_third_one_completes_and_the_ladder_ends_what_nobody_does(mesh: MeshProcess) -> None:
    editor, approver, admin = (mesh.signed_in(role) for role in ("editor", "approver", "admin"))
    publish(editor, DOCUMENT)
    execution = editor.post(f"/workflows/{SLUG}/trigger", json={"input": {}}).json()["execution_id"]

    def task_of(node: str) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            items = admin.get("/user-tasks", params={"execution": execution}).json()["items"]
            return next((item for item in items if item["node"] == node), None)

        return until(found, f"the task {node}")

    both = task_of("both")
    assert complete(editor, both, "yes").json()["status"] == "open"
    assert complete(editor, both, "no").json()["code"] == "already_decided"
    assert complete(approver, both, "yes").json()["status"] == "completed"
    other = task_of("other")
    refused = [complete(client, other, "completed") for client in (editor, approver)]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "separated")] * 2
    assert admin.get(f"/user-tasks/{other['id']}").json()["requested_by"] == editor.get("/me").json()["id"]
    assert admin.post(f"/user-tasks/{other['id']}/claim").status_code == 200
    link = admin.post(f"/user-tasks/{other['id']}/links").json()
    with httpx2.Client(base_url=mesh.url, trust_env=False, timeout=40) as reader:
        assert reader.get(link["path"], headers={"Accept": "text/html"}).headers["content-type"].startswith("text/html")
        decided = [reader.post(link["path"], json={"outcome": "completed"}) for _ in range(2)]
    assert [answer.status_code for answer in decided] == [200, 200]
    assert decided[0].json() == decided[1].json()

    def ended() -> dict[str, Any] | None:
        shown: dict[str, Any] = editor.get(f"/executions/{execution}").json()
        return shown if shown["status"] not in ("running", "waiting") else None

    done = until(ended, "the end of the execution")
    assert (done["status"], done["output"]) == ("completed", {"late": "timeout", "by": ["yes", "yes"]}), done
    history = editor.get(f"/user-tasks/{task_of('nobody')['id']}").json()["history"]
    assert [line["kind"] for line in history] == ["created", "escalated", "expired"]
