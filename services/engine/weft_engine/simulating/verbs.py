"""The verbs of simulating: load what it needs, let the core run, show it. Nothing is written and nothing is said."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from weft_contracts.cloudevents import CloudEvent
from weft_contracts.executions import StartExecution, TriggerInfo
from weft_language import Finding, compile_definition, has_errors, parse, publish_findings, validate
from weft_language.compilation import Program
from weft_runtime.auth import Caller
from weft_runtime.clock import new_id
from weft_runtime.errors import Detail
from weft_runtime.uow import UnitOfWork

from weft_engine import by_hand, domain, usecases
from weft_engine import store as doors
from weft_engine.core.context import Context
from weft_engine.core.entries import Row
from weft_engine.core.evolve import flat, fold
from weft_engine.core.items import Start
from weft_engine.core.replaying import happenings
from weft_engine.core.seeing import tenant_of
from weft_engine.core.simulating import Answer, Answers, Simulation, answers_of, begin, go_on
from weft_engine.core.state import Place
from weft_engine.errors import DefinitionInvalid, NotBegun, NothingPublished, PositionNotFound, VersionNotFound, WorkflowNotFound
from weft_engine.programs import ProgramCache
from weft_engine.simulating import showing
from weft_engine.simulating.checking import check_answers, check_beginning, event_of
from weft_engine.simulating.schemas import AnswersBody, ExecutionSimulation, SimulationBody, SimulationView
from weft_engine.simulating.triggering import Triggered, by_event
from weft_engine.store import drafts, quotas


@dataclass(frozen=True, slots=True)
class Simulated:
    """A definition to be simulated. version: None where it is not saved.  findings: what is worth saying about it."""

    program: Program
    version: int | None = None
    findings: tuple[Finding, ...] = ()


async def saved(slug: str, version: int | None, programs: ProgramCache, uow: UnitOfWork) -> Simulated:
    """A version of a workflow, published or the draft; for None the active one, or the draft where none is.

    Raises: WorkflowNotFound, NothingPublished, VersionNotFound, DefinitionInvalid for a draft that an earlier release took.
    """
    known = await quotas.workflow(uow, slug)
    if known is None:
        raise WorkflowNotFound(slug)
    wanted = version or known.active_version
    if wanted is not None and await doors.document(uow, slug, wanted) is not None:
        program = await usecases.program_of(uow, programs, slug, wanted)
        return Simulated(program, wanted, await asyncio.to_thread(validate, program.definition))
    draft = await drafts.find(uow, slug)
    if draft is not None and wanted in (None, draft[0]):
        return await asyncio.to_thread(_read, draft[1], draft[0])
    if wanted is None:
        raise NothingPublished(slug)
    raise VersionNotFound(slug, wanted)


async def sent(document: Mapping[str, Any]) -> Simulated:
    """A definition that came with the request. Raises: DefinitionInvalid."""
    return await asyncio.to_thread(_read, document)


def _read(document: Mapping[str, Any], version: int | None = None) -> Simulated:
    findings = validate(document)
    if has_errors(findings):
        raise _invalid("the definition has errors, so nothing can be said of what it would do", findings)
    definition = parse(document)
    unfinished = publish_findings(definition)
    if unfinished:
        raise _invalid("the definition asks for what this release does not execute, so nothing can be said of what it would do", unfinished)
    return Simulated(compile_definition(definition, version or 1), version, findings)


def _invalid(message: str, findings: Sequence[Finding]) -> DefinitionInvalid:
    return DefinitionInvalid(
        message, details=[Detail(f"/definition{one.pointer}", one.code, one.message) for one in findings if one.severity == "error"]
    )


async def simulate(body: SimulationBody, wanted: Simulated, uow: UnitOfWork) -> SimulationView:
    """What a start would come to.

    Raises: Invalid, NodesUnknown, InputInvalid, TriggerDisabled, TriggerRefused.
    """
    check_beginning(body)
    check_answers(body, wanted.program)
    event = event_of(body)
    context = await _context(wanted.program, uow)
    return await asyncio.to_thread(_simulated, body, event, wanted, context, uow.caller, (body.at or uow.now).astimezone(UTC))


def _simulated(
    body: SimulationBody, event: CloudEvent | None, wanted: Simulated, context: Context, caller: Caller | None, now: datetime
) -> SimulationView:
    program, id_ = wanted.program, new_id()
    if event is None:
        begun = Triggered(_by_hand(id_, body, program, context, caller, now), [])
    else:
        begun = by_event(id_, event, program, context.tenant, context.calendars, now)
    if begun.start is None:
        return showing.unmatched_view(program, begun.looks, wanted.findings, wanted.version)
    made = begin(begun.start, str(context.tenant["id"]), now, program, context, _answers(body, {}))
    return showing.simulation_view(made, begun.looks, wanted.findings, wanted.version)


def _by_hand(id_: UUID, body: SimulationBody, program: Program, context: Context, caller: Caller | None, now: datetime) -> Start:
    """The start that a trigger by hand would make of it, refused for the same reasons."""
    user = None if caller is None else {"id": caller.sub, "email": caller.email, "roles": list(caller.roles)}
    given = body.input or {}
    info = TriggerInfo(type="manual", payload=given, time=now, user=user)
    asked = StartExecution(execution_id=id_, workflow=program.slug, input=given, trigger=info, key=body.key, requested_at=now)
    if by_hand.is_written(program):
        asked = by_hand.triggered(asked, program, context.tenant, context.calendars, now)
    domain.check_input(program, asked.input)
    trigger = asked.trigger.model_dump(mode="json", exclude_none=True)
    return Start(id_, program.slug, program.version, asked.input, trigger, asked.key)


async def go_on_with(found: usecases.Found, body: ExecutionSimulation, wanted: Simulated, uow: UnitOfWork) -> SimulationView:
    """How an execution would go on from a moment, or would have gone from its start.

    Raises: NodesUnknown, NotBegun, PositionNotFound, InputInvalid.
    """
    check_answers(body, wanted.program)
    context = await _context(wanted.program, uow)
    return await asyncio.to_thread(_gone_on, found, body, wanted, context)


def _gone_on(found: usecases.Found, body: ExecutionSimulation, wanted: Simulated, context: Context) -> SimulationView:
    entries = flat(found.rows)
    answers = _answers(body, answers_of(entries))
    if body.at is not None:
        made = _from(found, body.at, wanted, context, answers)
    else:
        first = next((one for one in happenings(found.id, entries) if isinstance(one.item, Start)), None)
        if first is None or not isinstance(first.item, Start):
            raise NotBegun(found.id)
        start = first.item
        if body.input is not None:
            domain.check_input(wanted.program, body.input)
            start = Start(start.execution_id, start.workflow, None, body.input, start.trigger, start.key, start.labels)
        seen = context if first.tenant is None else replace(context, tenant=first.tenant)
        made = begin(start, str(context.tenant["id"]), first.at, wanted.program, seen, answers)
    return showing.simulation_view(made, (), wanted.findings, wanted.version)


def _from(found: usecases.Found, at: int, wanted: Simulated, context: Context, answers: Answers) -> Simulation:
    rows = _until(found.rows, at)
    state = fold(found.id, rows)
    if state is None or at >= sum(len(row.entries) for row in found.rows):
        raise PositionNotFound(found.id, at, sum(len(row.entries) for row in found.rows) - 1)
    tenant = tenant_of(state.tenant, state.tenant_seen)
    return go_on(state, rows, wanted.program, context if tenant is None else replace(context, tenant=tenant), answers)


def _until(rows: Sequence[Row], at: int) -> list[Row]:
    """The transitions up to the one that wrote an entry, that one whole: between two there is nothing to go on from."""
    return [row for row in rows if row.position <= at]


def version_at(found: usecases.Found, at: int | None) -> int:
    """The version that an execution had after a position of its journal, at its start for None."""
    state = fold(found.id, _until(found.rows, 0 if at is None else at))
    return found.version if state is None else state.version


async def _context(program: Program, uow: UnitOfWork) -> Context:
    return Context(await usecases.read_tenant(uow), calendars=await usecases.read_calendars([program], uow))


def _answers(body: AnswersBody, before: Mapping[Place, Answer]) -> Answers:
    errors = {name: error.model_dump() for name, error in body.errors.items()}
    return Answers(body.outputs, body.outcomes, errors, before)
