"""A call of a webhook, signed with the secret of a connection, becomes a finished execution: through the whole mesh."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from weft_runtime.testing import until

from tests.services.events.signing import SECRET, signed
from tests.support.meshes import MeshProcess, publish
from tests.support.modes import in_many_processes

pytestmark = [pytest.mark.timeout(400), in_many_processes]
SLUG = "called-from-outside"
BODY = json.dumps({"order": 17, "note": "é"}).encode()
DOCUMENT: dict[str, Any] = {
    "format": "weft/v1",
    "name": "Called from outside",
    "slug": SLUG,
    "triggers": [
        {
            "id": "placed",
            "on": "webhook",
            "path": f"{SLUG}/orders",
            "connection": SLUG,
            "when": "trigger.request.headers['x-shop'] == 'one'",
            "input": {"order": "{{ trigger.payload.order }}", "from": "{{ trigger.request.query.from }}"},
        }
    ],
    "nodes": [{"id": "note", "type": "set", "with": {"type": "{{ trigger.type }}", "path": "{{ trigger.request.path }}"}}],
    "output": {"order": "{{ input.order }}", "from": "{{ input.from }}", "type": "{{ vars.type }}", "path": "{{ vars.path }}"},
}


def answered(call: Callable[[], httpx2.Response], status: int) -> httpx2.Response | None:
    """The answer, once it is the one that is waited for."""
    answer = call()
    return answer if answer.status_code == status else None


def test_a_signed_call_becomes_a_finished_execution_and_the_same_again_becomes_nothing(mesh: MeshProcess) -> None:
    admin = mesh.signed_in("admin")
    made = admin.post("/connections", json={"name": SLUG, "type": "webhook", "secrets": {"secret": SECRET}})
    assert made.status_code == 201, made.text
    publish(admin, DOCUMENT)
    address = f"{mesh.url}/hooks/{mesh.known['demo']['tenant']}/{SLUG}/orders?from=shop"

    def call(secret: str = SECRET) -> httpx2.Response:
        headers = signed("standard-webhooks", BODY, datetime.now(UTC), secret=secret, delivery=f"{SLUG}-1")
        return httpx2.post(address, content=BODY, headers={**headers, "x-shop": "one"}, trust_env=False, timeout=40)

    assert call("whsec_bm90IHRoaXMgb25l").status_code == 401
    # The secret reaches those who verify by a word of its own; until then nothing is verified.
    accepted = until(lambda: answered(call, 202), "the connection being known").json()
    again = call()
    assert (again.status_code, again.json()) == (200, accepted | {"accepted": 0, "duplicates": 1})

    def ended() -> dict[str, Any] | None:
        items = admin.get("/executions", params={"workflow": SLUG, "status": "completed"}).json()["items"]
        return items[0] if items else None

    execution = admin.get(f"/executions/{until(ended, 'the execution')['id']}").json()
    assert execution["output"] == {"order": 17, "from": "shop", "type": "webhook", "path": f"{SLUG}/orders"}
    assert (execution["trigger"]["type"], execution["trigger"]["event_id"]) == ("webhook", f"{SLUG}-1")
    explained = admin.get(f"/events/{SLUG}-1/explain").json()
    assert [one["execution_id"] for one in explained["triggers"] if one["matched"]] == [execution["id"]]
    admin.post(f"/workflows/{SLUG}/deactivate", json={})
    until(lambda: answered(call, 404), "the address being gone")
