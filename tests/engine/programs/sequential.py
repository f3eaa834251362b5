"""Programs of nodes one after another, and a reference of what going back in one means. It shares nothing with the engine.

Every time a node is entered is a moment, with what was known then. Going back to a node is to know no more than at its newest moment, save
for the numbers of visits, and for what was done outside since: asked the same again, that is taken as done, or done anew (`redo`). A model
is outside, too: what it gave in the place of a node's work, or what was done with the input that it gave, is taken where it would be asked
the same; what it made of an output goes with the work whose output it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.engine.programs.shadow.expressions import evaluate, render

Document = dict[str, Any]
OPEN = ...
"""The output of a visit that has not ended, which nobody reads."""
OWN = ("activity", "task", "event")


@dataclass(frozen=True)
class Done:
    """Outside work. number: the same for all that one visit asked.  who: kind and node.  asked: what.  gave: the visit's output."""

    number: int
    who: tuple[str, str]
    asked: Any
    gave: Any


@dataclass
class Known:
    """What is known at a moment. steps: moment and output of the newest visit of each node.  done: work that may be taken as done."""

    vars: dict[str, Any]
    steps: dict[str, tuple[int, Any]] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)


@dataclass
class Open:
    """A visit that is under way. kind: of who is asked, `gate` where it is held up.  asked: all that it asked so far, by who.

    given: input from a model.  output: of its own work, while a model may make something of it.  enhanced: whether one was asked before.
    """

    node: Document
    visit: int
    kind: str = ""
    asked: list[tuple[tuple[str, str], Any]] = field(default_factory=list)
    given: Document = field(default_factory=dict)
    output: Any = OPEN
    enhanced: bool = False


@dataclass
class Sequence:
    """An execution. begun: (node, visit) in order.  asked: (kind, node, visit, what) of outside work.  open: the visit that is worked at.

    held_up: types of nodes that are.
    """

    document: Document
    input: Mapping[str, Any]
    held_up: set[str] = field(default_factory=set)
    known: Known = field(init=False)
    status: str = "running"
    begun: list[tuple[str, int]] = field(default_factory=list)
    asked: list[tuple[str, str, int, Any]] = field(default_factory=list)
    open: Open | None = None
    failed_at: str | None = None
    _moments: list[Known] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _works: list[tuple[int, Done]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known = Known(dict(self.document["vars"]))
        self._enter(self.document["nodes"][0]["id"])

    def answer(self, value: Any) -> None:
        """The work that is open is done, or the model gives something that does."""
        one = self._taken()
        if one.kind != "model":
            self._worked(one, value)
        elif one.output is not OPEN or one.node["enhance"]["apply"] == "replace":
            self._leave(one, value)
        else:
            one.given = value
            self._own_work(one)

    def break_(self) -> None:
        """The work that is open fails for good; a model that does costs only what it would have given."""
        one = self._taken()
        if one.kind != "model":
            self.status, self.failed_at, self.open = "failed", one.node["id"], None
            return
        one.asked.pop()
        if one.output is not OPEN:
            self._leave(one, one.output)
        else:
            self._own_work(one)

    def lift(self) -> None:
        """Nothing is held up any more: a node is entered anew, what waits after its enhancement goes on."""
        self.held_up = set()
        if self.open is not None and self.open.kind == "gate":
            one = self._taken()
            if one.enhanced:
                self._own_work(one)
            else:
                self._enter(one.node["id"])

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

    def _taken(self) -> Open:
        assert self.open is not None
        one, self.open = self.open, None
        return one

    def _names(self) -> dict[str, Any]:
        steps = {node: {"output": output} for node, (_, output) in self.known.steps.items() if output is not OPEN}
        return {"vars": self.known.vars, "input": self.input, "step": steps}

    def _enter(self, node: str) -> None:
        self._moments.append(deepcopy(self.known))
        self._numbers[node] = self._numbers.get(node, 0) + 1
        self.begun.append((node, self._numbers[node]))
        self.known.steps[node] = (len(self._moments) - 1, OPEN)
        one = Open(next(one for one in self.document["nodes"] if one["id"] == node), self._numbers[node])
        if not self._is_held_up(one) and not self._enhanced_first(one):
            self._work(one)

    def _is_held_up(self, one: Open) -> bool:
        if one.node["type"] in self.held_up:
            one.kind, self.open = "gate", one
        return one.node["type"] in self.held_up

    def _enhanced_first(self, one: Open) -> bool:
        """Whether a model is asked before the work, or what it was asked before is taken."""
        enhance = one.node.get("enhance")
        if enhance is None or enhance["apply"] == "output":
            return False
        one.enhanced = True
        own = render(one.node["with"], self._names()) if enhance["apply"] == "input" else None
        return self._ask(one, "model", [self._wanted(one.node), own])

    def _wanted(self, node: Document) -> Any:
        return render(node["enhance"]["with"]["instructions"], self._names())

    def _ask(self, one: Open, kind: str, asked: Any) -> bool:
        """Ask for outside work, unless it is done. Returns: true, since the visit is not to be worked at now."""
        who = (kind, one.node["id"])
        same = next((done for done in self.known.done if (done.who, done.asked) == (who, asked)), None)
        if same is not None:
            self.known.done = [done for done in self.known.done if done.number != same.number]
            one.asked = []
            self._leave(one, same.gave)
            return True
        one.kind = kind
        one.asked.append((who, asked))
        self.asked.append((kind, one.node["id"], one.visit, asked[0] if kind == "model" else asked))
        self.open = one
        if kind == "event":
            self._worked(self._taken(), None)
        return True

    def _own_work(self, one: Open) -> None:
        """Begin a visit's own work once it is known what becomes of its enhancement, unless that is held up by now."""
        if not self._is_held_up(one):
            self._work(one)

    def _work(self, one: Open) -> None:
        with_ = {**render(one.node["with"], self._names()), **one.given}
        match one.node["type"]:
            case "set":
                self._worked(one, with_)
            case "if":
                self._worked(one, evaluate(one.node["with"]["when"], self._names()))
            case "fail":
                self.status, self.failed_at = "failed", one.node["id"]
            case "activity":
                self._ask(one, "activity", with_["input"])
            case "task":
                self._ask(one, "task", [with_["title"], with_.get("data")])
            case "publish":
                self._ask(one, "event", with_["data"])

    def _worked(self, one: Open, output: Any) -> None:
        """Its own work is done. A model may make something of that."""
        enhance = one.node.get("enhance")
        if enhance is None or enhance["apply"] != "output":
            self._leave(one, output)
            return
        one.output, one.kind, self.open = output, "model", one
        one.asked.append((("model", one.node["id"]), OPEN))
        self.asked.append(("model", one.node["id"], one.visit, self._wanted(one.node)))

    def _leave(self, one: Open, output: Any) -> None:
        node = one.node["id"]
        if one.node["type"] == "set":
            self.known.vars.update(output)
        moment = self.known.steps[node][0]
        number = len(self._works) and self._works[-1][1].number + 1
        self._works += [(moment, Done(number, who, asked, output)) for who, asked in one.asked if asked is not OPEN]
        self.known.steps[node] = (moment, output)
        on = {True: "true", False: "false"}.get(output, "done") if one.node["type"] == "if" else "done"
        to = next((edge["to"] for edge in self.document["edges"] if edge["from"] == node and edge["on"] in (on, "done")), None)
        if to is None:
            self.status = "completed"
        else:
            self._enter(to)
