"""Cycles that never wait: refused when nothing on them can change, doubtful when nothing can leave them.

A node waits when the execution certainly rests in it. A node changes something when it writes what may differ each time round, or what a
decision on the cycle reads.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from weft_language.expressions import ExpressionError
from weft_language.findings import Finding
from weft_language.nodes import entry
from weft_language.plain import walk
from weft_language.validation import compiled
from weft_language.validation.flow import Flow, Moment, entry_of
from weft_language.validation.outline import Outline, OutlineNode
from weft_language.validation.resting import seconds

_SAME_EACH_TIME: Final = frozenset({"input", "trigger", "tenant", "execution"})
_HOLDING: Final = frozenset({"parallel", "foreach", "loop"})
Reads = set[tuple[str, ...]]


def cycle_findings(document: Outline, flow: Flow) -> Iterator[Finding]:
    """`cycle_never_waits` (error) and `cycle_never_ends` (warning), one for each knot of such cycles."""
    nodes = {node.pointer: node for node in document.all_nodes}
    resting = {entry_of(node) for node in document.all_nodes if _waits(node)}
    for knot in knots(flow, resting):
        inside = [node for node in document.all_nodes if entry_of(node) in knot]
        reads = _decisions(document, inside, knot)
        changing = {entry_of(node) for node in inside if any(_changes(inner, reads) for inner in _with_bodies(node))}
        still = list(knots(flow, resting | changing, within=knot))
        for bad in still:
            yield _never_waits([nodes[moment[1]] for moment in _round(flow, bad) if moment[0] == "in"])
        if not still and not _leaves(flow, knot):
            yield _never_ends(inside)


def _waits(node: OutlineNode) -> bool:
    """Whether the execution rests in a node. What holds graphs that run at once or repeatedly rests where something in them does."""
    if node.type in _HOLDING:
        return any(inner is not node and inner.type not in _HOLDING and _waits(inner) for inner in _with_bodies(node))
    if (node.type == "call" and node.with_.get("wait") is False) or (node.type == "wait" and seconds(node.with_.get("for")) == 0):
        return False
    known = entry(node.type)
    return known is None or known.waits


def _with_bodies(node: OutlineNode) -> Iterator[OutlineNode]:
    """A node and, where it runs graphs at once or repeatedly, all nodes in them: the cycle need not lead through each."""
    yield node
    waiting = list(node.graphs) if node.type in _HOLDING else []
    while waiting:
        for inner in waiting.pop().nodes:
            yield inner
            waiting.extend(inner.graphs)


def _never_waits(way: list[OutlineNode]) -> Finding:
    path = " → ".join([*(f"`{node.id}`" for node in way), f"`{way[0].id}`"])
    message = f"the cycle {path} never waits and nothing on it can change, so it would run for ever"
    fix = "put a `wait`, a `task` or an outside call on it, or let it change a variable that decides when to leave"
    return Finding("error", "cycle_never_waits", way[0].pointer, message, way[0].id, fix)


def _never_ends(inside: list[OutlineNode]) -> Finding:
    names = ", ".join(f"`{node.id}`" for node in inside)
    message = f"no edge leaves the cycle of {names} and nothing on it waits: it ends with the error `runaway`"
    return Finding("warning", "cycle_never_ends", inside[0].pointer, message, inside[0].id, "add an edge that leaves it")


def knots(flow: Flow, without: set[Moment], within: Iterable[Moment] | None = None) -> Iterator[set[Moment]]:
    """The sets of moments that all lead to each other, leaving some moments out. Source: Tarjan (1972), made iterative."""
    allowed = {moment for moment in (flow.ways if within is None else within) if moment not in without and flow.reached(moment)}

    def ways(moment: Moment) -> list[Moment]:
        # The next iteration of a `loop` or `foreach` is no cycle: their number is bounded.
        next_round = moment[0] != "in"
        return [target for target in flow.ways.get(moment, ()) if target in allowed and not (next_round and (moment, target) in flow.fresh)]

    yield from _components(allowed, ways)


def _components(moments: set[Moment], ways: Callable[[Moment], list[Moment]]) -> Iterator[set[Moment]]:
    number: dict[Moment, int] = {}
    low: dict[Moment, int] = {}
    stack: list[Moment] = []
    on_stack: set[Moment] = set()
    for root in sorted(moments):
        if root in number:
            continue
        work: list[tuple[Moment, Iterator[Moment]]] = []
        _visit(root, number, low, stack, on_stack)
        work.append((root, iter(ways(root))))
        while work:
            moment, targets = work[-1]
            target = next(targets, None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[moment])
                if low[moment] == number[moment]:
                    component = _pop_until(moment, stack, on_stack)
                    if len(component) > 1 or moment in ways(moment):
                        yield component
            elif target not in number:
                _visit(target, number, low, stack, on_stack)
                work.append((target, iter(ways(target))))
            elif target in on_stack:
                low[moment] = min(low[moment], number[target])


def _visit(moment: Moment, number: dict[Moment, int], low: dict[Moment, int], stack: list[Moment], on_stack: set[Moment]) -> None:
    number[moment] = low[moment] = len(number)
    stack.append(moment)
    on_stack.add(moment)


def _pop_until(moment: Moment, stack: list[Moment], on_stack: set[Moment]) -> set[Moment]:
    component: set[Moment] = set()
    while moment not in component:
        popped = stack.pop()
        on_stack.discard(popped)
        component.add(popped)
    return component


def _round(flow: Flow, knot: set[Moment]) -> list[Moment]:
    """One shortest cycle in a knot, from its first node."""
    start = min(moment for moment in knot if moment[0] == "in")
    before: dict[Moment, Moment] = {}
    waiting = [start]
    for moment in waiting:
        for target in flow.ways.get(moment, ()):
            if target == start:
                way = [moment]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return way[::-1]
            if target in knot and target not in before:
                before[target] = moment
                waiting.append(target)
    return [start]


def _leaves(flow: Flow, knot: set[Moment]) -> bool:
    """Whether some way other than an error leads out of a knot."""
    return any(
        target not in knot and target[0] != "fail" and not (target[0] == "out" and target[2] == "error")
        for moment in knot
        for target in flow.ways.get(moment, ())
    )


def _decisions(document: Outline, inside: list[OutlineNode], knot: set[Moment]) -> Reads:
    """What the guards and choices on a knot read. What cannot be compiled may read anything."""
    texts: list[str] = []
    reads: Reads = set()
    ids = {node.id for node in inside}
    for graph in document.graphs:
        texts.extend(edge.when for edge in graph.edges if edge.when is not None and edge.source in ids)
    for node in inside:
        if node.type == "if" and "conditions" in node.with_:
            reads |= {("step",), ("vars",)}
        texts.extend(text for text in (_text(node.with_.get("when")),) if text)
        cases = node.with_.get("cases")
        if node.type == "switch" and isinstance(cases, list):
            texts.extend(case["when"] for case in cases if isinstance(case, dict) and isinstance(case.get("when"), str))
    for text in texts:
        reads |= _read_by(compiled.expression(text))
    return reads


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _read_by(found: Any) -> Reads:
    if isinstance(found, ExpressionError):
        return {("step",), ("vars",), ("now",)}
    return set(found.references) | set(found.optional_references)


def _changes(node: OutlineNode, reads: Reads) -> bool:
    if ("now",) in {path[:1] for path in reads}:
        return True
    if {("step",), ("step", node.id)} & {path[:2] for path in reads}:
        return True
    if node.type not in ("set", "transform"):
        return False
    if node.type == "set" and {("vars",), *(("vars", name) for name in node.with_)} & {path[:2] for path in reads}:
        return True
    return any(not root <= _SAME_EACH_TIME for root in _roots(node))


def _roots(node: OutlineNode) -> Iterator[set[str]]:
    """The names that each expression in a node's `with` reads."""
    for path, value in walk(node.with_):
        if not isinstance(value, str):
            continue
        if node.type == "transform" and path == ("expression",):
            yield {read[0] for read in _read_by(compiled.expression(value))}
        elif "{{" in value:
            yield {read[0] for read in _read_by(compiled.template(value))}
