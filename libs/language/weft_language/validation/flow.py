"""How an execution can move: the document as one graph of moments, with what has run when each is reached.

A moment is the entry of a node, one of its outcomes, or the completion or failure of a scope. `must` of a moment holds the nodes that have
ended on every way to it, `may` those that have on some way; both are bit sets over `Flow.index`.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from weft_language.validation.outcomes import PROPAGATING, outcomes_of
from weft_language.validation.outline import Outline, OutlineGraph, OutlineNode

Moment = tuple[str, str, str]
"""("in", pointer of the node, ""), ("out", pointer of the node, outcome), ("done" | "fail", pointer of the graph, "")."""

ROOT_DONE: Final[Moment] = ("done", "", "")


def entry_of(node: OutlineNode) -> Moment:
    """The moment a node begins: its `with` is rendered here."""
    return ("in", node.pointer, "")


def outcome_of(node: OutlineNode, outcome: str) -> Moment:
    """The moment a node has ended with an outcome: guards on that outcome are read here."""
    return ("out", node.pointer, outcome)


class Flow:
    """The moments of a document and the ways between them."""

    def __init__(self, document: Outline) -> None:
        """Build the ways and find what has run when."""
        self.index = {node_id: place for place, node_id in enumerate(document.nodes)}
        self.ways: dict[Moment, list[Moment]] = {}
        self._ends: dict[Moment, int] = {}
        self._joins: set[Moment] = set()
        self._siblings: dict[Moment, int] = {}
        for graph in document.graphs:
            for node in graph.nodes:
                self._add_node(graph, node)
        first = document.root.first()
        self.start = entry_of(first) if first else ROOT_DONE
        self.must: dict[Moment, int] = {}
        self.may: dict[Moment, int] = {}
        self._spread()

    def reached(self, moment: Moment) -> bool:
        """Whether some way leads to a moment."""
        return moment in self.must

    def has_run(self, moment: Moment, node_ids: Iterable[str]) -> str:
        """`always`, `sometimes` or `never`: whether one of these nodes has ended when the moment is reached."""
        bits = self._bits(node_ids)
        if self.must.get(moment, -1) & bits:
            return "always"
        return "sometimes" if self.may.get(moment, -1) & bits else "never"

    def _bits(self, node_ids: Iterable[str]) -> int:
        bits = 0
        for node_id in node_ids:
            if node_id in self.index:
                bits |= 1 << self.index[node_id]
        return bits

    def _way(self, source: Moment, target: Moment) -> None:
        self.ways.setdefault(source, []).append(target)

    def _add_node(self, graph: OutlineGraph, node: OutlineNode) -> None:
        start, known = entry_of(node), outcomes_of(node)
        self.ways.setdefault(start, [])
        if node.type == "end":
            return
        if node.type == "fail":
            self._way(start, ("fail", graph.pointer, ""))
            return
        edges = graph.leaving(node)
        own = known.own if known else ("done",)
        names = [*own, "error", *(edge.on for edge in edges)]
        if known and known.any:
            names.append("*")
        for name in dict.fromkeys(names):
            self._add_outcome(graph, node, name)
        if node.graphs:
            self._add_inner(node)
        else:
            for name in dict.fromkeys(names):
                self._way(start, outcome_of(node, name))

    def _add_outcome(self, graph: OutlineGraph, node: OutlineNode, name: str) -> None:
        moment = outcome_of(node, name)
        self._ends[moment] = self._bits([node.id])
        on_it = [edge for edge in graph.leaving(node) if edge.on == name]
        if not on_it and name not in PROPAGATING:
            on_it = [edge for edge in graph.leaving(node) if edge.on == "done"]
        open_end = True
        for edge in on_it:
            if edge.to in graph.by_id:
                self._way(moment, entry_of(graph.by_id[edge.to]))
            if edge.when is None:
                open_end = False
                break
        if open_end:
            self._way(moment, ("fail" if name in PROPAGATING else "done", graph.pointer, ""))

    def _add_inner(self, node: OutlineNode) -> None:
        """The ways through a node with graphs of its own, from its entry over them to its outcomes."""
        start, done, failed = entry_of(node), outcome_of(node, "done"), outcome_of(node, "error")
        if "timeout" in node.raw:
            self._way(start, outcome_of(node, "timeout"))
        if node.type == "foreach" or (node.type == "loop" and "until" not in node.with_):
            self._way(start, done)
        if node.type == "loop":
            self._way(done, outcome_of(node, "exhausted"))
        every = 0
        inside = {graph.pointer: self._bits(_ids_inside(graph)) for graph in node.graphs}
        for bits in inside.values():
            every |= bits
        for graph in node.graphs:
            first = graph.first()
            if first is not None:
                self._way(start, entry_of(first))
                self._siblings[entry_of(first)] = every & ~inside[graph.pointer]
            self._way(("done", graph.pointer, ""), done)
            self._way(("fail", graph.pointer, ""), failed)
        if node.type == "parallel" and node.with_.get("join", "all") == "all":
            self._joins.add(done)

    def _spread(self) -> None:
        """Find `must` and `may` of every moment that can be reached, to a fix-point."""
        before: dict[Moment, list[Moment]] = {}
        self.must[self.start] = 0
        self.may[self.start] = 0
        waiting = deque([self.start])
        queued = {self.start}
        while waiting:
            moment = waiting.popleft()
            queued.discard(moment)
            ended = self._ends.get(moment, 0)
            may = self.may[moment] | ended
            for target in self.ways.get(moment, ()):
                sources = before.setdefault(target, [])
                if moment not in sources:
                    sources.append(moment)
                new_must = self._merged(target, sources)
                new_may = self.may.get(target, 0) | may | self._siblings.get(target, 0)
                if target not in self.must or new_must != self.must[target] or new_may != self.may[target]:
                    self.must[target], self.may[target] = new_must, new_may
                    if target not in queued:
                        queued.add(target)
                        waiting.append(target)
        for moment, ended in self._ends.items():
            if moment in self.must:
                self.must[moment] |= ended
                self.may[moment] |= ended

    def _merged(self, target: Moment, sources: list[Moment]) -> int:
        """What has surely run at `target`: on every way to it, or at a join on any."""
        if target == self.start:
            return 0
        arriving = [self.must[source] | self._ends.get(source, 0) for source in sources]
        merged = arriving[0]
        for bits in arriving[1:]:
            merged = merged | bits if target in self._joins else merged & bits
        return merged


def _ids_inside(graph: OutlineGraph) -> list[str]:
    """The nodes of a graph and of all graphs within it."""
    found: list[str] = []
    waiting = [graph]
    while waiting:
        for node in waiting.pop().nodes:
            found.append(node.id)
            waiting.extend(node.graphs)
    return found
