"""Moving through graphs: visits, outcomes, edges, and the nodes that hold graphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tests.engine.programs.shadow import holding
from tests.engine.programs.shadow.around import Around
from tests.engine.programs.shadow.enhancing import Begun, after, before
from tests.engine.programs.shadow.expressions import evaluate, render
from tests.engine.programs.shadow.fibers import RANG, Failed, Fiber, Fibers, Stopped, Wait
from tests.engine.programs.shadow.frames import Document, Frame, Layout, Steps, Undoable, Visit
from tests.engine.programs.shadow.tasks import Expired
from tests.engine.programs.shadow.trying import Late, is_late, milliseconds, pause_before

BAD = ("error", "timeout")
WORKING = ("activity", "http.request", "wait", "state", "task", "call", "group", "parallel", "foreach", "loop", "compensate")
TRIED_AGAIN = ("group", "parallel", "foreach", "loop", "call", "task")
"""What is tried again as a whole, as another visit. An activity's attempts are within one visit, and nothing else fails but for good."""
RUNAWAY = 10_000
"""Of the language, section 3."""


class Leaves(Protocol):
    """What does the nodes that hold no graph."""

    async def __call__(self, walk: Walk, node: Document, visit: Visit, frame: Frame, fiber: Fiber) -> tuple[str, Any]: ...


