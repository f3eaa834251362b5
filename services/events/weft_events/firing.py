"""The loop that fires schedules when they are due, in every process of the service.

It looks when the next schedule is due, and once a second for what has changed. Rows that another process holds are passed over, so any
number of processes share the work; whoever dies in it leaves them as they were. What cannot be fired together is fired one by one: a
schedule that nothing can be started of is put off to its next moment, one that meets a bug of ours is set aside for a while that grows.
"""

from __future__ import annotations

import asyncio
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Conflict, Invalid, StaleWrite, Unavailable

from weft_events import usecases
from weft_events.registry import REGISTRY
from weft_events.scheduling import Key

LOOK_EVERY_S: Final = 1.0
SOON_S: Final = 0.05
"""Until the next look where all that is due is held by others."""
LEAST_S: Final = 0.001


class FiringMetrics:
    """What is counted of schedules."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.fired = Counter("weft_schedule_fired", "Moments of schedules that were fired.", registry=registry)
        self.missed = Counter("weft_schedule_missed", "Moments of schedules that were passed over.", registry=registry)
        self.failed = Counter("weft_schedule_failed", "Schedules that could not be fired and were put off.", registry=registry)
        self.set_aside = Counter("weft_schedule_set_aside", "Schedules that met a bug and were set aside.", registry=registry)
        self.late = Histogram(
            "weft_schedule_late_seconds",
            "How long after its moment a schedule was fired.",
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600),
        )


async def run(context: ServiceContext) -> None:
    """Fire what is due, until cancelled."""
    newest = False
    while True:
        newest = not newest
        try:
            rest_s = await look(context, newest=newest)
        except (Unavailable, StaleWrite):
            rest_s = LOOK_EVERY_S  # the database is away, which others report, or somebody was first; nothing was done
        if rest_s > 0:
            await asyncio.sleep(rest_s)


async def look(context: ServiceContext, *, newest: bool = False) -> float:
    """Fire some of what is due. newest: what was due last comes first, so that who has much to catch up holds up nobody who is on time.

    Returns: seconds until there is something to do, 0 for at once.  Raises: Unavailable, StaleWrite.
    """
    now = context.clock.now()
    async with context.owner_transaction() as uow:
        next_at = await usecases.next_due(uow)
    if next_at is None or next_at > now:
        return LOOK_EVERY_S if next_at is None else min(LOOK_EVERY_S, max(LEAST_S, (next_at - now).total_seconds()))
    fired: bool | None = None
    with context.sparing("firing of schedules", but=(StaleWrite,)):
        try:
            fired = await _fire(context, newest=newest)
        except StaleWrite:
            raise
        except (Invalid, Conflict) as error:
            context.log.warning("schedules_one_by_one", reason=str(error))
    if fired is None:
        fired = await _one_by_one(context)
    return 0.0 if fired else SOON_S


async def _fire(context: ServiceContext, *, newest: bool = False, only: Key | None = None) -> bool:
    """Fire schedules at once, or one alone. Returns: whether any was due that nobody held."""
    async with context.owner_transaction() as uow:
        fired = await usecases.fire_due(REGISTRY, uow, newest=newest, only=only)
    counted = context.part(FiringMetrics)
    counted.fired.inc(len(fired.late_s))
    counted.missed.inc(fired.missed)
    for late_s in fired.late_s:
        counted.late.observe(max(0.0, late_s))
    return fired.schedules > 0


async def _one_by_one(context: ServiceContext) -> bool:
    """Fire as many as a look does, each alone, so that one which cannot be fired holds up no other. Returns: whether any was due."""
    async with context.owner_transaction() as uow:
        keys = await usecases.due_keys(uow)
    for key in keys:
        await _alone(context, key)
    return bool(keys)


async def _alone(context: ServiceContext, key: Key) -> None:
    done, about = False, {"tenant": key[0], "schedule": str(key[1])}
    with context.sparing("firing of a schedule", but=(StaleWrite,), **about):
        try:
            await _fire(context, only=key)
        except StaleWrite:
            raise
        except (Invalid, Conflict) as error:
            async with context.owner_transaction() as uow:
                one = await usecases.put_off(key, f"it could not be fired: {error}", uow)
            if one is not None:
                context.part(FiringMetrics).failed.inc()
                context.log.error("schedule_put_off", workflow=one.workflow, reason=str(error), **about)
        done = True
    if not done:
        async with context.owner_transaction() as uow:
            until = await usecases.set_aside(key, uow)
        if until is not None:
            context.part(FiringMetrics).set_aside.inc()
            context.log.error("schedule_set_aside", until=until.isoformat(), **about)
