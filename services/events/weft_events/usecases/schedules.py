"""Firing schedules, and what people do with them.

A firing is one transaction: its event in the log, the start in the outbox, the schedule moved on. Its event and its execution have ids that
follow from the moment, so whoever fires a moment again, after a crash or by a backfill, finds it done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from weft_contracts.cloudevents import CloudEvent, write_time
from weft_contracts.definitions import WorkflowChanged
from weft_language.expressions import Meter
from weft_runtime.clock import new_id
from weft_runtime.errors import Detail
from weft_runtime.uow import UnitOfWork

from weft_events import auditing, domain, scheduling, store
from weft_events.domain import Candidate, Considered, Received
from weft_events.errors import BadSpan, BrokenTriggers, ScheduleInactive, ScheduleUnreadable
from weft_events.registry import Compiled, Registry
from weft_events.scheduling import MOST, Key, Missed, Moment, Plan, Schedule
from weft_events.store import schedules as rows

SCHEDULES_AT_ONCE: Final = 200
STARTS_AT_ONCE: Final = 300
"""What one transaction fires at most."""
LONGEST_BACKFILL: Final = timedelta(days=3653)
MISSED_COUNTS_AS: Final = 10
"""Finding what a schedule missed takes up to a tenth of a second."""
YIELD_EVERY: Final = 50
YIELD_STEPS: Final = 50_000
YIELD_S: Final = 0.005
"""After so many moments, or so much evaluated, others of the process get their turn."""


@dataclass(frozen=True, slots=True)
class Fired:
    """What one look did. schedules: that were due.  missed: moments passed over.  late_s: of each moment fired, how late, in seconds."""

    schedules: int
    missed: int
    late_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What came of one moment of a backfill. considered: None where the moment was fired before."""

    at: datetime
    considered: Considered | None


@dataclass(frozen=True, slots=True)
class Backfill:
    """What a backfill did, or would do."""

    schedule: Schedule
    moments: tuple[Backfilled, ...]


async def install(msg: WorkflowChanged, candidates: Sequence[Candidate], uow: UnitOfWork) -> None:
    """Let the schedules of a workflow be those of its active version."""
    found = () if msg.status == "archived" or msg.active_version is None else candidates
    changes = scheduling.installed(uow.tenant, msg.slug, msg.status, found, await rows.of_workflow(uow, msg.slug), uow.now)
    await rows.remove(uow, changes.gone)
    await rows.put(uow, changes.kept)


async def next_due(uow: UnitOfWork) -> datetime | None:
    """When the first schedule of any tenant is due."""
    return await rows.next_due(uow)


async def due_keys(uow: UnitOfWork) -> list[Key]:
    """Schedules that are due, of all tenants, as many as one look fires."""
    return await rows.due_keys(uow, uow.now, SCHEDULES_AT_ONCE)


async def fire_due(
    registry: Registry, uow: UnitOfWork, most: int = SCHEDULES_AT_ONCE, *, newest: bool = False, only: Key | None = None
) -> Fired:
    """Fire schedules that are due, of all tenants. most: so many schedules.  newest: those first that were due last.  only: no other.

    Raises: BrokenTriggers.
    """
    planned: list[tuple[Schedule, Plan]] = []
    left = STARTS_AT_ONCE
    for one in await rows.due(uow, uow.now, most, newest=newest, only=only):
        if left <= 0:
            break
        plan = scheduling.plan(one, uow.now, min(left, scheduling.AT_ONCE))
        planned.append((one, plan))
        left -= len(plan.moments) + (MISSED_COUNTS_AS if plan.missed is not None else 0)
        await asyncio.sleep(0)
    compiled = {tenant: await registry.compiled(uow, tenant) for tenant in sorted({one.tenant for one, _ in planned})}
    work = [(one, plan, _candidate(one, compiled[one.tenant])) for one, plan in planned]
    moments = [(one, moment, candidate) for one, plan, candidate in work for moment in plan.moments]
    # Those of one moment are asked for as the events of one type are: smaller priorities first.
    moments.sort(key=lambda each: (each[1].at, each[2].trigger.priority, each[0].workflow, each[2].place))
    received = [_received(one, scheduling.firing(one, moment), uow) for one, moment, _ in moments]
    considered, logged = await _fire(received, [candidate for _, _, candidate in moments], compiled, uow)
    await _tell([(one, plan.missed) for one, plan in planned if plan.missed is not None], uow)
    done: dict[UUID, list[tuple[datetime, UUID]]] = {}
    for (one, moment, _), taken in zip(moments, received, strict=True):
        if taken.id in considered:
            done.setdefault(one.id, []).append((moment.at, logged[taken.id]))
    await rows.move(uow, [_moved(one, plan, done.get(one.id, []), uow.now) for one, plan in planned])
    return Fired(
        schedules=len(planned),
        missed=sum(plan.missed.count for _, plan in planned if plan.missed is not None),
        late_s=tuple((uow.now - at).total_seconds() for found in done.values() for at, _ in found),
    )


