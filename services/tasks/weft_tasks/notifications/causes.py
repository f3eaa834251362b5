"""What of what happens is told to whom. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from weft_contracts.executions import ExecutionFailed, ExecutionTimedOut
from weft_contracts.tasks import Candidates

from weft_tasks.notifications import Audience, Note, cut
from weft_tasks.task import ENGINE, Change, Entry, Task, normal_name

MENTIONS_MOST: Final = 50
_MENTION: Final = re.compile(
    r"(?<![\w@.+-])@([\w.+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
)


def of_change(change: Change) -> tuple[Note, ...]:
    """What is told of a change of a task. Nobody is told what they did themselves; a task for anyone is told to nobody."""
    entry = change.entry
    told = None if entry is None else _TOLD.get(entry.kind)
    return () if told is None or entry is None else tuple(note for note in told(change.task, entry) if note.to != Audience())


def overdue(task: Task) -> Note:
    """That a task is due and nobody has decided it."""
    title = f"Overdue: {task.title}"
    return _note(task, "task.overdue", f"task:{task.id}:overdue", title, _holders(task), text=_due(task.due_at))


def of_failure(fact: ExecutionFailed | ExecutionTimedOut, owner: str | None) -> tuple[Note, ...]:
    """What is told of an execution that failed: to who started it, each time; to whose workflow it is, once an hour.

    owner: who answers for the workflow. One that another execution called is told of by the one that called it.
    """
    if fact.parent is not None:
        return ()
    starter = normal_name(fact.key_owner or fact.user or "")
    about = {"execution_id": str(fact.execution_id), "workflow": fact.workflow}
    title = cut(f"{fact.workflow} failed" + (f" at {fact.error.node}" if fact.error.node else ""))
    text, link = f"{fact.error.code}: {fact.error.message}"[:2000], f"/executions/{fact.execution_id}"
    notes = []
    if starter:
        cause = f"execution:{fact.execution_id}:failed:{fact.at.isoformat()}"
        notes.append(Note("execution.failed", cause, title, Audience((starter,)), text, link, about=about))
    if owner and owner != starter:
        # Whoever answers for a workflow that fails a thousand times is told so once, with the first of them.
        cause = f"workflow:{fact.workflow}:failed:{fact.at:%Y-%m-%dT%H}"
        notes.append(Note("execution.failed", cause, title, Audience((owner,)), text, link, frozenset({starter}) - {""}, about))
    return tuple(notes)


def mentioned(text: str) -> tuple[str, ...]:
    """Who is named in a text: `@` and an e-mail address or the id of a user, each once, the first so many."""
    return tuple(dict.fromkeys(normal_name(name) for name in _MENTION.findall(text)))[:MENTIONS_MOST]


def _created(task: Task, entry: Entry) -> list[Note]:
    return [_given(task, entry, "task.assigned", "Assigned to you", task.assignee)] if task.assignee else [_offered(task, entry)]


def _released(task: Task, entry: Entry) -> list[Note]:
    return [_given(task, entry, "task.assigned", "Given back to you", task.assignee)] if task.assignee else []


def _reassigned(task: Task, entry: Entry) -> list[Note]:
    given = [_given(task, entry, "task.reassigned", "Reassigned to you", task.assignee)] if task.assignee else [_offered(task, entry)]
    before = entry.data.get("from")
    gone = [] if before in (None, task.assignee) else [_given(task, entry, "task.reassigned", "Taken from you", before, ":from")]
    return [*given, *gone]


def _delegated(task: Task, entry: Entry) -> list[Note]:
    return [_given(task, entry, "task.delegated", "Handed on to you", task.assignee)]


def _reminded(task: Task, entry: Entry) -> list[Note]:
    soon = entry.data.get("reason") == "due"
    title = f"{'Soon due' if soon else 'Still waiting'}: {task.title}"
    return [_note(task, "task.reminder", _cause(task, entry), title, _holders(task), entry, _due(task.due_at))]


def _escalated(task: Task, entry: Entry) -> list[Note]:
    joined = _named(entry.data.get("to"))
    before = entry.data.get("from")
    to = Audience((*joined.users, *((before,) if before else ())), joined.roles, joined.groups)
    return [_note(task, "task.escalated", _cause(task, entry), f"Escalated: {task.title}", to, entry, _due(task.due_at))]


def _ended(event: str, what: str) -> Callable[[Task, Entry], list[Note]]:
    def told(task: Task, entry: Entry) -> list[Note]:
        return [_given(task, entry, event, what, task.assignee)] if task.assignee else []

    return told


def _commented(task: Task, entry: Entry) -> list[Note]:
    text = str(entry.data.get("text", ""))
    cause = f"{_cause(task, entry)}:{entry.at.isoformat()}:{entry.by}"
    return [_note(task, "task.mentioned", cause, f"You are named at: {task.title}", Audience(mentioned(text)), entry, text[:2000])]


def _given(task: Task, entry: Entry, event: str, what: str, whom: str | None, more: str = "") -> Note:
    to = Audience((whom,) if whom else ())
    return _note(task, event, _cause(task, entry) + more, f"{what}: {task.title}", to, entry, _due(task.due_at))


def _offered(task: Task, entry: Entry) -> Note:
    title = f"Waits for you or others: {task.title}"
    return _note(task, "task.offered", _cause(task, entry), title, _audience(task.candidates), entry, _due(task.due_at))


def _note(task: Task, event: str, cause: str, title: str, to: Audience, entry: Entry | None = None, text: str | None = None) -> Note:
    about = {"task_id": str(task.id), "execution_id": str(task.execution_id), "workflow": task.workflow, "node": task.node}
    by = frozenset() if entry is None or entry.by == ENGINE else frozenset({entry.by})
    return Note(event, cause, cut(title), to, text, f"/user-tasks/{task.id}", by, about)


def _cause(task: Task, entry: Entry) -> str:
    return f"task:{task.id}:{task.version}.{task.passed}:{entry.kind}"


def _holders(task: Task) -> Audience:
    """Whoever is to act on a task: its assignee, else those it is for."""
    return Audience((task.assignee,)) if task.assignee else _audience(task.candidates)


def _audience(candidates: Candidates) -> Audience:
    return Audience(candidates.users, candidates.roles, candidates.groups)


def _named(to: str | Mapping[str, Any] | None) -> Audience:
    """Whom a step of a ladder names, as history tells it."""
    if isinstance(to, str):
        return Audience((to,))
    return Audience() if to is None else _audience(Candidates.model_validate(to))


def _due(at: datetime | None) -> str | None:
    return None if at is None else f"Due {at:%Y-%m-%d %H:%M} UTC."


_TOLD: Final[Mapping[str, Callable[[Task, Entry], list[Note]]]] = {
    "created": _created,
    "released": _released,
    "reassigned": _reassigned,
    "delegated": _delegated,
    "reminded": _reminded,
    "escalated": _escalated,
    "cancelled": _ended("task.cancelled", "Needed no more"),
    "expired": _ended("task.expired", "Its time ran out"),
    "commented": _commented,
}
"""By the kind of the line of history."""
