"""A workflow, a node type or a whole tenant is held up and let go, and nothing is lost over it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from weft_contracts.connections import ConnectionResumed, ConnectionSuspended
from weft_engine.tables import admissions, suspensions
from weft_runtime.testing import eventually, said

from tests.connectors.server import serving
from tests.services.engine.conftest import Engine, echo

STATE = {"id": "s", "type": "state", "with": {"signals": {"go": {}}}}


async def suspend(engine: Engine, **body: Any) -> str:
    answer = await engine.client.post("/api/v1/suspensions", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def lift(engine: Engine, suspension: str) -> None:
    answer = await engine.client.delete(f"/api/v1/suspensions/{suspension}")
    assert (answer.status_code, answer.json()["lifted_at"] is None) == (200, False)


async def comes_to(engine: Engine, execution_id: str, status: str) -> dict[str, Any]:
    return await engine.until(execution_id, lambda shown: shown["status"] == status)


async def test_a_workflow_that_is_held_up_pauses_what_lives_and_starts_nothing_until_it_is_let_go(engine: Engine) -> None:
    await engine.publish("held", nodes=[STATE])
    living, by_hand = await engine.start("held"), await engine.start("held")
    await engine.waiting(living)
    await engine.waiting(by_hand)
    await engine.client.post(f"/api/v1/executions/{by_hand}/pause")
    suspension = await suspend(engine, kind="workflow", name="held", reason="the bank is down")
    await comes_to(engine, living, "paused")
    assert (await engine.client.post(f"/api/v1/executions/{living}/signals/go")).json()["status"] == "kept"
    repeated = await engine.client.post("/api/v1/suspensions", json={"kind": "workflow", "name": "held"})
    assert (repeated.status_code, repeated.json()["code"]) == (409, "already_suspended")
    one = (await engine.client.get(f"/api/v1/suspensions/{suspension}")).json()
    assert (one["kind"], one["name"], one["reason"], one["lifted_at"]) == ("workflow", "held", "the bank is down", None)
    assert suspension in [found["id"] for found in (await engine.client.get("/api/v1/suspensions")).json()["items"]]
    assert (await engine.service.client("elsewhere").get(f"/api/v1/suspensions/{suspension}")).status_code == 404
    await lift(engine, suspension)
    await comes_to(engine, living, "completed")
    assert (await engine.get(by_hand))["status"] == "paused"
    await engine.waiting(await engine.start("held"))


async def test_a_node_of_a_type_that_is_held_up_is_entered_when_it_is_let_go(engine: Engine) -> None:
    await engine.publish("typed", nodes=[STATE, {"id": "t", "type": "transform", "with": {"expression": "1"}}])
    execution = await engine.start("typed")
    await engine.waiting(execution)
    suspension = await suspend(engine, kind="node_type", name="transform")

    async def tries() -> dict[str, Any]:
        """Start until one meets the suspension: lanes know of it within a second."""
        while True:
            one = await engine.start("typed")
            await engine.waiting(one)
            await engine.client.post(f"/api/v1/executions/{one}/signals/go")
            shown = await engine.until(one, lambda shown: shown["status"] == "completed" or shown["waiting_for"][0]["kind"] == "suspended")
            if shown["status"] == "waiting":
                return shown

    held = await tries()
    assert held["waiting_for"][0]["for"] == f"suspended:{suspension}"
    await lift(engine, suspension)
    await comes_to(engine, held["id"], "completed")


@pytest.mark.parametrize(("kind", "name"), [("workflow", "late"), ("node_type", "transform")])
async def test_who_comes_to_the_gate_of_a_suspension_that_was_just_lifted_is_let_in(engine: Engine, kind: str, name: str) -> None:
    await engine.publish("late", nodes=[{"id": "t", "type": "transform", "with": {"expression": "1"}}])
    suspension = await suspend(engine, kind=kind, name=name)

    async def held() -> str | None:
        """One that stands at the gate: lanes know of the suspension within a second."""
        execution = await engine.start("late")

        async def there_or_through() -> bool | None:
            async with engine.service.context.transaction("acme") as uow:
                at_gates = await uow.conn.scalar(sa.select(admissions.c.gate).where(admissions.c.execution_id == UUID(execution)))
            return True if at_gates else False if (await engine.get(execution))["status"] == "completed" else None

        return execution if await eventually(there_or_through, f"execution {execution} held up or through") else None

    execution = await eventually(held, "an execution that is held up")
    # As it is for a partition that has not heard of the end of the suspension yet: its row comes after those at the gate were opened.
    async with engine.service.context.owner_transaction("acme") as uow:
        await uow.conn.execute(sa.update(suspensions).where(suspensions.c.id == UUID(suspension)).values(lifted_at=uow.now))
    await comes_to(engine, execution, "completed")


async def test_what_is_not_named_rightly_is_refused_with_a_pointer(engine: Engine) -> None:
    answer = await engine.client.post("/api/v1/suspensions", json={"kind": "workflow"})
    assert answer.status_code == 422
    for kind, name in (("workflow", "no-such-workflow"), ("node_type", "transfrom"), ("connection", "No such connection")):
        refused = await engine.client.post("/api/v1/suspensions", json={"kind": kind, "name": name})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/name")
    missing = await engine.client.delete("/api/v1/suspensions/0190a6f0-0000-7000-8000-000000000001")
    assert (missing.status_code, missing.json()["code"]) == (404, "suspension_not_found")


async def test_a_connection_that_is_held_up_lets_nobody_call_and_goes_on_for_all_when_let_go(engine: Engine, caller: None) -> None:
    async with serving(echo) as server:
        bank = {"name": "Held", "type": "http", "settings": {"base_url": server.url}}
        assert (await engine.client.post("/api/v1/connections", json=bank)).status_code == 201
        call = {"type": "http.request", "with": {"connection": "Held", "url": "/pay"}}
        await engine.publish("held-up", nodes=[
            {"id": "s", "type": "state", "with": {"signals": {"go": {}}}}, {"id": "first", **call}, {"id": "second", **call},
        ])  # fmt: skip
        suspension = await suspend(engine, kind="connection", name="Held", reason="maintenance")
        (told,) = [one for one in said(engine.service, ConnectionSuspended, tenant="acme") if one.name == "Held"]
        assert (str(told.suspension_id), told.reason) == (suspension, "maintenance")

        async def held() -> str | None:
            """One that stands at the gate: lanes know of the suspension within a second."""
            execution = await engine.start("held-up")
            await engine.waiting(execution)
            await engine.client.post(f"/api/v1/executions/{execution}/signals/go")
            shown = await engine.until(
                execution,
                lambda shown: shown["status"] == "completed" or any(one["kind"] == "suspended" for one in shown["waiting_for"]),
            )
            return None if shown["status"] == "completed" else execution

        first, second = await eventually(held, "one that is held up"), await eventually(held, "another")
        explained = (await engine.client.get(f"/api/v1/executions/{first}/explain")).json()["because"]
        assert [told for told in explained if "is held up by suspension" in told and "of the connection Held" in told]
        for _ in range(2):
            await lift(engine, suspension)
        assert [str(one.suspension_id) for one in said(engine.service, ConnectionResumed, tenant="acme")] == [suspension]
        # Both nodes go by it, and a lane may believe in the suspension for a second yet: who was let in is not held up by it again.
        assert [(await engine.ended(one))["status"] for one in (first, second)] == ["completed", "completed"]
    asked = [str(heard.header("idempotency-key")).split(":") for heard in server.heard]
    assert [sorted(node for execution, node, _ in asked if execution == one) for one in (first, second)] == [["first", "second"]] * 2
