"""The verbs of bulk jobs, one line each in `VERBS`: what a verb takes, on which executions it makes sense, the command it sends. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID, uuid5

from pydantic import Field
from weft_contracts.executions import CancelExecution, PauseExecution, ResumeExecution, RetryExecution, SignalExecution
from weft_runtime.http import Body

from weft_engine.machine import EXECUTION_ENDS, EXECUTION_MOVES, ExecutionStatus
from weft_engine.usecases import Asking


class NoOptions(Body):
    """A verb that needs nothing more."""


class SignalOptions(Body):
    """The signal that each execution gets."""

    name: str = Field(min_length=1, max_length=200)
    payload: Any = None


class RetryOptions(Body):
    """How each execution goes on, as one that is retried by itself: from the node it failed at unless `from` names another.

    input: in the place of each one's own.  effects: what was done since and is asked the same counts (`skip`) or is done again (`redo`).
    """

    from_: str | None = Field(default=None, alias="from", max_length=64)
    input: dict[str, Any] | None = None
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)
    effects: Literal["skip", "redo"] = "skip"


@dataclass(frozen=True, slots=True)
class Asked:
    """What one item asks of its execution. caller: `{id, email, roles}`.  options: as the verb's model takes them."""

    job_id: UUID
    execution_id: UUID
    reason: str | None
    caller: dict[str, Any]
    options: dict[str, Any]

    @property
    def answer_id(self) -> UUID:
        """Where the partition answers. The same item always has the same."""
        return answer_id(self.job_id, self.execution_id)

    @property
    def user(self) -> str | None:
        """The id of who asked."""
        return self.caller.get("id")


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb. options: what it takes.  statuses: of executions it makes sense for.  command: what it sends to one."""

    options: type[Body]
    statuses: frozenset[str]
    command: Callable[[Asked], Asking]


def answer_id(job_id: UUID, execution_id: UUID) -> UUID:
    """Where the partition answers an item of a job; a repeat of the command is answered once."""
    return uuid5(job_id, str(execution_id))


def _cancel(asked: Asked) -> Asking:
    return CancelExecution(execution_id=asked.execution_id, reason=asked.reason, user=asked.user, answer_id=asked.answer_id)


def _pause(asked: Asked) -> Asking:
    return PauseExecution(execution_id=asked.execution_id, reason=asked.reason, user=asked.user, answer_id=asked.answer_id)


def _resume(asked: Asked) -> Asking:
    return ResumeExecution(execution_id=asked.execution_id, user=asked.user, answer_id=asked.answer_id)


def _retry(asked: Asked) -> Asking:
    return RetryExecution(
        execution_id=asked.execution_id,
        node=asked.options.get("from"),
        input=asked.options.get("input"),
        workflow_version=asked.options.get("version"),
        effects=asked.options.get("effects", "skip"),
        user=asked.user,
        answer_id=asked.answer_id,
    )


def _signal(asked: Asked) -> Asking:
    return SignalExecution(
        execution_id=asked.execution_id,
        signal_id=str(asked.answer_id),
        name=asked.options["name"],
        payload=asked.options.get("payload"),
        user=asked.caller or None,
        answer_id=asked.answer_id,
    )


def _from(*moves: str) -> frozenset[str]:
    """The statuses from which an execution can make one of these moves."""
    return frozenset(status for status, move in EXECUTION_MOVES if move in moves)


LIVE: Final = frozenset(status.value for status in ExecutionStatus if status not in EXECUTION_ENDS)
"""The statuses of executions to which something can still happen."""

VERBS: Final[dict[str, Verb]] = {
    "cancel": Verb(NoOptions, _from("cancel"), _cancel),
    "pause": Verb(NoOptions, _from("pause"), _pause),
    "resume": Verb(NoOptions, _from("resume"), _resume),
    "retry": Verb(RetryOptions, _from("retry"), _retry),
    "signal": Verb(SignalOptions, LIVE, _signal),
}


def are_live(statuses: Iterable[str]) -> bool:
    """Whether all of these are of executions that have not ended."""
    return LIVE.issuperset(statuses)
