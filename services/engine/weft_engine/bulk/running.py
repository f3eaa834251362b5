"""How a bulk job goes on: it sends the commands of its next items, no faster than its rate, and takes up what the partitions answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from weft_runtime.context import ServiceContext
from weft_runtime.uow import UnitOfWork
from weft_runtime.waking import Wake

from weft_engine.bulk.verbs import VERBS, Asked, answer_id
from weft_engine.campaigns import IN_FLIGHT, SELDOM_S, Kind, Reading, results
from weft_engine.machine import BULK_MOVES, BulkStatus
from weft_engine.store import bulk as store
from weft_engine.store import campaigns
from weft_engine.store.bulk import KEPT, Job
from weft_engine.store.campaigns import Result

LOOK_S: Final = 0.03
"""Between two looks at a job whose answers come at once; it looks more seldom the longer they take."""


class BulkWake(Wake):
    """How the door tells the runner of this process that there is a job."""


async def go_on(job: Job, uow: UnitOfWork, _: ServiceContext) -> None:
    """One step of a job."""
    waiting = await campaigns.open_items(uow, KEPT, job.id, "sent")
    reading = read(job.id)
    answers = await campaigns.answers_of(uow, [reading.address(item) for item in waiting])
    done = results(reading, waiting, answers, uow.now)
    await campaigns.settle(uow, KEPT, job.id, done)
    still = len(waiting) - len(done)
    sent = await _send(job, room(job.status, still, job.rested_s, job.rate_per_s), uow)
    still += sent - job.sent
    status = next_status(job.status, done=sent == job.total, open_=still)
    oldest_s = (uow.now - waiting[0].sent_at).total_seconds() if waiting else 0.0
    ok = sum(result.status == "ok" for result in done)
    await store.advance(
        uow,
        job,
        status=status,
        sent=sent,
        ok=ok,
        refused=len(done) - ok,
        pause_s=min(max(LOOK_S, oldest_s / 10), SELDOM_S),
        ended=status in (BulkStatus.COMPLETED, BulkStatus.STOPPED),
    )


BULK: Final = Kind(store, go_on, BulkWake)


async def _send(job: Job, count: int, uow: UnitOfWork) -> int:
    """Say the commands of the next items. Returns: the number of the last one."""
    chosen = await store.next_items(uow, job, count) if count > 0 else ()
    if not chosen:
        return int(job.sent)
    verb = VERBS[job.verb]
    uow.say(*(verb.command(Asked(job.id, item.execution_id, job.reason, job.caller, job.options)) for item in chosen))
    last = int(chosen[-1].number)
    await store.mark_sent(uow, job, last)
    return last


def read(job_id: UUID) -> Reading:
    """How the items of a job are read."""
    return Reading(lambda item: answer_id(job_id, item.execution_id), _result, lambda _: "refused")


def _result(item: Any, status: int, body: Mapping[str, Any]) -> Result:
    if status >= 400:
        return Result(item.number, "refused", body.get("code"), body.get("detail"))
    return Result(item.number, "ok", (body.get("body") or {}).get("status"))


def room(status: str, open_: int, rested_s: float, rate_per_s: int) -> int:
    """How many commands a job may send now. open_: on their way.  rested_s: since its rate was spent."""
    if status != BulkStatus.RUNNING:
        return 0
    return min(IN_FLIGHT - open_, int(min(rested_s, 1.0) * rate_per_s))


def next_status(status: str, *, done: bool, open_: int) -> str:
    """A job's status after a look. done: every item was sent.  open_: items not answered yet."""
    if open_:
        return status
    move = "complete" if done else "halt"
    return BULK_MOVES.get((status, move), status)
