"""The verbs of analytics: take in what was heard, answer how it went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from weft_contracts.definitions import WorkflowChanged
from weft_runtime.errors import Detail
from weft_runtime.pipeline.handlers import Heard
from weft_runtime.uow import UnitOfWork

from weft_analytics import domain, rollups, service_levels, tasks
from weft_analytics.errors import BadWindow
from weft_analytics.histogram import percentiles
from weft_analytics.store import hearing, numbers
from weft_analytics.store import service_levels as levels
from weft_analytics.store.numbers import Counts, Share
from weft_analytics.usecases.audit import hear as note_deeds
from weft_analytics.usecases.known import require_workflow
from weft_analytics.walks import added
from weft_analytics.window import Window, piece_seconds

BUSIEST = 20
SLA_SPAN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Numbers:
    """How executions went in a span. buckets: by where each piece begins, those with nothing in them too.

    durations: p50, p95 and p99 in milliseconds, of completed executions.
    """

    window: Window
    totals: Counts
    buckets: dict[int, Counts]
    durations: dict[str, float | None]
    tasks: dict[str, int]
    workflows: Sequence[Share] = ()


@dataclass(frozen=True, slots=True)
class SlaState:
    """How it stands with slas. counted: rows per workflow, as `levels.counts`.  open: rows as `levels.due_next`.

    bucket: seconds of a piece.  buckets: rows of `STATES` by where each piece begins; those in which none started are absent.
    """

    since: datetime
    until: datetime
    counted: Sequence[Any]
    open: Sequence[Any]
    bucket: int
    buckets: dict[int, Any]


async def hear_executions(heard: Sequence[Heard[domain.Fact]], uow: UnitOfWork) -> None:
    """Bring executions and numbers up to date with these facts: two reads and at most three writes, however many there are.

    Of what an end overtakes only what counts is read: the end says the rest.
    """
    facts: dict[tuple[str, UUID], list[domain.Fact]] = {}
    for one in heard:
        facts.setdefault((one.tenant, one.message.execution_id), []).append(one.message)
    await hearing.lock(uow)
    met = await hearing.met(uow, {id_ for _, id_ in facts})
    partly = [id_ for (_, id_), some in facts.items() if id_ in met and not domain.overtaken(met[id_].position, some)]
    known = await hearing.known(uow, partly) if partly else {}
    deltas, changed, ends = rollups.Deltas(), [], list[tuple[str, domain.End]]()
    # In the order of their ids, so that two services writing the same rows could never wait for each other in a circle.
    for key in sorted(facts, key=lambda key: (key[0], key[1].int)):
        before = met.get(key[1])
        if before is not None and before.counted.tenant != key[0]:
            continue  # the id is another tenant's: nobody's list may change by what somebody else says
        execution = known.get(key[1]) or domain.first(key[0], facts[key][0])
        execution.retried = before is not None and before.counted.retried
        domain.apply(execution, facts[key])
        deltas.change(before.counted if before is not None else None, execution)
        changed.append(execution)
        ends += ((key[0], end) for end in domain.new_ends(before.position if before is not None else -1, facts[key]))
    if changed:
        await hearing.save(uow, changed, added(ends))
        await hearing.count(uow, deltas)
    await note_deeds(((one.tenant, one.message) for one in heard), uow)


async def hear_tasks(heard: Sequence[Heard[tasks.Fact]], uow: UnitOfWork) -> None:
    """Bring tasks up to date with these facts."""
    await hearing.lock(uow)
    await hearing.save_tasks(uow, tasks.newest((one.tenant, one.message) for one in heard))
    await note_deeds(((one.tenant, one.message) for one in heard), uow)


async def hear_service_levels(heard: Sequence[Heard[service_levels.Fact]], uow: UnitOfWork) -> None:
    """Bring slas up to date with these facts."""
    await hearing.lock(uow)
    await levels.save(uow, service_levels.newest((one.tenant, one.message) for one in heard))


async def keep_workflow(fact: WorkflowChanged, uow: UnitOfWork) -> None:
    """Keep the name of a workflow, and who changed it."""
    await hearing.save_workflow(uow, fact)
    await note_deeds([(uow.tenant, fact)], uow)


async def forget_executions(ids: Sequence[UUID], uow: UnitOfWork) -> None:
    """Take executions off the list."""
    await hearing.forget_executions(uow, ids)
    await levels.forget(uow, ids)


async def overview(window: Window, uow: UnitOfWork) -> Numbers:
    """How all executions of a tenant went."""
    return await _numbers(window, None, await numbers.busiest(uow, window, BUSIEST), uow)


async def of_workflow(workflow: str, window: Window, uow: UnitOfWork) -> Numbers:
    """How the executions of one workflow went. Raises: WorkflowUnknown."""
    await require_workflow(workflow, uow)
    return await _numbers(window, workflow, (), uow)


async def sla_state(
    workflow: str | None, since: datetime | None, until: datetime | None, bucket: str | None, most: int, uow: UnitOfWork
) -> SlaState:
    """How it stands with the slas of a tenant's executions that started in a span. Raises: WorkflowUnknown, BadWindow.

    since, until: where both are absent, the counts are of the last 30 days and every open one may be shown.  most: of those.
    bucket: as `window` has it.
    """
    if workflow is not None:
        await require_workflow(workflow, uow)
    ends = until or uow.now
    begins = since or ends - SLA_SPAN
    if begins >= ends:
        detail = "`from` has to lie before `to`"
        raise BadWindow(detail, details=[Detail("/from", "bad_window", detail, source="query")])
    seconds = piece_seconds(int((ends - begins).total_seconds()), bucket)
    counted = await levels.counts(uow, workflow, begins, ends)
    buckets = await levels.by_bucket(uow, workflow, begins, ends, seconds)
    return SlaState(begins, ends, counted, await levels.due_next(uow, workflow, since, until, most), seconds, buckets)


async def forget_minutes(kept: timedelta, uow: UnitOfWork) -> None:
    """Keep numbers by the minute for so long only; those by the hour stay."""
    await hearing.forget_minutes(uow, int((uow.now - kept).timestamp()))


async def _numbers(window: Window, workflow: str | None, shares: Sequence[Share], uow: UnitOfWork) -> Numbers:
    found = await numbers.by_bucket(uow, window, workflow)
    totals = {name: sum(counts[name] for counts in found.values()) for name in rollups.COLUMNS}
    buckets = {begins: found.get(begins, dict.fromkeys(rollups.COLUMNS, 0)) for begins in window.buckets()}
    took = await numbers.histogram(uow, window, workflow)
    return Numbers(window, totals, buckets, percentiles(took), await numbers.task_counts(uow, window, workflow), shares)
