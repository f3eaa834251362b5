"""Schedules on a real database: what fires, what it starts, what the log says, and two processes at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import sqlalchemy as sa
from weft_contracts.executions import ExecutionSkipped, Failure, StartRejected
from weft_contracts.waits import DeliverEvent
from weft_events import firing, usecases
from weft_events.registry import Registry
from weft_events.tables import schedule, trigger_set
from weft_runtime.errors import Unavailable
from weft_runtime.testing import RunningService, said, tell

from tests.services.events.conftest import order, workflow
from tests.services.events.schedules import MINUTE, advanced, fired, minutes, published, quiet_service, scheduled, starts
from tests.services.events.test_listening import opened, paid


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


@pytest.fixture
def client(events: RunningService, tenant: str, now: datetime) -> httpx2.AsyncClient:
    """Somebody of the tenant, signed in at the time at which the test begins."""
    return events.client(tenant, ["service"])


async def shown(client: httpx2.AsyncClient, **query: Any) -> dict[str, Any]:
    (item,) = (await client.get("/api/v1/schedules", params=query)).json()["items"]
    found: dict[str, Any] = item
    return found


async def log(client: httpx2.AsyncClient, type_: str = "weft.schedule.*") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/api/v1/events", params={"type": type_})).json()["items"]
    return items


async def test_a_moment_that_is_due_starts_an_execution_and_is_an_event_with_an_explanation(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    await published(
        events,
        tenant,
        cron="*/5 * * * *",
        timezone="Europe/Rome",
        when="trigger.type == 'schedule' && trigger.payload.why == 'due'",
        input={"at": "{{ trigger.time }}", "local": "{{ trigger.payload.local_time }}"},
        key="{{ trigger.event.type }}",
    )
    await fired(events)
    assert starts(events, tenant) == []
    due = now + 5 * MINUTE
    await advanced(events, 5 * MINUTE + timedelta(seconds=1))
    (start,) = starts(events, tenant)
    assert (start.workflow, start.workflow_version, start.key) == ("flow", 1, "weft.schedule.fired")
    assert (start.trigger.type, start.trigger.id, start.trigger.time) == ("schedule", "tick", due)
    assert (start.input["at"], datetime.fromisoformat(start.input["local"])) == (f"{due:%Y-%m-%dT%H:%M:%SZ}", due)
    (entry,) = await log(client)
    assert (entry["type"], entry["source"], entry["status"]) == ("weft.schedule.fired", "weft/schedules/flow/tick", "matched")
    assert (entry["started"], entry["log_id"]) == ([str(start.execution_id)], start.trigger.event_id)
    (explained,) = (await client.get(f"/api/v1/events/{entry['log_id']}/explain")).json()["triggers"]
    assert (explained["trigger"], explained["matched"], explained["execution_id"]) == ("tick", True, str(start.execution_id))
    assert explained["condition"]["value"] is True
    one = await shown(client)
    assert (one["fired"], one["missed"], one["last_event"]) == (1, 0, entry["log_id"])
    assert (one["last_at"], one["next_at"]) == (f"{due:%Y-%m-%dT%H:%M:%SZ}", f"{due + 5 * MINUTE:%Y-%m-%dT%H:%M:%SZ}")


async def test_what_does_not_start_says_why(events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime) -> None:
    await published(events, tenant, "never", when="trigger.payload.missed > 0")
    await published(events, tenant, "wrong", input={"n": "{{ trigger.payload.nothing }}"})
    await published(events, tenant, "taken")
    await published(events, tenant, "refused")
    await advanced(events, MINUTE)
    by_workflow = {one.workflow: one for one in starts(events, tenant)}
    assert sorted(by_workflow) == ["refused", "taken"]
    taken, refused = by_workflow["taken"], by_workflow["refused"]
    skipped = {"execution_id": taken.execution_id, "event_id": taken.trigger.event_id, "trigger_id": "tick"}
    await tell(events, ExecutionSkipped(workflow="taken", key="k", live_execution_id=taken.execution_id, **skipped), tenant=tenant)
    error = Failure(code="invalid_input", message="no")
    rejected = {"execution_id": refused.execution_id, "event_id": refused.trigger.event_id, "error": error}
    await tell(events, StartRejected(workflow="refused", **rejected), tenant=tenant)
    reasons = {}
    for entry in await log(client):
        (explained,) = (await client.get(f"/api/v1/events/{entry['log_id']}/explain")).json()["triggers"]
        reasons[explained["workflow"]] = (entry["status"], explained["reason"])
    assert reasons == {
        "never": ("unmatched", "condition"),
        "wrong": ("unmatched", "error"),
        "taken": ("matched", "key_taken"),
        "refused": ("rejected", "rejected"),
    }


async def test_a_firing_is_for_its_own_trigger_alone(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    await tell(events, workflow({"event": "*"}, slug="all"), tenant=tenant)
    await published(events, tenant)
    await advanced(events, MINUTE)
    await tell(events, opened(paid(1, pattern="*", path="", value="")), tenant=tenant)
    assert [one.workflow for one in starts(events, tenant)] == ["flow"]
    assert said(events, DeliverEvent, tenant=tenant) == []
    answer = await client.post("/api/v1/events", json=order(source="weft/schedules/flow/tick", type="weft.schedule.fired"))
    assert (answer.status_code, answer.json()["errors"][0]["code"], answer.json()["errors"][0]["pointer"]) == (
        422,
        "reserved_source",
        "/source",
    )


@pytest.mark.parametrize(
    ("catch_up", "due", "missed"),
    [("skip", [], 5), ("once", [5], 4), ("all", [1, 2, 3, 4, 5], 0)],
)
async def test_after_a_time_in_which_nobody_fired_catch_up_says_what_starts(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime, catch_up: str, due: list[float], missed: int
) -> None:
    await published(events, tenant, every="2m", catch_up=catch_up)
    await advanced(events, timedelta(minutes=11, seconds=30))
    assert minutes(events, tenant, now) == [2 * number for number in due]
    assert [one.trigger.payload["missed"] for one in starts(events, tenant)] == ([4] if catch_up == "once" else [0] * len(due))
    told = await log(client, "weft.schedule.missed")
    assert len(told) == (1 if missed else 0)
    if told:
        assert (await client.get(f"/api/v1/events/{told[0]['log_id']}")).json()["data"]["count"] == missed
        (explained,) = (await client.get(f"/api/v1/events/{told[0]['log_id']}/explain")).json()["triggers"]
        assert (explained["reason"], f"catch_up: {catch_up}" in explained["detail"]) == ("missed", True)
    one = await shown(client)
    assert (one["fired"], one["missed"]) == (len(due), missed)
    await advanced(events, timedelta(seconds=30))
    assert minutes(events, tenant, now) == [*(2 * number for number in due), 12]


async def test_facts_about_a_workflow_in_any_order_leave_the_schedules_of_the_newest(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    await tell(events, scheduled(revision=3, version=3, every="3m"), tenant=tenant)
    await tell(events, scheduled(revision=2, version=2, every="2m"), tenant=tenant)
    assert ((await shown(client))["every"], (await shown(client))["version"]) == ("3m", 3)
    await tell(events, scheduled(revision=4, version=3, every="3m", status="inactive"), tenant=tenant)
    await advanced(events, timedelta(minutes=10))
    assert ((await shown(client))["status"], (await shown(client))["next_at"], starts(events, tenant)) == ("inactive", None, [])
    await tell(events, scheduled(revision=5, version=3, every="3m"), tenant=tenant)
    await advanced(events, timedelta(minutes=2))
    assert minutes(events, tenant, now) == [12]
    await tell(events, scheduled(revision=6, version=4, id="other"), tenant=tenant)
    assert (await shown(client))["trigger"] == "other"
    await tell(events, scheduled(revision=7, version=4, id="other", status="archived"), tenant=tenant)
    assert (await client.get("/api/v1/schedules")).json()["items"] == []


async def test_what_a_transaction_that_fails_has_fired_is_fired_once_by_the_next(
    events: RunningService, tenant: str, now: datetime
) -> None:
    await published(events, tenant)
    events.clock.advance(MINUTE)
    with pytest.raises(Unavailable):
        async with events.context.owner_transaction() as uow:
            assert (await usecases.fire_due(Registry(), uow)).schedules == 1
            assert [saying.tenant for saying in uow.said] == [tenant]
            raise Unavailable("it dies before its commit")
    assert starts(events, tenant) == []
    await fired(events)
    await fired(events)
    assert minutes(events, tenant, now) == [1]


async def test_two_processes_share_what_is_due_and_fire_each_moment_once(events: RunningService, tenant: str, now: datetime) -> None:
    slugs = [f"f{number}" for number in range(12)]
    await asyncio.gather(*(published(events, tenant, slug, catch_up="all") for slug in slugs))
    events.clock.advance(MINUTE)
    async with events.context.owner_transaction() as first, events.context.owner_transaction() as second:
        mine = await usecases.fire_due(Registry(), first, 5)
        others = await usecases.fire_due(Registry(), second)
        assert (mine.schedules, others.schedules) == (5, 7)
    for _ in range(4):
        events.clock.advance(2 * MINUTE)
        await asyncio.gather(*(firing.look(events.context) for _ in range(4)))
    await fired(events)
    found = [(one.workflow, one.trigger.time) for one in starts(events, tenant)]
    assert sorted(found) == [(slug, now + number * MINUTE) for slug in sorted(slugs) for number in range(1, 10)]
    assert len({one.execution_id for one in starts(events, tenant)}) == len(found)


async def test_what_is_due_is_held_by_one_and_passed_over_by_the_other(events: RunningService, tenant: str, now: datetime) -> None:
    await published(events, tenant)
    events.clock.advance(MINUTE)
    async with events.context.owner_transaction() as uow:
        await usecases.fire_due(Registry(), uow)
        assert await firing.look(events.context) == firing.SOON_S
    assert minutes(events, tenant, now) == [1]


async def test_those_of_one_moment_start_by_the_priorities_of_their_triggers(events: RunningService, tenant: str, now: datetime) -> None:
    for slug, priority in (("a", 100), ("b", 7), ("c", 50)):
        await published(events, tenant, slug, priority=priority)
    await advanced(events, MINUTE)
    assert [one.workflow for one in starts(events, tenant)] == ["b", "c", "a"]


async def test_who_has_much_to_catch_up_holds_up_nobody_who_is_on_time(events: RunningService, tenant: str, now: datetime) -> None:
    for number in range(5):
        await published(events, tenant, f"late{number}", every="1m", catch_up="all")
    events.clock.advance(110 * MINUTE)
    other = f"{tenant}-other"
    await published(events, other)
    events.clock.advance(MINUTE)
    assert await firing.look(events.context, newest=True) == 0
    assert minutes(events, other, now) == [111]
    assert 0 < len(starts(events, tenant)) <= usecases.STARTS_AT_ONCE
    await fired(events)
    assert len(starts(events, tenant)) == len({one.execution_id for one in starts(events, tenant)}) == 5 * 111


async def test_a_schedule_that_cannot_be_fired_holds_up_no_other_and_is_put_off(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    other = f"{tenant}-other"
    await published(events, tenant)
    await published(events, other)
    async with events.context.owner_transaction(tenant) as uow:
        broken = sa.update(trigger_set).where(trigger_set.c.tenant_id == tenant).values(triggers=[{"on": "an older kind"}])
        await uow.conn.execute(broken)
    await advanced(events, MINUTE)
    assert (starts(events, tenant), minutes(events, other, now)) == ([], [1])
    (entry,) = await log(client)
    assert entry["type"] == "weft.schedule.missed"
    one = await shown(client)
    assert (one["missed"], one["next_at"]) == (1, f"{now + 2 * MINUTE:%Y-%m-%dT%H:%M:%SZ}")


async def test_an_idle_service_asks_once_and_sleeps_until_the_next_is_due_or_a_second(
    events: RunningService, tenant: str, now: datetime
) -> None:
    asked: list[str] = []
    pool = events.context.database.owner.sync_engine
    await published(events, tenant)
    events.clock.advance(timedelta(seconds=59, milliseconds=750))

    mine = asyncio.current_task()

    def note(*given: Any) -> None:
        if asyncio.current_task() is mine:  # sweepers and the like ask by the same connections
            asked.append(given[2])

    sa.event.listen(pool, "before_cursor_execute", note)
    try:
        assert await firing.look(events.context) == pytest.approx(0.25)
    finally:
        sa.event.remove(pool, "before_cursor_execute", note)
    assert len(asked) == 1
    await advanced(events, timedelta(seconds=1))
    assert await firing.look(events.context) == firing.LOOK_EVERY_S


async def test_what_is_due_is_found_by_its_index(events: RunningService) -> None:
    async with events.context.owner_transaction() as uow:
        await uow.conn.execute(sa.text("SET LOCAL enable_seqscan = off"))
        wanted = "SELECT next_at FROM events.schedule WHERE paused_at IS NULL AND next_at <= now() ORDER BY next_at LIMIT 50 FOR UPDATE"
        planned = "\n".join((await uow.conn.execute(sa.text(f"EXPLAIN {wanted}"))).scalars())
    assert "schedule_due" in planned and "Sort" not in planned


async def test_a_moment_has_the_execution_id_that_follows_from_it(events: RunningService, tenant: str, now: datetime) -> None:
    await published(events, tenant)
    await advanced(events, MINUTE)
    await tell(events, scheduled(revision=2, version=2), tenant=tenant)
    # The clock of this process goes back, as after a correction: what was fired is not fired again.
    events.clock.set(now + timedelta(seconds=30))
    async with events.context.owner_transaction(tenant) as uow:
        await uow.conn.execute(
            sa.text("UPDATE events.schedule SET next_at = :at WHERE tenant_id = :of"), {"at": now + MINUTE, "of": tenant}
        )
    await advanced(events, timedelta(seconds=40))
    assert minutes(events, tenant, now) == [1]
