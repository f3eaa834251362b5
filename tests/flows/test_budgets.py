"""A budget that is made at one room holds a worker of another back, and what it forbade is told: through the whole mesh."""

from __future__ import annotations

from typing import Any

import pytest
from weft_runtime.testing import until

from tests.support.meshes import MeshProcess, publish
from tests.support.modes import in_many_processes

pytestmark = pytest.mark.timeout(400)

SLUG = "asks-within-its-budget"
DOCUMENT: dict[str, Any] = {
    "format": "weft/v1",
    "name": "Asks within its budget",
    "slug": SLUG,
    "nodes": [
        {
            "id": "ask",
            "type": "ai.generate",
            "with": {"connection": "budgeted-brain", "instructions": "Write."},
            "retry": {"attempts": 1},
        },
        {"id": "without", "type": "set", "with": {"code": "{{ step.ask.error.code }}"}},
    ],
    "edges": [{"from": "ask", "to": "without", "on": "error"}],
    "output": {"code": "{{ vars.code }}"},
}
SETTINGS = {
    "provider": "openai",
    "base_url": "https://models.invalid/v1",
    "models": {"default": "m"},
    "prices": {"m": {"input": 1, "output": 1}},
}


@in_many_processes
def test_a_budget_stops_a_call_and_the_way_without_is_taken(mesh: MeshProcess) -> None:
    admin = mesh.signed_in("admin")
    connection = {"name": "budgeted-brain", "type": "ai", "settings": SETTINGS, "secrets": {"api_key": "sk-not-used"}}
    assert admin.post("/connections", json=connection).status_code == 201
    publish(admin, DOCUMENT)

    def kept() -> str | None:
        """The budget's id, once analytics has heard of the workflow, which nobody waits for who publishes it."""
        made = admin.post("/budgets", json={"workflow": SLUG, "period": "month", "limit": 0.000001})
        return str(made.json()["id"]) if made.status_code == 201 else None

    made = until(kept, "a budget for the workflow")

    def stopped() -> bool | None:
        """Whether an execution took the way without, because of the budget; before it is heard of the provider is not there."""
        started = admin.post(f"/workflows/{SLUG}/trigger", params={"wait": "20s"}, json={"input": {}})
        return True if started.json().get("output") == {"code": "ai_over_budget"} else None

    until(stopped, "a call that the budget forbids")

    def told() -> dict[str, Any] | None:
        found: dict[str, Any] = admin.get("/analytics/costs", params={"workflow": SLUG}).json()
        return found if found["total"]["refused"] else None

    found = until(told, "what was refused, among the costs")
    assert found["total"]["cost"] == 0
    assert ("budgeted-brain", "ai_over_budget") in {(one["connection"], one["code"]) for one in found["errors"]}
    (budget,) = [one for one in admin.get("/budgets").json()["items"] if one["workflow"] == SLUG]
    assert (budget["id"], budget["current"]["spent"]) == (made, 0)
