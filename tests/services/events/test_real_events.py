"""Real webhook payloads of GitHub as domain events: all are taken, matched and explained."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx2
from weft_contracts.executions import StartExecution
from weft_runtime.testing import RunningService, said, tell

from tests.services.events.conftest import workflow

FOLDER = Path(os.environ.get("WEFT_CONFORMANCE", Path(__file__).parents[4] / "shared" / "conformance")) / "github-events"
PATH = "/api/v1/events"


def payloads() -> list[tuple[str, str, dict[str, Any]]]:
    """(file, event type, payload) of each; none where the conformance data is absent."""
    return [
        (path.name, "github." + path.name.removesuffix(".payload.json").split(".")[0], json.loads(path.read_bytes()))
        for path in sorted(FOLDER.glob("*.json"))
    ]


async def test_all_real_payloads_are_taken_in_every_mode_and_start_what_they_should(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    found = payloads()
    if not found:
        print("not run: no conformance data")
    triggers: list[dict[str, Any]] = [
        {"id": "any", "event": "github.*", "input": {"repository": "{{ default(trigger.payload.repository.full_name, '') }}"}},
        {
            "id": "issue",
            "event": "github.issues",
            "when": "trigger.payload.action == 'opened'",
            "key": "{{ trigger.payload.issue.number }}",
        },
        {"id": "labels", "event": "github.issues", "when": "default(trigger.payload.issue.labels, []).exists(l, l.name == 'bug')"},
        {
            "id": "pulls",
            "event": "github.pull_request*",
            "conditions": {"all": [{"left": "trigger.payload.sender.type", "op": "eq", "right": "User"}]},
        },
    ]
    await tell(events, workflow(*triggers), tenant=tenant)
    ids: list[str] = []
    for place, (name, type_, payload) in enumerate(found):
        attributes = {"specversion": "1.0", "id": name, "source": "https://github.com/octokit/webhooks", "type": type_}
        if place % 3 == 0:
            answer = await client.post(
                PATH, content=json.dumps(attributes | {"data": payload}), headers={"content-type": "application/cloudevents+json"}
            )
        elif place % 3 == 1:
            headers = {f"ce-{key}": value for key, value in attributes.items()} | {"content-type": "application/json"}
            answer = await client.post(PATH, content=json.dumps(payload), headers=headers)
        else:
            body = json.dumps([attributes | {"data": payload}])
            answer = await client.post(PATH, content=body, headers={"content-type": "application/cloudevents-batch+json"})
        assert (answer.status_code, answer.json().get("accepted")) == (202, 1), (name, answer.text)
        ids += answer.json()["ids"]
    starts = said(events, StartExecution, tenant=tenant)
    assert sum(start.trigger.id == "any" for start in starts) == len(found)
    opened = sum(type_ == "github.issues" and payload["action"] == "opened" for _, type_, payload in found)
    assert sum(start.trigger.id == "issue" for start in starts) == opened
    for one_id, (name, type_, payload) in zip(ids, found, strict=True):
        explained = (await client.get(f"{PATH}/{one_id}/explain")).json()
        assert (explained["event"]["id"], explained["event"]["data"]) == (name, payload)
        assert not [one for one in explained["triggers"] if one["reason"] == "error"]
        assert {one["trigger"] for one in explained["triggers"]} >= ({"any", "issue", "labels"} if type_ == "github.issues" else {"any"})
