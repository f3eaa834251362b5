"""What people are shown of a simulation: made from its journal alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from weft_language.compilation import ConnectorWork, Program
from weft_language.findings import Finding

from weft_engine import views
from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import Timed, flat, moment, unfold
from weft_engine.core.explaining import way
from weft_engine.core.ledger import asking
from weft_engine.core.simulating import Simulation
from weft_engine.core.state import OWNERS, Place
from weft_engine.schemas import ChoiceView
from weft_engine.simulating.schemas import FindingView, SimulatedEffect, SimulatedStep, SimulatedWait, SimulationView, TriggerLook

_ENDED: Final = frozenset({e.STEP_COMPLETED, e.STEP_FAILED})
_LEFT: Final = _ENDED | {e.STEP_CANCELLED}
_TYPES: Final = {"task": "task", "child": "call", "event": "publish"}
_HIDDEN: Final = frozenset({"resend_s", "lease_s", "deadline_at", "due_at", "kind", "task_id", "child_id", "event_id", "depth", "by"})
"""Members of what is asked that tell how the engine asks, not what for."""


def simulation_view(made: Simulation, looks: Sequence[TriggerLook], known: Iterable[Finding], version: int | None) -> SimulationView:
    """A simulation as the API shows it. looks: at triggers.  known: findings of its definition.  version: None of one that is not saved."""
    state, entries = made.state, flat(made.rows)
    shown = views.execution_view(state.id, state.workflow, state.version, state.status, made.rows)
    return SimulationView(
        workflow=state.workflow,
        version=version,
        status=state.status,
        input=state.input,
        output=state.output,
        error=views.error_view(state.error),
        vars=state.vars,
        trigger=shown.trigger,
        triggers=list(looks),
        path=[entry.node for entry, _ in entries if entry.node is not None and entry.kind in _ENDED],
        steps=_steps(made, entries),
        waits=_waits(made, entries),
        effects=[*_effects(made.program, entries)],
        waiting_for=shown.waiting_for,
        findings=[_finding(one) for one in (*made.findings, *known)],
        started_at=state.started_at,
        ended_at=state.completed_at,
    )


def unmatched_view(program: Program, looks: Sequence[TriggerLook], known: Iterable[Finding], version: int | None) -> SimulationView:
    """The same where no trigger takes the event: nothing would happen."""
    return SimulationView(
        workflow=program.slug, version=version, status="unmatched", input={}, output=None, error=None, vars={}, trigger=None,
        triggers=list(looks), path=[], steps=[], waits=[], effects=[], waiting_for=[], findings=[_finding(one) for one in known],
        started_at=None, ended_at=None,
    )  # fmt: skip


def _steps(made: Simulation, entries: Sequence[Timed]) -> list[SimulatedStep]:
    context, programs = made.context, {made.program.version: made.program}
    found: dict[Place, list[ChoiceView]] = {}
    for choice in way(made.state.id, entries, programs, context.tenant, context.calendars).choices:
        found.setdefault((choice.node, choice.visit), []).append(views.choice_view(choice))
    steps = views.step_views(made.state.id, made.rows, made.program)
    return [_step(step.model_dump(), found.get((step.node, step.visit), [])) for step in steps]


def _step(step: dict[str, Any], choices: list[ChoiceView]) -> SimulatedStep:
    deciding = (one.condition for choice in choices for one in choice.considered if one.taken and one.condition is not None)
    last = (one.condition for choice in choices for one in reversed(choice.considered) if one.condition is not None)
    return SimulatedStep(**step, condition=next(deciding, None) or next(last, None), choices=choices)


def _waits(made: Simulation, entries: Sequence[Timed]) -> list[SimulatedWait]:
    found: dict[Place, SimulatedWait] = {}
    for state, entry, at in unfold(made.state.id, entries):
        place = (entry.node or "", entry.visit)
        pending = state.pending.get(place)
        if entry.kind == e.STEP_WAITING and pending is not None and pending.kind not in OWNERS:
            view = views.waiting_view(pending, state)
            found[place] = SimulatedWait(
                node=pending.node, visit=pending.visit, kind=view.kind, since=at, until=None, **{"for": _for(entry, view.for_, at)}
            )
        elif entry.kind in _LEFT and place in found:
            found[place].until = at
    return list(found.values())


def _for(entry: Entry, whom: Any, at: datetime) -> Any:
    due_at = moment(entry.data.get("due_at"))
    if entry.data["kind"] != "timer" or due_at is None:
        return whom
    return f"PT{(due_at - at).total_seconds():.3f}".rstrip("0").rstrip(".") + "S"


def _effects(program: Program, entries: Sequence[Timed]) -> Iterable[SimulatedEffect]:
    for entry, at in entries:
        asked = asking(entry)
        if entry.kind == e.STEP_ENHANCING and entry.node is not None:
            yield SimulatedEffect(node=entry.node, visit=entry.visit, type=entry.data["name"], at=at, **{"with": entry.data.get("input")})
        elif asked is not None and entry.node is not None:
            type_, with_ = _asked(program, entry.node, *asked)
            yield SimulatedEffect(node=entry.node, visit=entry.visit, type=type_, at=at, **{"with": with_})


def _asked(program: Program, node: str, kind: str, asked: Mapping[str, Any]) -> tuple[str, Any]:
    if kind != "activity":
        return _TYPES[kind], {name: value for name, value in asked.items() if name not in _HIDDEN}
    known = program.nodes.get(node)
    undoing = program.nodes.get(node.rpartition(".")[0]) if known is None else None
    work = known.work if known is not None else undoing.undo if undoing is not None else None
    if isinstance(work, ConnectorWork):
        return work.type, asked.get("input")
    return "activity", {name: asked[name] for name in ("name", "input", "queue") if name in asked}


def _finding(found: Finding) -> FindingView:
    return FindingView(**{name: value for name, value in found.as_dict().items() if name != "patch"})
