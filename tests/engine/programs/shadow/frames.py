"""What expressions read, and where nodes stand: frames are the root, one branch of a `parallel`, one iteration of a `foreach` or `loop`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.engine.programs.shadow.expressions import Missing

Document = Mapping[str, Any]


@dataclass(eq=False, slots=True)
class Visit:
    """One visit of a node. ended: whether it has an outcome.  told: whether its enhancement was applied, and why not."""

    node: str
    number: int
    ended: bool = False
    outcome: str | None = None
    output: Any = None
    told: tuple[bool, str | None] | None = None


@dataclass(eq=False, slots=True)
class Undoable:
    """A visit that ended well and can be undone. type, with_: of its `compensate`, rendered then.  running: whether it is being undone."""

    node: str
    visit: int
    type: str
    with_: dict[str, Any]
    running: bool = False


@dataclass(eq=False, slots=True)
class Frame:
    """A frame that is open. key: which graph of the document it is of.  names: what it adds (`item`, `index`, `iteration`)."""

    key: str
    parent: Frame | None = None
    names: dict[str, Any] = field(default_factory=dict)
    visits: dict[str, Visit] = field(default_factory=dict)

    def chain(self) -> Iterator[Frame]:
        """This frame and those around it, inner first."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.parent

    def locals(self) -> dict[str, Any]:
        """The names of this frame and those around it; an inner one hides an outer one."""
        found: dict[str, Any] = {}
        for frame in self.chain():
            found = {**frame.names, **found}
        return found


class Layout:
    """Where each node of a document stands. home: the key of its frame.

    around: the nodes whose graphs it stands in.  graphs: the graph it is a node of.
    """

    def __init__(self, document: Document) -> None:
        self.home: dict[str, str] = {}
        self.around: dict[str, frozenset[str]] = {}
        self.nodes: dict[str, Document] = {}
        self.graphs: dict[str, Document] = {}
        self._walk(document, "", frozenset())

    def _walk(self, graph: Document, home: str, around: frozenset[str]) -> None:
        for node in graph["nodes"]:
            self.nodes[node["id"]] = node
            self.graphs[node["id"]] = graph
            self.home[node["id"]], self.around[node["id"]] = home, around
            for key, inner in graphs_of(node):
                self._walk(inner, home if node["type"] == "group" else key, around | {node["id"]})

    @property
    def signals(self) -> set[str]:
        """Every signal that some `state` knows."""
        return {name for node in self.nodes.values() if node["type"] == "state" for name in node["with"].get("signals", {})}

    @property
    def events(self) -> set[str]:
        """The types, and globs, of the domain events that some `state` waits for."""
        states = (node for node in self.nodes.values() if node["type"] == "state")
        return {spec["event"] for node in states for spec in node["with"].get("events", {}).values()}


def graphs_of(node: Document) -> Iterator[tuple[str, Document]]:
    """The graphs inside a node, each with the key of the frame that it opens."""
    with_ = node.get("with", {})
    if node["type"] == "group":
        yield node["id"], with_
    elif node["type"] == "parallel":
        yield from ((f"{node['id']}/{name}", graph) for name, graph in with_["branches"].items())
    elif node["type"] in ("foreach", "loop"):
        yield node["id"], with_["body"]


class Steps(Mapping[str, Any]):
    """`step` as one reader sees it: in frames around the reader the visit of that very frame, elsewhere the newest."""

    def __init__(self, frame: Frame, layout: Layout, newest: Mapping[str, Visit]) -> None:
        self._frame, self._layout, self._newest = frame, layout, newest

    def __getitem__(self, node: str) -> dict[str, Any]:
        home = self._layout.home[node]
        around = next((frame for frame in self._frame.chain() if frame.key == home), None)
        visit = around.visits.get(node) if around is not None else self._newest.get(node)
        if visit is None:
            raise Missing(node)
        return {"outcome": visit.outcome, "output": visit.output} if visit.ended else {}

    def __contains__(self, node: object) -> bool:
        try:
            return self[str(node)] is not None
        except Missing:
            return False

    def __iter__(self) -> Iterator[str]:
        return iter(self._newest)

    def __len__(self) -> int:
        return len(self._newest)
