"""The runner of bulk jobs: it sends the commands of their items, a few at a time, and gathers what the partitions answer.

Each look at a job is one transaction that holds its row: the commands are in the outbox, the items marked and the counts kept together
or not at all. A process that dies leaves nothing to be cleaned up, and the next look, by whichever engine, goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from weft_runtime.context import ServiceContext
from weft_runtime.errors import Unavailable
from weft_runtime.uow import UnitOfWork
from weft_runtime.waking import Wake

from weft_engine.bulk.verbs import VERBS, Asked, answer_id
from weft_engine.machine import BULK_MOVES, BulkStatus
from weft_engine.store import bulk as store
from weft_engine.store.bulk import Job, Result

IN_FLIGHT: Final = 200
"""Commands of a job that are on their way at once, at most."""
LOOK_S: Final = 0.03
"""Between two looks at a job whose answers come at once; it looks more seldom the longer they take."""
SELDOM_S: Final = 1.0
IDLE_S: Final = 2.0
"""Between two looks where no job runs; a job started in this process is seen at once."""
ANSWER_S: Final = 600.0
"""An item without an answer for so long is given up. Its command stands: it is durable since it was sent."""
KEPT: Final = timedelta(days=30)
FORGET_EVERY_S: Final = 3600.0


class BulkWake(Wake):
    """How the door tells the runner of this process that there is a job."""


async def run_bulk(context: ServiceContext) -> None:
    """Do what bulk jobs ask for, of all tenants, until cancelled."""
    wake = context.part(BulkWake)
    loop = asyncio.get_running_loop()
    forgot = float("-inf")
    while True:
        try:
            if loop.time() - forgot > FORGET_EVERY_S:
                async with context.owner_transaction() as uow:
                    await store.forget(uow, uow.now - KEPT)
                forgot = loop.time()
            rest_s = await look(context)
        except Unavailable:
            rest_s = SELDOM_S  # the database is away, which others report; nothing of the step was done
        if rest_s > 0:
            await wake.wait(rest_s)


async def look(context: ServiceContext) -> float:
    """Go on with the job that has waited longest. Returns: seconds in which nothing is to be done. Raises: Unavailable."""
    async with context.owner_transaction() as uow:
        job = await store.take(uow)
        if job is None:
            due_s = await store.next_due_s(uow)
            return IDLE_S if due_s is None else min(max(due_s, LOOK_S / 3), IDLE_S)
        await _go_on(job, uow)
        return 0.0


async def _go_on(job: Job, uow: UnitOfWork) -> None:
    waiting = await store.open_items(uow, job)
    answered = await store.answers_of(uow, job, [answer_id(job.id, item.execution_id) for item in waiting])
    results = judged(job.id, waiting, answered, uow.now)
    await store.settle(uow, job, results)
    still = len(waiting) - len(results)
    sent = await _send(job, room(job.status, still, job.rested_s, job.rate_per_s), uow)
    still += sent - job.sent
    status = next_status(job.status, done=sent == job.total, open_=still)
    oldest_s = (uow.now - waiting[0].sent_at).total_seconds() if waiting else 0.0
    ok = sum(result.status == "ok" for result in results)
    await store.advance(
        uow,
        job,
        status=status,
        sent=sent,
        ok=ok,
        refused=len(results) - ok,
        pause_s=min(max(LOOK_S, oldest_s / 10), SELDOM_S),
        ended=status in (BulkStatus.COMPLETED, BulkStatus.STOPPED),
    )


async def _send(job: Job, count: int, uow: UnitOfWork) -> int:
    """Say the commands of the next items. Returns: the number of the last one."""
    chosen = await store.next_items(uow, job, count) if count > 0 else ()
    if not chosen:
        return int(job.sent)
    verb = VERBS[job.verb]
    for item in chosen:
        asked = Asked(job.id, item.execution_id, job.reason, job.caller, job.options)
        uow.say(verb.command(asked), tenant=job.tenant_id)
    last = int(chosen[-1].number)
    await store.mark_sent(uow, job, last)
    return last


def judged(job_id: UUID, waiting: Sequence[Any], answered: Mapping[UUID, tuple[int, dict[str, Any]]], now: datetime) -> list[Result]:
    """What became of the items that were answered, or never will be. waiting: rows with number, execution_id, sent_at."""
    results = []
    for item in waiting:
        answer = answered.get(answer_id(job_id, item.execution_id))
        if answer is not None:
            results.append(_result(item.number, *answer))
        elif (now - item.sent_at).total_seconds() > ANSWER_S:
            detail = f"the engine did not answer within {ANSWER_S:.0f} s; the request stands, so look at the execution"
            results.append(Result(item.number, "refused", "no_answer", detail))
    return results


def _result(number: int, status: int, body: Mapping[str, Any]) -> Result:
    if status >= 400:
        return Result(number, "refused", body.get("code"), body.get("detail"))
    return Result(number, "ok", (body.get("body") or {}).get("status"))


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
