"""Tasks as rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final

import sqlalchemy as sa
from weft_contracts.tasks import Approvals, Candidates

from weft_tasks import access, agenda, domain
from weft_tasks.machine import TaskStatus
from weft_tasks.task import Decided, Step, Task

_FIXED: Final = (
    *("execution_id", "workflow", "node", "visit", "title", "description", "form", "ui", "data", "due_at", "priority", "created_at"),
    *("asked_at", "paused_since", "paused_by", "excluded", "rounds", "clock_from", "requested_by"),
)
_MOVING: Final = (
    *("reserved_for", "assignee", "version", "outcome", "result", "updated_at", "passed"),
    *("completed_at", "completed_by", "completed_via", "on_behalf_of", "standing_for", "snoozed_until", "snoozed_by"),
)


def fixed(task: Task) -> dict[str, Any]:
    """What no move of a task changes."""
    return {name: getattr(task, name) for name in _FIXED} | {
        "outcomes": list(task.outcomes),
        "approvals": None if task.approvals is None else task.approvals.model_dump(mode="json"),
        "separate_from": list(task.separate_from),
        "excluded": dict(task.excluded),
        "agenda": [_step_out(step) for step in task.agenda],
    }


def moving(task: Task) -> dict[str, Any]:
    """What moves of a task change, with what is derived of it to be found by."""
    return {name: getattr(task, name) for name in _MOVING} | {
        "status": task.status.value,
        "candidates": task.candidates.model_dump(mode="json"),
        "openers": access.openers(task),
        "decisions": [_decision_out(one) for one in task.decisions],
        "represented": [one.on_behalf_of or "" for one in task.decisions],
        "delegators": list(task.delegators),
        "deciders": list(task.deciders),
        "next_at": agenda.next_at(task),
    }


def task_of(row: sa.Row[Any]) -> Task:
    """The task of a row. Who is kept apart from it is what the engine knew: what was decided since stands in other rows."""
    fields = {name: getattr(row, name) for name in (*_FIXED, *_MOVING)}
    return Task(
        id=row.id,
        tenant=row.tenant_id,
        status=TaskStatus(row.status),
        candidates=Candidates.model_validate(row.candidates),
        outcomes=tuple(row.outcomes),
        approvals=None if row.approvals is None else Approvals.model_validate(row.approvals),
        decisions=tuple(_decision_in(*pair) for pair in zip_longest(row.decisions, row.represented[: len(row.decisions)])),
        delegators=tuple(row.delegators),
        separate_from=tuple(row.separate_from),
        kept_apart=row.excluded,
        agenda=tuple(_step_in(one) for one in row.agenda),
        **fields,
    )


def _decision_out(one: Decided) -> dict[str, Any]:
    """A decision as it is stored. For whom it was stands beside it, so that a release which does not know of that reads it."""
    told = domain.as_told(replace(one, on_behalf_of=None))
    return told | {"completed_at": one.completed_at.isoformat()}


def _decision_in(stored: dict[str, Any], instead_of: str | None) -> Decided:
    return Decided(**stored | {"completed_at": datetime.fromisoformat(stored["completed_at"])}, on_behalf_of=instead_of or None)


def _step_out(step: Step) -> dict[str, Any]:
    candidates = None if step.candidates is None else step.candidates.model_dump(mode="json")
    every = {"after_s": step.after_s, "do": step.do, "rung": step.rung, "assignee": step.assignee, "outcome": step.outcome}
    return {name: value for name, value in {**every, "candidates": candidates}.items() if value is not None}


def _step_in(stored: dict[str, Any]) -> Step:
    candidates = stored.get("candidates")
    return Step(**stored | {"candidates": None if candidates is None else Candidates.model_validate(candidates)})
