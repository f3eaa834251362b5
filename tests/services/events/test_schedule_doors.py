"""Schedules over HTTP: lists, next times, pause, resume, backfill, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import pytest_asyncio
import sqlalchemy as sa
from weft_contracts.audit import RecordAudit
from weft_events import scheduling
from weft_events.tables import schedule
from weft_runtime.testing import RunningService, said, tell

from tests.services.events.schedules import MINUTE, advanced, fired, minutes, published, quiet_service, scheduled, starts

PATH = "/api/v1/schedules"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str) -> AsyncIterator[RunningService]:
    """The service, whose schedules fire when a test says so."""
    async with quiet_service(database_url) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def now(events: RunningService) -> datetime:
    """The time at which a test begins: midnight, with no schedules yet."""
    async with events.context.owner_transaction() as uow:
        await uow.conn.execute(sa.delete(schedule))
    events.clock.set((events.clock.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0))
    return events.clock.now()


@pytest.fixture
def client(events: RunningService, tenant: str, now: datetime) -> httpx2.AsyncClient:
    """An editor of the tenant."""
    return events.client(tenant, ["editor"])


def written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def id_of(tenant: str, slug: str = "flow") -> UUID:
    return scheduling.id_of(tenant, slug, "tick")


async def filled(client: httpx2.AsyncClient, id_: UUID, first: datetime, last: datetime, **more: Any) -> dict[str, Any]:
    answer = await client.post(f"{PATH}/{id_}/backfill", json={"from": written(first), "to": written(last), **more})
    assert answer.status_code == (200 if more.get("dry_run") else 202), answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_list_shows_each_schedule_and_how_far_it_is(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    await published(events, tenant, "b", cron="30 6 * * MON-FRI", timezone="Europe/Rome", catch_up="once", ends="2030-01-01T00:00:00+01:00")
    await published(events, tenant, "a")
    await tell(events, scheduled("c", status="inactive"), tenant=tenant)
    first = (await client.get(PATH, params={"limit": 2})).json()
    rest = (await client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert ([one["workflow"] for one in first["items"]], [one["workflow"] for one in rest["items"]]) == (["a", "b"], ["c"])
    assert rest["next_cursor"] is None
    one = first["items"][1]
    assert {name: one[name] for name in ("cron", "every", "timezone", "catch_up", "starts", "ends", "status", "trigger")} == {
        "cron": "30 6 * * MON-FRI",
        "every": None,
        "timezone": "Europe/Rome",
        "catch_up": "once",
        "starts": None,
        "ends": "2029-12-31T23:00:00Z",
        "status": "active",
        "trigger": "tick",
    }
    assert (await client.get(f"{PATH}/{one['id']}")).json() == one
    for query, slugs in (
        ({"status": "inactive"}, ["c"]),
        ({"status": "active"}, ["a", "b"]),
        ({"workflow": "a"}, ["a"]),
        ({"status": "paused"}, []),
        ({"status": "active,inactive"}, ["a", "b", "c"]),
    ):
        assert [each["workflow"] for each in (await client.get(PATH, params=query)).json()["items"]] == slugs


async def test_the_next_times_are_told_in_any_zone_with_what_the_clocks_do(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    events.clock.set(datetime.fromisoformat("2026-03-27T12:00:00+00:00"))
    client = events.client(tenant, ["viewer"])
    await published(events, tenant, cron="30 2 * * *", timezone="Europe/Rome")
    told = (await client.get(f"{PATH}/{id_of(tenant)}/next")).json()
    assert (told["timezone"], told["zone"], len(told["items"])) == ("Europe/Rome", "Europe/Rome", 5)
    assert [(one["at"], one["local_time"], one["note"] and one["note"]["code"]) for one in told["items"][:3]] == [
        ("2026-03-28T01:30:00Z", "2026-03-28T02:30:00+01:00", None),
        ("2026-03-29T01:00:00Z", "2026-03-29T03:00:00+02:00", "shifted"),
        ("2026-03-30T00:30:00Z", "2026-03-30T02:30:00+02:00", None),
    ]
    there = (await client.get(f"{PATH}/{id_of(tenant)}/next", params={"n": 1, "zone": "America/New_York"})).json()
    assert (there["zone"], there["items"][0]["local_time"]) == ("America/New_York", "2026-03-27T21:30:00-04:00")
    await published(events, tenant, "over", ends="2020-01-01T00:00:00Z")
    assert (await client.get(f"{PATH}/{id_of(tenant, 'over')}/next")).json()["items"] == []
    for query, pointer in (({"n": 0}, "/n"), ({"n": 101}, "/n"), ({"zone": "Rome"}, "/zone"), ({"zone": "../x"}, "/zone")):
        refused = await client.get(f"{PATH}/{id_of(tenant)}/next", params=query)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


@pytest.mark.parametrize(("catch_up", "due", "missed"), [("skip", [6], 5), ("once", [5, 6], 4), ("all", [1, 2, 3, 4, 5, 6], 0)])
async def test_a_pause_outlives_a_new_version_and_its_end_obeys_catch_up(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime, catch_up: str, due: list[int], missed: int
) -> None:
    await published(events, tenant, every="1h", catch_up=catch_up)
    held = (await client.post(f"{PATH}/{id_of(tenant)}/pause")).json()
    assert (held["status"], held["paused_at"], held["next_at"]) == ("paused", written(now), None)
    await advanced(events, timedelta(minutes=90))
    client = events.client(tenant, ["editor"])
    assert (await client.post(f"{PATH}/{id_of(tenant)}/pause")).json()["paused_at"] == written(now)
    await tell(events, scheduled(revision=2, version=2, every="1h", catch_up=catch_up), tenant=tenant)
    await advanced(events, timedelta(hours=3, minutes=30, seconds=10))
    client = events.client(tenant, ["editor"])
    assert (starts(events, tenant), (await client.get(f"{PATH}/{id_of(tenant)}")).json()["status"]) == ([], "paused")
    for _ in range(2):
        answer = (await client.post(f"{PATH}/{id_of(tenant)}/resume")).json()
        assert (answer["status"], answer["paused_at"], answer["version"]) == ("active", None, 2)
    await fired(events)
    await advanced(events, timedelta(hours=1))
    assert minutes(events, tenant, now) == [60 * number for number in due]
    client = events.client(tenant, ["editor"])
    assert (await client.get(f"{PATH}/{id_of(tenant)}")).json()["missed"] == missed


async def test_a_backfill_starts_each_moment_once_however_often_it_is_asked(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    await published(events, tenant, cron="*/10 * * * *", when="!trigger.payload.scheduled_at.endsWith('23:40:00Z')")
    await advanced(events, 10 * MINUTE)
    first = now - 30 * MINUTE
    told = await filled(client, id_of(tenant), first, now + 10 * MINUTE, dry_run=True)
    counts = {"count": 5, "started": 3, "already": 1, "passed_over": 1}
    assert (counts | told, len(starts(events, tenant))) == (told, 1)
    assert [one["outcome"] for one in told["items"]] == ["started", "passed_over", "started", "started", "already"]
    done = await filled(client, id_of(tenant), first, now + 10 * MINUTE)
    assert done == told | {"dry_run": False}
    assert minutes(events, tenant, now) == [10, -30, -10, 0]
    assert {str(one.execution_id) for one in starts(events, tenant)[1:]} == {one["execution_id"] for one in done["items"]} - {None}
    assert {one.trigger.payload["why"] for one in starts(events, tenant)[1:]} == {"backfill"}
    again = await filled(client, id_of(tenant), first, now + 10 * MINUTE)
    assert ({"count": 5, "started": 0, "already": 5, "passed_over": 0} | again, len(starts(events, tenant))) == (again, 4)
    log = (await client.get("/api/v1/events", params={"type": "weft.schedule.fired"})).json()["items"]
    assert len(log) == 5


async def test_what_was_filled_in_is_not_caught_up_again(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    await published(events, tenant, every="10m", catch_up="all")
    events.clock.advance(25 * MINUTE)
    assert (await filled(client, id_of(tenant), now, now + 15 * MINUTE))["started"] == 2
    await advanced(events, MINUTE)
    assert minutes(events, tenant, now) == [0, 10, 20]


@pytest.mark.parametrize(
    ("first", "last", "code", "pointer"),
    [
        (0, 1, "in_the_future", "/to"),
        (-1, -2, "backwards", "/to"),
        (-5_300_000, 0, "too_long", "/from"),
        (-1001, 0, "too_many", "/to"),
    ],
)
async def test_a_span_that_cannot_be_filled_is_refused(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime, first: int, last: int, code: str, pointer: str
) -> None:
    await published(events, tenant)
    body = {"from": written(now + first * MINUTE), "to": written(now + last * MINUTE)}
    refused = await client.post(f"{PATH}/{id_of(tenant)}/backfill", json=body)
    problem = refused.json()
    assert (refused.status_code, problem["code"], problem["errors"][0]["code"]) == (422, "bad_span", code)
    assert problem["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/from"),
        ({"from": "2026-01-01T00:00:00", "to": "2026-01-01T00:00:00Z"}, "/from"),
        ({"from": "0001-01-01T00:00:00+14:00", "to": "2026-01-01T00:00:00Z"}, "/from"),
        ({"from": "2026-01-01T00:00:00Z", "to": "9999-12-31T23:59:59-14:00"}, "/to"),
        ({"from": 5, "to": "2026-01-01T00:00:00Z"}, "/from"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "dry_run": "yes"}, "/dry_run"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "more": 1}, "/more"),
    ],
)
async def test_a_wrong_body_is_pointed_at(client: httpx2.AsyncClient, tenant: str, body: dict[str, Any], pointer: str) -> None:
    refused = await client.post(f"{PATH}/{id_of(tenant)}/backfill", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_an_inactive_schedule_cannot_be_filled_in(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    await published(events, tenant, enabled=False)
    refused = await client.post(f"{PATH}/{id_of(tenant)}/backfill", json={"from": written(now), "to": written(now)})
    assert (refused.status_code, refused.json()["code"]) == (409, "schedule_inactive")


async def test_another_tenant_has_no_such_schedule_and_a_viewer_only_looks(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    await published(events, tenant)
    body = {"from": written(now - MINUTE), "to": written(now)}
    stranger, viewer, operator = (
        events.client(f"{tenant}-other", ["admin"]),
        events.client(tenant, ["viewer"]),
        events.client(tenant, ["operator"]),
    )
    address = f"{PATH}/{id_of(tenant)}"
    answers: list[tuple[int, str]] = []
    for who in (stranger, viewer):
        given = [
            await who.get(address),
            await who.get(f"{address}/next"),
            await who.post(f"{address}/pause"),
            await who.post(f"{address}/resume"),
        ]
        answers += [(one.status_code, one.json().get("code", "")) for one in (*given, await who.post(f"{address}/backfill", json=body))]
    missing, forbidden = (404, "schedule_not_found"), (403, "forbidden")
    assert answers == [missing] * 5 + [(200, ""), (200, "")] + [forbidden] * 3
    assert ((await stranger.get(PATH)).json()["items"], (await operator.post(f"{address}/pause")).status_code) == ([], 200)
    assert (await client.get(f"{PATH}/{uuid4()}")).status_code == 404
    assert (await client.get(f"{PATH}/none")).status_code == 422


@pytest.mark.parametrize(
    "rule", [{"cron": "of an older release"}, {"rrule": "FREQ=DAILY"}, {}, {"every": "1m", "timezone": "Mars/Base"}, [1]]
)
async def test_a_schedule_whose_rule_cannot_be_read_is_listed_with_its_error_beside_the_others(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime, rule: Any
) -> None:
    await published(events, tenant)
    await published(events, tenant, "other", every="1h", catch_up="all")
    async with events.context.owner_transaction(tenant) as uow:
        await uow.conn.execute(sa.update(schedule).where(schedule.c.tenant_id == tenant, schedule.c.slug == "flow").values(rule=rule))
    one, other = (await client.get(PATH)).json()["items"]
    assert (one["workflow"], one["status"], one["error"]["code"]) == ("flow", "active", "schedule_unreadable")
    assert [one[name] for name in ("cron", "every", "timezone", "catch_up", "starts", "ends")] == [None] * 6
    assert one["error"]["detail"]
    assert (other["error"], other["every"], other["catch_up"]) == (None, "1h", "all")
    address = f"{PATH}/{id_of(tenant)}"
    assert (await client.get(address)).json() == one
    assert (await client.post(f"{address}/pause")).json()["status"] == "paused"
    body = {"from": written(now - MINUTE), "to": written(now)}
    refused = [
        await client.get(f"{address}/next"),
        await client.post(f"{address}/resume"),
        await client.post(f"{address}/backfill", json=body),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(409, "schedule_unreadable")] * 3
    assert "publish the workflow 'flow' again" in refused[0].json()["detail"]


async def test_a_repeat_with_its_key_gets_the_first_answer(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    await published(events, tenant)
    key, body = {"Idempotency-Key": "k1"}, {"from": written(now - MINUTE), "to": written(now)}
    first, again = [await client.post(f"{PATH}/{id_of(tenant)}/backfill", json=body, headers=key) for _ in range(2)]
    assert (again.headers["idempotent-replayed"], again.json(), again.json()["started"]) == ("true", first.json(), 2)


async def test_the_audit_is_told_who_holds_lets_go_and_backfills(
    events: RunningService, client: httpx2.AsyncClient, tenant: str, now: datetime
) -> None:
    await published(events, tenant, every="PT1M")
    id_ = id_of(tenant)
    for verb in ("pause", "pause", "resume", "resume"):
        assert (await client.post(f"{PATH}/{id_}/{verb}")).status_code == 200
    events.clock.advance(timedelta(minutes=10))
    first, last = now + MINUTE, now + 3 * MINUTE
    await filled(client, id_, first, last, dry_run=True)
    await filled(client, id_, first, last)
    told = [one for one in said(events, RecordAudit, tenant=tenant) if one.resource_id == str(id_)]
    assert [one.action for one in told] == ["schedule.paused", "schedule.resumed", "schedule.backfilled"]
    assert [(one.before, one.after) for one in told[:2]] == [({"paused": False}, {"paused": True}), ({"paused": True}, {"paused": False})]
    assert told[2].details == {"workflow": "flow", "trigger": "tick", "from": first.isoformat(), "to": last.isoformat(), "started": 3}
    assert all(one.by for one in told)
