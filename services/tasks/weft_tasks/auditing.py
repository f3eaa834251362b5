"""What the audit is told of decision links and stand-ins. What happens to a task itself its facts tell. Pure."""

from __future__ import annotations

from typing import Any

from weft_contracts.audit import Origin, RecordAudit

from weft_tasks.task import Task, Who


def link_made(task: Task, about: dict[str, Any]) -> RecordAudit:
    """A link was made by which whoever holds it decides. about: it, but not its signature."""
    return _of_task("link_made", task, about)


def decided_by_link(task: Task, who: Who, told: dict[str, Any], origin: Origin) -> RecordAudit:
    """A task was decided by a link. told: what its receipt keeps.  origin: where it was decided from."""
    return _of_task("decided_by_link", task, told).model_copy(update={"by": who.by, "via": f"link:{who.link}", "origin": origin})


def stands_in(row: Any) -> RecordAudit:
    """Somebody stands in for who is away."""
    return RecordAudit(action="delegation.created", resource_type="delegation", resource_id=str(row.id), after=_shown(row))


def stands_in_no_more(row: Any) -> RecordAudit:
    """A stand-in was taken back."""
    return RecordAudit(action="delegation.revoked", resource_type="delegation", resource_id=str(row.id), before=_shown(row))


def _of_task(action: str, task: Task, details: dict[str, Any]) -> RecordAudit:
    about = {"workflow": task.workflow, "node": task.node, "execution_id": str(task.execution_id), **details}
    return RecordAudit(action=f"task.{action}", resource_type="task", resource_id=str(task.id), details=about)


def _shown(row: Any) -> dict[str, Any]:
    span = {"starts_at": row.starts_at.isoformat(), "ends_at": row.ends_at.isoformat()}
    return {"user": row.absent, "delegate": row.stand_in, **span, "workflows": row.workflows, "reason": row.reason}
