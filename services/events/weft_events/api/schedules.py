"""Schedules over HTTP."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import Door, Listing, Page, Reply, Several, Uow

from weft_events import schemas, usecases
from weft_events.registry import REGISTRY
from weft_events.schemas import BackfillBody, BackfillView, NextView, ScheduleView
from weft_events.store import schedules as store

door = Door("events")

Zone = Annotated[str | None, Query(min_length=1, max_length=100, description="Whose clock `local_time` shows; the schedule's when absent.")]


@door.get("/schedules", may=Permission.EVENTS_READ)
async def list_schedules(
    page: Page,
    uow: Uow,
    workflow: Annotated[str | None, Query(max_length=100, description="Of this workflow only.")] = None,
    status: Annotated[tuple[Literal["active", "paused", "inactive"], ...], Several, Query()] = (),
) -> Listing[ScheduleView]:
    """The schedules of all workflows, by workflow and trigger."""
    after = (str(page.after[0]), str(page.after[1])) if page.after else None
    rows = await store.list_schedules(uow, workflow=workflow, status=status, after=after, limit=page.limit + 1)
    return page.listing(rows, view=schemas.schedule, key=lambda row: (row.workflow, row.trigger))


@door.get("/schedules/{schedule_id}", may=Permission.EVENTS_READ)
async def get_schedule(schedule_id: UUID, uow: Uow) -> ScheduleView:
    """One schedule."""
    return schemas.schedule(await store.find(uow, schedule_id))


@door.get("/schedules/{schedule_id}/next", may=Permission.EVENTS_READ)
async def get_next_times(
    schedule_id: UUID, uow: Uow, n: Annotated[int, Query(ge=1, le=100, description="How many.")] = 5, zone: Zone = None
) -> NextView:
    """When it is due next, whether or not it is paused or inactive, with what a change of the clocks does to each time."""
    # Years of days are looked through for a cron of leap days: others get their turn meanwhile.
    return await asyncio.to_thread(schemas.next_times, await store.find(uow, schedule_id), uow.now, n, zone)


@door.post("/schedules/{schedule_id}/pause", may=Permission.EXECUTIONS_OPERATE)
async def pause_schedule(schedule_id: UUID, uow: Uow) -> ScheduleView:
    """Hold a schedule: it fires nothing until it is resumed, by new versions of its workflow neither. One that is paused stays so."""
    return schemas.schedule(await usecases.pause(schedule_id, uow))


@door.post("/schedules/{schedule_id}/resume", may=Permission.EXECUTIONS_OPERATE)
async def resume_schedule(schedule_id: UUID, uow: Uow) -> ScheduleView:
    """Let a schedule go on. Its `catch_up` says what becomes of the times of the pause: nothing, one start, or one each."""
    return schemas.schedule(await usecases.resume(schedule_id, uow))


@door.post("/schedules/{schedule_id}/backfill", may=Permission.EXECUTIONS_START)
async def backfill_schedule(schedule_id: UUID, body: BackfillBody, uow: Uow) -> Reply[BackfillView]:
    """Start what it would have started from one time to another, at most 1,000 times; `dry_run` only tells (200).

    A time that was fired before starts nothing again. The starts are durable when this is answered (202).
    """
    done = await usecases.backfill(schedule_id, body.first, body.last, REGISTRY, uow, dry=body.dry_run)
    return Reply(schemas.backfill(done, body), status=200 if body.dry_run else 202)