async def put_off(key: Key, reason: str, uow: UnitOfWork) -> Schedule | None:
    """Let a schedule that is due go on without a start, for a reason that the log tells. Returns: it, None where it is not due any more."""
    for one in await rows.due(uow, uow.now, 1, only=key):
        moved, missed = scheduling.put_off(one, uow.now)
        if missed is not None:
            await _tell([(one, missed)], uow, reason)
        await rows.move(uow, [moved])
        return one
    return None


async def set_aside(key: Key, uow: UnitOfWork) -> datetime | None:
    """Leave a schedule that is due alone for a while, since it meets a bug. Returns: until when, None where it is not due any more."""
    for one in await rows.due(uow, uow.now, 1, only=key):
        until = scheduling.set_aside(one.failures + 1, uow.now)
        await rows.move(uow, [replace(one, failures=one.failures + 1, set_aside_until=until, changed_at=uow.now)])
        return until
    return None


async def pause(id_: UUID, uow: UnitOfWork) -> Schedule:
    """Hold a schedule: it fires nothing until it is resumed, whatever becomes of its workflow. Raises: ScheduleNotFound."""
    found = await rows.find(uow, id_, hold=True)
    if found.paused_at is not None:
        return found
    paused = replace(found, paused_at=uow.now, paused_by=uow.caller.sub if uow.caller else None, changed_at=uow.now)
    await rows.put(uow, [paused])
    uow.say(auditing.schedule_held(found, paused))
    return paused


def readable(one: Schedule) -> Schedule:
    """The schedule itself. Raises: ScheduleUnreadable."""
    if one.problem is not None:
        mend = f"publish the workflow {one.workflow!r} again, with a rule that this release knows"
        raise ScheduleUnreadable(f"the rule of schedule {one.id} cannot be read: {one.problem}; {mend}")
    return one


async def resume(id_: UUID, uow: UnitOfWork) -> Schedule:
    """Let a schedule go on. Its `catch_up` says what becomes of the moments of the pause.

    Raises: ScheduleNotFound, ScheduleUnreadable.
    """
    found = await rows.find(uow, id_, hold=True)
    if found.paused_at is None:
        return found
    readable(found)
    resumed, missed = scheduling.resumed(found, uow.now)
    if missed is not None:
        await _tell([(found, missed)], uow, "the schedule was paused")
    await rows.put(uow, [resumed])
    uow.say(auditing.schedule_held(found, resumed))
    return resumed


async def backfill(id_: UUID, first: datetime, last: datetime, registry: Registry, uow: UnitOfWork, *, dry: bool) -> Backfill:
    """Start what a schedule would have started from one time to another, both included. dry: only tell.

    Moments that were fired before start nothing.  Raises: ScheduleNotFound, ScheduleInactive, ScheduleUnreadable, BadSpan, BrokenTriggers.
    """
    found = await rows.find(uow, id_)
    if not found.active:
        detail = f"activate the workflow {found.workflow!r}, and let its trigger {found.trigger!r} be enabled"
        raise ScheduleInactive(f"schedule {id_} is inactive: {detail}")
    moments = [Moment(at, "backfill") for at in _span(readable(found), first, last, uow.now)]
    compiled = {found.tenant: await registry.compiled(uow, found.tenant)}
    candidate = _candidate(found, compiled[found.tenant])
    received = [_received(found, scheduling.firing(found, moment), uow) for moment in moments]
    if dry:
        known = await rows.known(uow, found, [one.event.id for one in received])
        fresh = [one for one in received if one.event.id not in known]
        considered = await _considered(fresh, [candidate] * len(fresh), compiled)
    else:
        considered, _ = await _fire(received, [candidate] * len(received), compiled, uow)
        uow.say(auditing.backfilled(found, first, last, sum(1 for one in considered.values() if one.start is not None)))
    return Backfill(found, tuple(Backfilled(moment.at, considered.get(one.id)) for moment, one in zip(moments, received, strict=True)))


