"""Business calendars: reading and writing them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from weft_runtime.auth import Permission
from weft_runtime.http import IfMatch, Listing, Page, Reply, Uow

from weft_tasks.api.routes import door
from weft_tasks.calendars import Calendar, verbs
from weft_tasks.calendars.schemas import NAME, CalendarBody, CalendarSummary, CalendarVersionView, CalendarView
from weft_tasks.store import calendars as store

Name = Annotated[
    str, Path(min_length=1, max_length=100, pattern=NAME, description="Letters and digits, with `_`, `-`, `.` and spaces between.")
]


@door.get("/calendars", may=Permission.CALENDARS_READ)
async def list_calendars(page: Page, uow: Uow) -> Listing[CalendarSummary]:
    """Calendars of this tenant, by name."""
    rows = await store.listed(uow, after=page.after, limit=page.limit + 1)
    return page.listing(rows, view=CalendarSummary.of, key=lambda row: (row.name,))


@door.get("/calendars/{name}", may=Permission.CALENDARS_READ)
async def get_calendar(name: str, uow: Uow) -> Reply[CalendarView]:
    """When work is done, whole."""
    return _shown(await store.get(uow, name))


@door.put("/calendars/{name}", may=Permission.CALENDARS_WRITE)
async def put_calendar(name: Name, body: CalendarBody, etag: IfMatch, uow: Uow) -> Reply[CalendarView]:
    """Make a calendar, or change one. What has been decided by it stands; what is decided from now on goes by the new one."""
    written, made = await verbs.put_calendar(name, body.zone, body.spans(), [day.isoformat() for day in body.holidays], etag, uow)
    return _shown(written, status=201 if made else 200)


@door.get("/calendars/{name}/versions", may=Permission.CALENDARS_READ)
async def list_calendar_versions(name: str, page: Page, uow: Uow) -> Listing[CalendarVersionView]:
    """What a calendar said, since when and by whom; the newest first."""
    await store.get(uow, name)
    rows = await store.versions(uow, name, after=page.after, limit=page.limit + 1)
    return page.listing(rows, view=CalendarVersionView.of, key=lambda row: (row.version,))


def _shown(calendar: Calendar, status: int = 200) -> Reply[CalendarView]:
    headers = {"Location": f"/api/v1/calendars/{calendar.name}"} if status == 201 else {}
    return Reply(CalendarView.of(calendar), etag=str(calendar.version), status=status, headers=headers)
