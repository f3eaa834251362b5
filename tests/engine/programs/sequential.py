"""Programs of nodes one after another, and a reference of what going back in one means. It shares nothing with the engine.

Every time a node is entered is a moment, with what was known then. Going back to a node is to know no more than at its newest moment, save
for the numbers of visits, and for what was done outside since: asked the same again, that is taken as done, or done anew (`redo`).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.engine.programs.shadow.expressions import evaluate, render

Document = dict[str, Any]
OPEN = ...
"""The output of a visit that has not ended, which nobody reads."""
Done = tuple[str, Any, Any]
"""A node's outside work: who, what was asked, what it gave."""


@dataclass
class Known:
    """What is known at a moment. steps: moment and output of the newest visit of each node.  done: work that may be taken as done."""

    vars: dict[str, Any]
    steps: dict[str, tuple[int, Any]] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)


@dataclass
class Sequence:
    """An execution. begun: (node, visit) in order.  asked: (node, visit, input) of outside work.  open: the visit that is worked at."""

    document: Document
    input: Mapping[str, Any]
    known: Known = field(init=False)
    status: str = "running"
    begun: list[tuple[str, int]] = field(default_factory=list)
    asked: list[tuple[str, int, Any]] = field(default_factory=list)
    open: tuple[str, int, Any] | None = None
    failed_at: str | None = None
    _moments: list[Known] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _works: list[tuple[int, Done]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known = Known(dict(self.document["vars"]))
        self._enter(self.document["nodes"][0]["id"])

    def answer(self, value: Any) -> None:
        """The work that is open is done."""
        assert self.open is not None
        node, _, asked = self.open
        self.open = None
        self._works.append((self.known.steps[node][0], (node, asked, value)))
        self._leave(node, value)

    def break_(self) -> None:
        """The work that is open fails for good."""
        assert self.open is not None
        self.status, self.failed_at, self.open = "failed", self.open[0], None

    def retry(self, node: str | None, input_: Mapping[str, Any] | None, effects: str) -> bool:
        """Go back to a node, the one that failed for none. Returns: whether it has been entered at all."""
        wanted = node or self.failed_at
        assert wanted is not None
        if wanted not in self.known.steps:
            return False
        moment = self.known.steps[wanted][0]
        self.known = deepcopy(self._moments[moment])
        since = [done for at, done in self._works if at >= moment]
        self.known.done = [*self.known.done, *since] if effects == "skip" else []
        self.input = self.input if input_ is None else input_
        self.status, self.failed_at = "running", None
        self._enter(wanted)
        return True

    def _names(self) -> dict[str, Any]:
        steps = {node: {"output": output} for node, (_, output) in self.known.steps.items() if output is not OPEN}
        return {"vars": self.known.vars, "input": self.input, "step": steps}

    def _enter(self, node: str) -> None:
        self._moments.append(deepcopy(self.known))
        self._numbers[node] = self._numbers.get(node, 0) + 1
        self.begun.append((node, self._numbers[node]))
        self.known.steps[node] = (len(self._moments) - 1, OPEN)
        self._work(next(one for one in self.document["nodes"] if one["id"] == node))

    def _work(self, node: Document) -> None:
        id_, with_ = node["id"], node["with"]
        match node["type"]:
            case "set":
                values = render(with_, self._names())
                self.known.vars.update(values)
                self._leave(id_, values)
            case "if":
                self._leave(id_, evaluate(with_["when"], self._names()))
            case "fail":
                self.status, self.failed_at = "failed", id_
            case "activity":
                asked = render(with_["input"], self._names())
                same = next((done for done in self.known.done if done[:2] == (id_, asked)), None)
                if same is not None:
                    self.known.done.remove(same)
                    self._leave(id_, same[2])
                else:
                    self.open = (id_, self._numbers[id_], asked)
                    self.asked.append(self.open)

    def _leave(self, node: str, output: Any) -> None:
        self.known.steps[node] = (self.known.steps[node][0], output)
        on = {True: "true", False: "false"}.get(output, "done") if node.startswith("if") else "done"
        to = next((edge["to"] for edge in self.document["edges"] if edge["from"] == node and edge["on"] in (on, "done")), None)
        if to is None:
            self.status = "completed"
        else:
            self._enter(to)


@st.composite
def programs(draw: st.DrawFn) -> Document:
    """Nodes in a row; an `if` may leave some out, or go back to before it while a counter is low."""
    kinds = draw(st.lists(st.sampled_from(("activity", "activity", "set", "if", "fail")), min_size=2, max_size=6))
    nodes: list[Document] = []
    edges: list[Document] = []
    ids = [f"{kind}{place}" for place, kind in enumerate(kinds)]
    numbers = ("vars.x", "input.n", "vars.x + input.n", "1")
    for place, kind in enumerate(kinds):
        id_ = ids[place]
        others = [f"default(step.{one}.output, 0)" for one in ids if one.startswith("act") and one != id_]
        value = f"{{{{ {draw(st.sampled_from([*numbers, *others]))} }}}}"
        with_: Document = {"input": {"v": value}, "name": "work"} if kind == "activity" else {"x": value}
        following = [{"from": id_, "to": ids[place + 1], "on": "done"}] if place + 1 < len(kinds) else []
        if kind == "fail":
            with_ = {"code": "no", "message": "no"}
            following = []
        elif kind == "if":
            with_ = {"when": f"{draw(st.sampled_from(('vars.x', 'input.n')))} > {draw(st.integers(0, 3))}"}
            later = ids[place + 1 :]
            if later:
                following = [{"from": id_, "to": draw(st.sampled_from(later)), "on": "true"}, *following]
        nodes.append({"id": id_, "type": kind, "with": with_})
        edges += following
    return {"format": "weft/v1", "slug": "test", "name": "Test", "vars": {"x": 0}, "nodes": nodes, "edges": edges}