def _span(found: Schedule, first: datetime, last: datetime, now: datetime) -> list[datetime]:
    if last < first:
        raise _bad_span("/to", "backwards", "`to` is earlier than `from`")
    if last > now:
        raise _bad_span("/to", "in_the_future", "`to` is in the future, where the schedule fires by itself; let it be at most now")
    if last - first > LONGEST_BACKFILL:
        raise _bad_span("/from", "too_long", f"the span is longer than {LONGEST_BACKFILL.days} days; fill it in parts")
    moments = found.timetable.between(first - timedelta(microseconds=1), last, MOST + 1)
    if len(moments) > MOST:
        reached = write_time(moments[MOST - 1])
        raise _bad_span("/to", "too_many", f"the span has more than {MOST} moments; fill it in parts, the first of them up to {reached}")
    return moments


def _bad_span(pointer: str, code: str, detail: str) -> BadSpan:
    return BadSpan(detail, details=[Detail(pointer, code, detail)])


def _candidate(one: Schedule, compiled: Compiled) -> Candidate:
    found = compiled.trigger(one.workflow, one.version, one.trigger)
    if found is None:
        raise BrokenTriggers(f"version {one.version} of {one.workflow} has no trigger {one.trigger!r} that could be compiled")
    return found


def _received(one: Schedule, event: CloudEvent, uow: UnitOfWork) -> Received:
    return Received(new_id(), one.tenant, event, uow.now)


async def _fire(
    received: Sequence[Received], candidates: Sequence[Candidate], compiled: Mapping[str, Compiled], uow: UnitOfWork
) -> tuple[dict[UUID, Considered], dict[UUID, UUID]]:
    """Write firings into the log and say what they start; those that are there already do neither.

    Returns: what came of the others, and the id that each has in the log, both by its own.
    """
    if not received:
        return {}, {}
    claimed = await store.claim(uow, received)
    fresh = [(one, candidate) for one, candidate in zip(received, candidates, strict=True) if claimed[store.key_of(one)] == one.id]
    considered = await _considered([one for one, _ in fresh], [candidate for _, candidate in fresh], compiled)
    await store.add(uow, [(one, domain.status_of([considered[one.id]]), [considered[one.id]]) for one, _ in fresh])
    for one, _ in fresh:
        start = considered[one.id].start
        if start is not None:
            uow.say(start, tenant=one.tenant)
    return considered, {one.id: claimed[store.key_of(one)] for one in received}


async def _considered(
    received: Sequence[Received], candidates: Sequence[Candidate], compiled: Mapping[str, Compiled]
) -> dict[UUID, Considered]:
    found: dict[UUID, Considered] = {}
    with Meter() as meter:
        for count, (one, candidate) in enumerate(zip(received, candidates, strict=True), 1):
            found[one.id] = domain.consider_alone(one, candidate, compiled[one.tenant].tenant)
            if meter.spent > YIELD_STEPS:
                meter.spent = 0
                await asyncio.sleep(YIELD_S)
            elif count % YIELD_EVERY == 0:
                await asyncio.sleep(0)
    return found


async def _tell(passed: Sequence[tuple[Schedule, Missed]], uow: UnitOfWork, reason: str = "") -> None:
    """Write into the log what was passed over."""
    received = [_received(one, scheduling.told(one, missed, uow.now), uow) for one, missed in passed]
    if not received:
        return
    claimed = await store.claim(uow, received)
    entries = []
    for (one, missed), taken in zip(passed, received, strict=True):
        if claimed[store.key_of(taken)] == taken.id:
            detail = f"{scheduling.in_words(missed)}: {reason or _why(one)}"[: domain.MAX_DETAIL]
            considered = [Considered(one.workflow, one.version, one.trigger, False, "missed", detail)]
            entries.append((taken, domain.status_of(considered), considered))
    await store.add(uow, entries)


def _why(one: Schedule) -> str:
    return {
        "skip": "that was missed, and `catch_up: skip` passes it over",
        "once": "that was missed, and `catch_up: once` starts one execution for all, named after the last",
        "all": f"that was missed, and at most the newest {MOST} are caught up",
    }[one.catch_up]


def _moved(one: Schedule, plan: Plan, done: Sequence[tuple[datetime, UUID]], now: datetime) -> Schedule:
    """A schedule after a look. done: the moments that were fired, with their events, in order."""
    last_at, last_event = done[-1] if done else (one.last_at, one.last_event)
    return replace(
        one,
        next_at=plan.next_at,
        last_at=last_at,
        last_event=last_event,
        fired=one.fired + len(done),
        missed=one.missed + (plan.missed.count if plan.missed else 0),
        changed_at=now,
        failures=0,
        set_aside_until=None,
    )
