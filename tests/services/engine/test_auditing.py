"""What the audit is told of what people ask for, on real PostgreSQL and RabbitMQ."""

from __future__ import annotations

from typing import Any

from weft_contracts.audit import RecordAudit
from weft_runtime.clock import new_id
from weft_runtime.testing import eventually, said

from tests.services.engine.conftest import Engine
from tests.services.engine.migrating import document, publish

STATE = {"id": "s", "type": "state", "with": {"signals": {"go": {}}}}
CANARY = "canary-5up3rs3cret"


def told(engine: Engine, about: str) -> list[RecordAudit]:
    """What the audit was told of something, in order."""
    return [one for one in said(engine.service, RecordAudit, tenant=engine.tenant) if one.resource_id == about]


async def asked(engine: Engine, path: str, **body: Any) -> Any:
    answer = await engine.client.post(f"/api/v1{path}", json=body)
    assert answer.status_code < 300, answer.text
    return answer.json()


async def test_a_signal_and_a_migration_by_hand_are_told_when_they_are_sent(engine: Engine) -> None:
    await engine.publish("signalled", nodes=[STATE])
    execution = await engine.start("signalled")
    await engine.waiting(execution)
    dry = await engine.client.post(f"/api/v1/executions/{execution}/migrate", json={"version": 1, "dry_run": True})
    assert dry.status_code == 200
    await engine.client.post(f"/api/v1/executions/{execution}/migrate", json={"version": 1})
    await engine.client.post(f"/api/v1/executions/{execution}/undo-migration")
    await asked(engine, f"/executions/{execution}/signals/go", payload={"password": CANARY}, signal_id="once")
    migrated, undone, signal = told(engine, execution)
    assert (migrated.action, (migrated.details or {})["to_version"]) == ("execution.migration_sent", 1)
    assert undone.action == "execution.migration_undo_sent"
    assert (signal.action, signal.details) == ("execution.signal_sent", {"signal": "go", "signal_id": "once"})
    assert signal.by is not None
    assert signal.origin is not None
    assert signal.origin.trace_id


async def test_what_is_refused_is_not_told(engine: Engine) -> None:
    nowhere = str(new_id())
    assert (await engine.client.post(f"/api/v1/executions/{nowhere}/signals/go")).status_code == 404
    assert (await engine.client.post(f"/api/v1/bulk/{nowhere}/stop")).status_code == 404
    assert (await engine.client.post(f"/api/v1/connections/{nowhere}/test")).status_code == 404
    assert told(engine, nowhere) == []


async def test_a_job_on_many_is_told_when_it_begins_and_when_it_is_stopped(engine: Engine) -> None:
    await engine.publish("many", nodes=[STATE])
    for _ in range(12):  # at one a second: it is stopped amid them
        await engine.start("many")
    await asked(engine, "/executions/bulk", verb="cancel", filter={"workflow": "many"}, preview=True)
    job = await asked(engine, "/executions/bulk", verb="cancel", filter={"workflow": "many"}, reason="tidy", rate_per_s=1)
    for _ in range(2):  # the second changes nothing
        await engine.client.post(f"/api/v1/bulk/{job['id']}/stop")
    started, stopped = told(engine, job["id"])
    assert (started.action, started.before, (started.after or {})["total"]) == ("bulk.started", None, 12)
    assert (started.after or {})["reason"] == "tidy"
    assert (stopped.action, stopped.before, (stopped.after or {})["status"]) == ("bulk.stopped", {"status": "running"}, "stopping")


async def test_a_suspension_is_told_with_what_it_holds_up(engine: Engine) -> None:
    await engine.publish("holdable", nodes=[STATE])
    made = await asked(engine, "/suspensions", kind="workflow", name="holdable", reason="the bank is down")
    for _ in range(2):
        assert (await engine.client.delete(f"/api/v1/suspensions/{made['id']}")).status_code == 200
    held, lifted = told(engine, "holdable")
    assert (held.action, held.resource_type, held.after) == (
        "workflow.suspended", "workflow_use", {"suspended": True, "reason": "the bank is down"},
    )  # fmt: skip
    assert (lifted.action, lifted.before, (lifted.after or {})["suspended"]) == ("workflow.resumed", held.after, False)


async def test_a_migration_of_many_is_told_as_it_is_planned_and_applied(engine: Engine) -> None:
    await publish(engine, "moved", document("moved"), document("moved", new=True))
    plan = await asked(engine, "/workflows/moved/migrations", **{"from": 1, "to": 2})

    async def ready() -> bool:
        shown = await engine.client.get(f"/api/v1/migrations/{plan['id']}")
        return bool(shown.json()["status"] != "planning")

    await eventually(ready, "the plan being judged")
    for _ in range(2):
        await engine.client.post(f"/api/v1/migrations/{plan['id']}/apply")
    planned, applied, *_ = told(engine, plan["id"])
    assert (planned.action, (planned.after or {})["from_version"], (planned.after or {})["to_version"]) == ("migration.planned", 1, 2)
    assert (applied.action, (applied.before or {})["status"]) == ("migration.applied", "ready")


async def test_a_connection_that_is_tried_is_told_and_none_of_its_secrets(engine: Engine) -> None:
    settings = {"base_url": "https://bank.example", "auth": "bearer"}
    body = {"name": f"tried-{new_id()}", "type": "http", "settings": settings, "secrets": {"token": CANARY}}
    made = await asked(engine, "/connections", **body)
    await asked(engine, f"/connections/{made['id']}/test")
    (tried,) = told(engine, made["id"])
    assert (tried.action, tried.details) == ("connection.tested", {"name": body["name"]})
    assert CANARY not in str(said(engine.service, RecordAudit))
