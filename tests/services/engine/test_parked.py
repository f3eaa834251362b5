"""What a partition or a worker could not use: seen by its tenant, edited, replayed into its queue, and never lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
from weft_connectors.activity import ActivityCall
from weft_contracts import routing
from weft_contracts.audit import RecordAudit
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import encode_frame
from weft_engine.app import build
from weft_engine.hotloop import turns
from weft_runtime.bus import OutFrame
from weft_runtime.bus.topology import pool
from weft_runtime.clock import new_id
from weft_runtime.database import driver_url
from weft_runtime.pipeline.outbox import Outbox
from weft_runtime.testing import eventually, running_service, said

from tests.services.engine.conftest import Engine

STATE = {"id": "s", "type": "state", "with": {"signals": {"go": {}}}}


def word(type_: str, data: dict[str, Any], source: str = "test", **envelope: Any) -> Item:
    """An item of tenant acme."""
    return Item(
        id=str(new_id()), source=source, type=type_, tenantid="acme", dataschema=schema_of(type_, 1),
        data=msgspec.Raw(msgspec.json.encode(data)), **envelope,
    )  # fmt: skip


async def send(engine: Engine, exchange: str, queue: str, item: Item) -> None:
    """Publish one item."""
    await engine.service.context.bus.publish([OutFrame(exchange, queue, encode_frame([item]))])


async def parked(engine: Engine, item: Item) -> dict[str, Any]:
    """The item among what the tenant sees as parked, once it is there."""

    async def look() -> dict[str, Any] | None:
        engine.service.clock.advance(timedelta(seconds=30))  # an item about an execution that is not there is held a while
        listed = (await engine.client.get("/api/v1/parked")).json()["items"]
        return next((row for row in listed if row["message_id"] == item.id), None)

    return await eventually(look, f"{item.type} being parked")


async def replay(engine: Engine, row: dict[str, Any], body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Replay it, and wait until it is settled one way or the other."""
    answer = await engine.client.post(f"/api/v1/parked/{row['id']}/replay", json=body)
    assert (answer.status_code, answer.json()["status"]) == (200, "retrying"), answer.text

    async def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = (await engine.client.get(f"/api/v1/parked/{row['id']}")).json()
        return shown if shown["status"] != "retrying" else None

    return await eventually(look, "it being settled")


async def comes_to(engine: Engine, execution: UUID, status: str) -> None:
    """Wait until an execution, which may not have begun, has this status."""

    async def look() -> bool | None:
        answer = await engine.client.get(f"/api/v1/executions/{execution}")
        return True if answer.status_code == 200 and answer.json()["status"] == status else None

    await eventually(look, f"{execution} being {status}")


def start(execution_id: UUID, workflow: str) -> dict[str, Any]:
    """The data of `execution.start`."""
    return {"execution_id": str(execution_id), "workflow": workflow, "workflow_version": 1, "trigger": {"type": "event", "id": "e"}}


