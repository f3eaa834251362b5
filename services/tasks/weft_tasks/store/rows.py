"""Tasks as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from weft_contracts.tasks import Approvals, Candidates

from weft_tasks import access, agenda, domain
from weft_tasks.machine import TaskStatus
from weft_tasks.task import Decided, Step, Task

_FIXED: Final = (
    *("execution_id", "workflow", "node", "visit", "title", "description", "form", "ui", "data", "due_at", "priority", "created_at"),
    *("asked_at", "paused_since", "paused_by", "excluded", "rounds", "clock_from"),
)
_MOVING: Final = (
    *("reserved_for", "assignee", "version", "outcome", "result", "updated_at", "passed"),
    *("completed_at", "completed_by", "completed_via"),
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
        "decisions": [domain.as_told(one) | {"completed_at": one.completed_at.isoformat()} for one in task.decisions],
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
        decisions=tuple(Decided(**one | {"completed_at": datetime.fromisoformat(one["completed_at"])}) for one in row.decisions),
        separate_from=tuple(row.separate_from),
        kept_apart=row.excluded,
        agenda=tuple(_step_in(one) for one in row.agenda),
        **fields,
    )


def _step_out(step: Step) -> dict[str, Any]:
    candidates = None if step.candidates is None else step.candidates.model_dump(mode="json")
    every = {"after_s": step.after_s, "do": step.do, "rung": step.rung, "assignee": step.assignee, "outcome": step.outcome}
    return {name: value for name, value in {**every, "candidates": candidates}.items() if value is not None}


def _step_in(stored: dict[str, Any]) -> Step:
    candidates = stored.get("candidates")
    return Step(**stored | {"candidates": None if candidates is None else Candidates.model_validate(candidates)})
