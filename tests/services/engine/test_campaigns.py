"""What bulk jobs and migrations have in common: they are kept for a while, and then go with their items."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from weft_engine import store
from weft_engine.app import build
from weft_engine.bulk.running import BULK
from weft_engine.campaigns import KEPT, Kind, forget, look
from weft_engine.moving.running import MIGRATIONS
from weft_engine.store import migrations as migrations_store
from weft_engine.tables import bulk_items, migration_items
from weft_runtime.clock import new_id
from weft_runtime.testing import RunningService, running_service


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[RunningService]:
    """An engine whose own runners are gone."""
    async with running_service(build, database_url) as service:
        for task in service.host._tasks:
            task.cancel()
        await asyncio.gather(*service.host._tasks, return_exceptions=True)
        yield service


async def bulk(service: RunningService) -> str:
    """A job that has ended: nothing is known of its one id."""
    answer = await service.client("acme").post("/api/v1/executions/bulk", json={"verb": "cancel", "filter": {"ids": [str(new_id())]}})
    assert answer.json()["status"] == "completed"
    return str(answer.json()["id"])


async def migration(service: RunningService, *, goes_on: bool = False) -> str:
    """A migration of one execution, that is looked at again or not."""
    migration_id, execution_id = new_id(), new_id()
    async with service.context.owner_transaction("acme") as uow:
        await store.queue(uow, execution_id, "w", 1, 0, None, {})
        plan: dict[str, Any] = {"workflow": "w", "from_version": 1, "to_version": 2, "status": "halted", "total": 1, "timers": "keep"}
        plan |= {"mapping": {}, "proposed": [], "filter": {}, "canary": {}, "stop_at_error_rate": 0.5, "watch_s": 1.0, "caller": {}}
        await migrations_store.add(uow, {"id": migration_id, **plan})
        await migrations_store.change(uow, migration_id, pause_s=60.0 if goes_on else None)
        item = {"tenant_id": "acme", "migration_id": migration_id, "number": 1, "execution_id": execution_id, "status": "refused"}
        await uow.conn.execute(sa.insert(migration_items).values(done_at=uow.now, **item))
    return str(migration_id)


async def items(service: RunningService, column: sa.Column[UUID], campaign_id: str) -> Any:
    async with service.context.owner_transaction("acme") as uow:
        return (await uow.conn.execute(sa.select(sa.func.count()).where(column == UUID(campaign_id)))).scalar_one()


@pytest.mark.parametrize(
    ("kind", "make", "path", "column"),
    [(BULK, bulk, "bulk", bulk_items.c.job_id), (MIGRATIONS, migration, "migrations", migration_items.c.migration_id)],
    ids=["bulk", "migrations"],
)
async def test_what_is_over_is_kept_for_thirty_days_and_then_goes_with_its_items(
    service: RunningService, kind: Kind, make: Any, path: str, column: sa.Column[UUID]
) -> None:
    one = await make(service)

    async def shown() -> int:
        return int((await service.client("acme").get(f"/api/v1/{path}/{one}")).status_code)

    service.clock.advance(KEPT - timedelta(hours=1))
    await forget(kind, service.context)
    assert (await shown(), await items(service, column, one)) == (200, 1)
    service.clock.advance(timedelta(hours=2))
    await forget(kind, service.context)
    assert (await shown(), await items(service, column, one)) == (404, 0)


async def test_a_migration_that_goes_on_is_never_forgotten(service: RunningService) -> None:
    one = await migration(service, goes_on=True)
    service.clock.advance(KEPT * 2)
    await forget(MIGRATIONS, service.context)
    assert (await service.client("acme").get(f"/api/v1/migrations/{one}")).status_code == 200
    assert await look(MIGRATIONS, service.context) > 0, "and it is not due yet"
