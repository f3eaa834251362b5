"""One transition being decided: the draft of the next state, the entries that lead to it, and the rules of moving through the graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from weft_language.compilation import PROPAGATE, Node, Program, follow
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import evolve
from weft_engine.core.names import names_of
from weft_engine.core.state import State

RUNAWAY: Final = 10_000
"""Transitions without a wait after which an execution fails with `runaway`. Source: the definition language, section 3."""
MAX_JOURNAL: Final = 100_000
"""Entries an execution may have; then it fails with `history_too_long`."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the core is given besides state, item and time.

    tenant: `{id, tier, settings}` as expressions read it.  resend_s: seconds without an answer after which a request is sent again.
    lease_s: seconds an accepted activity may go without a heartbeat.
    """

    tenant: Mapping[str, Any]
    resend_s: float = 60.0
    lease_s: float = 60.0


@dataclass(slots=True)
class Turn:
    """A draft in the making. `ready` holds the nodes to enter next."""

    state: State
    program: Program
    now: datetime
    context: Context
    entries: list[Entry] = field(default_factory=list)
    ready: deque[str] = field(default_factory=deque)
    _names: dict[str, Any] | None = None

    def emit(self, kind: str, node: str | None = None, visit: int = 0, attempt: int = 0, /, **data: Any) -> None:
        """Write an entry and move the draft by it."""
        entry = Entry(kind, node, visit, attempt, data)
        evolve(self.state, entry, self.now)
        self.entries.append(entry)

    @property
    def names(self) -> dict[str, Any]:
        """What expressions read. It looks into the draft, so it is always of this moment."""
        if self._names is None:
            self._names = names_of(self.state, self.context.tenant, self.now)
        return self._names

    def visit_of(self, node: str) -> int:
        """The number of the visit of a node that is open or was last, 0 before the first."""
        step = self.state.steps.get(node)
        return step.visit if step is not None else 0

    def deadline(self, node: Node) -> datetime | None:
        """When a visit that begins now outlives the node's `timeout`."""
        return self.now + timedelta(seconds=node.timeout_s) if node.timeout_s is not None else None

    def finish(self, node: Node, visit: int, outcome: str, output: Any, names: Mapping[str, Any] | None = None, **data: Any) -> None:
        """End a visit with an outcome and go on by its edges.

        names: what guards read, when it is more than the usual.  data: more members of the entry.
        """
        if outcome != "done":
            data["outcome"] = outcome
        if output is not None:
            data["output"] = output
        self.emit(e.STEP_COMPLETED, node.id, visit, **data)
        self._go_on(node, outcome, output, names)

    def _go_on(self, node: Node, outcome: str, output: Any, names: Mapping[str, Any] | None = None) -> None:
        try:
            edge = follow(node, outcome, names if names is not None else self.names)
        except ExpressionError as error:
            self.fail_scope(node.graph, failure(error.code, error.message, node.id, permanent=True))
            return
        if edge is None:
            self._complete_scope(node.graph, output)
        elif edge is not PROPAGATE:
            self.ready.append(edge.to)

    def _complete_scope(self, graph: str, output: Any) -> None:
        parent = self.program.scopes[graph].parent_node
        if parent is not None:
            self.finish(self.program.nodes[parent], self.visit_of(parent), "done", output)
            return
        self.complete(None)

    def complete(self, output: Any) -> None:
        """End the whole execution well. output: given by an `end` node; None renders the definition's own."""
        if output is None and self.program.output is not None:
            try:
                output = self.program.output.render(self.names)
            except ExpressionError as error:
                self.fail_execution(failure(error.code, error.message, None, permanent=True))
                return
        self.ready.clear()
        self.cancel_pending()
        self.emit(e.COMPLETED, output=output if output is not None else {})

    def fail(self, node: Node, visit: int, error: dict[str, Any]) -> None:
        """End a visit with an error: by its `error` edges, else the error passes to the enclosing scope."""
        self._end_badly(node, visit, "error", error)

    def time_out(self, node: Node, visit: int) -> None:
        """End a visit whose `timeout` is over: by its `timeout` edges, else as an error with code `timeout`."""
        error = failure("timeout", f"{node.id} did not end within its timeout of {node.timeout_s:g} s", node.id)
        self._end_badly(node, visit, "timeout" if node.edges.get("timeout") else "error", error)

    def _end_badly(self, node: Node, visit: int, outcome: str, error: dict[str, Any]) -> None:
        if node.kind == "scope":
            self.cancel_pending(inside=node.id)
        taken_back = {"task_id": task_id_of(self.state.id, node.id, visit)} if node.kind == "task" else {}
        self.emit(e.STEP_FAILED, node.id, visit, outcome=outcome, error=error, **taken_back)
        try:
            edge = follow(node, outcome, self.names)
        except ExpressionError as bad:
            self.fail_scope(node.graph, failure(bad.code, bad.message, node.id, permanent=True))
            return
        if edge is None or edge is PROPAGATE:
            self.fail_scope(node.graph, error)
        else:
            self.ready.append(edge.to)

    def fail_scope(self, graph: str, error: dict[str, Any]) -> None:
        """An error that no edge took ends its scope, whose node then ends with it; at the root it ends the execution."""
        parent = self.program.scopes[graph].parent_node
        if parent is None:
            self.fail_execution(error)
        else:
            self.fail(self.program.nodes[parent], self.visit_of(parent), error)

    def fail_execution(self, error: dict[str, Any], kind: str = e.FAILED) -> None:
        """End the whole execution with an error. kind: `execution.failed` or `execution.timed_out`."""
        self.ready.clear()
        self.cancel_pending()
        self.emit(kind, error=error)

    def cancel_pending(self, inside: str | None = None) -> None:
        """Take back what is waited for, of the whole execution or of one scope node's graph."""
        for node, pending in list(self.state.pending.items()):
            if inside is None or (node != inside and self._stands_in(node, inside)):
                reason = {"reason": "timeout"} if pending.deadline_at is not None and pending.deadline_at <= self.now else {}
                task = {"task_id": task_id_of(self.state.id, node, pending.visit)} if pending.kind == "task" else {}
                self.emit(e.STEP_CANCELLED, node, pending.visit, **task, **reason)

    def _stands_in(self, node: str, scope: str) -> bool:
        graph = self.program.nodes[node].graph
        while graph:
            if graph == scope:
                return True
            parent = self.program.scopes[graph].parent_node
            graph = self.program.nodes[parent].graph if parent is not None else ""
        return False


def key_of(execution_id: UUID, node: str, visit: int) -> str:
    """The stable key of a visit's outside effect: what the callee knows a repeat by."""
    return f"{execution_id}:{node}:{visit}"


def task_id_of(execution_id: UUID, node: str, visit: int) -> str:
    """The id of the task of a visit: the same whenever it is asked for."""
    return str(uuid5(execution_id, f"task:{node}:{visit}"))


def failure(
    code: str, message: str, node: str | None, attempt: int | None = None, *, permanent: bool = False, details: Any = None
) -> dict[str, Any]:
    """An error as a value, in the shape of the definition language."""
    error: dict[str, Any] = {"code": code, "message": message, "node": node, "attempt": attempt, "permanent": permanent}
    if details is not None:
        error["details"] = details
    return error
