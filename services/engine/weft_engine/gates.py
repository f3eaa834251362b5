"""The verbs at the gates: what a start is let through or refused at, and who of those that wait begins.

All of them decide for a tenant under one lock, so a quota holds over every process of the mesh.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from weft_contracts.executions import AdmitExecution, CancelExecution, SkipExecution
from weft_runtime.uow import UnitOfWork

from weft_engine import domain, store
from weft_engine.core.quotas import LIVE_GATE, QUOTA_OF, STARTS_GATE, Quotas, Rate, quotas_of
from weft_engine.domain import UNBOUNDED, Waiting
from weft_engine.errors import QuotaExceeded
from weft_engine.store import quotas as spent
from weft_engine.store import suspensions

LIVE_RETRY_S: Final = 5
"""When to try again where too many live: nobody knows when the next of them ends."""
LOOKS_PER_S: Final = 10
"""About how often in a second starts that wait for their rate are let in, where it gives so many."""


class Look(NamedTuple):
    """What a look at a tenant's gates came to. let_in: executions.  next_s: seconds until the tenant's rate of starts lets the next ones
    begin, None where nobody waits for that.
    """

    let_in: int
    next_s: float | None = None


async def pass_quotas(execution_id: UUID, quotas: Quotas, uow: UnitOfWork) -> tuple[str, ...]:
    """Let a start through the gates at which its tenant wants starts by HTTP refused. Raises: QuotaExceeded.

    Returns: the gates it is through; at the others it stands when it has been accepted.
    """
    gates = tuple(gate for gate in quotas.gates if gate in quotas.refused)
    if not gates:
        return ()
    # Looked at before the lock, too: a flood that is refused anyway must not stand in line for it with all connections there are.
    await _room(gates, quotas, uow)
    await spent.hold_gates(uow)
    until = await _room(gates, quotas, uow)
    if quotas.live is not None and LIVE_GATE in gates:
        await spent.take_place(uow, execution_id, quotas.live)
    if quotas.starts is not None and STARTS_GATE in gates:
        await spent.spend(uow, quotas.starts.spend(until, uow.now, 1))
    return gates


async def _room(gates: Sequence[str], quotas: Quotas, uow: UnitOfWork) -> datetime | None:
    """Raises: QuotaExceeded where one of these gates has no room. Returns: when all that was spent of the rate is earned again."""
    if quotas.live is not None and LIVE_GATE in gates and await spent.places_taken(uow) >= quotas.live:
        raise QuotaExceeded(QUOTA_OF[LIVE_GATE], quotas.live, LIVE_RETRY_S)
    if quotas.starts is None or STARTS_GATE not in gates:
        return None
    rate, until = quotas.starts, await spent.spent_until(uow)
    if rate.room(until, uow.now) < 1:
        wait_s = max(1, math.ceil(rate.wait_s(until, uow.now)))
        raise QuotaExceeded(QUOTA_OF[STARTS_GATE], math.floor(rate.burst), wait_s, max(1, math.ceil(rate.burst / rate.per_s)))
    return until


async def tenants_at_gates(uow: UnitOfWork, *, tidy: bool) -> list[str]:
    """Tenants with executions that wait to be admitted. tidy: drop what stands there for executions that have ended first."""
    if tidy:
        await store.forget_ended(uow)
    return await store.tenants_at_gates(uow)


async def admit_waiting(uow: UnitOfWork) -> Look:
    """Let as many of a tenant's waiting executions begin as their gates allow; skip or cancel where their workflows ask for that."""
    await spent.hold_gates(uow)
    waiting = await store.waiting_at_gates(uow)
    quotas = quotas_of((await store.tenant(uow) or {}).get("settings"))
    until = await spent.spent_until(uow) if quotas.starts is not None else None
    room = UNBOUNDED if quotas.starts is None else quotas.starts.room(until, uow.now)
    # A partition hears within a second that a suspension is lifted; who comes to its gate until then finds it closed, and is let in here.
    open_ = await suspensions.lifted(uow, {gate.name for one in waiting for gate in one.gates})
    waiting = [domain.of_today(one, quotas, room, open_) for one in waiting]
    await _let_go([one for one in waiting if one.begun], uow)
    waiting = [one for one in waiting if not one.begun]
    gates = sorted({gate.name for one in waiting for gate in one.gates} - {STARTS_GATE})
    decision = domain.admit(waiting, await store.behind_gates(uow, gates))
    await store.let_in(uow, decision.admitted)
    for execution_id in [*decision.admitted, *await store.not_begun(uow)]:
        uow.say(AdmitExecution(execution_id=execution_id))
    for execution_id, holder in decision.skipped:
        uow.say(SkipExecution(execution_id=execution_id, live_execution_id=holder))
    for execution_id in decision.cancelled:
        uow.say(CancelExecution(execution_id=execution_id, reason="a newer execution takes its place (settings.concurrency)"))
    let_in = len(decision.admitted)
    if quotas.starts is None:
        return Look(let_in)
    counted = {one.execution_id for one in waiting if any(gate.name == STARTS_GATE for gate in one.gates)}
    begun = counted & set(decision.admitted)
    if begun:
        until = quotas.starts.spend(until, uow.now, len(begun))
        await spent.spend(uow, until)
    return Look(let_in, quotas.starts.wait_s(until, uow.now, _at_once(quotas.starts)) if counted - begun else None)


async def _let_go(held: Sequence[Waiting], uow: UnitOfWork) -> None:
    """Let executions that live go on where a suspension holds them up no longer, whatever else does."""
    for names, execution_ids in domain.let_go(held).items():
        await store.let_in(uow, execution_ids, at=names)
        uow.say(*(AdmitExecution(execution_id=execution_id, gates=names) for execution_id in execution_ids))


def _at_once(rate: Rate) -> float:
    """How many are let in by one look: few enough that they begin evenly, enough that looks are not many."""
    return min(rate.burst, max(1.0, rate.per_s / LOOKS_PER_S))
