"""Who did what: what facts tell of it, and the chain that shows whether a row was edited or taken out since. Pure.

Each row carries the hash of the one before. Whoever may write the table can still make a whole new chain, which only a hash that was kept
elsewhere shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from weft_contracts.audit import Origin, RecordAudit
from weft_contracts.calendars import CalendarChanged
from weft_contracts.connections import ConnectionRemoved, ConnectionResumed, ConnectionSaved, ConnectionSuspended
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import TenantChanged, UserChanged
from weft_contracts.executions import ExecutionCancelled, ExecutionPaused, ExecutionQueued, ExecutionResumed, ExecutionStarted
from weft_contracts.message import Message
from weft_contracts.tasks import TaskClaimed, TaskCompleted, TaskDecided, TaskDelegated, TaskReassigned, TaskReleased

FIRST: Final = "0" * 64
"""The hash before the first row."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done. fact: names it, the same however often it is heard.  actor: None where it was not told.  via: the API key.

    at: None where the fact tells no time.  after: what it made of the resource, None where it is gone.  before: what it was, where
    `tells_before`; else the row before tells it.  details: what is no state of the resource.  origin: where it came from.
    """

    fact: str
    action: str
    resource_type: str
    resource_id: str
    actor: str | None
    after: Mapping[str, Any] | None = None
    at: datetime | None = None
    via: str | None = None
    before: Mapping[str, Any] | None = None
    tells_before: bool = False
    details: Mapping[str, Any] | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the chain. before, after, details, origin: JSON texts."""

    seq: int
    fact: str
    at: datetime
    actor: str | None
    via: str | None
    action: str
    resource_type: str
    resource_id: str
    before: str | None
    after: str | None
    prev_hash: str
    hash: str
    details: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a chain does not hold. seq: of the first row that was edited or is missing.  problem: `edited`, `missing`."""

    seq: int
    problem: str


def deed(message: Message) -> Deed | None:
    """What a fact tells of something that somebody did; None where nobody did it."""
    tell = _DEEDS.get(type(message))
    done = None if tell is None else tell(message)
    return done if done is None else replace(done, origin=getattr(message, "origin", None))


def recorded(said: RecordAudit, source: str, item_id: str) -> Deed:
    """What was said to be kept. source, item_id: of its envelope, the same on every repeat."""
    about = f"{source}:{item_id}", said.action, said.resource_type, said.resource_id, said.by, said.after, said.at, said.via
    return Deed(*about, before=said.before, tells_before=True, details=said.details, origin=said.origin)


def text(value: Mapping[str, Any] | None) -> str | None:
    """The one JSON text of a value."""
    return (
        None
        if value is None
        else json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str)
    )


def next_row(tenant: str, seq: int, prev_hash: str, done: Deed, before: str | None, now: datetime) -> Row:
    """The row that comes after one. seq, prev_hash: of that, 0 and `FIRST` where there is none."""
    at = (done.at or now).astimezone(UTC)
    about = done.actor, done.via, done.action, done.resource_type, done.resource_id
    was = text(done.before) if done.tells_before else before
    origin = None if done.origin is None else text(done.origin.model_dump(exclude_none=True))
    values = (seq + 1, done.fact, at, *about, was, text(done.after), prev_hash)
    more = text(done.details), origin
    return Row(*values, hash_of(tenant, *values, *_more(*more)), *more)


def hash_of(tenant: str, seq: int, fact: str, at: datetime, *more: str | None) -> str:
    """The hash of a row. more: actor, via, action, type and id of the resource, before, after, the hash before; details and origin."""
    said = json.dumps([tenant, seq, fact, at.astimezone(UTC).isoformat(), *more], separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def _more(details: str | None, origin: str | None) -> tuple[str | None, ...]:
    """What is hashed of a row beyond what each has. Rows of before there was any have hashes without."""
    return () if details is None and origin is None else (details, origin)


def broken(tenant: str, rows: Iterable[Row], seq: int, prev_hash: str) -> tuple[Broken | None, int, str]:
    """Where rows do not follow from each other. seq, prev_hash: of the row before them.

    Returns: that, None where they do; seq and hash of the last row that holds.
    """
    for row in rows:
        if row.seq != seq + 1:
            return Broken(seq + 1, "missing"), seq, prev_hash
        values = row.fact, row.at, row.actor, row.via, row.action, row.resource_type, row.resource_id, row.before, row.after, row.prev_hash
        if row.prev_hash != prev_hash or row.hash != hash_of(tenant, row.seq, *values, *_more(row.details, row.origin)):
            return Broken(row.seq, "edited"), seq, prev_hash
        seq, prev_hash = row.seq, row.hash
    return None, seq, prev_hash


def _workflow(fact: WorkflowChanged) -> Deed:
    after = fact.model_dump(mode="json", include={"name", "status", "active_version", "labels", "revision"})
    return Deed(f"workflow:{fact.slug}:{fact.revision}", "workflow.changed", "workflow", fact.slug, fact.by, after)


def _connection(fact: ConnectionSaved) -> Deed:
    after = fact.model_dump(mode="json", include={"name", "connection_type", "settings", "revision"})
    action = "connection.created" if fact.revision == 1 else "connection.changed"
    return Deed(f"connection:{fact.connection_id}:{fact.revision}", action, "connection", str(fact.connection_id), fact.by, after, fact.at)


def _connection_removed(fact: ConnectionRemoved) -> Deed:
    name = f"connection:{fact.connection_id}:{fact.revision}"
    return Deed(name, "connection.removed", "connection", str(fact.connection_id), fact.by, None, fact.at)


def _connection_held(fact: ConnectionSuspended | ConnectionResumed) -> Deed:
    after = {"suspended": isinstance(fact, ConnectionSuspended), "reason": getattr(fact, "reason", None)}
    name = f"suspension:{fact.suspension_id}:{fact.type}"
    return Deed(name, fact.type, "connection_use", fact.name, fact.by, after, fact.at)


def _calendar(fact: CalendarChanged) -> Deed:
    after = fact.model_dump(mode="json", include={"zone", "hours", "holidays", "revision"})
    action = "calendar.created" if fact.revision == 1 else "calendar.changed"
    return Deed(f"calendar:{fact.name}:{fact.revision}", action, "calendar", fact.name, fact.by, after, fact.at)


def _tenant(fact: TenantChanged) -> Deed:
    after = fact.model_dump(mode="json", include={"name", "tier", "settings", "revision"})
    action = "tenant.created" if fact.revision == 1 else "tenant.changed"
    return Deed(f"tenant:{fact.tenant}:{fact.revision}", action, "tenant", fact.tenant, fact.by, after)


def _user(fact: UserChanged) -> Deed:
    after = fact.model_dump(mode="json", include={"email", "name", "roles", "groups", "active", "revision"})
    action = "user.created" if fact.revision == 1 else "user.changed"
    return Deed(f"user:{fact.user_id}:{fact.revision}", action, "user", str(fact.user_id), fact.by, after)


def _of_execution(fact: Any, action: str, by: str | None, after: dict[str, Any]) -> Deed | None:
    if by is None:
        return None  # an execution that called it, or time, did it
    name = f"execution:{fact.execution_id}:{fact.position}:{action}"
    return Deed(name, f"execution.{action}", "execution", str(fact.execution_id), by, {"workflow": fact.workflow, **after}, fact.at)


def _started(fact: ExecutionQueued | ExecutionStarted) -> Deed | None:
    if fact.trigger_type != "manual" or fact.user is None:
        return None  # an event, time, or an execution that called it
    about = f"execution:{fact.execution_id}:by_hand", "execution.started", "execution", str(fact.execution_id), fact.user
    return Deed(*about, {"workflow": fact.workflow, "version": fact.workflow_version, "key": fact.key}, fact.at)


def _resumed(fact: ExecutionResumed) -> Deed | None:
    return _of_execution(fact, "retried" if fact.retried else "resumed", fact.by, {"status": "running"})


def _of_task(fact: Any, action: str, by: str | None, via: str | None = None, **after: Any) -> Deed | None:
    if by is None:
        return None  # time did it
    told = {"workflow": fact.workflow, "node": fact.node, "execution_id": str(fact.execution_id), **after}
    return Deed(f"task:{fact.task_id}:{fact.task_version}", f"task.{action}", "task", str(fact.task_id), by, told, fact.at, via)


_DEEDS: Final[dict[type[Message], Callable[[Any], Deed | None]]] = {
    WorkflowChanged: _workflow,
    ConnectionSaved: _connection,
    ConnectionRemoved: _connection_removed,
    ConnectionSuspended: _connection_held,
    ConnectionResumed: _connection_held,
    CalendarChanged: _calendar,
    TenantChanged: _tenant,
    UserChanged: _user,
    ExecutionQueued: _started,
    ExecutionStarted: _started,
    ExecutionPaused: lambda fact: _of_execution(fact, "paused", fact.by, {"status": "paused", "reason": fact.reason}),
    ExecutionResumed: _resumed,
    ExecutionCancelled: lambda fact: _of_execution(fact, "cancelled", fact.cancelled_by, {"status": "cancelled", "reason": fact.reason}),
    TaskClaimed: lambda fact: _of_task(fact, "claimed", fact.assignee, assignee=fact.assignee),
    TaskReleased: lambda fact: _of_task(fact, "released", fact.by, assignee=None),
    TaskReassigned: lambda fact: _of_task(fact, "reassigned", fact.by, assignee=fact.assignee),
    TaskDelegated: lambda fact: _of_task(fact, "delegated", fact.by, assignee=fact.assignee, on_behalf_of=fact.on_behalf_of),
    TaskDecided: lambda fact: _of_task(fact, "decided", fact.decided_by, fact.decided_via, outcome=fact.outcome),
    TaskCompleted: lambda fact: _of_task(fact, "completed", fact.completed_by, fact.completed_via, outcome=fact.outcome),
}
"""What each fact tells of a deed."""
DEEDS: Final = frozenset(_DEEDS)
"""The words that may tell of one."""
