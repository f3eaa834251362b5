"""The ways between the moments of a document: what may follow what, as the engine goes on."""

from collections.abc import Iterable, Mapping
from typing import Final

from weft_language.validation.flow.moments import ROOT_DONE, Moment, condition_of, done_of, entry_of, fail_of, outcome_of
from weft_language.validation.outcomes import PROPAGATING, outcomes_of, possible_outcomes
from weft_language.validation.outline import Outline, OutlineEdge, OutlineGraph, OutlineNode

NO_DECISIONS: Final[Mapping[str, bool]] = {}


class Ways:
    """The moments of a document and the ways between them, before anything walks them.

    start: where an execution begins.  ways: from each moment to those that may follow.  ends: the bit of the node that has ended at a
    moment.  needs: how many of the ways into a moment must have been gone (a join).  adds: what may have run besides, because it runs at
    the same time or was cut off.  beside: what runs beside a branch, by the moment it completes.  fresh: what a way into a new branch or
    iteration forgets.
    """

    def __init__(self, document: Outline, decisions: Mapping[str, bool] = NO_DECISIONS) -> None:
        """decisions: pointer of a condition to what it always is; ways that need the contrary are left out."""
        self._decisions = decisions
        self.index = {node_id: place for place, node_id in enumerate(document.nodes)}
        self.ways: dict[Moment, list[Moment]] = {}
        self.ends: dict[Moment, int] = {}
        self.needs: dict[Moment, int] = {}
        self.adds: dict[Moment, int] = {}
        self.beside: dict[Moment, int] = {}
        self.fresh: dict[tuple[Moment, Moment], int] = {}
        for graph in document.graphs:
            for node in graph.nodes:
                self._add_node(graph, node)
        first = document.root.first()
        self.start = entry_of(first) if first else ROOT_DONE

    def bits(self, node_ids: Iterable[str]) -> int:
        """The bit set of some nodes; unknown ids are left out."""
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
            self._way(start, fail_of(graph))
            return
        edges = graph.leaving(node)
        plain = known.own if known else ("done",)
        names = [*possible_outcomes(node, self._decisions), "error"]
        # An edge on an outcome that the node cannot have is told as such; what it leads to is not called unreachable as well.
        names += [edge.on for edge in edges if edge.on not in (*plain, "done", *PROPAGATING)]
        if known and known.any:
            names += [*(edge.on for edge in edges), "*"]
        names = list(dict.fromkeys(names))
        for name in dict.fromkeys([*names, "done"]):
            self._add_outcome(graph, node, name, by_done=any(edge.on == "done" for edge in edges))
        if node.graphs:
            self._add_inner(node)
        else:
            for name in names:
                self._way(start, outcome_of(node, name))

    def _add_outcome(self, graph: OutlineGraph, node: OutlineNode, name: str, *, by_done: bool) -> None:
        moment = outcome_of(node, name)
        self.ends[moment] = self.bits([node.id])
        edges = [edge for edge in graph.leaving(node) if edge.on == name]
        if not edges and name not in PROPAGATING and by_done:
            self._way(moment, outcome_of(node, "done"))
            return
        for edge in edges:
            always = self._always(edge)
            if always is not False and edge.to in graph.by_id:
                self._way(moment, entry_of(graph.by_id[edge.to]))
            if always:
                return
        if not edges or not (node.type == "state" and name not in (node.with_.get("after") or ())):
            # A signal that no guard lets through is refused, and the state goes on waiting; everything else ends its scope.
            self._way(moment, fail_of(graph) if name in PROPAGATING else done_of(graph))

    def _always(self, edge: OutlineEdge) -> bool | None:
        """Whether an edge's guard always holds (True), never (False), or nobody knows."""
        return True if edge.when is None else self._decisions.get(f"{edge.pointer}/when")

    def _add_inner(self, node: OutlineNode) -> None:
        """The ways through a node with graphs of its own, from its entry over them to its outcomes."""
        inside = {graph.pointer: self.bits(ids_inside(graph)) for graph in node.graphs}
        every = 0
        for bits in inside.values():
            every |= bits
        if "timeout" in node.raw:
            self._way(entry_of(node), outcome_of(node, "timeout"))
            self.adds[outcome_of(node, "timeout")] = every
        if node.type in ("foreach", "loop"):
            self._way(entry_of(node), outcome_of(node, "error"))  # its list or condition may fail before anything runs
        for graph in node.graphs:
            self._way(fail_of(graph), outcome_of(node, "error"))
            if node.type == "foreach":
                self._add_foreach(node, graph)
            elif node.type == "loop":
                self._add_loop(node, graph)
            else:
                self._begin(entry_of(node), graph)
                self._way(done_of(graph), outcome_of(node, "done"))
            first = graph.first()
            if node.type == "parallel" and first is not None:
                self.adds[entry_of(first)] = every & ~inside[graph.pointer]
                self.beside[done_of(graph)] = every & ~inside[graph.pointer]
        if node.type == "parallel":
            self.needs[outcome_of(node, "done")] = needed_branches(node)

    def _begin(self, source: Moment, graph: OutlineGraph) -> None:
        """The way into a graph. Nothing of a new branch or iteration has run yet, whatever an earlier one did."""
        first = graph.first()
        if first is None:
            return
        self._way(source, entry_of(first))
        if graph.role != "group":
            self.fresh[(source, entry_of(first))] = self.bits(ids_of_frame(graph))

    def _add_foreach(self, node: OutlineNode, body: OutlineGraph) -> None:
        items, done = node.with_.get("items"), outcome_of(node, "done")
        if not (isinstance(items, list) and items):
            self._way(entry_of(node), done)
        if isinstance(items, list) and not items:
            return
        ends = [done_of(body)] + ([fail_of(body)] if node.with_.get("on_error") == "continue" else [])
        self._begin(entry_of(node), body)
        for end in ends:
            self._way(end, done)
            self._begin(end, body)

    def _add_loop(self, node: OutlineNode, body: OutlineGraph) -> None:
        again, done = condition_of(node), outcome_of(node, "done")
        word = "until" if "until" in node.with_ else "while"
        always = self._decisions.get(f"{node.pointer}/with/{word}")
        goes_on = None if always is None else always is (word == "while")
        if word == "while":
            self._way(entry_of(node), again)
        else:
            self._begin(entry_of(node), body)
        self._way(done_of(body), again)
        if goes_on is not False:
            self._begin(again, body)
            self._way(done_of(body), outcome_of(node, "exhausted"))
        if goes_on is not True:
            self._way(again, done)


def needed_branches(node: OutlineNode) -> int:
    """How many branches of a `parallel` must complete for it to be done."""
    join, count = node.with_.get("join", "all"), len(node.graphs)
    if join == "any":
        return 1
    return min(join, count) if isinstance(join, int) and not isinstance(join, bool) else count


def ids_inside(graph: OutlineGraph) -> list[str]:
    """The nodes of a graph and of all graphs within it."""
    found: list[str] = []
    waiting = [graph]
    while waiting:
        for node in waiting.pop().nodes:
            found.append(node.id)
            waiting.extend(node.graphs)
    return found


def ids_of_frame(graph: OutlineGraph) -> list[str]:
    """The nodes whose visits belong to one run of a graph: its own, and those of groups in it."""
    found: list[str] = []
    waiting = [graph]
    while waiting:
        for node in waiting.pop().nodes:
            found.append(node.id)
            if node.type == "group":
                waiting.extend(node.graphs)
    return found
