"""Executions are kept as long as their workflow or tenant asks for after their end, and then forgotten with their journals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from weft_contracts.directory import TenantChanged
from weft_contracts.executions import ExecutionsForgotten
from weft_engine.core.retention import kept_days
from weft_engine.forgetting import forget_executions
from weft_engine.journal import Journal, connector
from weft_engine.tables import executions, journal, partitions
from weft_runtime.testing import eventually, said, tell

from tests.services.engine.conftest import Engine

DONE = [{"id": "only", "type": "set", "with": {"a": 1}}]
BROKEN = [{"id": "only", "type": "fail", "with": {"code": "broken", "message": "as asked"}}]
OPEN = [{"id": "only", "type": "state", "with": {"signals": {"go": {}}}}]
DAY = timedelta(days=1)


async def run(engine: Engine, slug: str, **document: Any) -> str:
    execution_id = await engine.start(await engine.publish(slug, **({"nodes": DONE} | document)))
    await engine.ended(execution_id)
    await eventually(lambda: all_said(engine), "all that it said is confirmed")
    return execution_id


async def all_said(engine: Engine) -> bool | None:
    """Whether the engine has stored that everything was published, which it does when it has nothing else to do."""
    newest = sa.select(sa.func.max(journal.c.seq)).where(journal.c.partition == partitions.c.partition).scalar_subquery()
    async with engine.service.context.owner_transaction() as uow:
        behind = sa.select(sa.func.count()).select_from(partitions).where(partitions.c.published < newest)
        return await uow.conn.scalar(behind) == 0 or None


async def known(engine: Engine, execution_id: str) -> tuple[int, int]:
    """(heads, rows of the journal) of an execution."""
    async with engine.service.context.owner_transaction() as uow:
        heads = sa.select(sa.func.count()).select_from(executions).where(executions.c.id == UUID(execution_id))
        rows = sa.select(sa.func.count()).select_from(journal).where(journal.c.execution_id == UUID(execution_id))
        return await uow.conn.scalar(heads) or 0, await uow.conn.scalar(rows) or 0


async def test_one_is_forgotten_when_it_was_kept_as_long_as_its_workflow_says_and_others_stay(engine: Engine) -> None:
    short = await run(engine, "short", settings={"retention_days": 2})
    long = await run(engine, "long", settings={"retention_days": 30})
    ever = await run(engine, "ever")
    live = await engine.start(await engine.publish("live", nodes=OPEN, settings={"retention_days": 1}))
    await engine.waiting(live)
    engine.service.clock.advance(DAY)
    await forget_executions(engine.service.context)
    assert await known(engine, short) == (1, 1)
    engine.service.clock.advance(DAY)
    await forget_executions(engine.service.context)
    assert [(await known(engine, one))[0] for one in (short, long, ever, live)] == [0, 1, 1, 1]
    answer = await engine.client.get(f"/api/v1/executions/{short}")
    assert ((await known(engine, short))[1], answer.status_code, answer.json()["code"]) == (0, 404, "execution_not_found")
    retried = await engine.client.post(f"/api/v1/executions/{short}/retry", json={})
    assert retried.status_code == 404


async def test_the_other_services_are_told_which_in_the_same_transaction(engine: Engine) -> None:
    gone = {await run(engine, "told", settings={"retention_days": 1}) for _ in range(3)}
    engine.service.clock.advance(DAY)
    await forget_executions(engine.service.context)
    told = [str(one) for message in said(engine.service, ExecutionsForgotten, tenant="acme") for one in message.execution_ids]
    assert sorted(one for one in told if one in gone) == sorted(gone)


async def test_where_the_workflow_says_nothing_the_tenant_does(engine: Engine) -> None:
    settings = {"retention": {"executions_days": 3}}
    await tell(engine.service, TenantChanged(tenant="brief", name="Brief", revision=1, settings=settings), tenant="brief")
    theirs = Engine(engine.service, "brief")
    usual = await run(theirs, "usual")
    own = await run(theirs, "own", settings={"retention_days": 30})
    engine.service.clock.advance(3 * DAY)
    await forget_executions(engine.service.context)
    assert [(await known(engine, one))[0] for one in (usual, own)] == [0, 1]


async def test_one_that_is_retried_in_time_lives_on_and_is_kept_anew_from_its_next_end(engine: Engine) -> None:
    failed = await run(engine, "failing", nodes=BROKEN, settings={"retention_days": 2})
    engine.service.clock.advance(DAY)
    answer = await engine.client.post(f"/api/v1/executions/{failed}/retry", json={})
    assert answer.status_code == 200, answer.text
    await engine.ended(failed)
    await eventually(lambda: all_said(engine), "all that it said is confirmed")
    engine.service.clock.advance(DAY)
    await forget_executions(engine.service.context)
    assert (await known(engine, failed))[0] == 1
    engine.service.clock.advance(DAY)
    await forget_executions(engine.service.context)
    assert await known(engine, failed) == (0, 0)


async def test_one_that_is_about_to_be_retried_is_not_forgotten_meanwhile(engine: Engine) -> None:
    failed = await run(engine, "reviving", nodes=BROKEN, settings={"retention_days": 1})
    engine.service.clock.advance(DAY)
    now = engine.service.clock.now()
    connection = await connector(engine.service.context.settings.database_url.get_secret_value())()
    try:
        await Journal(connection).keep(UUID(failed), now + timedelta(hours=1))
        await forget_executions(engine.service.context)
        assert (await known(engine, failed))[0] == 1
        engine.service.clock.advance(timedelta(hours=1))
        await forget_executions(engine.service.context)
        assert (await known(engine, failed))[0] == 0
    finally:
        await connection.close()


async def test_one_stays_until_the_broker_has_confirmed_all_it_said_and_no_number_of_a_row_is_given_twice(engine: Engine) -> None:
    execution_id = await run(engine, "unsaid", settings={"retention_days": 1})
    engine.service.clock.advance(DAY)
    async with engine.service.context.owner_transaction() as uow:
        row = (await uow.conn.execute(sa.select(journal).where(journal.c.execution_id == UUID(execution_id)))).one()
        mine = partitions.c.partition == row.partition
        await uow.conn.execute(sa.update(partitions).where(mine).values(published=row.seq - 1))
    await forget_executions(engine.service.context)
    assert (await known(engine, execution_id))[0] == 1
    async with engine.service.context.owner_transaction() as uow:
        await uow.conn.execute(sa.update(partitions).where(mine).values(published=row.seq))
    await forget_executions(engine.service.context)
    assert await known(engine, execution_id) == (0, 0)
    connection = await connector(engine.service.context.settings.database_url.get_secret_value())()
    try:
        assert await Journal(connection).last_seq(row.partition) >= row.seq
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("settings", "asked", "days"),
    [
        ({}, None, None),
        ({"retention": {"executions_days": 7}}, None, 7),
        ({"retention": {"executions_days": 7}}, 3, 3),
        ({"retention": {"executions_days": 0}}, None, None),
        ({"retention": {"executions_days": True}}, None, None),
        ({"retention": {"executions_days": 1_000_000}}, None, None),
        ({"retention": 7}, None, None),
        (None, 5, 5),
    ],
)
def test_a_workflow_says_how_long_else_its_tenant_else_for_ever(settings: Any, asked: int | None, days: int | None) -> None:
    assert kept_days({"id": "t", "settings": settings}, asked) == days
