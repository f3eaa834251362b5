"""A definition as Mermaid: a flowchart, whose nodes have ids of ours, so that no text is ever read as anything but a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from weft_language.diagram import wording
from weft_language.validation.outline import Outline, OutlineGraph, OutlineNode, outline

_SAFE: Final = frozenset(" .,:'?_-")
_SHAPES: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(("if", "switch"), ("{", "}")),
    **dict.fromkeys(("wait", "state"), ("([", "])")),
    "task": ("[/", "/]"),
    **dict.fromkeys(("end", "fail"), ("(((", ")))")),
}


def mermaid(document: Mapping[str, Any]) -> str:
    """The picture of a valid definition, a whole Mermaid document.

    Source: mermaid.js.org, "Flowcharts - Basic Syntax", "Entity codes to escape characters".
    """
    drawn = outline(document)
    ids = {node.pointer: f"n{place}" for place, node in enumerate(drawn.all_nodes)}
    lines = ["flowchart TD", f"  accTitle: {_plain(wording.title_of(document))}"]
    lines.append(f"  accDescr: {_plain(wording.summary_of(document, len(drawn.all_nodes)))}")
    return "\n".join([*lines, *_graph(drawn.root, drawn, ids, "  ")]) + "\n"


def _graph(graph: OutlineGraph, drawn: Outline, ids: Mapping[str, str], indent: str) -> Iterator[str]:
    first = graph.first()
    start = f"s{drawn.graphs.index(graph)}"
    yield f'{indent}{start}((" "))'
    for node in graph.nodes:
        yield from _node(node, drawn, ids, indent)
    if first is not None:
        yield f"{indent}{start} --> {ids[first.pointer]}"
    for edge in graph.edges:
        source, target = graph.by_id.get(edge.source), graph.by_id.get(edge.to)
        if source is not None and target is not None:
            arrow = "-.->" if edge.on in ("error", "timeout") else "-->"
            yield f'{indent}{ids[source.pointer]} {arrow}|"{_plain(wording.edge_label(edge, drawn.document))}"| {ids[target.pointer]}'


def _node(node: OutlineNode, drawn: Outline, ids: Mapping[str, str], indent: str) -> Iterator[str]:
    text = f"{_plain(wording.name_of(node))}<br/>{_plain(wording.detail_of(node))}"
    if not node.graphs:
        opening, closing = _SHAPES.get(node.type, ("[", "]"))
        yield f'{indent}{ids[node.pointer]}{opening}"{text}"{closing}'
        return
    yield f'{indent}subgraph {ids[node.pointer]}["{text}"]'
    for place, graph in enumerate(node.graphs):
        name = wording.graph_name(graph)
        if not name:
            yield from _graph(graph, drawn, ids, indent + "  ")
            continue
        yield f'{indent}  subgraph {ids[node.pointer]}g{place}["{_plain(name)}"]'
        yield from _graph(graph, drawn, ids, indent + "    ")
        yield f"{indent}  end"
    yield f"{indent}end"


def _plain(text: str) -> str:
    """A text that is nothing but a text: every sign that could be read as more is written by its number."""
    return "".join(sign if sign.isalnum() or sign in _SAFE else f"#{ord(sign)};" for sign in text)