async def test_a_cancel_waits_behind_the_start_that_waits_for_its_workflow(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", timedelta(days=365))
    execution = new_id()
    queue = routing.partition_queue(routing.partition_of(execution))
    stray = next(one for one in iter(new_id, None) if routing.partition_queue(routing.partition_of(one)) == queue)
    asked = [word("execution.start", start(execution, "late")), word("execution.cancel", {"execution_id": str(execution)})]
    to_nobody = word("execution.cancel", {"execution_id": str(stray)})
    await engine.service.context.bus.publish([OutFrame(routing.COMMANDS, queue, encode_frame([*asked, to_nobody]))])
    await parked(engine, to_nobody)  # it came after the others, and its patience is theirs
    await engine.publish("late", nodes=[STATE])

    async def cancelled() -> bool | None:
        engine.service.clock.advance(timedelta(seconds=1))  # what is held is looked at again in time
        answer = await engine.client.get(f"/api/v1/executions/{execution}")
        return answer.json().get("status") == "cancelled" or None

    await eventually(cancelled, "the execution being cancelled")
    listed = (await engine.client.get("/api/v1/parked")).json()["items"]
    assert {row["message_id"] for row in listed}.isdisjoint(item.id for item in asked)


async def test_what_a_caller_says_waits_for_the_start_that_it_could_not_say_yet(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "ACCEPTED_PATIENCE", timedelta(days=365))
    await engine.publish("overtaken", nodes=[STATE])
    execution = new_id()
    queue = routing.partition_queue(routing.partition_of(execution))
    stray = next(one for one in iter(new_id, None) if routing.partition_queue(routing.partition_of(one)) == queue)
    cancel = word("execution.cancel", {"execution_id": str(execution)}, "weft/engine")
    to_nobody = word("execution.cancel", {"execution_id": str(stray)})
    await engine.service.context.bus.publish([OutFrame(routing.COMMANDS, queue, encode_frame([cancel, to_nobody]))])
    await parked(engine, to_nobody)  # its patience was that of the cancel

    await send(engine, routing.COMMANDS, queue, word("execution.start", start(execution, "overtaken")))

    async def cancelled() -> bool | None:
        engine.service.clock.advance(timedelta(seconds=1))
        answer = await engine.client.get(f"/api/v1/executions/{execution}")
        return answer.json().get("status") == "cancelled" or None

    await eventually(cancelled, "the execution being cancelled")
    listed = (await engine.client.get("/api/v1/parked")).json()["items"]
    assert cancel.id not in [row["message_id"] for row in listed]


async def test_a_pause_waits_for_the_start_that_is_accepted_and_not_said_yet(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unsaid(_: Outbox, __: Any) -> None:
        """As of an engine that dies between the commit and the broker."""

    monkeypatch.setattr(turns, "ACCEPTED_PATIENCE", timedelta(days=365))
    await engine.publish("unsaid", nodes=[STATE])
    with monkeypatch.context() as dying:
        dying.setattr(Outbox, "send", unsaid)
        execution = UUID(await engine.start("unsaid"))
    queue = routing.partition_queue(routing.partition_of(execution))
    stray = next(one for one in iter(new_id, None) if routing.partition_queue(routing.partition_of(one)) == queue)
    pause, to_nobody = (word("execution.pause", {"execution_id": str(one)}) for one in (execution, stray))
    await engine.service.context.bus.publish([OutFrame(routing.COMMANDS, queue, encode_frame([pause, to_nobody]))])
    await parked(engine, to_nobody)  # its patience was that of the pause
    defaults = Outbox.sweep.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "older_s", 0.0)

    async def paused() -> bool | None:
        engine.service.clock.advance(timedelta(seconds=1))
        return (await engine.get(str(execution)))["status"] == "paused" or None

    await eventually(paused, "the execution being paused")
    listed = (await engine.client.get("/api/v1/parked")).json()["items"]
    assert pause.id not in [row["message_id"] for row in listed]


async def test_a_start_with_wrong_data_is_mended_and_replayed_into_its_partition(engine: Engine) -> None:
    await engine.publish("mended", nodes=[{"id": "a", "type": "set", "with": {"x": 1}}])
    execution = new_id()
    bad = word("execution.start", start(execution, "mended") | {"input": "not an object"})
    await send(engine, routing.COMMANDS, routing.partition_queue(routing.partition_of(execution)), bad)
    row = await parked(engine, bad)
    assert (row["code"], row["queue"]) == ("bad_message", routing.partition_queue(routing.partition_of(execution)))
    settled = await replay(engine, row, {"data": start(execution, "mended") | {"input": {}}})
    assert (settled["status"], settled["item"]["id"], settled["item"]["data"]["input"]) == ("replayed", bad.id, {})
    await comes_to(engine, execution, "completed")


async def test_a_signal_that_came_before_its_execution_is_replayed_as_it_is(engine: Engine) -> None:
    await engine.publish("patient", nodes=[STATE])
    execution = new_id()
    early = word("execution.signal", {"execution_id": str(execution), "signal_id": "1", "name": "go"})
    queue = routing.partition_queue(routing.partition_of(execution))
    await send(engine, routing.COMMANDS, queue, early)
    row = await parked(engine, early)
    assert row["code"] == "execution_not_found"
    await send(engine, routing.COMMANDS, queue, word("execution.start", start(execution, "patient")))
    await comes_to(engine, execution, "waiting")
    assert (await replay(engine, row))["status"] == "replayed"
    await comes_to(engine, execution, "completed")


async def test_what_is_still_wrong_when_it_is_replayed_is_parked_again(engine: Engine) -> None:
    execution = new_id()
    bad = word("execution.explode", {"execution_id": str(execution)})
    await send(engine, routing.COMMANDS, routing.partition_queue(0), bad)
    first = await parked(engine, bad)
    assert (await replay(engine, first))["status"] == "replayed"
    second = await parked(engine, bad)
    assert second["id"] != first["id"]
    assert (second["code"], second["status"]) == ("unknown_type", "parked")
    assert (await engine.client.post(f"/api/v1/parked/{second['id']}/discard")).json()["status"] == "discarded"
    told = [one for one in said(engine.service, RecordAudit) if one.resource_id in (first["id"], second["id"])]
    assert [(one.action, (one.details or {})["edited"]) for one in told] == [("parked.replayed", False), ("parked.discarded", False)]
    assert all(one.by is not None and one.details is not None and one.details["service"] == "engine" for one in told)


async def test_a_request_no_worker_could_read_is_mended_and_done(engine: Engine, working: Callable[..., None]) -> None:
    done: list[str] = []

    async def note(call: ActivityCall) -> None:
        done.append(call.key)

    working("replays", note=note)
    bad = word("activity.requested", {"node": 7}, replyto=routing.partition_queue(0))
    data = {"execution_id": str(uuid4()), "node": "a", "visit": 1, "attempt": 1, "name": "note", "key": "k", "lease_s": 60}

    await engine.service.context.bus.declare(pool("replays"))
    await send(engine, routing.WORK, routing.work_queue("replays"), bad)
    row = await parked(engine, bad)
    assert (await replay(engine, row, {"data": data}))["status"] == "replayed"

    async def seen() -> bool | None:
        return bool(done) or None

    await eventually(seen, "the worker doing it")
    assert done == ["k"]


async def test_an_edit_cannot_make_a_message_another_tenants(engine: Engine) -> None:
    bad = word("execution.explode", {})
    await send(engine, routing.COMMANDS, routing.partition_queue(0), bad)
    row = await parked(engine, bad)
    path = f"/api/v1/parked/{row['id']}/replay"
    refused = await engine.client.post(path, json={"data": {"tenant": "other"}})
    assert (refused.status_code, refused.json()["code"]) == (422, "parked_not_editable")
    assert (await engine.service.client("other").post(path, json={"data": {}})).status_code == 404
    assert (await engine.client.post(path, json={"item": {}})).status_code == 422


async def test_a_definition_this_code_cannot_run_stops_nobody_else(engine: Engine) -> None:
    await engine.publish("newer", nodes=[{"id": "a", "type": "teleport", "with": {}}])
    await engine.publish("known", nodes=[{"id": "a", "type": "set", "with": {"x": 1}}])
    newer, known = new_id(), new_id()
    for execution, workflow in ((newer, "newer"), (known, "known")):
        queue = routing.partition_queue(routing.partition_of(execution))
        await send(engine, routing.COMMANDS, queue, word("execution.start", start(execution, workflow)))
    await comes_to(engine, known, "completed")


async def test_what_came_to_another_partition_than_its_own_is_parked_and_replayed_into_its_own(engine: Engine) -> None:
    await engine.publish("astray", nodes=[STATE])
    execution = new_id()
    item = word("execution.start", start(execution, "astray"))
    own = routing.partition_of(execution)
    await send(engine, routing.COMMANDS, routing.partition_queue((own + 1) % routing.DEFAULT_PARTITIONS), item)
    row = await parked(engine, item)
    assert row["code"] == "wrong_partition"
    assert (await engine.client.get(f"/api/v1/executions/{execution}")).status_code == 404
    assert (await replay(engine, row))["status"] == "replayed"
    await comes_to(engine, execution, "waiting")


async def test_a_journal_that_tells_no_state_stops_nobody_else_neither_here_nor_at_the_next_owner(
    engine: Engine, database_url: str, broker_url: str
) -> None:
    await engine.publish("sound", nodes=[{"id": "a", "type": "set", "with": {"x": 1}}])
    spoilt = await engine.start("sound")
    await engine.ended(spoilt)
    connection = await asyncpg.connect(driver_url(database_url))
    try:
        await connection.execute(
            "INSERT INTO engine.journal (partition, seq, at, execution_id, tenant_id, position, entries)"
            " SELECT partition, seq + 1000000, at, execution_id, tenant_id, position + 1000, entries FROM engine.journal"
            " WHERE execution_id = $1 AND position = 0",
            UUID(spoilt),
        )
    finally:
        await connection.close()
    signal = word("execution.signal", {"execution_id": spoilt, "signal_id": "1", "name": "go"})
    await send(engine, routing.COMMANDS, routing.partition_queue(routing.partition_of(UUID(spoilt))), signal)
    assert (await parked(engine, signal))["code"] == "journal_not_understood"
    async with running_service(build, database_url, broker_url):
        for _ in range(2 * routing.DEFAULT_PARTITIONS):
            assert (await engine.ended(await engine.start("sound")))["status"] == "completed"


async def test_what_names_no_tenant_is_seen_by_who_runs_the_installation_alone(engine: Engine) -> None:
    item = Item(id=str(new_id()), source="test", type="execution.start", data=msgspec.Raw(b"{}"))
    await send(engine, routing.COMMANDS, routing.partition_queue(0), item)
    operator = engine.service.client(roles=["operator"])

    async def look() -> dict[str, Any] | None:
        listed = (await operator.get("/api/v1/parked/without-tenant")).json()["items"]
        return next((row for row in listed if row["message_id"] == item.id), None)

    row = await eventually(look, "an item without a tenant being parked")
    assert row["code"] == "no_tenant"
    admin = engine.service.client(roles=["admin"])
    assert (await admin.get("/api/v1/parked/without-tenant")).status_code == 403
    assert (await admin.get(f"/api/v1/parked/{row['id']}")).status_code == 404
    place = f"/api/v1/parked/without-tenant/{row['id']}"
    assert (await operator.get(place)).json()["item"]["id"] == item.id
    assert (await operator.post(f"{place}/discard")).json()["status"] == "discarded"
    assert (await operator.post(f"{place}/replay")).json()["code"] == "parked_settled"
