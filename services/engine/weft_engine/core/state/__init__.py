"""The state of one execution, in memory. It is never stored: the journal is, and this is the fold of it.

It is changed in place, by `evolve` only. JSON values inside it (inputs, outputs, payloads) are never changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weft_engine.core.reuse import Path, Reusable
from weft_engine.core.sla import ServiceLevel
from weft_engine.core.state.parts import (
    OWNERS,
    ROOT,
    KeptSignal,
    Label,
    Pending,
    Place,
    Progress,
    Scope,
    Step,
    Undo,
    twin,
    twin_of_pending,
)
from weft_engine.machine import EXECUTION_ENDS, ExecutionStatus

__all__ = [
    "OWNERS",
    "ROOT",
    "SEEN_SIGNALS",
    "KeptSignal",
    "Label",
    "Pending",
    "Place",
    "Progress",
    "Scope",
    "State",
    "Step",
    "Undo",
    "scope_key",
]

SEEN_SIGNALS: Final = 1_000
"""How many signal ids an execution remembers, newest last, so that a repeated signal arrives once."""


@dataclass(slots=True)
class State:
    """Everything that decides what an execution does next.

    position: entries in its journal.  steps: the newest visit of each node.  scopes: open ones by key, outer before inner.
    pending: by visit.  undo: what can be undone, oldest first.  quiet: transitions since it last rested, which bounds a cycle that never
    does.  ready: what a transition that grew too long left to be entered next.  caller: `{execution_id, node, visit, depth}` of the call.
    failing: `{error, kind, output}` while completed nodes are undone before the end.  paused: `{since, ...}` while it is.
    gates: names of what bounds how many live at once, and that it has to pass.  let_in: those of suspensions that hold it up no longer.
    begun: what it begins with, or how it is to be retried, while it waits for that.
    held: what came during a pause, in order, as `{type, item}`.  floors: visits of each node that a retry went back behind, whose numbers
    are not given again.  ledger: outside work of that time, which need not be done again.  large: whether any of its values
    was ever kept apart: a `Claimed` may then stand for an input, output, payload, item or variable.  tenant_seen: what its tenant was.
    sla: when it is late, where it is promised not to be.  rests: its pauses that are over, each from when to when.
    asked_by: the visit of its caller that waits for its end, where that is not the one that called it.
    way, walked: the way it took, as its end tells it (`core.walking`).  name: its id as text, which much of what it says and reads has.
    """

    id: UUID
    tenant: str
    workflow: str
    version: int
    status: str = ExecutionStatus.QUEUED
    position: int = 0
    input: dict[str, Any] = field(default_factory=dict)
    trigger: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    priority: int = 0
    caller: dict[str, Any] | None = None
    traceparent: str | None = None
    started_at: datetime | None = None
    deadline_at: datetime | None = None
    completed_at: datetime | None = None
    vars: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    scopes: dict[str, Scope] = field(default_factory=dict)
    pending: dict[Place, Pending] = field(default_factory=dict)
    undo: list[Undo] = field(default_factory=list)
    kept: tuple[KeptSignal, ...] = ()
    seen: tuple[str, ...] = ()
    quiet: int = 0
    ready: tuple[tuple[str, int, str], ...] = ()
    failing: dict[str, Any] | None = None
    paused: dict[str, Any] | None = None
    held: tuple[dict[str, Any], ...] = ()
    gates: tuple[str, ...] = ()
    let_in: tuple[str, ...] = ()
    begun: dict[str, Any] | None = None
    floors: dict[str, int] = field(default_factory=dict)
    ledger: Reusable = field(default_factory=dict)
    output: Any = None
    error: dict[str, Any] | None = None
    large: bool = False
    tenant_seen: dict[str, Any] | None = None
    sla: ServiceLevel | None = None
    rests: tuple[tuple[datetime, datetime], ...] = ()
    asked_by: Place | None = None
    way: tuple[str, ...] = ()
    walked: dict[tuple[str, str, int], int] = field(default_factory=dict)
    name: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        self.name = str(self.id)

    @property
    def ended(self) -> bool:
        """Whether nothing can happen any more."""
        return self.status in EXECUTION_ENDS

    @property
    def retrying(self) -> bool:
        """Whether it has ended badly and waits to be let in for a retry."""
        return self.begun is not None and "was" in self.begun

    @property
    def parent(self) -> str | None:
        """The id of the execution that called this one."""
        return None if self.caller is None else str(self.caller["execution_id"])

    @property
    def wake_at(self) -> datetime | None:
        """The earliest moment at which time alone changes something, None when it never does."""
        if self.paused is not None or self.ended or self.begun is not None:
            return None
        if self.ready:
            return self.started_at
        earliest = self.deadline_at
        if self.sla is not None and (said_at := self.sla.next_at) is not None and (earliest is None or said_at < earliest):
            earliest = said_at
        for pending in self.pending.values():
            moment = pending.wake_at
            if moment is not None and (earliest is None or moment < earliest):
                earliest = moment
        return earliest

    def steps_in(self, scope: str) -> dict[str, Step]:
        """The visits that nodes of a scope know as their own: those of the nearest branch, iteration or root around it."""
        while scope != ROOT:
            inside = self.scopes[scope]
            if inside.steps is not None:
                return inside.steps
            scope = inside.outer
        return self.steps

    def path(self, scope: str) -> Path:
        """The scopes around a node that stands in this one, without the numbers of visits."""
        keys: list[str] = []
        while scope != ROOT:
            inside = self.scopes[scope]
            keys.append(scope_key(inside.node, 1, inside.label))
            scope = inside.outer
        return tuple(reversed(keys))

    def in_sequence(self, scope: str) -> bool:
        """Whether nodes of a scope are visited one after another: it is the root's, or that of groups in it."""
        while scope != ROOT:
            inside = self.scopes[scope]
            if inside.label is not None:
                return False
            scope = inside.outer
        return True

    def awaited(self, node: str, visit: int) -> Pending | None:
        """What waits for an answer that names this visit: itself, or one that was asked by this name before a migration renamed it."""
        place = [node, visit]
        pending = self.pending.get((node, visit))
        if pending is not None and pending.data.get("asked_as", place) == place:
            return pending
        own = self.pending.get((node.partition(".")[0], visit))
        if own is not None and own.data.get("asked_as") == place:
            return own
        if not self.floors:  # nothing was ever renamed
            return None
        return next((one for one in self.pending.values() if one.data.get("asked_as") == place), None)

    def within(self, place: Place) -> set[str]:
        """The keys of all open scopes of a visit, however deep."""
        found: set[str] = set()
        for key, scope in self.scopes.items():
            if (scope.node, scope.visit) == place or scope.outer in found:
                found.add(key)
        return found

    def draft(self) -> State:
        """A copy that can be changed without this one noticing. JSON values are shared."""
        copies: dict[int, Step] = {}

        def copied(steps: dict[str, Step]) -> dict[str, Step]:
            return {node: copies.setdefault(id(step), twin(step)) for node, step in steps.items()}

        return replace(
            self,
            vars=dict(self.vars),
            steps=copied(self.steps),
            scopes={key: replace(one, steps=None if one.steps is None else copied(one.steps)) for key, one in self.scopes.items()},
            pending={place: twin_of_pending(one) for place, one in self.pending.items()},
            undo=list(self.undo),
            ledger=dict(self.ledger),
            walked=dict(self.walked),
        )


def scope_key(node: str, visit: int, label: Label) -> str:
    """The key of a scope: its owner, the visit from the second on, then `/<branch>` or `[<index>]`."""
    owner = node if visit == 1 else f"{node}.{visit}"
    if label is None:
        return owner
    return f"{owner}/{label}" if isinstance(label, str) else f"{owner}[{label}]"
