"""Business calendars as people write them and the engine hears of them: on a real database, through the HTTP door."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from weft_contracts.calendars import CalendarChanged
from weft_runtime.testing import RunningService, running_service, said
from weft_tasks.app import build

OFFICE = {"zone": "Europe/Rome", "hours": {"mon": [["09:00", "13:00"], ["14:00", "18:00"]], "sat": [["00:00", "24:00"]]}}


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url) as running:
        yield running


def editor(service: RunningService, tenant: str = "acme") -> httpx2.AsyncClient:
    return service.client(tenant, ["editor"], sub="ed")


def changes(service: RunningService, name: str) -> list[CalendarChanged]:
    return [fact for fact in said(service, CalendarChanged) if fact.name == name]


async def test_a_calendar_is_made_read_and_listed(service: RunningService) -> None:
    client = editor(service)
    made = await client.put("/api/v1/calendars/office", json={**OFFICE, "holidays": ["2026-12-25"]})
    assert (made.status_code, made.headers["etag"], made.headers["location"]) == (201, '"1"', "/api/v1/calendars/office")
    shown = (await client.get("/api/v1/calendars/office")).json()
    assert shown == made.json()
    assert {name: shown[name] for name in ("name", "zone", "hours", "holidays", "version", "created_by", "updated_by")} == {
        "name": "office", **OFFICE, "holidays": ["2026-12-25"], "version": 1, "created_by": "ed", "updated_by": "ed",
    }  # fmt: skip
    listed = (await client.get("/api/v1/calendars")).json()["items"]
    assert [(one["name"], one["zone"]) for one in listed if one["name"] == "office"] == [("office", "Europe/Rome")]
    assert all("hours" not in one for one in listed)


async def test_what_is_left_out_of_a_calendar_is_monday_to_friday_nine_to_five_utc(service: RunningService) -> None:
    shown = (await editor(service).put("/api/v1/calendars/plain", json={})).json()
    assert (shown["zone"], sorted(shown["hours"]), shown["hours"]["fri"]) == (
        "UTC",
        ["fri", "mon", "thu", "tue", "wed"],
        [["09:00", "17:00"]],
    )


async def test_each_change_is_said_whole_with_its_revision_and_the_same_again_is_no_change(service: RunningService) -> None:
    client = editor(service)
    await client.put("/api/v1/calendars/support", json=OFFICE)
    again = await client.put("/api/v1/calendars/support", json=OFFICE)
    assert (again.status_code, again.json()["version"]) == (200, 1)
    changed = await client.put("/api/v1/calendars/support", json={**OFFICE, "zone": "UTC"}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["version"], changed.headers["etag"]) == (200, 2, '"2"')
    told = changes(service, "support")
    assert [(fact.revision, fact.zone, fact.by) for fact in told] == [(1, "Europe/Rome", "ed"), (2, "UTC", "ed")]
    assert told[1].hours == {"mon": (("09:00", "13:00"), ("14:00", "18:00")), "sat": (("00:00", "24:00"),)}
    history = (await client.get("/api/v1/calendars/support/versions")).json()["items"]
    assert [(one["version"], one["zone"], one["by"]) for one in history] == [(2, "UTC", "ed"), (1, "Europe/Rome", "ed")]


async def test_who_changes_what_has_moved_on_is_refused(service: RunningService) -> None:
    client = editor(service)
    early = await client.put("/api/v1/calendars/moved", json=OFFICE, headers={"If-Match": '"1"'})
    assert (early.status_code, early.json()["code"]) == (412, "calendar_changed")
    await client.put("/api/v1/calendars/moved", json=OFFICE)
    await client.put("/api/v1/calendars/moved", json={})
    late = await client.put("/api/v1/calendars/moved", json=OFFICE, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (412, "calendar_changed")
    assert "read it again" in late.json()["detail"]


async def test_two_who_make_a_calendar_at_once_make_one(service: RunningService) -> None:
    client = editor(service)
    bodies = [{"holidays": [f"2026-01-0{day}"]} for day in range(1, 6)]
    answers = await asyncio.gather(*(client.put("/api/v1/calendars/raced", json=body) for body in bodies))
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert [answer.status_code for answer in answers].count(201) == 1
    told = changes(service, "raced")
    assert sorted(fact.revision for fact in told) == list(range(1, len(told) + 1))
    assert (await client.get("/api/v1/calendars/raced")).json()["version"] == len(told)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"zone": "Mars/Base"}, "/zone", "not_a_zone"),
        ({"zone": 1}, "/zone", "string_type"),
        ({"hours": {"monday": []}}, "/hours/monday", "not_allowed"),
        ({"hours": {"mon": [["9:00", "17:00"]]}}, "/hours/mon/0/0", "not_a_clock_time"),
        ({"hours": {"mon": [["09:00", "24:01"]]}}, "/hours/mon/0/1", "not_a_clock_time"),
        ({"hours": {"mon": [["09:00"]]}}, "/hours/mon/0", "too_short"),
        ({"hours": {"mon": [["17:00", "09:00"]]}}, "/hours/mon/0", "closes_before_opening"),
        ({"hours": {"mon": [["09:00", "13:00"], ["12:00", "18:00"]]}}, "/hours/mon", "hours_overlap"),
        ({"hours": {}}, "/hours", "no_working_time"),
        ({"hours": {"sun": []}}, "/hours", "no_working_time"),
        ({"holidays": ["2026-12-25", "soon"]}, "/holidays/1", "date_parsing"),
        ({"holidays": ["2026-02-30"]}, "/holidays/0", "date_parsing"),
        ({"holiday": []}, "/holiday", "unknown_field"),
    ],
)
async def test_a_calendar_that_is_none_is_refused_where_it_is_wrong(
    service: RunningService, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await editor(service).put("/api/v1/calendars/wrong", json=body)
    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]


@pytest.mark.parametrize("name", ["-office", "off%2Fice", "a" * 101, "of%0Afice"])
async def test_a_name_that_no_calendar_can_have_is_refused(service: RunningService, name: str) -> None:
    answer = await editor(service).put(f"/api/v1/calendars/{name}", json={})
    assert answer.status_code in (404, 422)


async def test_calendars_are_the_tenants_own(service: RunningService) -> None:
    await editor(service).put("/api/v1/calendars/ours", json=OFFICE)
    other = editor(service, "globex")
    assert (await other.get("/api/v1/calendars/ours")).status_code == 404
    assert (await other.get("/api/v1/calendars/ours/versions")).status_code == 404
    assert "ours" not in [one["name"] for one in (await other.get("/api/v1/calendars")).json()["items"]]
    assert (await other.put("/api/v1/calendars/ours", json={})).json()["version"] == 1


async def test_who_only_reads_cannot_write_a_calendar(service: RunningService) -> None:
    viewer = service.client("acme", ["viewer"])
    assert (await viewer.put("/api/v1/calendars/office", json=OFFICE)).status_code == 403
    assert (await viewer.get("/api/v1/calendars")).status_code == 200
