"""Events are kept as long as their tenant wants, and go with everything that is kept beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa
from weft_contracts.directory import TenantChanged
from weft_events import domain
from weft_events.app import forget
from weft_events.tables import delivery, event, event_key, event_value, verdict
from weft_runtime.clock import new_id
from weft_runtime.testing import RunningService, tell

PATH = "/api/v1/events"


async def send(client: httpx2.AsyncClient, id_: str) -> dict[str, Any]:
    answer = await client.post(PATH, json={"specversion": "1.0", "id": id_, "source": "/shop", "type": "order.made", "data": {"n": 1}})
    assert answer.status_code == 202, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def beside(service: RunningService, tenant: str) -> list[int]:
    async with service.context.owner_transaction(tenant) as uow:
        return [
            (await uow.conn.execute(sa.select(sa.func.count()).where(table.c.tenant_id == tenant))).scalar_one()
            for table in (event, event_key, event_value, delivery, verdict)
        ]


@pytest.mark.parametrize(("settings", "left"), [({"retention": {"events_days": 30}}, 1), ({}, 2)])
async def test_old_events_go_with_what_is_kept_beside_them(events: RunningService, settings: dict[str, Any], left: int) -> None:
    tenant = f"kept-{left}"
    client = events.client(tenant, ["service"])
    await tell(events, TenantChanged(tenant=tenant, name="T", revision=1, settings=settings), tenant=tenant)
    id_ = (await send(client, "old"))["log_ids"][0]
    async with events.context.owner_transaction(tenant) as uow:
        for table, more in (
            (event_value, {"pattern": "order.made", "path": "", "value": ""}),
            (delivery, {"execution_id": new_id()}),
            (verdict, {"execution_id": new_id(), "reason": "rejected", "detail": "x"}),
        ):
            await uow.conn.execute(sa.insert(table).values(tenant_id=tenant, id=id_, **more))
    # The ids of events tell the time of the machine, so it is the clock of who forgets that goes on.
    events.clock.set(datetime.fromtimestamp((UUID(id_).int >> 80) / 1000, UTC) + timedelta(days=29))
    await forget(events.context)
    assert await beside(events, tenant) == [1, 1, 1, 1, 1]
    events.clock.advance(timedelta(days=2))
    await forget(events.context)
    again = await send(events.client(tenant, ["service"]), "old")
    assert await beside(events, tenant) == ([1, 1, 0, 0, 0] if left == 1 else [1, 1, 1, 1, 1])
    assert again["duplicates"] == left - 1


@pytest.mark.parametrize(
    ("said", "means"), [({"events_days": 7}, 7), ({"events_days": 0}, 0), ({"events_days": True}, 90), ({}, 90), (None, 90), ("7", 90)]
)
def test_what_a_tenant_does_not_say_well_is_as_usual(said: object, means: int) -> None:
    assert domain.kept_days(said, 90) == means
