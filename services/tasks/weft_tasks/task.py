"""User tasks: the nouns. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from weft_contracts.tasks import Approvals, Candidates

from weft_tasks.machine import TaskStatus

ENGINE: Final = "engine"
"""Who did what no person did."""
TIMEOUT: Final = "timeout"
"""What decided where no person did."""


@dataclass(frozen=True, slots=True)
class Absentee:
    """Somebody who is away. id: what is written down of them.  names: everything a task may call them by.  workflows: None for all."""

    id: str
    names: frozenset[str]
    workflows: frozenset[str] | None = None

    def covers(self, task: Task) -> bool:
        """Whether a task is theirs by name, in a workflow that they left to who stands in. What is their groups' stays with those."""
        named = {task.assignee, task.reserved_for, *task.candidates.users, *task.delegators}
        return (self.workflows is None or task.workflow in self.workflows) and not self.names.isdisjoint(named)


@dataclass(frozen=True, slots=True)
class Who:
    """A person (or a program's key) as a task sees them. may_assign: gives tasks to others.

    owner: of a key: the id of the person who made it. Both count as one where people are told apart, and what is done with the key is
    written down as that person's, by way of the key.  link: the id of the decision link that they act by, "" where by none.
    stands_for: those they stand in for now.
    """

    id: str
    email: str = ""
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    may_act: bool = True
    may_assign: bool = False
    owner: str = ""
    link: str = ""
    stands_for: tuple[Absentee, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Everything a task may call them by."""
        return frozenset(name for name in (self.id, normal_name(self.email)) if name)

    @property
    def selves(self) -> frozenset[str]:
        """Everything the person behind them may have decided as."""
        return self.names | {self.by}

    @property
    def by(self) -> str:
        """The id of the person who acts; a key's own where it tells of nobody."""
        return self.owner or self.id

    @property
    def via(self) -> str | None:
        """The key that the person acts with, or the decision link, None where they are signed in."""
        return self.id if self.owner else f"link:{self.link}" if self.link else None


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of a person. form: what they filled in.  completed_via: the key or link they decided with.

    on_behalf_of: whose it was to decide, where they stood in, or it was handed to them.
    """

    outcome: str
    form: Any
    completed_by: str
    completed_at: datetime
    completed_via: str | None = None
    on_behalf_of: str | None = None

    @property
    def people(self) -> tuple[str, ...]:
        """The ids of those whose decision it is."""
        return (self.completed_by,) if self.on_behalf_of is None else (self.completed_by, self.on_behalf_of)


@dataclass(frozen=True, slots=True)
class Step:
    """What time does to a task. after_s: since it was asked for, without pauses of its execution.

    rung: its place in the ladder, from 1; None for a reminder before it is due.  assignee, candidates: whom it goes to.
    """

    after_s: float
    do: Literal["remind", "reassign", "escalate", "decide", "fail"]
    rung: int | None = None
    assignee: str | None = None
    candidates: Candidates | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """Work before a person.

    reserved_for: whom the workflow or an assigner named; assignee: who has it now, the same until somebody else claims it.
    version: counts every change, from 1.  form: JSON Schema of `result`.  asked_at: when the engine asked for it, where it said.
    paused_since, paused_by: set while its execution is paused; the task's time stands still then.
    approvals: where it takes several decisions; decisions: those so far.  separate_from: nodes whose completers may not act on it, by the
    engine `excluded` (id: node), and with what was decided since in `kept_apart`.  rounds: the iterations around it, outermost first,
    each ended by `/`.  completed_via: the key that `completed_by` decided with.  agenda: what time does to it; passed: how many steps of
    that are over.  clock_from: where its time begins to count, which is when it was asked for, put off by the pauses that are over.
    requested_by: who started its execution, where somebody did.  delegators: who handed it on, whose it was first; the last gave it to
    the assignee.  standing_for: for whom the assignee took it as a stand-in.  on_behalf_of: whose it was to decide, where `completed_by`
    is another.  snoozed_until, snoozed_by: until when the assignee does not want to see it.
    """

    id: UUID
    tenant: str
    execution_id: UUID
    workflow: str
    node: str
    visit: int
    title: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    form: dict[str, Any] | None = None
    ui: dict[str, Any] | None = None
    data: Any = None
    reserved_for: str | None = None
    assignee: str | None = None
    candidates: Candidates = field(default_factory=Candidates)
    outcomes: tuple[str, ...] = ("completed",)
    due_at: datetime | None = None
    priority: int = 0
    status: TaskStatus = TaskStatus.OPEN
    version: int = 1
    outcome: str | None = None
    result: Any = None
    completed_at: datetime | None = None
    completed_by: str | None = None
    completed_via: str | None = None
    asked_at: datetime | None = None
    paused_since: datetime | None = None
    paused_by: str | None = None
    approvals: Approvals | None = None
    decisions: tuple[Decided, ...] = ()
    separate_from: tuple[str, ...] = ()
    excluded: Mapping[str, str] = field(default_factory=dict)
    kept_apart: Mapping[str, str] = field(default_factory=dict)
    rounds: str = ""
    agenda: tuple[Step, ...] = ()
    passed: int = 0
    clock_from: datetime | None = None
    requested_by: str | None = None
    delegators: tuple[str, ...] = ()
    standing_for: str | None = None
    on_behalf_of: str | None = None
    snoozed_until: datetime | None = None
    snoozed_by: str | None = None

    @property
    def deciders(self) -> tuple[str, ...]:
        """The ids of those who have decided it, or had a part in that, each once; with those for whom somebody else did."""
        decided = [user for decision in self.decisions for user in decision.people]
        return tuple(dict.fromkeys([*decided, *(user for user in (self.completed_by, self.on_behalf_of) if user)]))

    def decision_of(self, names: frozenset[str]) -> Decided | None:
        """The decision that keeps a person from another one, None where nothing does."""
        if self.approvals is None or not self.approvals.distinct:
            return None
        return next((decision for decision in self.decisions if not names.isdisjoint(decision.people)), None)

    @property
    def for_anyone(self) -> bool:
        """Whether nobody is named, so that whoever may act on tasks may act on this one."""
        named = self.candidates
        return self.reserved_for is None and not (named.users or named.groups or named.roles)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a task's history. by: a user's id, or `engine`."""

    at: datetime
    kind: str
    by: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A task as it is to be, with its line of history; entry is None where nothing changed."""

    task: Task
    entry: Entry | None = None


def normal_candidates(candidates: Candidates) -> Candidates:
    """Candidates with users as they are compared."""
    return candidates.model_copy(update={"users": tuple(normal_name(user) for user in candidates.users)})


def normal_name(name: str) -> str:
    """A user's id or e-mail address as it is compared: without spaces around it, lower case."""
    return name.strip().lower()
