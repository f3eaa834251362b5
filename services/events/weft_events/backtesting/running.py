"""The loop that runs backtests, in every process of the service: one after the other, in pieces, so that nobody waits for it.

Whoever runs one holds it for a while and says so after each piece. One that dies leaves it to the next, who begins anew: it changes
nothing, so that costs nothing but time.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any, Final, cast

import msgspec
from weft_contracts.questions import BacktestTriggers, Problem, TriggersBacktested
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Invalid, StaleWrite, Unavailable

from weft_events import explaining
from weft_events.backtesting import triggers as trying
from weft_events.backtesting.comparing import Comparison, Seen, result_of
from weft_events.backtesting.triggers import Tried
from weft_events.domain import Logged, Received
from weft_events.registry import REGISTRY
from weft_events.settings import Settings
from weft_events.store import backtests, watching
from weft_events.usecases.events import resting

LOOK_EVERY_S: Final = 0.5
LEASE_S: Final = 60.0
PAGE: Final = 200
MOST_TRIES: Final = 3
"""How often one is begun that did not come to its end: by a process that died, or a bug."""
MAX_RESULT_BYTES: Final = 1024 * 1024


async def run(context: ServiceContext) -> None:
    """Run what was asked for, until cancelled."""
    while True:
        ran = False
        try:
            with context.sparing("backtest", but=(StaleWrite,)):
                ran = await run_one(context)
        except (Unavailable, StaleWrite):
            ran = False  # the database is away, which others report; it is run when its lease is over
        if not ran:
            await asyncio.sleep(LOOK_EVERY_S)


async def run_one(context: ServiceContext) -> bool:
    """Run one backtest. Returns: whether there was any."""
    async with context.owner_transaction() as uow:
        claimed = await backtests.claim(uow, LEASE_S)
    if claimed is None:
        return False
    tenant, asked, tries = claimed
    answer = await _answer(context, tenant, asked) if tries <= MOST_TRIES else _given_up(asked)
    async with context.owner_transaction(tenant) as uow:
        if await backtests.remove(uow, asked.question_id):
            uow.say(answer)
    return True


async def _answer(context: ServiceContext, tenant: str, asked: BacktestTriggers) -> TriggersBacktested:
    try:
        result = await _result(context, tenant, asked)
    except Invalid as error:
        return TriggersBacktested(question_id=asked.question_id, problem=Problem(code=error.code, detail=error.message[:2000]))
    return TriggersBacktested(question_id=asked.question_id, result=_fitting(result))


def _given_up(asked: BacktestTriggers) -> TriggersBacktested:
    detail = f"it was begun {MOST_TRIES} times and did not come to its end; ask for a shorter span"
    return TriggersBacktested(question_id=asked.question_id, problem=Problem(code="backtest_failed", detail=detail))


async def _result(context: ServiceContext, tenant: str, asked: BacktestTriggers) -> dict[str, Any]:
    settings = cast(Settings, context.settings)
    new, live = await _compiled(context, tenant, asked)
    types, globs = (sorted({*one, *other}) for one, other in zip(new.types, live.types, strict=True))
    found, rest, after = Comparison(), resting(), None
    end = time.monotonic() + settings.backtest_s
    while types or globs:
        async with context.owner_transaction(tenant) as uow:
            await backtests.renew(uow, asked.question_id, LEASE_S)
            page = await backtests.page(uow, types, globs, asked.since, asked.until, after, PAGE)
        for logged in page:
            if found.looked_at >= settings.backtest_events:
                return result_of(found, new.left_out, asked.live_version, _cut("events", settings.backtest_events, found.newest))
            if time.monotonic() > end:
                return result_of(found, new.left_out, asked.live_version, _cut("time", settings.backtest_s, found.newest))
            _add(found, tenant, logged, new, live)
            await rest()
        if len(page) < PAGE:
            break
        after = page[-1].id
    return result_of(found, new.left_out, asked.live_version, None)


async def _compiled(context: ServiceContext, tenant: str, asked: BacktestTriggers) -> tuple[Tried, Tried]:
    """The triggers of both versions, by the tenant's settings of today."""
    async with context.owner_transaction(tenant) as uow:
        names = (await REGISTRY.compiled(uow, tenant)).tenant
        several = [one.get("table") for one in (*asked.triggers, *asked.live_triggers) if one.get("on") == "record"]
        tables = await watching.known(uow, {str(one) for one in several})
    new = trying.tried(asked.workflow, asked.workflow_version, asked.triggers, names, tables)
    return new, trying.tried(asked.workflow, asked.live_version or 0, asked.live_triggers, names, tables)


def _add(found: Comparison, tenant: str, logged: Logged, new: Tried, live: Tried) -> None:
    received = Received(logged.id, tenant, explaining.event_of(logged), logged.received_at, logged.request)
    found.add(logged, received, *(_seen(received, by) for by in (new, live)))


def _seen(received: Received, by: Tried) -> Seen:
    return Seen(list(trying.consider(received, by)), by.by_id, by.matching.tenant)


def _cut(what: str, bound: float, newest: datetime | None) -> dict[str, Any]:
    """Why it ends before the end of the span, and up to when it tells everything."""
    told = f"{bound:g} events were looked at" if what == "events" else f"{bound:g} s had passed"
    message = f"{told}, which is as much as one backtest does; ask again with `from` at the time in `until`"
    return {"reason": what, "until": None if newest is None else newest.isoformat(), "message": message}


def _fitting(result: dict[str, Any]) -> dict[str, Any]:
    """The same in no more bytes than are told: without the trees of conditions, and then without the last events."""
    if len(msgspec.json.encode(result)) <= MAX_RESULT_BYTES:
        return result
    for told in result["differences"]:
        for look in (*told["version"], *told["live"]):
            look.pop("condition", None)
    while len(msgspec.json.encode(result)) > MAX_RESULT_BYTES and (result["differences"] or result["alike"]):
        for name in ("differences", "alike"):
            kept = len(result[name]) // 2
            result[f"{name}_left_out"] += len(result[name]) - kept
            result[name] = result[name][:kept]
    return result
