"""Layer 2: the graph. Ids, edges, scopes, outcomes and what can be reached."""

from collections.abc import Iterator

from weft_language.findings import Finding, Severity
from weft_language.model.definition import MAX_EDGES, MAX_NODES
from weft_language.validation.flow import Flow, entry_of
from weft_language.validation.nearest import choice, nearest
from weft_language.validation.outcomes import PROPAGATING, outcomes_of
from weft_language.validation.outline import MAX_GRAPH_DEPTH, Outline, OutlineEdge, OutlineGraph, OutlineNode


def graph_findings(document: Outline, flow: Flow) -> Iterator[Finding]:
    """Everything that is wrong or doubtful about how nodes and edges fit together, cycles aside."""
    yield from _duplicates(document)
    for graph in document.graphs:
        yield from _start(document, graph)
        for edge in graph.edges:
            if not edge.implied:
                yield from _ends(document, graph, edge)
        for node in graph.nodes:
            yield from _outcomes(graph, node)
    yield from _unreachable(document, flow)


def size_findings(document: Outline) -> Iterator[Finding]:
    """Graphs that are larger or deeper than the language allows. Nothing else is said about those: it would take too long."""
    count = len(document.all_nodes)
    if count > MAX_NODES:
        message = f"the definition has {count} nodes over all scopes, at most {MAX_NODES} are allowed"
        yield Finding("error", "too_many_nodes", "/nodes", message, fix="split it into workflows that call each other")
    if document.edge_count > MAX_EDGES:
        message = f"the definition has {document.edge_count} edges over all scopes, at most {MAX_EDGES} are allowed"
        yield Finding("error", "too_many_edges", "/edges", message, fix="split it into workflows that call each other")
    for graph in document.graphs:
        if graph.depth >= MAX_GRAPH_DEPTH and graph.parent is not None:
            message = f"graphs are nested deeper than {MAX_GRAPH_DEPTH} levels"
            yield Finding("error", "too_deep", graph.parent.pointer, message, graph.parent.id)


def _duplicates(document: Outline) -> Iterator[Finding]:
    numbers: dict[str, int] = {}
    for node in document.all_nodes:
        first = document.nodes[node.id]
        if first is not node:
            number = numbers.get(node.id, 2)
            while f"{node.id}_{number}" in document.nodes:
                number += 1
            numbers[node.id] = number + 1
            free = f"{node.id}_{number}"
            message = f"the id `{node.id}` is already the id of the node at {first.pointer}; ids are unique in the whole document"
            patch = ({"op": "replace", "path": f"{node.pointer}/id", "value": free},)
            yield Finding("error", "duplicate_id", f"{node.pointer}/id", message, node.id, f"rename it, for example to `{free}`", patch)


def _start(document: Outline, graph: OutlineGraph) -> Iterator[Finding]:
    if graph.start is None or graph.start in graph.by_id:
        return
    pointer, inside = f"{graph.pointer}/start", [node.id for node in graph.nodes]
    owner = graph.parent.id if graph.parent else None
    if graph.start in document.nodes:
        message = f"`start` names `{graph.start}`, which stands in another graph"
        yield Finding("error", "edge_across_scopes", pointer, message, owner, f"name one of {choice(inside)}")
    else:
        yield _unknown_node("start", graph.start, pointer, owner, inside)


def _unknown_node(word: str, name: str, pointer: str, owner: str | None, inside: list[str]) -> Finding:
    meant = nearest(name, inside)
    fix = f"did you mean `{meant}`?" if meant else f"use the id of a node of this graph: {choice(inside)}"
    patch = ({"op": "replace", "path": pointer, "value": meant},) if meant else None
    return Finding("error", "unknown_node", pointer, f"`{word}` names `{name}`, but no node has this id", owner, fix, patch)


def _ends(document: Outline, graph: OutlineGraph, edge: OutlineEdge) -> Iterator[Finding]:
    inside = graph.by_id
    for word, name in (("from", edge.source), ("to", edge.to)):
        pointer = f"{edge.pointer}/{word}"
        if name in inside:
            continue
        if name not in document.nodes:
            yield _unknown_node(word, name, pointer, None, list(inside))
        else:
            other = document.nodes[name].graph
            where = f"the graph of `{other.parent.id}`" if other.parent else "the root graph"
            message = f"`{word}` names `{name}`, which stands in {where}; an edge joins nodes of one graph"
            fix = "move the node, or draw the edge to the node that holds it"
            yield Finding("error", "edge_across_scopes", pointer, message, name, fix)
    source = inside.get(edge.source)
    known = outcomes_of(source) if source else None
    if source is not None and known is not None and not known.allows(edge.on):
        yield _impossible(edge, source, known.own)


