"""The verbs on bulk jobs: look at what would be chosen, start, read, stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from weft_runtime.clock import new_id
from weft_runtime.errors import Detail
from weft_runtime.uow import UnitOfWork

from weft_engine import auditing
from weft_engine.bulk.schemas import BulkBody, BulkFilter, utc
from weft_engine.bulk.verbs import VERBS, Verb, are_live
from weft_engine.errors import BulkFinished, BulkNotFound, BulkTooLarge, BulkUnusable
from weft_engine.machine import BULK_MOVES, BulkStatus
from weft_engine.store import bulk as store
from weft_engine.store import campaigns
from weft_engine.store.bulk import KEPT, Job
from weft_engine.store.campaigns import Selection

SAMPLE: Final = 10


@dataclass(frozen=True, slots=True)
class Preview:
    """What a job would take. sample: rows of executions, the oldest first."""

    total: int
    by_status: dict[str, int]
    sample: Sequence[Any]


async def preview(asked: BulkBody, most: int, uow: UnitOfWork) -> Preview:
    """Count what a job would take. Raises: BulkUnusable, BulkTooLarge."""
    verb = _verb(asked)
    selection = selected(asked.filter, verb)
    by_status = await store.counts(uow, selection, most + 1)
    total = sum(by_status.values())
    if total > most:
        raise BulkTooLarge(most)
    return Preview(total, by_status, await store.sample(uow, selection, SAMPLE))


async def start(asked: BulkBody, most: int, uow: UnitOfWork, *, done_by: UUID | None = None) -> Job:
    """Choose executions for good, and start to do it to them. done_by: only those to which that job did its verb.

    Raises: BulkUnusable, BulkTooLarge.
    """
    verb = _verb(asked)
    selection = replace(selected(asked.filter, verb), done_by=done_by)
    job_id, caller = new_id(), uow.caller
    unknown = await store.unknown(uow, asked.filter.ids) if asked.filter.ids else []
    await store.add_unknown(uow, job_id, unknown)
    chosen = await campaigns.choose(uow, KEPT, job_id, selection, after=len(unknown), limit=most + 1)
    total = len(unknown) + chosen
    if total > most:
        raise BulkTooLarge(most)
    job = {
        "id": job_id,
        "verb": asked.verb,
        "filter": asked.filter.plain(),
        "options": asked.options,
        "reason": asked.reason,
        "status": (BulkStatus.RUNNING if chosen else BulkStatus.COMPLETED).value,
        "rate_per_s": asked.rate_per_s,
        "total": total,
        "sent": len(unknown),
        "refused": len(unknown),
        "sample": await store.sample_of(uow, job_id, SAMPLE),
        "caller": {"id": caller.sub, "email": caller.email, "roles": list(caller.roles)} if caller else {},
        "finished_at": None if chosen else uow.now,
    }
    await store.add(uow, job)
    uow.say(auditing.bulk("started", job_id, None, {name: job[name] for name in ("verb", "filter", "options", "reason", "total")}))
    return await get(job_id, uow)


async def get(job_id: UUID, uow: UnitOfWork) -> Job:
    """A job. Raises: BulkNotFound."""
    job = await store.get(uow, job_id)
    if job is None:
        raise BulkNotFound(job_id)
    return job


async def stop(job_id: UUID, uow: UnitOfWork) -> Job:
    """Send no more; what was sent is still answered. Stopping twice is once. Raises: BulkNotFound, BulkFinished."""
    job = await store.get(uow, job_id, lock=True)
    if job is None:
        raise BulkNotFound(job_id)
    if job.status != BulkStatus.STOPPING:
        if (job.status, "stop") not in BULK_MOVES:
            raise BulkFinished(job_id, job.status)
        stopping = BULK_MOVES[job.status, "stop"]
        await store.set_status(uow, job_id, stopping)
        uow.say(auditing.bulk("stopped", job_id, {"status": job.status}, {"status": stopping, "sent": job.sent, "total": job.total}))
    return await get(job_id, uow)


def selected(wanted: BulkFilter, verb: Verb) -> Selection:
    """The executions a filter means for a verb. Raises: BulkUnusable where it would mean everything by leaving everything out."""
    if not wanted.plain():
        detail = Detail("/filter", "filter_empty", "say at least one thing to choose by; `status` will do to choose every execution")
        raise BulkUnusable(detail.detail, details=[detail])
    statuses = wanted.statuses or (() if wanted.ids else tuple(sorted(verb.statuses)))
    return Selection(
        workflow=wanted.workflow,
        statuses=statuses,
        live=bool(statuses) and are_live(statuses),
        version=wanted.version,
        key=wanted.key,
        labels=wanted.label,
        since=utc(wanted.since),
        until=utc(wanted.until),
        q=wanted.q,
        ids=wanted.ids,
    )


def _verb(asked: BulkBody) -> Verb:
    verb = VERBS.get(asked.verb)
    if verb is None:
        detail = Detail("/verb", "not_allowed", f"{asked.verb!r} is none of {', '.join(VERBS)}")
        raise BulkUnusable(detail.detail, details=[detail])
    try:
        verb.options.model_validate(asked.options)
    except ValidationError as error:
        details = [Detail("/options" + "".join(f"/{part}" for part in one["loc"]), one["type"], one["msg"]) for one in error.errors()]
        raise BulkUnusable(f"the options do not fit what {asked.verb!r} takes", details=details) from error
    return verb
