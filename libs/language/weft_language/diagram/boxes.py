"""A definition as boxes within boxes, with the lines between them, each at its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from weft_language.diagram import wording
from weft_language.diagram.layers import Point, lay_out
from weft_language.validation.outline import Outline, OutlineGraph, OutlineNode, outline

COLUMN: Final = 7.4
LABEL_COLUMN: Final = 6.3
LINE: Final = 17.0
PADDING: Final = 16.0
HEAD: Final = 44.0
GRAPH_HEAD: Final = 22.0
LEAF: Final = 52.0
GRAPH_GAP: Final = 20.0
START: Final = 14.0
MIN_WIDTH: Final = 120.0


@dataclass(frozen=True, slots=True)
class Line:
    """An edge. points: from its beginning to its end.  label: what stands on it, "" for none.  failing: it is taken by an error.

    share: how far along its stretch the label stands, so that those of edges between the same nodes stand apart.
    """

    points: tuple[Point, ...]
    label: str
    failing: bool = False
    share: float = 0.5

    @property
    def label_at(self) -> Point:
        """Where the middle of its label stands: in an edge's first stretch; of one that goes around, in that of its lane."""
        points = self.points
        around = len(points) == 4 and points[1][0] == points[2][0] and points[0][1] == points[1][1]
        (x, y), (to_x, to_y) = points[1:3] if around else points[0:2]
        return x + (to_x - x) * self.share, y + (to_y - y) * self.share

    @property
    def label_width(self) -> float:
        """How wide its label is."""
        return wording.width_of(self.label) * LABEL_COLUMN if self.label else 0.0


@dataclass(slots=True)
class Box:
    """A node, or a scope within one. kind: a node's type; `scope` of a scope; `start` of where one begins.

    detail: its second line.  x, y: of its upper left corner, in the whole picture.
    """

    kind: str
    name: str
    detail: str
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    inner: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def moved(self, by_x: float, by_y: float) -> Box:
        """This box and all in it, moved."""
        self.x, self.y = self.x + by_x, self.y + by_y
        self.lines = [replace(line, points=tuple((x + by_x, y + by_y) for x, y in line.points)) for line in self.lines]
        for box in self.inner:
            box.moved(by_x, by_y)
        return self


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything to be drawn. scope: the root graph.  drawn: what it was drawn of."""

    scope: Box
    drawn: Outline
    title: str
    summary: str


def picture(document: Mapping[str, Any]) -> Picture:
    """The picture of a valid definition."""
    drawn = outline(document)
    return Picture(_scope(drawn.root, document), drawn, wording.title_of(document), wording.summary_of(document, len(drawn.all_nodes)))


def _scope(graph: OutlineGraph, document: Mapping[str, Any]) -> Box:
    """A graph, with its upper left corner at 0, 0."""
    first = graph.first()
    boxes = [Box("start", "start", "", START, START), *(_node(node, document) for node in graph.nodes)]
    places = {node.id: place for place, node in enumerate(graph.nodes, start=1)}
    edges = [(edge, places[edge.source], places[edge.to]) for edge in graph.edges if edge.source in places and edge.to in places]
    ends = [(0, places[first.id])] if first is not None else []
    laid = lay_out([(box.width, box.height) for box in boxes], [*ends, *((source, target) for _, source, target in edges)])
    head = GRAPH_HEAD if wording.graph_name(graph) else 0.0
    for box, (x, y) in zip(boxes, laid.places, strict=True):
        box.moved(x + PADDING, y + PADDING + head)
    labels = [("", False)] * len(ends)
    labels += [(wording.edge_label(edge, document), edge.on in ("error", "timeout")) for edge, _, _ in edges]
    lines = [
        Line(tuple((x + PADDING, y + PADDING + head) for x, y in way), label, failing, share)
        for way, (label, failing), share in zip(
            laid.ways, labels, _shares([*ends, *((source, target) for _, source, target in edges)]), strict=True
        )
    ]
    left = min((line.label_at[0] - line.label_width / 2 for line in lines), default=0.0)
    right = max((line.label_at[0] + line.label_width / 2 for line in lines), default=0.0)
    beside = max(0.0, PADDING / 2 - left)
    name = wording.graph_name(graph)
    width = max(laid.width + 2 * PADDING, right + PADDING / 2, wording.width_of(name) * COLUMN + 2 * PADDING) + beside
    made = Box("scope", name, "", width, laid.height + 2 * PADDING + head, inner=boxes, lines=lines).moved(beside, 0.0)
    made.x = 0.0
    return made


def _shares(edges: list[tuple[int, int]]) -> list[float]:
    """How far along each edge its label stands: in the middle, of several between the same nodes at as many places."""
    count, seen = Counter(edges), Counter[tuple[int, int]]()
    shares = []
    for edge in edges:
        seen[edge] += 1
        shares.append(seen[edge] / (count[edge] + 1))
    return shares


def _node(node: OutlineNode, document: Mapping[str, Any]) -> Box:
    name, detail = wording.name_of(node), wording.detail_of(node)
    width = max(wording.width_of(name), wording.width_of(detail)) * COLUMN + 2 * PADDING
    if not node.graphs:
        return Box(node.type, name, detail, max(width, MIN_WIDTH), LEAF)
    scopes = [_scope(graph, document) for graph in node.graphs]
    at = PADDING
    for scope in scopes:
        scope.moved(at, HEAD)
        at += scope.width + GRAPH_GAP
    whole = max(width, at - GRAPH_GAP + PADDING)
    return Box(node.type, name, detail, whole, HEAD + max(scope.height for scope in scopes) + PADDING, inner=scopes)
