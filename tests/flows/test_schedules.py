"""A schedule of every second in a whole mesh: an execution for each moment, by its due time, until it is paused."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from weft_runtime.testing import until

from tests.support.meshes import MeshProcess, publish
from tests.support.modes import in_one_process

pytestmark = [pytest.mark.timeout(400), in_one_process]
WORKFLOW: dict[str, Any] = {
    "format": "weft/v1",
    "name": "Ticking",
    "slug": "ticking",
    "triggers": [
        {"id": "tick", "on": "schedule", "every": "1s", "catch_up": "all", "input": {"due": "{{ trigger.payload.scheduled_at }}"}}
    ],
    "nodes": [{"id": "note", "type": "set", "with": {"type": "{{ trigger.type }}", "at": "{{ trigger.time }}"}}],
    "output": {"due": "{{ input.due }}", "type": "{{ vars.type }}", "at": "{{ vars.at }}"},
}


def completed(client: httpx2.Client, at_least: int) -> list[dict[str, Any]] | None:
    """The workflow's executions that are completed, when there are so many."""
    items = client.get("/executions", params={"workflow": "ticking", "status": "completed", "limit": 200}).json()["items"]
    return items if len(items) >= at_least else None


def test_each_second_starts_an_execution_until_it_is_paused(mesh: MeshProcess) -> None:
    editor = mesh.signed_in("editor")
    publish(editor, WORKFLOW)
    try:
        until(lambda: completed(editor, 3), "three executions")
        (schedule,) = editor.get("/schedules", params={"workflow": "ticking"}).json()["items"]
        address = f"/schedules/{schedule['id']}"
        paused = editor.post(f"{address}/pause").json()
        assert (paused["status"], paused["next_at"], len(editor.get(f"{address}/next").json()["items"])) == ("paused", None, 5)
        ended = until(lambda: completed(editor, paused["fired"]), "an execution for each firing")
        outputs = [editor.get(f"/executions/{one['id']}").json()["output"] for one in ended]
        assert Counter((one["type"], one["at"] == one["due"]) for one in outputs) == {("schedule", True): paused["fired"]}
        due = sorted(datetime.fromisoformat(one["due"]) for one in outputs)
        assert due == [due[0] + timedelta(seconds=number) for number in range(paused["fired"])]
        span = {"from": due[0].isoformat(), "to": due[-1].isoformat()}
        filled = editor.post(f"{address}/backfill", json=span).json()
        assert (filled["count"], filled["already"], filled["started"]) == (len(due), len(due), 0)
    finally:
        editor.post("/workflows/ticking/deactivate", json={})
    assert (editor.get(address).json()["status"], editor.get(address).json()["fired"]) == ("paused", paused["fired"])
