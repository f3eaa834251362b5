"""What can happen to an execution, as the hot loop decodes it: the same words as in `weft_contracts`, for msgspec's speed.

A test keeps each equal to its pydantic twin.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec


class Caller(msgspec.Struct, frozen=True):
    """The step of another execution that called one."""

    execution_id: UUID
    node: str
    visit: int
    depth: int
    wait: bool = True


class Start(msgspec.Struct, frozen=True):
    """`execution.start`."""

    execution_id: UUID
    workflow: str
    workflow_version: int | None = None
    input: dict[str, Any] = {}
    trigger: dict[str, Any] = {}
    key: str | None = None
    labels: dict[str, str] = {}
    priority: int | None = None
    requested_at: datetime | None = None
    caller: Caller | None = None
    correlated: bool = False
    passed: list[str] = []


class Admit(msgspec.Struct, frozen=True):
    """`execution.admit`."""

    execution_id: UUID
    gates: list[str] = []


class Skip(msgspec.Struct, frozen=True):
    """`execution.skip`."""

    execution_id: UUID
    live_execution_id: UUID


class Cancel(msgspec.Struct, frozen=True):
    """`execution.cancel`."""

    execution_id: UUID
    reason: str | None = None
    user: str | None = None
    answer_id: UUID | None = None


class Pause(msgspec.Struct, frozen=True):
    """`execution.pause`."""

    execution_id: UUID
    reason: str | None = None
    user: str | None = None
    answer_id: UUID | None = None


class Resume(msgspec.Struct, frozen=True):
    """`execution.resume`."""

    execution_id: UUID
    user: str | None = None
    answer_id: UUID | None = None


class Retry(msgspec.Struct, frozen=True):
    """`execution.retry`."""

    execution_id: UUID
    node: str | None = None
    input: dict[str, Any] | None = None
    workflow_version: int | None = None
    effects: str = "skip"
    user: str | None = None
    answer_id: UUID | None = None
    caller: Caller | None = None


class Migrate(msgspec.Struct, frozen=True):
    """`execution.migrate`."""

    execution_id: UUID
    workflow_version: int
    from_version: int | None = None
    mapping: dict[str, str | None] | None = None
    timers: str = "keep"
    dry_run: bool = False
    user: str | None = None
    answer_id: UUID | None = None


class UndoMigration(msgspec.Struct, frozen=True):
    """`execution.undo_migration`."""

    execution_id: UUID
    workflow_version: int | None = None
    user: str | None = None
    answer_id: UUID | None = None


class Signal(msgspec.Struct, frozen=True):
    """`execution.signal`."""

    execution_id: UUID
    signal_id: str
    name: str
    payload: Any = None
    user: dict[str, Any] | None = None
    answer_id: UUID | None = None
    otherwise: Start | None = None


class DomainEvent(msgspec.Struct, frozen=True):
    """`execution.event`."""

    execution_id: UUID
    event_id: str
    name: str
    event: dict[str, Any]


class CompleteStep(msgspec.Struct, frozen=True):
    """`step.complete`."""

    execution_id: UUID
    node: str
    visit: int
    outcome: str
    output: Any = None


class FailStep(msgspec.Struct, frozen=True):
    """`step.fail`."""

    execution_id: UUID
    node: str
    visit: int
    error: dict[str, Any]


class ActivityCompleted(msgspec.Struct, frozen=True):
    """`activity.completed`."""

    execution_id: UUID
    node: str
    visit: int
    attempt: int
    outcome: str = "done"
    output: Any = None


class ActivityFailed(msgspec.Struct, frozen=True):
    """`activity.failed`."""

    execution_id: UUID
    node: str
    visit: int
    attempt: int
    error: dict[str, Any]


class ActivityAccepted(msgspec.Struct, frozen=True):
    """`activity.accepted`."""

    execution_id: UUID
    node: str
    visit: int
    attempt: int


class ActivityHeartbeat(msgspec.Struct, frozen=True):
    """`activity.heartbeat`."""

    execution_id: UUID
    node: str
    visit: int
    attempt: int


class Tick(msgspec.Struct, frozen=True):
    """Time has come: the owner's own item, never on the wire."""

    execution_id: UUID


Happening = (
    Start
    | Admit
    | Skip
    | Cancel
    | Pause
    | Resume
    | Retry
    | Migrate
    | UndoMigration
    | Signal
    | DomainEvent
    | CompleteStep
    | FailStep
    | ActivityCompleted
    | ActivityFailed
    | ActivityAccepted
    | ActivityHeartbeat
    | Tick
)

WORDS: Final[dict[str, tuple[int, type[Any]]]] = {
    "execution.start": (1, Start),
    "execution.admit": (1, Admit),
    "execution.skip": (1, Skip),
    "execution.cancel": (1, Cancel),
    "execution.pause": (1, Pause),
    "execution.resume": (1, Resume),
    "execution.retry": (1, Retry),
    "execution.migrate": (1, Migrate),
    "execution.undo_migration": (1, UndoMigration),
    "execution.signal": (1, Signal),
    "execution.event": (1, DomainEvent),
    "step.complete": (1, CompleteStep),
    "step.fail": (1, FailStep),
    "activity.completed": (1, ActivityCompleted),
    "activity.failed": (1, ActivityFailed),
    "activity.accepted": (1, ActivityAccepted),
    "activity.heartbeat": (1, ActivityHeartbeat),
}
"""Each word that a partition hears, with its newest version and its struct."""

_DECODERS: Final = {name: msgspec.json.Decoder(struct) for name, (_, struct) in WORDS.items()}


def decode(type_: str, data: msgspec.Raw | bytes) -> Happening:
    """The happening in an item's data. Raises: KeyError for a word a partition does not hear, msgspec.DecodeError for bad data."""
    happening: Happening = _DECODERS[type_].decode(data)
    return happening


def convert(type_: str, item: dict[str, Any]) -> Happening:
    """The happening in an item that was turned into plain JSON values. Raises: KeyError, msgspec.ValidationError."""
    happening: Happening = msgspec.convert(item, WORDS[type_][1])
    return happening
