"""The lifecycles of executions and steps. The engine reads their tables once at import: a lookup instead of a machine per transition.

Diagrams, `allowed_actions` and the buttons people see come from the same classes; a property test proves table and class equal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from statemachine import StateMachine
from statemachine.states import States


class ExecutionStatus(StrEnum):
    """Where an execution is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


class StepStatus(StrEnum):
    """Where a step (the newest visit of a node) is in its life."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    WAITING = "waiting"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    COMPENSATED = "compensated"


EXECUTION_ENDS: Final = frozenset({ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED, ExecutionStatus.TIMED_OUT})
STEP_ENDS: Final = frozenset({StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.CANCELLED, StepStatus.COMPENSATED})


class ExecutionMachine(StateMachine):
    """The life of an execution. What comes late, after an end, is no move (the core drops it before it gets here), save a retry."""

    s = States.from_enum(
        ExecutionStatus,
        initial=ExecutionStatus.QUEUED,
        final={ExecutionStatus.COMPLETED, ExecutionStatus.CANCELLED},
        use_enum_instance=True,
    )
    start = s.QUEUED.to(s.RUNNING)
    wait = s.RUNNING.to(s.WAITING)
    wake = s.WAITING.to(s.RUNNING)
    pause = s.QUEUED.to(s.PAUSED) | s.RUNNING.to(s.PAUSED) | s.WAITING.to(s.PAUSED)
    resume = s.PAUSED.to(s.RUNNING)
    queue_again = s.PAUSED.to(s.QUEUED)
    complete = s.RUNNING.to(s.COMPLETED) | s.WAITING.to(s.COMPLETED)
    fail = s.QUEUED.to(s.FAILED) | s.RUNNING.to(s.FAILED) | s.WAITING.to(s.FAILED)
    time_out = s.RUNNING.to(s.TIMED_OUT) | s.WAITING.to(s.TIMED_OUT) | s.PAUSED.to(s.TIMED_OUT)
    retry = s.FAILED.to(s.RUNNING) | s.TIMED_OUT.to(s.RUNNING)
    queue_retry = s.FAILED.to(s.QUEUED) | s.TIMED_OUT.to(s.QUEUED)
    withdraw_failed = s.QUEUED.to(s.FAILED) | s.PAUSED.to(s.FAILED)
    withdraw_timed_out = s.QUEUED.to(s.TIMED_OUT) | s.PAUSED.to(s.TIMED_OUT)
    cancel = s.QUEUED.to(s.CANCELLED) | s.RUNNING.to(s.CANCELLED) | s.WAITING.to(s.CANCELLED) | s.PAUSED.to(s.CANCELLED)


class StepMachine(StateMachine):
    """The life of one visit of a node, from the moment it has outside work, or rests, to its end."""

    s = States.from_enum(
        StepStatus,
        initial=StepStatus.SCHEDULED,
        final={StepStatus.SKIPPED, StepStatus.CANCELLED, StepStatus.FAILED, StepStatus.COMPENSATED},
        use_enum_instance=True,
    )
    accept = s.SCHEDULED.to(s.RUNNING)
    rest = s.SCHEDULED.to(s.WAITING)
    retry = s.SCHEDULED.to(s.RETRYING) | s.RUNNING.to(s.RETRYING) | s.WAITING.to(s.RETRYING)
    reschedule = s.RETRYING.to(s.SCHEDULED)
    complete = s.SCHEDULED.to(s.COMPLETED) | s.RUNNING.to(s.COMPLETED) | s.WAITING.to(s.COMPLETED)
    fail = s.SCHEDULED.to(s.FAILED) | s.RUNNING.to(s.FAILED) | s.WAITING.to(s.FAILED) | s.RETRYING.to(s.FAILED)
    skip = s.SCHEDULED.to(s.SKIPPED)
    cancel = s.SCHEDULED.to(s.CANCELLED) | s.RUNNING.to(s.CANCELLED) | s.WAITING.to(s.CANCELLED) | s.RETRYING.to(s.CANCELLED)
    compensate = s.COMPLETED.to(s.COMPENSATED)


class BulkStatus(StrEnum):
    """Where a job is that does one verb to many executions. `stopping`: what was sent is still waited for."""

    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    COMPLETED = "completed"


class BulkMachine(StateMachine):
    """The life of a bulk job."""

    s = States.from_enum(BulkStatus, initial=BulkStatus.RUNNING, final={BulkStatus.STOPPED, BulkStatus.COMPLETED}, use_enum_instance=True)
    stop = s.RUNNING.to(s.STOPPING)
    halt = s.STOPPING.to(s.STOPPED)
    complete = s.RUNNING.to(s.COMPLETED) | s.STOPPING.to(s.COMPLETED)


class MigrationStatus(StrEnum):
    """Where a migration of many executions is. `watching`: the canary has been moved, and time tells how it fares."""

    PLANNING = "planning"
    READY = "ready"
    CANARY = "canary"
    WATCHING = "watching"
    APPLYING = "applying"
    HALTED = "halted"
    COMPLETED = "completed"
    UNDOING = "undoing"
    UNDONE = "undone"


class MigrationMachine(StateMachine):
    """The life of a migration of many executions."""

    s = States.from_enum(MigrationStatus, initial=MigrationStatus.PLANNING, final={MigrationStatus.UNDONE}, use_enum_instance=True)
    plan = s.PLANNING.to(s.READY)
    try_out = s.READY.to(s.CANARY)
    watch = s.CANARY.to(s.WATCHING)
    apply = s.READY.to(s.APPLYING) | s.WATCHING.to(s.APPLYING) | s.HALTED.to(s.APPLYING)
    halt = s.CANARY.to(s.HALTED) | s.WATCHING.to(s.HALTED) | s.APPLYING.to(s.HALTED)
    complete = s.APPLYING.to(s.COMPLETED)
    undo = s.CANARY.to(s.UNDOING) | s.WATCHING.to(s.UNDOING) | s.APPLYING.to(s.UNDOING) | s.HALTED.to(s.UNDOING) | s.COMPLETED.to(s.UNDOING)
    end = s.UNDOING.to(s.UNDONE)


class IllegalMove(ValueError):
    """A lifecycle has no such move from where it is; it would be our own bug, never a sender's."""


def table_of(machine: type[StateMachine]) -> dict[tuple[str, str], str]:
    """The moves of a machine as (status, move) to next status."""
    return {
        (str(transition.source.value), str(transition.event)): str(transition.target.value)
        for state in machine.states
        for transition in state.transitions
    }


EXECUTION_MOVES: Final = table_of(ExecutionMachine)
STEP_MOVES: Final = table_of(StepMachine)
BULK_MOVES: Final = table_of(BulkMachine)
MIGRATION_MOVES: Final = table_of(MigrationMachine)

_OFFERED: Final = ("cancel", "pause", "resume", "retry")


def move_execution(status: str, move: str) -> str:
    """The status after a move. Raises: IllegalMove."""
    try:
        return EXECUTION_MOVES[status, move]
    except KeyError:
        raise IllegalMove(f"an execution cannot {move} while {status}") from None


def move_step(status: str, move: str) -> str:
    """The status of a step after a move. Raises: IllegalMove."""
    try:
        return STEP_MOVES[status, move]
    except KeyError:
        raise IllegalMove(f"a step cannot {move} while {status}") from None


def allowed_actions(status: str) -> list[str]:
    """What a person may do with an execution in this status, of what the API offers."""
    return [move for move in _OFFERED if (status, move) in EXECUTION_MOVES]
