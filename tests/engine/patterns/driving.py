"""The examples of control-flow patterns, run against the pure core: one execution, or several that call one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from weft_engine.core import entries as e
from weft_engine.core import items as i
from weft_engine.core.state import State
from weft_engine.domain import Gate, Waiting, admit
from weft_language import compile_definition, parse
from weft_language.compilation import Program

from tests.engine.core.apart import Apart
from tests.engine.core.conftest import ID, Run
from tests.engine.patterns.catalogue import document, example

_AT_WORK = frozenset({"activity", "task", "child"})
_BETWEEN_EXECUTIONS = frozenset({"execution.cancel", "execution.pause", "execution.resume", "step.complete", "step.fail"})


@cache
def program(slug: str) -> Program:
    """The compiled example of a slug."""
    return compile_definition(parse(document(slug)), 1)


def begin(number: int, input_: dict[str, Any] | None = None) -> Run:
    """An execution of a pattern's example that has been started."""
    return run_of(example(number).slug, ID).start(input_)


def run_of(slug: str, execution_id: UUID) -> Run:
    """An execution of an example, before it is started."""
    blank = State(execution_id, "acme", slug, 1)
    return Run(program(slug), blank, apart=Apart(blank))


def working(run: Run) -> list[str]:
    """The nodes that somebody works on at the moment, by name; one that has several visits open stands there as often."""
    return sorted(pending.node for pending in run.state.pending.values() if pending.kind in _AT_WORK)


def resting(run: Run) -> list[str]:
    """The `state` nodes that wait for a signal at the moment, by name."""
    return sorted(pending.node for pending in run.state.pending.values() if pending.kind == "signal")


def done(run: Run) -> list[str]:
    """The nodes that ended well, in the order in which they did."""
    return [str(entry.node) for row in run.rows for entry in row.entries if entry.kind == e.STEP_COMPLETED]


def asked(run: Run, node: str) -> list[Any]:
    """What workers were asked by a node, first to last: the input of each request."""
    said = [msgspec.json.decode(out.item.data) for out in run.outgoing if out.item.type == "activity.requested"]
    return [request["input"] for request in said if request["node"] == node]


def answer(run: Run, node: str, visit: int, output: Any = None) -> Run:
    """A worker's good answer to the first attempt of a certain visit."""
    return run.do(i.ActivityCompleted(ID, node, visit, 1, "done", output))


def decide(run: Run, node: str, outcome: str = "completed", visit: int = 1) -> Run:
    """A person's decision."""
    return run.do(i.CompleteStep(ID, node, visit, outcome))


@dataclass
class Mesh:
    """Executions that call one another, with what they say carried between them.

    runs: by execution id, in the order in which they began.  heard: how much of what each said has been carried.
    """

    runs: dict[UUID, Run] = field(default_factory=dict)
    heard: dict[UUID, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, number: int, input_: dict[str, Any] | None = None) -> Mesh:
        """An execution of a pattern's example, with all that it calls."""
        root = begin(number, input_)
        return cls({root.state.id: root}).settle()

    @property
    def root(self) -> Run:
        """The execution that began first."""
        return next(iter(self.runs.values()))

    @property
    def children(self) -> list[Run]:
        """Those that were called, in the order in which they began."""
        return list(self.runs.values())[1:]

    def settle(self) -> Mesh:
        """Carry every word between executions, and let those in that wait, until nobody says anything more."""
        while self._carry() or self._admit():
            pass
        return self

    def _admit(self) -> bool:
        """Let those begin for whom their gates have room, as the gatekeeper does."""
        waiting: list[Waiting] = []
        behind: dict[str, list[UUID]] = {}
        for id_, run in self.runs.items():
            if run.state.begun is not None:
                gates = (Gate(gate["name"], gate["limit"], gate["on_conflict"]) for gate in run.state.begun["gates"])
                waiting.append(Waiting(id_, tuple(gates)))
            elif not run.state.ended:
                for name in run.state.gates:
                    behind.setdefault(name, []).append(id_)
        admitted = admit(waiting, behind).admitted
        for id_ in admitted:
            self.runs[id_].do(i.Admit(id_))
        return bool(admitted)

    def _carry(self) -> int:
        carried = 0
        for id_, run in list(self.runs.items()):
            fresh = run.outgoing[self.heard.get(id_, 0) :]
            self.heard[id_] = len(run.outgoing)
            for out in fresh:
                carried += self._hand_over(out.item.type, msgspec.json.decode(out.item.data))
        return carried

    def _hand_over(self, type_: str, data: Mapping[str, Any]) -> bool:
        if type_ == "execution.start":
            start = msgspec.convert(data, i.Start)
            child = run_of(start.workflow, start.execution_id)
            self.runs[start.execution_id] = child
            child.do(start)
        elif type_ in _BETWEEN_EXECUTIONS:
            self.runs[UUID(data["execution_id"])].do(i.convert(type_, dict(data)))
        return type_ == "execution.start" or type_ in _BETWEEN_EXECUTIONS
