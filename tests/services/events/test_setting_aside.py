"""Schedules that meet a bug of ours, on a real database: they are set aside for a while, and others fire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest_asyncio
import sqlalchemy as sa
from weft_events import scheduling
from weft_events.tables import schedule
from weft_runtime.testing import RunningService, tell

from tests.services.events.schedules import MINUTE, NINE, advanced, fired, minutes, published, quiet_service, scheduled, starts


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str) -> AsyncIterator[RunningService]:
    """The service, whose schedules fire when a test says so."""
    async with quiet_service(database_url) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def now(events: RunningService) -> datetime:
    """The time at which a test begins, nine o'clock, with no schedules yet. The clock goes on from test to test, by days."""
    async with events.context.owner_transaction() as uow:
        await uow.conn.execute(sa.delete(schedule))
    events.clock.set((events.clock.now() + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0))
    return events.clock.now()


async def test_a_schedule_that_meets_a_bug_holds_up_no_other_and_is_looked_at_again_later(
    events: RunningService, tenant: str, now: datetime
) -> None:
    other = f"{tenant}-other"
    await published(events, tenant, every="1h")
    await published(events, tenant, "beside", every="1h")
    await published(events, other, every="1h")
    mine = (schedule.c.tenant_id == tenant, schedule.c.slug == "flow")

    async def rule(written: dict[str, str]) -> None:
        async with events.context.owner_transaction(tenant) as uow:
            await uow.conn.execute(sa.update(schedule).where(*mine).values(rule=written))

    async def aside() -> tuple[int, datetime | None]:
        async with events.context.owner_transaction(tenant) as uow:
            row = (await uow.conn.execute(sa.select(schedule.c.failures, schedule.c.set_aside_until).where(*mine))).one()
        return row.failures, row.set_aside_until

    await rule({"cron": "of an older release"})
    await advanced(events, 60 * MINUTE)
    assert [(one.workflow, one.trigger.time) for name in (tenant, other) for one in starts(events, name)] == [
        ("beside", now + 60 * MINUTE),
        ("flow", now + 60 * MINUTE),
    ]
    assert await aside() == (1, events.clock.now() + timedelta(seconds=5))
    await fired(events)
    assert (await aside())[0] == 1, "it is left alone meanwhile"
    await advanced(events, timedelta(seconds=5))
    assert await aside() == (2, events.clock.now() + timedelta(seconds=10))
    metrics = (await events.anonymous().get("/metrics")).text
    assert "weft_schedule_set_aside_total 2.0" in metrics
    await rule({"every": "1h"})
    await advanced(events, timedelta(seconds=10))
    assert (minutes(events, tenant, now), await aside()) == ([60, 60], (0, None))


async def test_a_new_version_mends_a_schedule_that_could_not_be_read(events: RunningService, tenant: str, now: datetime) -> None:
    await published(events, tenant)
    async with events.context.owner_transaction(tenant) as uow:
        unreadable = {"rule": {"cron": "no"}, "failures": 9, "set_aside_until": now + timedelta(hours=1)}
        await uow.conn.execute(sa.update(schedule).where(schedule.c.tenant_id == tenant).values(unreadable))
    await tell(events, scheduled(revision=2, version=2), tenant=tenant)
    await advanced(events, MINUTE)
    assert minutes(events, tenant, now) == [1]


def test_the_time_a_schedule_is_set_aside_for_grows_and_ends_at_an_hour() -> None:
    waits = [scheduling.set_aside(failures, NINE) - NINE for failures in (1, 2, 3, 10, 11, 1000)]
    assert [wait.total_seconds() for wait in waits] == [5, 10, 20, 2560, 3600, 3600]
