"""HTTP bodies and views of schedules."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from weft_language.timetable import UnknownZone, read_zone
from weft_runtime.errors import Detail
from weft_runtime.http import Body

from weft_events.errors import BadZone
from weft_events.scheduling import Schedule
from weft_events.usecases import Backfill, readable

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""Between them times can be computed with in every zone."""
SHOWN: Final = 100
"""Times of a backfill that its answer names."""


class RuleErrorView(BaseModel):
    """What is wrong with the rule of a schedule, as it is stored."""

    code: Literal["schedule_unreadable"]
    detail: str


class ScheduleView(BaseModel):
    """A schedule: a trigger of type `schedule` of a workflow. It keeps its id over all versions of the workflow."""

    id: UUID
    workflow: str
    version: int
    trigger: str
    error: RuleErrorView | None = Field(
        description="Why its rule cannot be read; it fires nothing then, and what the rule says is null. Null where it can be."
    )
    cron: str | None
    every: str | None
    timezone: str | None
    catch_up: Literal["skip", "once", "all"] | None
    starts: datetime | None
    ends: datetime | None
    status: Literal["active", "paused", "inactive"] = Field(
        description="`inactive`: its workflow is, or the trigger is not enabled. Neither this nor `paused` fires anything."
    )
    next_at: datetime | None = Field(description="When it fires next; null where it does not.")
    last_at: datetime | None = Field(description="The newest time that was fired.")
    last_event: UUID | None = Field(description="Its event in the log.")
    fired: int = Field(description="How often it has fired.")
    missed: int = Field(description="How many times were passed over; the log has each stretch of them.")
    paused_at: datetime | None
    paused_by: str | None
    created_at: datetime
    updated_at: datetime


class NoteView(BaseModel):
    """What a change of the clocks does to a time."""

    code: Literal["shifted", "repeated", "clocks_changed"]
    detail: str


class NextTimeView(BaseModel):
    """A time at which a schedule is due."""

    at: datetime
    local_time: str = Field(description="The same time as the clock of `zone` shows it, with its offset.")
    note: NoteView | None


class NextView(BaseModel):
    """When a schedule is due next. zone: whose clock is shown.  timezone: whose clock it means."""

    id: UUID
    timezone: str
    zone: str
    items: list[NextTimeView]


class BackfillBody(Body):
    """From when to when a schedule is filled in, both included."""

    first: AwareDatetime = Field(alias="from", ge=EARLIEST, lt=LATEST)
    last: AwareDatetime = Field(alias="to", ge=EARLIEST, lt=LATEST, description="At most now.")
    dry_run: bool = Field(default=False, description="Only tell what would be started.")


class BackfilledView(BaseModel):
    """One time of a backfill.

    outcome: `started`, `already` where it was fired before, `passed_over` where its condition does not hold, for the `reason`.
    """

    scheduled_at: datetime
    outcome: Literal["started", "already", "passed_over"]
    reason: str | None
    execution_id: UUID | None


class BackfillView(BaseModel):
    """What a backfill did or, where `dry_run`, would do. items: the first 100 of all `count` times."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)
    id: UUID
    first: datetime = Field(alias="from")
    last: datetime = Field(alias="to")
    dry_run: bool
    count: int
    started: int
    already: int
    passed_over: int
    items: list[BackfilledView]


def schedule(one: Schedule) -> ScheduleView:
    """A schedule, also one whose rule this release cannot read."""
    problem = one.problem
    timetable = one.timetable if problem is None else None
    return ScheduleView(
        id=one.id,
        workflow=one.workflow,
        version=one.version,
        trigger=one.trigger,
        error=None if problem is None else RuleErrorView(code="schedule_unreadable", detail=problem),
        cron=one.rule.get("cron") if timetable else None,
        every=one.rule.get("every") if timetable else None,
        timezone=timetable.zone if timetable else None,
        catch_up=one.catch_up if timetable else None,
        starts=timetable.starts if timetable else None,
        ends=timetable.ends if timetable else None,
        status=one.status,
        next_at=one.next_at if one.status == "active" else None,
        last_at=one.last_at,
        last_event=one.last_event,
        fired=one.fired,
        missed=one.missed,
        paused_at=one.paused_at,
        paused_by=one.paused_by,
        created_at=one.created_at,
        updated_at=one.changed_at,
    )


def next_times(one: Schedule, now: datetime, count: int, zone: str | None) -> NextView:
    """When a schedule is due next. zone: whose clock shows it, the schedule's where None.  Raises: BadZone, ScheduleUnreadable."""
    timetable = readable(one).timetable
    try:
        where = read_zone(zone or timetable.zone)
    except UnknownZone as error:
        raise BadZone(str(error), details=[Detail("/zone", "unknown_zone", str(error), source="query")]) from error
    items: list[NextTimeView] = []
    before = now
    for at in timetable.between(now, LATEST, count):
        note = timetable.note(at, before)
        shown = None if note is None else NoteView(code=note.code, detail=note.detail)
        items.append(NextTimeView(at=at, local_time=at.astimezone(where).isoformat(), note=shown))
        before = at
    return NextView(id=one.id, timezone=timetable.zone, zone=zone or timetable.zone, items=items)


def backfill(made: Backfill, asked: BackfillBody) -> BackfillView:
    """What a backfill did or would do."""
    items = [
        BackfilledView(
            scheduled_at=one.at,
            outcome="already" if one.considered is None else "started" if one.considered.matched else "passed_over",
            reason=None if one.considered is None or one.considered.matched else one.considered.detail or one.considered.reason,
            execution_id=one.considered.start.execution_id if one.considered is not None and one.considered.start is not None else None,
        )
        for one in made.moments
    ]
    counted = Counter(one.outcome for one in items)
    return BackfillView(
        id=made.schedule.id,
        first=asked.first.astimezone(UTC),
        last=asked.last.astimezone(UTC),
        dry_run=asked.dry_run,
        count=len(items),
        started=counted["started"],
        already=counted["already"],
        passed_over=counted["passed_over"],
        items=items[:SHOWN],
    )