class Walk:
    """An execution's way through its document. effects: what it did, each with the path of the fiber that did it.  now: milliseconds.

    rested: milliseconds of it that it was paused.  heard: what has been answered while paused.  let_in: gates that it was let in at.
    turned_away: visits that ended where they were held up.
    runaway: visits without a wait that are too many.  looking: whether it is being looked at what is due; nothing begins meanwhile.
    """

    def __init__(self, document: Document, input_: Mapping[str, Any], leaves: Leaves, around: Around) -> None:
        self.document, self.input = document, input_
        self.layout = Layout(document)
        self.fibers = Fibers(self._taken_back)
        self.vars: dict[str, Any] = {}
        self.newest: dict[str, Visit] = {}
        self.effects: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []
        self.undoable: list[Undoable] = []
        self.now = self.rested = 0
        self.heard: set[tuple[str, str, int]] = set()
        self.around = around
        self.let_in: set[str] = set()
        self.turned_away: set[tuple[str, int]] = set()
        self.runaway = RUNAWAY
        self.looking = False
        self._leaves = leaves

    @property
    def awake(self) -> int:
        """Milliseconds that it has not been paused."""
        return self.now - self.rested

    def did(self, *effect: Any) -> None:
        """Note an effect."""
        fiber = self.fibers.running
        self.effects.append((fiber.path if fiber is not None else (), effect))

    def _taken_back(self, wait: Wait) -> None:
        """Take back what is asked of others, unless its end was heard of and is held."""
        if (wait.kind, wait.node, wait.visit) in self.heard:
            return
        if wait.kind == "task":
            self.did("task.cancel", wait.node, wait.visit)
        elif wait.kind == "child":
            self.did("child.cancel", wait.node, wait.visit)
        elif wait.kind == "state" and wait.about["events"]:
            self.did("no more", wait.node, wait.visit, None)

    def names(self, frame: Frame, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a reader in a frame sees."""
        steps = Steps(frame, self.layout, self.newest)
        return {"vars": self.vars, "input": self.input, "step": steps, **frame.locals(), **(more or {})}

    async def graph(self, graph: Document, frame: Frame, fiber: Fiber) -> Any:
        """Run a graph to its end. Returns: the output of its last node. Raises: Failed."""
        nodes = {node["id"]: node for node in graph["nodes"]}
        node: Document = nodes[graph.get("start", graph["nodes"][0]["id"])]
        while True:
            output, target = await self._visit(graph, node, frame, fiber)
            if target is None:
                return output
            node = nodes[target]

    async def _visit(self, graph: Document, node: Document, frame: Frame, fiber: Fiber) -> tuple[Any, str | None]:
        if self.fibers.quiet >= self.runaway:
            raise Stopped(node["id"], "failed", code="runaway")
        visits = [await self._let_in(node, frame)]
        failed: Failed | None = None
        more: dict[str, Any] = {}
        try:
            begun = await self._enhanced(node, visits[0], frame)
            outcome, output = begun.done or await self._within_timeout(begun, visits, frame, fiber)
            outcome, output = await after(self, node, visits[-1], frame, outcome, output)
            if isinstance(outcome, Arrived):
                more, outcome = {"signal": outcome.names}, outcome.name
        except Failed as error:
            failed, output = error, None
            over = is_late(error, node) or (isinstance(error, Expired) and error.node == node["id"])
            outcome = "timeout" if over and edges_on(graph, node, "timeout") else "error"
        visit = visits[-1]
        self.fibers.quiet += 1
        visit.ended, visit.outcome, visit.output = True, outcome, output
        if failed is None and node["type"] == "set":
            self.vars.update(output)
        if failed is None and "compensate" in node and not stood_in_for(node, visit):
            undo = node["compensate"]
            self.undoable.append(Undoable(visit.node, visit.number, undo["type"], render(undo["with"], self.names(frame))))
        target = self.follow(graph, node, outcome, self.names(frame, more))
        if target is None and failed is not None:
            raise failed
        return output, target

    async def may_begin(self, node: str) -> None:
        """Wait until all that is due has been looked at."""
        while self.looking:
            await Wait("enter", node)

    async def _let_in(self, node: Document, frame: Frame) -> Visit:
        """Begin the next visit of a node. One whose type is held up waits, and once it is let in it is a visit anew."""
        await self.may_begin(node["id"])
        visit = self._begin(node, frame)
        while (gate := self.gate_of(node["type"], node["with"].get("connection"))) is not None:
            self.turned_away.add((visit.node, visit.number))
            await Wait("gate", visit.node, visit.number, about={"gate": gate})
            visit = self._begin(node, frame)
        return visit

    async def _enhanced(self, node: Document, visit: Visit, frame: Frame) -> Begun:
        """What a visit has to do, once it may be done. Its own work does not begin while it is held up."""
        begun = await before(self, node, visit, frame)
        while begun.done is None and (gate := self.gate_of(node["type"], node["with"].get("connection"))) is not None:
            await Wait("gate", visit.node, visit.number, about={"gate": gate})
        return begun

    def gate_of(self, type_: str | None, connection: str | None) -> str | None:
        """The gate at which a node of a type, or what goes by a connection, waits now; None where it may go on."""
        gates = (self.around.held_up.get(by) for by in (f"node_type:{type_}", f"connection:{connection}"))
        return next((gate for gate in gates if gate is not None and gate not in self.let_in), None)

    def _begin(self, node: Document, frame: Frame) -> Visit:
        """The next visit of a node, the newest from now on."""
        before = self.newest.get(node["id"])
        visit = Visit(node["id"], before.number + 1 if before is not None else 1)
        self.newest[node["id"]] = frame_of(frame, self.layout.home[node["id"]]).visits[node["id"]] = visit
        self.did("visit", visit.node, visit.number)
        return visit

    def follow(self, graph: Document, node: Document, outcome: str, names: Mapping[str, Any]) -> str | None:
        """The node that an outcome leads to, None when no edge is taken."""
        for edge in edges_on(graph, node, outcome):
            if "when" not in edge or evaluate(edge["when"], names) is True:
                return str(edge["to"])
        return None

    async def _within_timeout(self, begun: Begun, visits: list[Visit], frame: Frame, fiber: Fiber) -> tuple[Any, Any]:
        """A node's `timeout` is for all its attempts together."""
        node = begun.node
        if "timeout" not in node or node["type"] not in WORKING:
            return await self._tries(begun, visits, frame, fiber)
        due = self.now + milliseconds(node["timeout"])
        self._spawn_tries(begun, visits, frame, fiber)
        ended = await Wait("children", visits[-1].node, visits[-1].number, earliest=due, latest=due)
        if ended == RANG:
            self.drop(fiber)
            raise Late(node["id"])
        _, well, value = ended
        if not well:
            raise value
        return value  # type: ignore[no-any-return]

    def _spawn_tries(self, begun: Begun, visits: list[Visit], frame: Frame, fiber: Fiber) -> None:
        async def work() -> tuple[Any, Any]:
            return await self._tries(begun, visits, frame, inner)

        inner = self.fibers.spawn(work(), fiber)

    async def _tries(self, begun: Begun, visits: list[Visit], frame: Frame, fiber: Fiber) -> tuple[Any, Any]:
        """Work at a node as often as its `retry` says. What it began is given up before it is tried again. visits: of it, so far."""
        began, node = self.awake, begun.own
        while True:
            visit = visits[-1]
            try:
                return begun.done or await self._work(begun.node, visit, frame, fiber)
            except Failed as error:
                retry = None if node["type"] not in TRIED_AGAIN or is_late(error, node) else node.get("retry")
                pause = None if retry is None else pause_before(retry, len(visits), error.code, error.permanent, self.awake - began)
                if pause is None:
                    raise
                self.drop(fiber)
            await Wait("again", visit.node, visit.number, earliest=self.now + pause[0], latest=self.now + pause[1])
            self.fibers.quiet += 1
            visits.append(await self._let_in(node, frame))
            begun = await self._enhanced(node, visits[-1], frame)

    def drop(self, fiber: Fiber) -> None:
        for child in list(fiber.children):
            self.fibers.cancel(child)
        fiber.ended.clear()

    def spawn(self, graph: Document, frame: Frame, fiber: Fiber, tag: Any) -> None:
        async def run() -> Any:
            return await self.graph(graph, frame, inner)

        inner = self.fibers.spawn(run(), fiber, tag)

    async def _work(self, node: Document, visit: Visit, frame: Frame, fiber: Fiber) -> tuple[Any, Any]:
        match node["type"]:
            case "group":
                return "done", await self.graph(node["with"], frame, fiber)
            case "parallel":
                return "done", await holding.parallel(self, node, visit, frame, fiber)
            case "foreach":
                return "done", await holding.foreach(self, node, visit, frame, fiber)
            case "loop":
                return await holding.loop(self, node, frame, fiber)
        return await self._leaves(self, node, visit, frame, fiber)


def stood_in_for(node: Document, visit: Visit) -> bool:
    """Whether a model did the node's work, so that there is nothing of its own to undo."""
    return visit.told is not None and visit.told[0] and node["enhance"]["apply"] == "replace"


class Arrived:
    """The outcome of a `state` that a signal left: its name, and what `signal` is on the edges."""

    def __init__(self, name: str, names: Mapping[str, Any]) -> None:
        self.name, self.names = name, names


def edges_on(graph: Document, node: Document, outcome: str) -> list[Document]:
    """The edges that are read for an outcome: those on it, else those on `done` unless it is a bad one."""
    edges = graph.get("edges")
    if not edges:
        places = [inner["id"] for inner in graph["nodes"]]
        following = places[places.index(node["id"]) + 1 :][:1]
        edges = [{"from": node["id"], "to": to, "on": "done"} for to in following]
    leaving = [edge for edge in edges if edge["from"] == node["id"]]
    return [edge for edge in leaving if edge["on"] == outcome] or (
        [] if outcome in BAD else [edge for edge in leaving if edge["on"] == "done"]
    )


def frame_of(frame: Frame, home: str) -> Frame:
    """The frame that a node stands in, seen from where it runs."""
    return next(one for one in frame.chain() if one.key == home)
