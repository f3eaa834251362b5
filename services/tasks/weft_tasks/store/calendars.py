"""Queries on business calendars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_tasks.calendars import Calendar
from weft_tasks.errors import CalendarNotFound, CalendarWrittenFirst
from weft_tasks.tables import calendar_versions, calendars


async def find(uow: UnitOfWork, name: str, *, lock: bool = False) -> Calendar | None:
    """A calendar, None where there is none. lock: hold it until the transaction ends, so that changes happen one after the other."""
    query = sa.select(calendars).where(calendars.c.tenant_id == uow.tenant, calendars.c.name == name)
    row = (await uow.conn.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if row is None else _calendar(row)


async def get(uow: UnitOfWork, name: str) -> Calendar:
    """A calendar. Raises: CalendarNotFound."""
    found = await find(uow, name)
    if found is None:
        raise CalendarNotFound(f"there is no calendar {name!r}; GET /api/v1/calendars lists those there are, PUT makes one")
    return found


async def listed(uow: UnitOfWork, *, after: tuple[Any, ...] | None, limit: int) -> list[Calendar]:
    """Calendars by name. after: the (name,) of the last one seen."""
    query = sa.select(calendars).where(calendars.c.tenant_id == uow.tenant)
    if after is not None:
        query = query.where(calendars.c.name > after[0])
    return [_calendar(row) for row in (await uow.conn.execute(query.order_by(calendars.c.name).limit(limit))).mappings()]


async def versions(uow: UnitOfWork, name: str, *, after: tuple[Any, ...] | None, limit: int) -> Sequence[sa.Row[Any]]:
    """Every version of a calendar, the newest first: version, document, at, by. after: the (version,) of the last one seen."""
    query = sa.select(calendar_versions).where(calendar_versions.c.tenant_id == uow.tenant, calendar_versions.c.name == name)
    if after is not None:
        query = query.where(calendar_versions.c.version < after[0])
    return (await uow.conn.execute(query.order_by(calendar_versions.c.version.desc()).limit(limit))).all()


async def count(uow: UnitOfWork) -> int:
    """How many calendars the tenant has."""
    query = sa.select(sa.func.count()).select_from(calendars).where(calendars.c.tenant_id == uow.tenant)
    return int((await uow.conn.execute(query)).scalar_one())


async def save(uow: UnitOfWork, calendar: Calendar) -> None:
    """Write a calendar that was looked up under its lock, and keep this version. Raises: CalendarWrittenFirst."""
    document = {"zone": calendar.zone, "hours": calendar.hours, "holidays": calendar.holidays}
    about = {"version": calendar.version, "document": document, "updated_at": calendar.updated_at, "updated_by": calendar.updated_by}
    key = {"tenant_id": uow.tenant, "name": calendar.name}
    statement = insert(calendars).values(**key, **about, created_at=calendar.created_at, created_by=calendar.created_by)
    older = calendars.c.version == calendar.version - 1
    written = statement.on_conflict_do_update(index_elements=["tenant_id", "name"], set_=about, where=older).returning(calendars.c.version)
    if (await uow.conn.execute(written)).scalar_one_or_none() is None:
        raise CalendarWrittenFirst(f"somebody else made the calendar {calendar.name!r} at this moment; read it and decide anew")
    kept = {"version": calendar.version, "document": document, "at": calendar.updated_at, "by": calendar.updated_by}
    await uow.conn.execute(insert(calendar_versions).values(**key, **kept))


def _calendar(row: Mapping[Any, Any]) -> Calendar:
    document = row["document"]
    return Calendar(
        name=row["name"],
        zone=document["zone"],
        hours={day: tuple((opens, closes) for opens, closes in spans) for day, spans in document["hours"].items()},
        holidays=tuple(document["holidays"]),
        version=row["version"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        updated_at=row["updated_at"],
        updated_by=row["updated_by"],
    )
