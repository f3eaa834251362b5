"""The outline of a document: its graphs, nodes and edges, read leniently from plain JSON.

The graph and expression layers work on it, so a wrong shape in one place does not hide what is wrong in another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from weft_language.findings import pointer_of

Role = Literal["root", "group", "branch", "body"]
MAX_GRAPH_DEPTH: Final = 20


@dataclass(eq=False, slots=True)
class OutlineNode:
    """A node as written. `with_` is {} where it is missing or no object."""

    id: str
    type: str
    pointer: str
    graph: "OutlineGraph"
    raw: Mapping[str, Any]
    with_: Mapping[str, Any]
    graphs: "list[OutlineGraph]" = field(default_factory=list)


@dataclass(frozen=True, eq=False, slots=True)
class OutlineEdge:
    """An edge as written, or one implied by listed order (`implied`)."""

    source: str
    to: str
    on: str
    when: str | None
    pointer: str
    implied: bool = False


@dataclass(eq=False, slots=True)
class OutlineGraph:
    """One scope. id as in the program; `parent` is the node it belongs to, None for the root."""

    id: str
    pointer: str
    role: Role
    depth: int
    parent: OutlineNode | None = None
    start: str | None = None
    nodes: list[OutlineNode] = field(default_factory=list)
    edges: list[OutlineEdge] = field(default_factory=list)
    by_id: dict[str, OutlineNode] = field(default_factory=dict)
    by_source: dict[str, list[OutlineEdge]] = field(default_factory=dict)

    def leaving(self, node: OutlineNode) -> list[OutlineEdge]:
        """The edges from a node, in listed order."""
        return self.by_source.get(node.id, [])

    def first(self) -> OutlineNode | None:
        """The node the scope begins with: `start` where it names one of its nodes, else the first listed."""
        named = self.by_id.get(self.start) if self.start is not None else None
        return named or (self.nodes[0] if self.nodes else None)


@dataclass(eq=False, slots=True)
class Outline:
    """All graphs of a document, root first, and its nodes by id (the first of each id)."""

    document: Mapping[str, Any]
    graphs: list[OutlineGraph]
    nodes: dict[str, OutlineNode]
    all_nodes: list[OutlineNode]

    @property
    def edge_count(self) -> int:
        """How many edges are written over all graphs."""
        return sum(not edge.implied for graph in self.graphs for edge in graph.edges)

    @property
    def root(self) -> OutlineGraph:
        """The graph an execution begins in."""
        return self.graphs[0]


def outline(document: Mapping[str, Any]) -> Outline:
    """Read the outline of a plain JSON object. Graphs nested deeper than `MAX_GRAPH_DEPTH` are left out."""
    made = Outline(document, [], {}, [])
    waiting = [(OutlineGraph("", "", "root", 0), document)]
    while waiting:
        graph, raw = waiting.pop(0)
        made.graphs.append(graph)
        _read_graph(graph, raw)
        for node in graph.nodes:
            made.all_nodes.append(node)
            made.nodes.setdefault(node.id, node)
            if graph.depth < MAX_GRAPH_DEPTH:
                for inner, inner_raw in _inner(node):
                    node.graphs.append(inner)
                    waiting.append((inner, inner_raw))
    return made


def _read_graph(graph: OutlineGraph, raw: Mapping[str, Any]) -> None:
    start = raw.get("start")
    graph.start = start if isinstance(start, str) else None
    for place, item in _objects(raw.get("nodes")):
        pointer = f"{graph.pointer}/nodes/{place}"
        node_id, node_type, with_ = item.get("id"), item.get("type"), item.get("with")
        if isinstance(node_id, str):
            known_type = node_type if isinstance(node_type, str) else ""
            configuration = with_ if isinstance(with_, dict) else {}
            graph.nodes.append(OutlineNode(node_id, known_type, pointer, graph, item, configuration))
    for place, item in _objects(raw.get("edges")):
        ends = item.get("from"), item.get("to")
        if isinstance(ends[0], str) and isinstance(ends[1], str):
            on, when = item.get("on", "done"), item.get("when")
            graph.edges.append(
                OutlineEdge(
                    ends[0],
                    ends[1],
                    on if isinstance(on, str) else "done",
                    when if isinstance(when, str) else None,
                    f"{graph.pointer}/edges/{place}",
                )
            )
    if not raw.get("edges"):
        for node, following in zip(graph.nodes, graph.nodes[1:], strict=False):
            if node.type not in ("end", "fail"):
                graph.edges.append(OutlineEdge(node.id, following.id, "done", None, following.pointer, implied=True))
    for node in graph.nodes:
        graph.by_id.setdefault(node.id, node)
    for edge in graph.edges:
        graph.by_source.setdefault(edge.source, []).append(edge)


def _objects(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for place, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield place, item


def _inner(node: OutlineNode) -> Iterator[tuple[OutlineGraph, Mapping[str, Any]]]:
    depth = node.graph.depth + 1
    if node.type == "group":
        yield OutlineGraph(node.id, f"{node.pointer}/with", "group", depth, node), node.with_
    elif node.type == "parallel" and isinstance(node.with_.get("branches"), dict):
        for name, raw in node.with_["branches"].items():
            if isinstance(raw, dict):
                pointer = f"{node.pointer}/with{pointer_of('branches', name)}"
                yield OutlineGraph(f"{node.id}/{name}", pointer, "branch", depth, node), raw
    elif node.type in ("foreach", "loop") and isinstance(node.with_.get("body"), dict):
        yield OutlineGraph(node.id, f"{node.pointer}/with/body", "body", depth, node), node.with_["body"]
