"""Schedules: what is due, what was missed, what a change of the workflow makes of them. Pure; the time is an argument.

A moment is on time when it is found within `ON_TIME`. What is found later was missed, and `catch_up` says what becomes of it: `skip` passes
it over (but not the newest one within `GRACE`, which a restart takes), `once` starts one execution for all of it, `all` one for each, the
newest `MOST`. What is passed over is told in the log, never silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID, uuid5

import msgspec
from pydantic import ValidationError
from weft_contracts.cloudevents import CloudEvent, write_time
from weft_language.model import ScheduleTrigger, timetable_of
from weft_language.timetable import MIN_EVERY_S, CatchUp, Timetable, read_zone

from weft_events.domain import FIRED, MISSED, SCHEDULES, Candidate

ON_TIME: Final = timedelta(seconds=5)
GRACE: Final = timedelta(seconds=60)
MOST: Final = 1000
"""Moments that were missed and are started all the same at most, or started by one backfill."""
AT_ONCE: Final = 100
"""Moments of a schedule that begin in one transaction at most; the next one goes on."""

_SCHEDULES: Final = UUID("0f6d3a52-6f0b-5d7e-8a51-9c2f4b7d1e60")
"""The namespace of schedule ids that follow from a workflow and a trigger; any constant does, for ever the same."""
_RECENT: Final = ON_TIME // timedelta(seconds=MIN_EVERY_S) + 2
"""Moments at most that are on time, and one before them."""
_INSTANT: Final = timedelta(microseconds=1)

SET_ASIDE: Final = timedelta(seconds=5)
SET_ASIDE_MOST: Final = timedelta(hours=1)
"""How long a schedule that met a bug is left alone: the first time, twice as long each time after it, at most."""

Key = tuple[str, UUID]
"""A schedule's tenant and id."""
Why = Literal["due", "caught_up", "backfill"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A trigger of type `schedule` of an active version, or of the last one that was.

    rule: `cron`, `every`, `timezone`, `catch_up`, `starts`, `ends` as written.  active: whether the workflow is, and the trigger enabled.
    origin_at: what `every` is counted from.  next_at: the first moment that nothing was done about yet, None where there is none.
    paused_at, paused_by: while a person holds it.  last_at: the newest moment that was fired.  fired, missed: how many ever.
    failures: bugs met since, one after the other, that set it aside until `set_aside_until`.
    """

    tenant: str
    id: UUID
    workflow: str
    trigger: str
    version: int
    rule: Mapping[str, Any]
    active: bool
    origin_at: datetime
    next_at: datetime | None
    created_at: datetime
    changed_at: datetime
    paused_at: datetime | None = None
    paused_by: str | None = None
    last_at: datetime | None = None
    last_event: UUID | None = None
    fired: int = 0
    missed: int = 0
    failures: int = 0
    set_aside_until: datetime | None = None

    @property
    def status(self) -> str:
        """`paused`; `inactive` where its workflow is or the trigger is switched off; else `active`."""
        return "paused" if self.paused_at is not None else "active" if self.active else "inactive"

    @property
    def catch_up(self) -> CatchUp:
        """What becomes of moments that were missed."""
        return _read(msgspec.json.encode(self.rule))[1]

    @property
    def timetable(self) -> Timetable:
        """When it is due."""
        return _read(msgspec.json.encode(self.rule))[0].counted_from(self.origin_at)

    @property
    def problem(self) -> str | None:
        """Why this release cannot read its rule, None where it can."""
        try:
            _read(msgspec.json.encode(self.rule))
        except ValidationError as error:
            return "; ".join(f"{'.'.join(map(str, one['loc'][1:] or one['loc']))}: {one['msg']}" for one in error.errors())
        except ValueError as error:
            return str(error)
        return None


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment that begins an execution. also_for: how many that were missed it stands for besides."""

    at: datetime
    why: Why
    also_for: int = 0


@dataclass(frozen=True, slots=True)
class Missed:
    """Moments that begin none of their own, from the first to the last. exact: whether there are no more than were counted."""

    first: datetime
    last: datetime
    count: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done about a schedule now. next_at: as of `Schedule`, afterwards."""

    moments: tuple[Moment, ...]
    missed: Missed | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a change of a workflow makes of its schedules. gone: ids of those there are no more."""

    kept: tuple[Schedule, ...]
    gone: tuple[UUID, ...]


def id_of(tenant: str, workflow: str, trigger: str) -> UUID:
    """The id of a schedule: the same for every version of its workflow."""
    return uuid5(_SCHEDULES, msgspec.json.encode([tenant, workflow, trigger]).decode())


def installed(
    tenant: str, workflow: str, status: str, candidates: Iterable[Candidate], known: Mapping[str, Schedule], now: datetime
) -> Changes:
    """What becomes of a workflow's schedules when it changes. candidates: its triggers, none where it is gone.  known: by trigger.

    One whose times stay as they were goes on where it is; another begins now. A pause stays. What is inactive is due at no time.
    """
    kept = []
    for one in candidates:
        if one.trigger.timetable is None:
            continue
        before = known.get(one.trigger.id)
        active = status == "active" and one.trigger.enabled
        made = Schedule(
            tenant=tenant,
            id=id_of(tenant, workflow, one.trigger.id),
            workflow=workflow,
            trigger=one.trigger.id,
            version=one.version,
            rule=one.rule,
            active=active,
            origin_at=now.replace(microsecond=0),
            next_at=None,
            created_at=now,
            changed_at=now,
        )
        if before is not None:
            counted = before.problem is None and before.timetable.every == one.trigger.timetable.every
            origin_at = before.origin_at if counted else made.origin_at
            made = replace(before, version=made.version, rule=made.rule, active=active, origin_at=origin_at, next_at=None, changed_at=now)
            made = replace(made, failures=0, set_aside_until=None)
        if active:
            goes_on = before is not None and before.active and before.problem is None and before.timetable == made.timetable
            made = replace(made, next_at=before.next_at if before is not None and goes_on else made.timetable.after(now))
        kept.append(made)
    names = {one.trigger for one in kept}
    return Changes(tuple(kept), tuple(one.id for name, one in known.items() if name not in names))


def plan(schedule: Schedule, now: datetime, most: int = AT_ONCE) -> Plan:
    """What is to be done about a schedule that is due. most: moments that begin at once, from 1."""
    timetable = schedule.timetable
    if schedule.next_at is None:
        return Plan((), None, None)
    before = schedule.next_at - _INSTANT
    found = timetable.newest(before, now, MOST if schedule.catch_up == "all" else _RECENT)
    late = [at for at in found if now - at > ON_TIME]
    on_time = [Moment(at, "due") for at in found[len(late) :]]
    begin: list[Moment] = []
    if schedule.catch_up == "all":
        begin, passed_until = [Moment(at, "caught_up") for at in late], found[0] - _INSTANT if found else now
    elif schedule.catch_up == "once" and late:
        passed_until = late[-1] - _INSTANT
        begin = [Moment(late[-1], "caught_up", timetable.count(before, passed_until, MOST))]
    elif late and not on_time and now - late[-1] <= GRACE:
        begin, passed_until = [Moment(late[-1], "due")], late[-1] - _INSTANT
    else:
        passed_until = late[-1] if late else before
    begin += on_time
    missed = _missed(timetable, before, passed_until)
    if len(begin) > most:
        return Plan(tuple(begin[:most]), missed, begin[most].at)
    return Plan(tuple(begin), missed, timetable.after(now))


def resumed(schedule: Schedule, now: datetime) -> tuple[Schedule, Missed | None]:
    """A schedule that is held no longer. Under `skip` it begins with the next moment; else the pause is a time like any it missed."""
    made = replace(schedule, paused_at=None, paused_by=None, changed_at=now)
    if schedule.next_at is None or schedule.catch_up != "skip":
        return made, None
    missed = _missed(schedule.timetable, schedule.next_at - _INSTANT, now)
    return replace(made, next_at=schedule.timetable.after(now), missed=made.missed + (missed.count if missed else 0)), missed


def put_off(schedule: Schedule, now: datetime) -> tuple[Schedule, Missed | None]:
    """A schedule of which nothing can be started, due again at its next moment."""
    if schedule.next_at is None:
        return schedule, None
    missed = _missed(schedule.timetable, schedule.next_at - _INSTANT, now)
    moved = replace(schedule, next_at=schedule.timetable.after(now), missed=schedule.missed + (missed.count if missed else 0))
    return replace(moved, failures=0, set_aside_until=None), missed


def set_aside(failures: int, now: datetime) -> datetime:
    """Until when a schedule is left alone that has met so many bugs one after the other, from 1."""
    longer = timedelta(seconds=SET_ASIDE.total_seconds() * 2 ** min(failures - 1, 20))
    return now + min(longer, SET_ASIDE_MOST)


def firing(schedule: Schedule, moment: Moment) -> CloudEvent:
    """A moment as the event that it is in the log: the same one for the same moment, whoever fires it and however often."""
    data = {
        "scheduled_at": write_time(moment.at),
        "local_time": moment.at.astimezone(read_zone(schedule.timetable.zone)).isoformat(),
        "timezone": schedule.timetable.zone,
        "schedule": str(schedule.id),
        "workflow": schedule.workflow,
        "trigger": schedule.trigger,
        "why": moment.why,
        "missed": moment.also_for,
    }
    return _event(schedule, FIRED, write_time(moment.at), moment.at, data)


def told(schedule: Schedule, missed: Missed, now: datetime) -> CloudEvent:
    """What was passed over, as an event in the log."""
    first, last = write_time(missed.first), write_time(missed.last)
    data = {
        "from": first,
        "to": last,
        "count": missed.count,
        "exact": missed.exact,
        "catch_up": schedule.catch_up,
        "schedule": str(schedule.id),
        "workflow": schedule.workflow,
        "trigger": schedule.trigger,
    }
    return _event(schedule, MISSED, f"{first}/{last}", now, data)


def in_words(missed: Missed) -> str:
    """What was missed, for a person."""
    count = f"{missed.count}" if missed.exact else f"{missed.count} or more"
    if missed.first == missed.last:
        return f"it was due at {write_time(missed.first)}"
    return f"it was due {count} times from {write_time(missed.first)} to {write_time(missed.last)}"


def _event(schedule: Schedule, type_: str, id_: str, time: datetime, data: Mapping[str, Any]) -> CloudEvent:
    source = f"{SCHEDULES}{schedule.workflow}/{schedule.trigger}"
    return CloudEvent(id_, source, type_, data, subject=str(schedule.id), time=time, datacontenttype="application/json")


def _missed(timetable: Timetable, after: datetime, until: datetime) -> Missed | None:
    """The moments later than `after` and not later than `until`, None where there are none."""
    first = timetable.after(after)
    if first is None or first > until:
        return None
    count = timetable.count(after, until, MOST + 1)
    (last,) = timetable.newest(after, until, 1)
    exact = timetable.every is not None or count <= MOST
    return Missed(first, last, count if exact else MOST, exact)


@lru_cache(maxsize=4096)
def _read(rule: bytes) -> tuple[Timetable, CatchUp]:
    """When a rule, as JSON, is due, and its `catch_up`: the same text comes with every firing."""
    written = msgspec.json.decode(rule)
    if not isinstance(written, dict):
        raise ValueError("a rule is an object")
    read = ScheduleTrigger.model_validate({"on": "schedule", **written})
    return timetable_of(read), read.catch_up
