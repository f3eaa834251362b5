"""Campaigns: what asks many executions, one by one, and gathers what each answers. Bulk jobs and migrations are campaigns.

Each look at a campaign is one transaction that holds its row: the commands are in the outbox, the items marked and the status kept together
or not at all. A process that dies leaves nothing to be cleaned up, and the next look, by whichever engine, goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from weft_runtime.context import ServiceContext
from weft_runtime.errors import Unavailable
from weft_runtime.uow import UnitOfWork
from weft_runtime.waking import Wake

from weft_engine.store.campaigns import Campaign, Result

IN_FLIGHT: Final = 200
"""Commands of a campaign that are on their way at once, at most."""
SOON_S: Final = 0.01
"""Between two looks at least, where something is due at once."""
SELDOM_S: Final = 1.0
IDLE_S: Final = 2.0
"""Between two looks where nothing goes on; what begins in this process is seen at once."""
ANSWER_S: Final = 600.0
"""An item without an answer for so long is given up. Its command stands: it is durable since it was sent."""
KEPT: Final = timedelta(days=30)
FORGET_EVERY_S: Final = 3600.0


class Store(Protocol):
    """How a kind of campaign is kept: a module of `store`, its functions across all tenants."""

    async def take(self, uow: UnitOfWork) -> Campaign | None:
        """The campaign that has waited longest, held until the transaction ends; None where none is due."""

    async def next_due_s(self, uow: UnitOfWork) -> float | None:
        """Seconds until one is due, None where none goes on."""

    async def forget(self, uow: UnitOfWork, before: datetime) -> None:
        """Delete those to which nothing has happened since a time, with their items."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of campaign. go_on: one step of one, in the transaction that holds it, which has become its tenant's.

    wake: how a door tells the runner of its process that there is something to do.
    """

    store: Store
    go_on: Callable[[Campaign, UnitOfWork, ServiceContext], Awaitable[None]]
    wake: type[Wake]


async def run(kind: Kind, context: ServiceContext) -> None:
    """Do what the campaigns of a kind ask for, of all tenants, until cancelled."""
    wake = context.part(kind.wake)
    loop = asyncio.get_running_loop()
    forgot = float("-inf")
    while True:
        try:
            if loop.time() - forgot > FORGET_EVERY_S:
                await forget(kind, context)
                forgot = loop.time()
            rest_s = await look(kind, context)
        except Unavailable:
            rest_s = SELDOM_S  # the database is away, which others report; nothing of the step was done
        if rest_s > 0:
            await wake.wait(rest_s)


async def look(kind: Kind, context: ServiceContext) -> float:
    """Go on with the campaign that has waited longest. Returns: seconds in which nothing is to be done. Raises: Unavailable."""
    async with context.owner_transaction() as uow:
        campaign = await kind.store.take(uow)
        if campaign is None:
            due_s = await kind.store.next_due_s(uow)
            return IDLE_S if due_s is None else min(max(due_s, SOON_S), IDLE_S)
        uow.tenant = campaign.tenant_id
        await kind.go_on(campaign, uow, context)
        return 0.0


async def forget(kind: Kind, context: ServiceContext) -> None:
    """Delete the campaigns that are of no use any more. Raises: Unavailable."""
    async with context.owner_transaction() as uow:
        await kind.store.forget(uow, uow.now - KEPT)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the items of a campaign are read. address: where the partition answers one, the same at every try.

    told: what an answer, (status, body), means for it.  silence: its status where no answer comes.
    """

    address: Callable[[Any], UUID]
    told: Callable[[Any, int, Mapping[str, Any]], Result]
    silence: Callable[[Any], str]


def results(reading: Reading, open_: Sequence[Any], answers: Mapping[UUID, tuple[int, Mapping[str, Any]]], now: datetime) -> list[Result]:
    """What became of the items that were answered, or never will be. open_: rows with number, execution_id, status, sent_at."""
    found = []
    for item in open_:
        answer = answers.get(reading.address(item))
        if answer is not None:
            found.append(reading.told(item, *answer))
        elif (now - item.sent_at).total_seconds() > ANSWER_S:
            detail = f"the engine did not answer within {ANSWER_S:.0f} s; the request stands, so look at the execution"
            found.append(Result(item.number, reading.silence(item), "no_answer", detail))
    return found
