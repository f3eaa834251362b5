"""A commit whose outcome is not known: it was done, and the engine was told that it failed."""

from __future__ import annotations

from typing import Any

import pytest
from weft_engine.journal import Batch, Journal

from tests.services.engine.conftest import Engine


async def test_a_commit_that_was_done_but_reported_as_failed_is_not_done_twice(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [{"id": "a", "type": "set", "with": {"x": 1}}, {"id": "s", "type": "state", "with": {"signals": {"go": {}}}}]
    await engine.publish("doubt", nodes=nodes)
    commit = Journal.commit
    lied: list[int] = []

    async def done_but_failed(journal: Journal, batch: Batch) -> Any:
        await commit(journal, batch)
        if batch.rows and len(lied) < 2:
            lied.append(len(batch.rows))
            raise ConnectionResetError("the answer was lost")

    monkeypatch.setattr(Journal, "commit", done_but_failed)
    executions = [await engine.start("doubt") for _ in range(5)]
    for execution in executions:
        await engine.waiting(execution)
    for execution in executions:
        answer = await engine.client.post(f"/api/v1/executions/{execution}/signals/go", json={})
        assert answer.status_code == 202, answer.text
    for execution in executions:
        shown = await engine.ended(execution)
        assert shown["status"] == "completed"
        history = (await engine.client.get(f"/api/v1/executions/{execution}/history")).json()["items"]
        assert [entry["position"] for entry in history] == list(range(len(history)))
        kinds = [entry["kind"] for entry in history]
        assert (kinds.count("execution.started"), kinds.count("execution.completed")) == (1, 1)
    assert lied
