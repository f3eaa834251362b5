"""Simulations that another service asks for."""

from __future__ import annotations

from typing import Final

import msgspec
from weft_contracts.questions import DefinitionSimulated, Problem, SimulateDefinition
from weft_runtime.errors import Invalid
from weft_runtime.uow import UnitOfWork

from weft_engine.simulating import verbs
from weft_engine.simulating.schemas import DefinitionSimulation

MAX_ANSWER_BYTES: Final = 1024 * 1024


async def answer(msg: SimulateDefinition, uow: UnitOfWork) -> None:
    """Say what a definition would do, or why that cannot be said."""
    uow.say(await _answered(msg, uow))


async def _answered(msg: SimulateDefinition, uow: UnitOfWork) -> DefinitionSimulated:
    try:
        body = DefinitionSimulation(definition=msg.definition, event=msg.event, at=msg.at)
        made = await verbs.simulate(body, await verbs.sent(msg.definition), uow)
    except Invalid as error:
        told = "; ".join([error.message, *(f"{one.pointer}: {one.detail}" for one in error.details[:5])])
        return DefinitionSimulated(question_id=msg.question_id, problem=Problem(code=error.code, detail=told[:2000]))
    shown = made.model_dump(mode="json", by_alias=True)
    if len(msgspec.json.encode(shown)) > MAX_ANSWER_BYTES:
        detail = f"what it would do takes more than {MAX_ANSWER_BYTES} bytes to tell; try it with a smaller event"
        return DefinitionSimulated(question_id=msg.question_id, problem=Problem(code="simulation_too_large", detail=detail))
    return DefinitionSimulated(question_id=msg.question_id, simulation=shown)
