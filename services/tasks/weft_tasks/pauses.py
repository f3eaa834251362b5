"""What pauses of an execution do to its tasks. Pure; whatever order they are heard in, the same comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from weft_contracts.executions import ExecutionPaused, ExecutionResumed


@dataclass(frozen=True, slots=True)
class Halt:
    """Where a pause begins or ends. position: in the execution's journal.  since: when the pause began, None where it begins here."""

    position: int
    at: datetime
    since: datetime | None = None
    by: str | None = None


def halt_of(fact: ExecutionPaused | ExecutionResumed) -> Halt | None:
    """What a fact says of a pause, None where an execution only woke up."""
    if isinstance(fact, ExecutionPaused):
        return Halt(fact.position, fact.at, by=fact.by)
    return None if fact.paused_at is None else Halt(fact.position, fact.at, since=fact.paused_at)


def standing(halts: Iterable[Halt]) -> Halt | None:
    """The pause that an execution is in, None where it is in none."""
    newest = max(halts, key=lambda halt: halt.position, default=None)
    return newest if newest is not None and newest.since is None else None


def put_off(due_at: datetime | None, halts: Sequence[Halt], asked_at: datetime) -> datetime | None:
    """When a task is due after the pauses that are over and began after it was asked for."""
    if due_at is None:
        return None
    return due_at + sum((halt.at - halt.since for halt in halts if halt.since is not None and halt.since >= asked_at), timedelta())
