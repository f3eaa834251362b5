"""The verbs of asking: what is asked goes out with the transaction that remembers it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from weft_contracts.questions import BacktestTriggers, DefinitionSimulated, SimulateDefinition, TriggersBacktested
from weft_runtime.clock import new_id
from weft_runtime.uow import UnitOfWork

from weft_definitions import store
from weft_definitions.asking.question import Question
from weft_definitions.errors import BacktestNotFound, BacktestsOpen
from weft_definitions.store import questions

MOST_OPEN: Final = 5
"""Backtests of a tenant at once: they are run one after the other, for everybody."""
OPEN_FOR: Final = timedelta(hours=1)
"""One that has no answer for longer is not waited for any more."""


async def simulate(slug: str, document: dict[str, object], event: dict[str, object], at: datetime, uow: UnitOfWork) -> UUID:
    """Ask the engine what a definition would do that an event begins. Returns: the id of the question."""
    id_ = new_id()
    await questions.add(uow, Question(id_, "simulation", slug, {}, _who(uow), uow.now))
    uow.say(SimulateDefinition(question_id=id_, definition=document, event=event, at=at))
    return id_


async def backtest(slug: str, number: int | None, since: datetime, until: datetime, uow: UnitOfWork) -> Question:
    """Ask what a version would have started in the past, compared with the active one. number: the newest when None.

    Raises: WorkflowNotFound, VersionNotFound, BacktestsOpen.
    """
    workflow = await store.get(uow, slug)
    if await questions.open_backtests(uow, uow.now - OPEN_FOR) >= MOST_OPEN:
        raise BacktestsOpen(f"{MOST_OPEN} backtests are under way already; ask again when one of them has its result", retry_after_s=10)
    version = await store.get_version(uow, slug, number or workflow.version)
    live = await store.active_version(uow, workflow)
    asked = {
        "version": version.number,
        "live_version": None if live is None else live.number,
        "from": since.isoformat(),
        "to": until.isoformat(),
    }
    made = Question(new_id(), "backtest", slug, asked, _who(uow), uow.now)
    await questions.add(uow, made)
    uow.say(
        BacktestTriggers(
            question_id=made.id,
            workflow=slug,
            workflow_version=version.number,
            triggers=tuple(version.document.get("triggers", ())),
            live_version=None if live is None else live.number,
            live_triggers=() if live is None else tuple(live.document.get("triggers", ())),
            since=since,
            until=until,
        )
    )
    return made


async def find_backtest(slug: str, id_: UUID, uow: UnitOfWork) -> Question:
    """A backtest of a workflow. Raises: WorkflowNotFound, BacktestNotFound."""
    await store.get(uow, slug)
    found = await questions.get(uow, id_)
    if found is None or found.kind != "backtest" or found.slug != slug:
        raise BacktestNotFound(f"workflow {slug!r} has no backtest {id_}; they are kept for {questions.KEPT.days} days")
    return found


async def note_simulation(msg: DefinitionSimulated, uow: UnitOfWork) -> None:
    """Keep what the engine answered."""
    await questions.answer(uow, msg.question_id, msg.simulation, None if msg.problem is None else msg.problem.model_dump())


async def note_backtest(msg: TriggersBacktested, uow: UnitOfWork) -> None:
    """Keep what events answered."""
    await questions.answer(uow, msg.question_id, msg.result, None if msg.problem is None else msg.problem.model_dump())


def _who(uow: UnitOfWork) -> str:
    return "" if uow.caller is None else uow.caller.sub
