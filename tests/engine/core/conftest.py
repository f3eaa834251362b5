"""Programs and executions for the pure core: no IO, a clock that is an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from weft_engine.core import items as i
from weft_engine.core.apply import Transition, apply
from weft_engine.core.context import Context
from weft_engine.core.entries import Row, decode, encode
from weft_engine.core.evolve import fold
from weft_engine.core.messages import Outgoing, messages
from weft_engine.core.signals import Answer
from weft_engine.core.state import Pending, State
from weft_language import compile_definition, parse
from weft_language.compilation import Program

from tests.engine.core.apart import Apart

ID = UUID("0190a6f0-0000-7000-8000-000000000001")
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CONTEXT = Context({"id": "acme", "tier": "standard", "settings": {}})


def program_of(nodes: list[dict[str, Any]], edges: list[dict[str, Any]] | None = None, **more: Any) -> Program:
    """A program from nodes and edges."""
    document = {"format": "weft/v1", "slug": "test", "name": "Test", "nodes": nodes, **({"edges": edges} if edges else {}), **more}
    return compile_definition(parse(document), 1)


@dataclass
class Run:
    """An execution that is driven by hand, with its journal as PostgreSQL would give it back.

    apart: the same with every value kept apart, which must do the same; None to spare it.
    context: what the core is given, the usual where it is None.
    """

    program: Program
    state: State = field(default_factory=lambda: State(ID, "acme", "test", 1))
    now: datetime = START
    rows: list[Row] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)
    answer: Answer | None = None
    apart: Apart | None = field(default_factory=lambda: Apart(State(ID, "acme", "test", 1)))
    context: Context | None = None

    def do(self, item: i.Happening) -> Run:
        """Apply an item. What the journal holds must fold to the state the core gave, every time."""
        before = repr(self.state)
        old = self.state
        transition = apply(self.state, item, self.now, self.program, self.context or CONTEXT)
        assert repr(old) == before, "the core changed the state it was given"
        self.state, self.answer = transition.state, transition.answer
        if transition.entries:
            position = self.state.position - len(transition.entries)
            self.rows.append(Row(position, self.now, decode(encode(transition.entries))))
            said = messages(self.state, transition.entries, position, self.now, 8)
            self.outgoing += said
            assert comparable(fold(self.state.id, self.rows)) == comparable(self.state), "the journal tells another state"
            self._do_apart(item, transition, said)
        else:
            self._do_apart(item, transition, [])
        return self.do(i.Tick(ID)) if self.state.ready and transition.entries else self

    def _do_apart(self, item: i.Happening, transition: Transition, said: list[Outgoing]) -> None:
        beside = self.apart
        if beside is None:
            return
        apart = beside.given(self.context or CONTEXT, lambda context: apply(beside.state, item, self.now, self.program, context))
        assert apart.answer == transition.answer, "another answer with values kept apart"
        assert bool(apart.entries) == bool(transition.entries), "another end with values kept apart"
        if apart.entries:
            beside.keep(apart.entries, self.now, self.rows, said)

    def start(self, input_: dict[str, Any] | None = None, **more: Any) -> Run:
        """Start it."""
        return self.do(i.Start(ID, "test", input=input_ or {}, trigger={"type": "manual"}, **more))

    def later(self, **by: float) -> Run:
        """Let time pass, and look at what is due."""
        self.now += timedelta(**by)
        return self.do(i.Tick(ID))

    def waits(self, node: str) -> Pending:
        """What the oldest open visit of a node waits for."""
        return next(pending for pending in self.state.pending.values() if pending.node == node)

    def complete(self, node: str, output: Any = None, outcome: str = "done") -> Run:
        """A worker's answer to the attempt that is open."""
        pending = self.waits(node)
        return self.do(i.ActivityCompleted(ID, node, pending.visit, pending.attempt, outcome, output))

    def fail(self, node: str, code: str = "broken", *, permanent: bool = False) -> Run:
        """A worker's failure of the attempt that is open."""
        pending = self.waits(node)
        return self.do(i.ActivityFailed(ID, node, pending.visit, pending.attempt, {"code": code, "message": code, "permanent": permanent}))

    def signal(self, name: str, payload: Any = None, signal_id: str | None = None) -> Run:
        """Bring a signal."""
        return self.do(i.Signal(ID, signal_id or f"{name}{len(self.rows)}", name, payload))

    @property
    def said(self) -> list[str]:
        """The types of everything said, in order."""
        return [out.item.type for out in self.outgoing]


def comparable(state: State | None) -> Any:
    """A state as plain JSON, so that a time that was read back equals one that is fresh."""
    import msgspec

    return None if state is None else msgspec.to_builtins({name: _plain(getattr(state, name)) for name in State.__slots__})


def _plain(value: Any) -> Any:
    import dataclasses

    import msgspec

    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {spec.name: _plain(getattr(value, spec.name)) for spec in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return msgspec.to_builtins(value)
