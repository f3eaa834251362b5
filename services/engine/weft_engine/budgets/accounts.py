"""The accounts of a worker: `weft_connectors.ai.accounts.Accounts` on the engine's database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.ai.accounts import ModelCall, Used
from weft_contracts.ai import AiCalled
from weft_language.actions.ai.model import MAX_TIMEOUT_S
from weft_runtime.clock import new_id
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Unavailable, WeftError
from weft_runtime.uow import UnitOfWork

from weft_engine.budgets import Refusal, refused, sparing
from weft_engine.budgets.metrics import counted
from weft_engine.store import ai_answers as answers
from weft_engine.store import budgets as store
from weft_engine.store.budgets import Reserved

GONE_AFTER: Final = timedelta(seconds=5 * MAX_TIMEOUT_S)
"""What was reserved and is not settled by then, nobody will settle any more: no call lasts so long."""
MAX_ANSWER_BYTES: Final = 64 * 1024
"""A longer answer is not remembered."""
AT_ONCE: Final = 200
"""Calls settled in one transaction."""
SPENDING_KEPT: Final = timedelta(days=62)
"""Longer than any period of a budget."""


class BudgetAccounts:
    """Keeps budgets, tells uses, remembers answers. It works as the role that sees one tenant only."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    async def tier(self, call: ActivityCall, tier: str | None) -> str | None:
        """The tier whose model is asked. Raises: ActivityError `ai_budget_unavailable`."""
        async with self._needed(call) as uow:
            workflow = await store.workflow_of(uow, call.execution_id)
            return sparing(await store.standing(uow, workflow, uow.now.date()), tier)

    async def reserve(self, call: ActivityCall, asked: ModelCall) -> UUID:
        """Take what a call can cost. Raises: ActivityError `ai_over_budget`, `ai_budget_unavailable`."""
        refusal: Refusal | None = None
        async with self._needed(call) as uow:
            workflow, today = await store.workflow_of(uow, call.execution_id), uow.now.date()
            if await store.any_for(uow, workflow):
                await store.lock(uow)
                refusal = refused(await store.standing(uow, workflow, today), asked.most, asked.model)
            made = Reserved(new_id(), call.tenant, today, workflow, asked.most, _told(call, asked, uow.now))
            if refusal is None:
                await store.reserve(uow, made, uow.now + GONE_AFTER)
            else:
                _say(uow, made, Used("refused", code="ai_over_budget"))
        if refusal is not None:
            counted(asked.provider, Used("refused"), repair=asked.repair)
            raise ActivityError("ai_over_budget", refusal.message, permanent=True, details=refusal.details)
        return made.id

    async def settle(self, call: ActivityCall, asked: ModelCall, reserved: UUID, used: Used) -> None:
        """Put what a call came to in the place of what was reserved; once, whoever comes first."""
        counted(asked.provider, used, repair=asked.repair)
        with self._forgiven("settling a model's call", call):
            async with self._context.transaction(call.tenant) as uow:
                made = await store.release(uow, reserved)
                if made is not None:
                    await settle(made, used, uow)

    async def note(self, call: ActivityCall, asked: ModelCall, used: Used) -> None:
        """Tell of a call for which nothing was reserved."""
        counted(asked.provider, used, repair=asked.repair)
        with self._forgiven("telling of a model's call", call):
            async with self._context.transaction(call.tenant) as uow:
                workflow = await store.workflow_of(uow, call.execution_id)
                _say(uow, Reserved(new_id(), call.tenant, uow.now.date(), workflow, None, _told(call, asked, uow.now)), used)

    async def recall(self, call: ActivityCall, key: str) -> dict[str, Any] | None:
        """The output that was remembered under a key."""
        found: dict[str, Any] | None = None
        with self._forgiven("reading a model's answer of before", call):
            async with self._context.transaction(call.tenant) as uow:
                body = await answers.get(uow, key)
                found = None if body is None else msgspec.json.decode(body)
        return found

    async def remember(self, call: ActivityCall, key: str, output: dict[str, Any], for_s: float) -> None:
        """Keep an output for its tenant."""
        body = msgspec.json.encode(output)
        if len(body) > MAX_ANSWER_BYTES:
            return
        with self._forgiven("remembering a model's answer", call):
            async with self._context.transaction(call.tenant) as uow:
                await answers.put(uow, key, body.decode(), uow.now + timedelta(seconds=for_s))

    @asynccontextmanager
    async def _needed(self, call: ActivityCall) -> AsyncIterator[UnitOfWork]:
        """A transaction without which nobody may be asked."""
        try:
            async with self._context.transaction(call.tenant) as uow:
                yield uow
        except Unavailable as error:
            message = f"the budgets could not be read, so no model was asked: {error.message}"
            raise ActivityError("ai_budget_unavailable", message) from error

    @contextmanager
    def _forgiven(self, work: str, call: ActivityCall) -> Iterator[None]:
        """What fails in here is logged: the answer that was paid for is worth more."""
        try:
            with self._context.sparing(work, but=(WeftError,), tenant=call.tenant):
                yield
        except WeftError as error:
            self._context.log.warning("an account of models was not kept", work=work, tenant=call.tenant, error=error.message)


async def settle(made: Reserved, used: Used, uow: UnitOfWork) -> None:
    """Count what a call came to, and tell of it, in the transaction that gave back what was reserved for it."""
    if used.cost:
        await store.spend(uow, made, used.cost)
    _say(uow, made, used)


async def settle_expired(context: ServiceContext) -> None:
    """Settle calls whose maker is gone as the most that they can have cost, of every tenant. Raises: Unavailable."""
    while True:
        async with context.owner_transaction() as uow:
            found = await store.release_expired(uow, uow.now, AT_ONCE)
            for made in found:
                await settle(made, Used("unanswered", made.amount), uow)
        if len(found) < AT_ONCE:
            return


async def forget(context: ServiceContext) -> None:
    """Forget answers that stand no more, and what was spent before any period that lasts. Raises: Unavailable."""
    async with context.owner_transaction() as uow:
        await answers.forget(uow)
        await store.forget_spending(uow, uow.now.date() - SPENDING_KEPT)


def _told(call: ActivityCall, asked: ModelCall, at: datetime) -> dict[str, Any]:
    return {
        "at": at.isoformat(),  # of asking: by that the ledger and those who are told count it for the same day
        "execution_id": str(call.execution_id),
        "node": call.node,
        "action": call.name,
        "connection": asked.connection,
        "provider": asked.provider,
        "model": asked.model,
        "repair": asked.repair,
    }


def _say(uow: UnitOfWork, made: Reserved, used: Used) -> None:
    called = AiCalled(
        call_id=made.id, workflow=made.workflow, outcome=used.outcome, code=used.code, input_tokens=used.input_tokens,
        output_tokens=used.output_tokens, cost=used.cost, took_ms=used.took_ms, **made.told,
    )  # fmt: skip
    uow.say(called, tenant=made.tenant)
