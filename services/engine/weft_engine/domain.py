"""Pure decisions at the engine's doors, and what people are shown of an execution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from weft_language.compilation import Node, Program
from weft_language.model.durations import InvalidDuration, parse_duration
from weft_runtime.errors import Detail, Invalid

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry, Row
from weft_engine.core.evolve import fold
from weft_engine.core.history import visits
from weft_engine.core.nodes.undoing import SUFFIX
from weft_engine.core.state import OWNERS, Pending, State
from weft_engine.errors import InputInvalid, Refused, VersionNotFound, WorkflowInactive
from weft_engine.machine import ExecutionStatus, allowed_actions
from weft_engine.schemas import EntryView, ExecutionView, StepView, TriggerView, WaitingView


def version_to_run(slug: str, status: str, active: int | None, *, wanted: int | None) -> int:
    """The version a new execution runs. Raises: WorkflowInactive, VersionNotFound."""
    if status != "active" or active is None:
        raise WorkflowInactive(slug, status)
    if wanted is not None and wanted > active:
        raise VersionNotFound(slug, wanted)
    return wanted if wanted is not None else active


def wait_seconds(text: str | None, longest_s: float) -> float:
    """The seconds in `?wait=`, at most `longest_s`; 0 for none. Raises: Invalid for what is no duration."""
    if text is None:
        return 0.0
    try:
        return min(parse_duration(text), longest_s)
    except InvalidDuration as error:
        raise Invalid(str(error), details=[Detail("/wait", "duration", str(error), source="query")]) from error


def check_input(program: Program, input_: Mapping[str, Any]) -> None:
    """Raises: InputInvalid, with pointers, when the input does not fit."""
    errors = program.input.errors(dict(input_))
    if errors:
        raise InputInvalid(program.slug, errors)


def execution_view(execution_id: UUID, workflow: str, version: int, status: str, rows: Iterable[Row]) -> ExecutionView:
    """An execution as the API shows it. status: shown while it has no journal yet."""
    journal = list(rows)
    state = fold(execution_id, journal) or State(execution_id, "", workflow, version, status=status)
    ended = state.completed_at
    duration_ms = round((ended - state.started_at).total_seconds() * 1000) if ended and state.started_at else None
    user = state.trigger.get("user")
    return ExecutionView(
        id=execution_id,
        workflow=state.workflow,
        version=state.version,
        status=state.status,
        key=state.key,
        labels=state.labels,
        input=state.input,
        output=state.output,
        error=state.error,
        trigger=TriggerView(
            type=state.trigger.get("type", "manual"),
            id=state.trigger.get("id"),
            event_id=state.trigger.get("event_id"),
            user=user.get("id") if isinstance(user, dict) else None,
        ),
        vars=state.vars,
        started_at=state.started_at,
        completed_at=ended,
        duration_ms=duration_ms,
        parent=UUID(state.parent) if state.parent else None,
        children=children_of(journal),
        waiting_for=[waiting_view(pending) for pending in state.pending.values() if pending.kind not in OWNERS],
        allowed_actions=allowed_actions(state.status),
    )


def children_of(rows: Iterable[Row]) -> list[UUID]:
    """The executions that an execution has called, oldest first."""
    return [UUID(entry.data["child_id"]) for row in rows for entry in row.entries if entry.kind in _CALLS and "workflow" in entry.data]


_CALLS: Final = frozenset({e.STEP_WAITING, e.CHILD_CALLED})


def waiting_view(pending: Pending) -> WaitingView:
    """What an execution waits for, until when and for whom."""
    whom: Any = None
    if pending.kind == "signal":
        whom = pending.data["signals"]
    elif pending.kind == "task":
        task = pending.data["task"]
        whom = {name: task[name] for name in ("task_id", "assignee", "candidates") if task.get(name)}
    elif pending.kind in ("activity", "retry"):
        whom = pending.data["name"]
    elif pending.kind == "child":
        whom = {"execution_id": pending.data["child_id"], "workflow": pending.data["workflow"]}
    until = pending.deadline_at if pending.kind in ("activity", "child") else pending.wake_at
    return WaitingView(node=pending.node, kind=pending.kind, until=until, **{"for": whom})


def step_views(execution_id: UUID, rows: Iterable[Row], program: Program | None) -> list[StepView]:
    """Every visit of every node, in the order in which they began."""
    nodes = program.nodes if program is not None else {}
    return [
        StepView(
            node=visit.node,
            visit=visit.step.visit,
            scope=visit.scope,
            type=_type_of(visit.node, nodes),
            status=visit.step.status,
            outcome=visit.step.outcome,
            input=visit.input,
            output=visit.step.output,
            error=visit.step.error,
            attempts=visit.step.attempts,
            started_at=visit.step.started_at,
            completed_at=visit.step.completed_at,
        )
        for visit in visits(execution_id, rows)
    ]


def _type_of(node: str, nodes: Mapping[str, Node]) -> str:
    if node.endswith(SUFFIX):
        undone = nodes.get(node.removesuffix(SUFFIX))
        return "compensate" if undone is None or undone.undo is None else getattr(undone.undo, "type", "activity")
    return nodes[node].type if node in nodes else ""


def entry_view(position: int, row: Row, entry: Entry) -> EntryView:
    """One entry of the history."""
    return EntryView(
        position=position,
        at=row.at,
        kind=entry.kind,
        node=entry.node,
        visit=entry.visit or None,
        attempt=entry.attempt or None,
        data=entry.data,
    )


def has_ended(status: str) -> bool:
    """Whether nothing can happen to an execution any more."""
    return status in {ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED, ExecutionStatus.TIMED_OUT}


def refusal(status: int, body: Mapping[str, Any]) -> Refused | None:
    """The error that a partition's answer means, None when it is a good answer."""
    if status < 400:
        return None
    more = dict(body.get("body") or {})
    details = [Detail(**error) for error in more.pop("errors", [])]
    return Refused(status, str(body["code"]), str(body["detail"]), more, details)
