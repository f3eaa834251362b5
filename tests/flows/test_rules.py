"""A rule from its draft to what it does, through the whole mesh: it is tried, made active, and what happens tells people and a service."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest
from weft_runtime.testing import eventually, until

from tests.connectors.server import serving
from tests.support.meshes import MeshProcess
from tests.support.modes import in_many_processes

pytestmark = [pytest.mark.timeout(400), in_many_processes]
SLUG = "approved-in-a-flow"
SOURCE = "/flows/rules"


def rule(url: str, least: int) -> dict[str, Any]:
    """A rule on approved requests over an amount, which calls a service."""
    body = {"request": "{{ record.id }}", "text": "{{ record.who }} has {{ record.amount }}"}
    return {
        "slug": SLUG,
        "name": "Approved requests",
        "trigger": {
            "entity_type": SLUG,
            "operation": "update",
            "source": "event",
            "field_conditions": {"status": "approved", "amount": {"gte": least}},
        },
        "conditions": [{"condition_type": "role_based", "condition_config": {"roles": ["boss"]}}],
        "actions": [
            {"action_type": "notification", "action_config": {"title": "Request {{ record.id }} is approved"}},
            {"action_type": "webhook", "action_config": {"url": url, "body": body}},
        ],
        "recipients": [{"recipient_type": "role", "recipient_id": "approver"}],
    }


def event(number: int, **data: Any) -> dict[str, Any]:
    told = {"id": number, "status": "approved", "amount": 100 * number, "who": "Ada", "user": {"roles": ["boss"]}} | data
    return {"specversion": "1.0", "id": f"{SLUG}-{number}", "source": SOURCE, "type": f"{SLUG}.updated", "data": told}


def test_a_rule_is_tried_made_active_and_does_what_it_says(mesh: MeshProcess) -> None:
    asyncio.run(played(mesh))


async def played(mesh: MeshProcess) -> None:
    """The story."""
    admin = mesh.signed_in("admin")
    async with serving() as service:
        made = admin.post("/rules", json=rule(f"{service.url}/hook", least=200))
        assert made.status_code == 201, made.text
        tried = admin.post(f"/rules/{SLUG}/test", json={"record": event(3)["data"]}).json()
        assert (tried["matched"], tried["actions"][1]["with"]["body"]["text"]) == (True, "Ada has 300")
        refused = admin.post(f"/rules/{SLUG}/test", json={"record": event(1)["data"]}).json()
        assert (refused["matched"], refused["why"]) == (False, ["/trigger/field_conditions/amount (field_conditions) does not hold"])
        assert service.heard == [], "nothing is done"

        def active() -> bool | None:
            answer = admin.put(f"/rules/{SLUG}", json={**rule(f"{service.url}/hook", least=200), "status": "active"})
            assert answer.status_code == 200, answer.text
            return answer.json()["installed"] or None

        await asyncio.to_thread(until, active, "the rule being with everybody")
        batch = [event(1), event(2), event(3, user={"roles": ["clerk"]})]
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        assert admin.post("/events", content=json.dumps(batch), headers=headers).status_code == 202

        def ended() -> list[dict[str, Any]] | None:
            return admin.get("/executions", params={"workflow": SLUG, "status": "completed"}).json()["items"] or None

        (only,) = await asyncio.to_thread(until, ended, "the execution")
        assert only["trigger"]["id"] == "rule"

        async def called() -> bool | None:
            return True if service.heard else None

        await eventually(called, "the service being called")
        shown = (await asyncio.to_thread(mesh.signed_in("approver").get, "/notifications")).json()["items"]
        assert [one["title"] for one in shown if one["event"].startswith("rule.")] == ["Request 2 is approved"]
        (heard,) = service.heard
        assert json.loads(heard.body) == {"request": 2, "text": "Ada has 200"}
    logged = admin.get(f"/rules/{SLUG}/log").json()["items"]
    assert [(one["workflow_id"], one["status"], one["error"]) for one in logged] == [(SLUG, "success", None)]
    assert logged[0]["trigger_event_id"] in {one["id"] for one in admin.get("/events", params={"source": SOURCE}).json()["items"]}
    backtested(admin)


def backtested(admin: httpx2.Client) -> None:
    """A change of the rule that is not live is tried on what happened."""
    draft = rule("http://127.0.0.1:9/", least=100)
    assert admin.put(f"/rules/{SLUG}", json={**draft, "status": "inactive"}).status_code == 200

    def completed() -> dict[str, Any] | None:
        answer = admin.post(f"/workflows/{SLUG}/backtest", json={"from": "2026-01-01T00:00:00Z"}).json()
        return answer["result"]  # type: ignore[no-any-return]

    found = until(completed, "the backtest")
    assert (found["would_start"], found["live_would_start"], found["added"]) == (2, 1, 1)
    assert found["differences"][0]["event_id"] == f"{SLUG}-1"