def _impossible(edge: OutlineEdge, node: OutlineNode, own: tuple[str, ...]) -> Finding:
    if node.type in ("fail", "end"):
        message = f"an edge leaves `{node.id}`, but nothing runs after `{node.type}`"
        patch = ({"op": "remove", "path": edge.pointer},)
        return Finding("error", "edge_from_end", edge.pointer, message, node.id, "remove the edge", patch)
    pointer = f"{edge.pointer}/on"
    message = f"`{node.id}` ({node.type}) never ends with outcome `{edge.on}`; it can end with {choice(dict.fromkeys((*own, 'error')))}"
    meant = nearest(edge.on, (*own, "error", "timeout", "done"))
    fix = f"did you mean `{meant}`?" if meant else "use one of those"
    replacing = ({"op": "replace", "path": pointer, "value": meant},) if meant else None
    return Finding("error", "impossible_outcome", pointer, message, node.id, fix, replacing)


def _outcomes(graph: OutlineGraph, node: OutlineNode) -> Iterator[Finding]:
    """Edges that are never read, and outcomes that quietly end their scope."""
    known = outcomes_of(node)
    leaving = [edge for edge in graph.leaving(node) if not edge.implied]
    if known is None or not leaving:
        return
    if node.type == "state" and not known.own:
        return
    by_outcome: dict[str, list[OutlineEdge]] = {}
    for edge in leaving:
        earlier = by_outcome.setdefault(edge.on, [])
        if any(other.when is None for other in earlier):
            message = f"an earlier edge from `{node.id}` on `{edge.on}` has no `when` and is always taken first"
            yield Finding("warning", "edge_never_taken", edge.pointer, message, node.id, "put the edge without `when` last")
        earlier.append(edge)
    if "done" in by_outcome and known.own and "done" not in known.own and not known.any:
        needing = [name for name in known.own if name not in PROPAGATING and name not in by_outcome]
        if not needing:
            message = f"every outcome of `{node.id}` has edges of its own, so this `done` edge is never read"
            yield Finding("warning", "edge_never_taken", by_outcome["done"][0].pointer, message, node.id, "remove the edge")
    if "timeout" in by_outcome and "timeout" not in known.own and not known.any:
        message = f"`{node.id}` has an edge on `timeout` but no `timeout`, so it is never taken"
        fix = "give the node a `timeout`, such as 5m"
        yield Finding("warning", "edge_never_taken", by_outcome["timeout"][0].pointer, message, node.id, fix)
    yield from _uncovered(node, known.own, by_outcome)


def _uncovered(node: OutlineNode, own: tuple[str, ...], by_outcome: dict[str, list[OutlineEdge]]) -> Iterator[Finding]:
    for name in own:
        if name in PROPAGATING:
            continue
        read = by_outcome.get(name) or by_outcome.get("done")
        if not read and name == "done":
            continue  # Without a way on, a node is the last of its scope: nothing to tell.
        if not read:
            message = f"no edge leaves `{node.id}` on outcome `{name}`: its scope would be complete there"
            fix = f"add an edge from `{node.id}` on `{name}`, or one on `done` for every outcome without its own"
            # An `if` with one arm is how people write "only when"; a decision nobody follows up is rarely meant.
            severity: Severity = "info" if node.type == "if" else "warning"
            yield Finding(severity, "outcome_without_edge", node.pointer, message, node.id, fix)
        elif name in by_outcome and node.type != "state" and all(edge.when is not None for edge in read):
            message = f"every edge from `{node.id}` on `{name}` has a `when`: where none holds its scope would be complete"
            fix = f"add a last edge on `{name}` without `when`"
            yield Finding("info", "guards_may_all_fail", read[-1].pointer, message, node.id, fix)


def _unreachable(document: Outline, flow: Flow) -> Iterator[Finding]:
    for graph in document.graphs:
        if graph.parent is not None and not flow.reached(entry_of(graph.parent)):
            continue
        for node in graph.nodes:
            if not flow.reached(entry_of(node)):
                message = f"nothing leads to `{node.id}`: it never runs"
                yield Finding("warning", "unreachable_node", node.pointer, message, node.id, "draw an edge to it, or remove it")
