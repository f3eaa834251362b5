"""One transition being decided: the next state in the making, the entries that lead to it, and the rules of moving through the graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from weft_language.compilation import PROPAGATE, PROPAGATING, ActivityWork, ConnectorWork, Node, Program, follow
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.again import again_at
from weft_engine.core.asking import QUEUES, refusal, request_of
from weft_engine.core.claims import MAX_OUTPUT_BYTES, size_of_parts, too_large
from weft_engine.core.context import Context
from weft_engine.core.enhancing import after
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import evolve
from weft_engine.core.failures import failure, unhandled
from weft_engine.core.ledger import request_hash
from weft_engine.core.names import names_of, scoped
from weft_engine.core.reuse import Recalled
from weft_engine.core.seeing import seeing
from weft_engine.core.state import OWNERS, ROOT, Pending, Place, State

RUNAWAY: Final = 10_000
"""Transitions without a wait after which an execution fails with `runaway`. Source: the definition language, section 3."""
MAX_JOURNAL: Final = 100_000
"""Entries an execution may have; then it fails with `history_too_long`."""


class At(NamedTuple):
    """A visit of a node in the scope it stands in."""

    node: Node
    visit: int
    scope: str

    @property
    def place(self) -> Place:
        """Where it stands among what is pending."""
        return self.node.id, self.visit


class Entering(NamedTuple):
    """A node to be entered next, in a scope that is open."""

    node: str
    scope: str


@dataclass(slots=True)
class Turn:
    """A transition in the making. It changes `state` in place.

    recalled: children that failed, by node and scope of their call: they go on where that is entered again and would ask the same.
    ready: what to do next: nodes to enter, and owners one of whose scopes has ended. The first in line goes on until it waits, so
    branches run one after another and not in turns.  aside: what is ready, in order, once all that is due has been looked at.
    steps: that its expressions have taken so far.
    """

    state: State
    program: Program
    now: datetime
    context: Context
    entries: list[Entry] = field(default_factory=list)
    ready: deque[Entering | Place] = field(default_factory=deque)
    aside: deque[Entering | Place] = field(default_factory=deque)
    steps: int = 0
    recalled: dict[Entering, Recalled] = field(default_factory=dict)
    _names: dict[str, dict[str, Any]] = field(default_factory=dict)

    def emit(self, kind: str, at: At | None = None, attempt: int = 0, /, **data: Any) -> None:
        """Write an entry and move the state by it."""
        self.write(Entry(kind, data=data) if at is None else Entry(kind, at.node.id, at.visit, attempt, data, at.scope))

    def write(self, entry: Entry) -> None:
        """Write an entry and move the state by it; the first one also tells what the transition sees of its tenant."""
        if self.state.asked_by is not None and entry.kind in e.REPORTED:
            # Said again later, it still tells the visit that waits now.
            entry = msgspec.structs.replace(entry, data={**entry.data, "asked_by": list(self.state.asked_by)})
        if (self.program.reads_tenant or QUEUES in self.context.tenant["settings"]) and not self.entries:
            entry = seeing(entry, self.state.tenant_seen, self.context.tenant)
        evolve(self.state, entry, self.now)
        self.entries.append(entry)

    def names(self, scope: str = ROOT) -> dict[str, Any]:
        """What expressions in a scope read. It looks into the state, so it is always of this moment."""
        found = self._names.get(scope)
        if found is None:
            if scope == ROOT:
                context = self.context
                found = names_of(self.state, context.tenant, self.now, self.program.nodes, context.values, context.calendars)
            else:
                found = scoped(self.names(), self.state, scope, self.program.nodes, self.context.values)
            self._names[scope] = found
        return found

    def at(self, pending: Pending) -> At:
        """The visit that waits."""
        return At(self.program.nodes[pending.node], pending.visit, pending.scope)

    def next_visit(self, node: Node, scope: str) -> At:
        """The next visit of a node."""
        step = self.state.steps.get(node.id)
        newest = 0 if step is None else step.visit
        return At(node, max(newest, self.state.floors.get(node.id, 0)) + 1, scope)

    def deadline(self, node: Node, scope: str | None = None) -> datetime | None:
        """When a visit that begins now outlives the node's `timeout`. scope: it stands in, so that visits it tries again count."""
        if node.timeout_s is None:
            return None
        before = None if scope is None else self.state.steps_in(scope).get(node.id)
        # One that was enhanced first has begun already, in the time of those that it tries again.
        until = before.until if before is not None and (before.again or before.completed_at is None) else None
        return until or self.now + timedelta(seconds=node.timeout_s)

    def finish(self, at: At, outcome: str, output: Any, names: Mapping[str, Any] | None = None, **data: Any) -> None:
        """End a visit with an outcome and go on by its edges.

        names: what guards read, when it is more than the usual.  data: more members of the entry.
        """
        if outcome in PROPAGATING and not at.node.edges.get(outcome):
            self._end_badly(at, "error", unhandled(outcome, at.node.id), self._taken_back_of(at))
            return
        if outcome not in PROPAGATING and after(self, at, outcome, output, data):
            return
        if outcome != "done":
            data["outcome"] = outcome
        if output is not None:
            data["output"] = output
        self.emit(e.STEP_COMPLETED, at, **data)
        if at.node.undo is not None and not _replaced(data):
            self.emit(e.UNDO_RECORDED, at, request=self._request_to_undo(at.node.undo, at.scope))
        try:
            edge = follow(at.node, outcome, names if names is not None else self.names(at.scope))
        except ExpressionError as error:
            self.fail_scope(at.scope, failure(error.code, error.message, at.node.id, permanent=True))
            return
        if edge is None:
            self._complete_scope(at.scope, output)
        elif edge is PROPAGATE:
            self.fail_scope(at.scope, unhandled(outcome, at.node.id))
        else:
            self.ready.appendleft(Entering(edge.to, at.scope))

    def answered_before(self, at: At, kind: str, asked: Mapping[str, Any], **data: Any) -> bool:
        """Whether a retry may take what this very request gave in the time it went back behind; the visit is ended with it then.

        data: more members of the entry that ends it.
        """
        if not self.state.ledger:
            return False
        request = request_hash(kind, asked)
        for done in self.state.ledger.get((at.node.id, self.state.path(at.scope)), ()):
            if done.request == request:
                self.finish(at, done.outcome, done.output, ledger=done.position, **data)
                return True
        return False

    def _request_to_undo(self, work: ActivityWork | ConnectorWork, scope: str) -> dict[str, Any]:
        """Rendered while the visit is the newest and its scope is open: later its names may read something else."""
        try:
            return request_of(work, self.names(scope), self.state.tenant, self.context)
        except ExpressionError as error:
            return {"error": refusal(error)}

    def _complete_scope(self, scope: str, output: Any) -> None:
        if scope == ROOT:
            self.complete(None)
            return
        owner = self._owner(scope)
        label = self.state.scopes[scope].label
        if label is None:
            self.finish(owner, "done", output)
            return
        self.emit(e.SCOPE_COMPLETED, owner, label=label, **({} if output is None else {"output": output}))
        self.ready.appendleft(owner.place)

    def _owner(self, scope: str) -> At:
        opened = self.state.scopes[scope]
        return At(self.program.nodes[opened.node], opened.visit, opened.outer)

    def complete(self, output: Any) -> None:
        """End the whole execution well. output: given by an `end` node; None renders the definition's own."""
        if output is None and self.program.output is not None:
            try:
                output = self.program.output.render(self.names())
            except ExpressionError as error:
                self.fail_execution(failure(error.code, error.message, None, permanent=True))
                return
            if (size := size_of_parts(output)) > MAX_OUTPUT_BYTES:
                self.fail_execution(too_large(None, "the output of the execution", size))
                return
        self.cancel_pending()
        self.emit(e.COMPLETED, output=output if output is not None else {})

    def fail(self, at: At, error: dict[str, Any], outcome: str = "error") -> None:
        """End a visit with an error: by its edges on `outcome`, else the error passes to the enclosing scope.

        What is more than an activity is tried again before that where its `retry` says so: as a whole, as another visit.
        """
        retry_at = again_at(self.state, at.node, at.visit, at.scope, error, self.now)
        if retry_at is None:
            self._end_badly(at, outcome, error, {})
            return
        self.cancel_pending(inside=at.place)
        self.emit(e.STEP_RETRYING, at, error=error, retry_at=retry_at)

    def time_out(self, at: At) -> None:
        """End a visit whose `timeout` is over: by its `timeout` edges, else as an error with code `timeout`."""
        error = failure("timeout", f"{at.node.id} did not end within its timeout of {at.node.timeout_s or 0:g} s", at.node.id)
        self._end_badly(at, "timeout" if at.node.edges.get("timeout") else "error", error, self._taken_back_of(at))

    def _end_badly(self, at: At, outcome: str, error: dict[str, Any], taken_back: dict[str, Any]) -> None:
        pending = self.state.pending.get(at.place)
        if pending is not None and pending.kind in OWNERS:
            self.cancel_pending(inside=at.place)
        self.emit(e.STEP_FAILED, at, outcome=outcome, error=error, **taken_back)
        try:
            edge = follow(at.node, outcome, self.names(at.scope))
        except ExpressionError as bad:
            self.fail_scope(at.scope, failure(bad.code, bad.message, at.node.id, permanent=True))
            return
        if edge is None or edge is PROPAGATE:
            self.fail_scope(at.scope, error)
        else:
            self.ready.appendleft(Entering(edge.to, at.scope))

    def fail_scope(self, scope: str, error: dict[str, Any]) -> None:
        """An error that no edge took ends its scope; a group then ends with it, at the root the execution does."""
        if scope == ROOT:
            self.fail_execution(error)
            return
        owner = self._owner(scope)
        label = self.state.scopes[scope].label
        if label is None:
            self.fail(owner, error)
            return
        self.emit(e.SCOPE_FAILED, owner, label=label, error=error)
        self.ready.appendleft(owner.place)

    def fail_execution(self, error: dict[str, Any], kind: str = e.FAILED, **more: Any) -> None:
        """End the whole execution with an error, once what has completed is undone where the definition asks for that.

        kind: `execution.failed` or `execution.timed_out`.  more: members of the entry: an `output`.
        """
        self.cancel_pending()
        if self.program.settings.compensates and self.state.undo and self.state.failing is None:
            queue = [(undo.node, undo.visit) for undo in reversed(self.state.undo)]
            self.emit(e.COMPENSATING, error=error, kind=kind, queue=queue, **more)
            self.ready.append(("", 0))
        else:
            self.emit(kind, error=error, **more)

    def cancel_pending(self, inside: Place | None = None) -> None:
        """Take back what is waited for, of the whole execution or of the scopes of one visit, inner before outer."""
        if inside is None:
            doomed = list(self.state.pending.values())
            self.ready.clear()
            self.aside.clear()
        else:
            scopes = self.state.within(inside)
            owner = list(inside)
            doomed = [one for one in self.state.pending.values() if one.scope in scopes or one.data.get("by") == owner]
            for ready in (self.ready, self.aside):
                kept = [one for one in ready if not (isinstance(one, Entering) and one.scope in scopes)]
                ready.clear()
                ready.extend(kept)
        for pending in reversed(doomed):
            if pending.node:
                reason = {"reason": "timeout"} if pending.deadline_at is not None and pending.deadline_at <= self.now else {}
                data = {**self._taken_back(pending), **reason}
                self.write(Entry(e.STEP_CANCELLED, pending.node, pending.visit, 0, data, pending.scope))
        if any("by" in pending.data for pending in doomed):
            # Another compensation may wait for an undoing that was cancelled with these; it takes it up again.
            self.ready.extend(one.place for one in self.state.pending.values() if one.kind == "compensate")

    def _taken_back_of(self, at: At) -> dict[str, Any]:
        pending = self.state.pending.get(at.place)
        return {} if pending is None else self._taken_back(pending)

    def _taken_back(self, pending: Pending) -> dict[str, Any]:
        """What the mesh must know to take back the work of a visit that ends before it is done."""
        if pending.kind == "task":
            return {"task_id": pending.data["task"]["task_id"]}
        if pending.kind == "child":
            return {"child_id": pending.data["child_id"]}
        return pending.subscribed


def _replaced(data: Mapping[str, Any]) -> bool:
    """Whether a visit ended without its own work, so that there is nothing to undo."""
    enhancement = data.get("enhancement")
    return enhancement is not None and enhancement["applied"] and enhancement["apply"] == "replace"
