"""What runs at once or again and again: joins that cannot complete, lists that do not fit, loops that never change or never end."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from weft_language.expressions import Expression
from weft_language.findings import Finding
from weft_language.nodes import entry
from weft_language.validation import compiled
from weft_language.validation.flow import Flow, done_of, entry_of, ids_inside, outcome_of
from weft_language.validation.outline import Outline, OutlineNode
from weft_language.validation.sites import AT_RUN

_DEFAULT_MAX_ITEMS: Final = 10_000
_TAKEN: Final = AT_RUN | {"signal", "event", "index", "iteration"}
_SAME_EACH_TIME: Final = frozenset({"input", "trigger", "tenant", "execution"})


def repeating_findings(document: Outline, flow: Flow, decisions: Mapping[str, bool]) -> Iterator[Finding]:
    """Everything doubtful about `parallel`, `foreach` and `loop`. decisions: conditions that never change, by pointer."""
    for node in document.all_nodes:
        if node.type == "parallel":
            yield from _parallel(node, flow)
        elif node.type == "foreach":
            yield from _foreach(node)
        elif node.type == "loop" and flow.reached(entry_of(node)):
            yield from _loop(document, node, flow, decisions)


def _parallel(node: OutlineNode, flow: Flow) -> Iterator[Finding]:
    join, count = node.with_.get("join", "all"), len(node.graphs)
    if isinstance(join, int) and not isinstance(join, bool) and join > count > 0:
        pointer = f"{node.pointer}/with/join"
        message = f"`{node.id}` waits for {join} branches, and there are {count}"
        patch = ({"op": "replace", "path": pointer, "value": "all"},)
        yield Finding("error", "join_too_large", pointer, message, node.id, 'write "all", or a smaller number', patch)
        return
    stuck = [graph for graph in node.graphs if not flow.reached(done_of(graph))]
    needed = flow.needs.get(outcome_of(node, "done"), 0)
    if flow.reached(entry_of(node)) and stuck and count - len(stuck) < needed:
        names = ", ".join(f"`{graph.id.rsplit('/', 1)[-1]}`" for graph in stuck)
        message = f"`{node.id}` never completes: it waits for {needed} of {count} branches, and {names} cannot complete"
        fix = "let the branch come to its end, or join fewer branches"
        yield Finding("warning", "join_never_completes", node.pointer, message, node.id, fix)


def _foreach(node: OutlineNode) -> Iterator[Finding]:
    name = node.with_.get("as")
    if isinstance(name, str) and name in _TAKEN:
        message = f"the items of `{node.id}` are named `{name}`, and in its body that name already means something else"
        yield Finding("warning", "name_hides_another", f"{node.pointer}/with/as", message, node.id, "choose another, such as item")
    items, most = node.with_.get("items"), node.with_.get("max_items", _DEFAULT_MAX_ITEMS)
    if not isinstance(items, list):
        return
    if not items:
        message = f"`{node.id}` goes over an empty list: its body never runs"
        yield Finding("warning", "nothing_to_do", f"{node.pointer}/with/items", message, node.id, "give it a list that holds something")
    elif isinstance(most, int) and len(items) > most:
        message = f"`{node.id}` goes over {len(items)} items, and `max_items` is {most}: it always fails"
        yield Finding("error", "too_many_items", f"{node.pointer}/with/items", message, node.id, "raise `max_items`, or shorten the list")


def _loop(document: Outline, node: OutlineNode, flow: Flow, decisions: Mapping[str, bool]) -> Iterator[Finding]:
    word = "until" if "until" in node.with_ else "while"
    pointer = f"{node.pointer}/with/{word}"
    inside = [document.nodes[one] for graph in node.graphs for one in ids_inside(graph) if one in document.nodes]
    always = decisions.get(pointer)
    yield from _giving_up(node, flow)
    if always is None:
        yield from _unchanging(document, node, word, inside)
    elif always is (word == "while"):
        if not any(inner.type == "end" for inner in inside):
            how = "" if any(_rests(inner) for inner in inside) else ", as fast as it can, for nothing in it waits"
            message = f"`{node.id}` never ends by itself: its `{word}` is always {_said(always)}, so only `max_iterations` ends it{how}"
            fix = "let the condition read what the body changes, or leave by an `end`"
            yield Finding("warning", "loop_never_ends", pointer, message, node.id, fix)
    elif word == "while":
        message = f"`{node.id}` never runs its body: its `while` is always false"
        yield Finding("warning", "loop_never_runs", pointer, message, node.id, "mend the condition, or remove the loop")
    else:
        message = f"`{node.id}` runs its body once: its `until` is always true"
        yield Finding("info", "loop_runs_once", pointer, message, node.id, "mend the condition, or take the body out of the loop")


def _giving_up(node: OutlineNode, flow: Flow) -> Iterator[Finding]:
    """A loop that gives up and goes on as if it were done."""
    names = {edge.on for edge in node.graph.leaving(node)}
    if "done" in names and "exhausted" not in names and flow.reached(outcome_of(node, "exhausted")):
        message = f"`{node.id}` has no edge on `exhausted`: when it gives up at `max_iterations` it goes on as if it were done"
        fix = f"add an edge from `{node.id}` on `exhausted`"
        yield Finding("info", "outcome_without_edge", node.pointer, message, node.id, fix)


def _said(always: bool) -> str:
    return "true" if always else "false"


def _rests(node: OutlineNode) -> bool:
    known = entry(node.type)
    return known is None or (known.waits and not node.graphs)


def _unchanging(document: Outline, node: OutlineNode, word: str, inside: list[OutlineNode]) -> Iterator[Finding]:
    """A condition that reads nothing that can change from one iteration to the next."""
    found = compiled.expression(str(node.with_.get(word, "")))
    if not isinstance(found, Expression):
        return
    reads = found.references | found.optional_references
    if not reads or any(_changes(document, node, path, inside) for path in reads):
        return
    shown = ", ".join(sorted({".".join(path[:3]) for path in reads}))
    message = f"nothing that the `{word}` of `{node.id}` reads changes in its body ({shown}): it ends at once or only at `max_iterations`"
    fix = "let the condition read a step of the body, a variable that it sets, or `iteration`"
    yield Finding("warning", "loop_never_changes", f"{node.pointer}/with/{word}", message, node.id, fix)


def _changes(document: Outline, node: OutlineNode, path: tuple[str, ...], inside: list[OutlineNode]) -> bool:
    if path[0] in _SAME_EACH_TIME:
        return False
    if path[0] == "step" and len(path) > 1:
        step = document.nodes.get(path[1])
        return step is None or step in inside or step is node or _runs_beside(document, node)
    if path[0] == "vars" and len(path) > 1:
        setting = document.all_nodes if _runs_beside(document, node) else inside
        return any(inner.type == "set" and path[1] in inner.with_ for inner in setting)
    return path[0] not in _items_around(node)


def _runs_beside(document: Outline, node: OutlineNode) -> bool:
    """Whether a node stands in a branch or in an item's body, beside which others run."""
    owner = node.graph.parent
    while owner is not None:
        if owner.type in ("parallel", "foreach"):
            return True
        owner = owner.graph.parent
    return False


def _items_around(node: OutlineNode) -> set[Any]:
    """The names of items that stay the same within a loop, as it stands in their body."""
    found: set[Any] = set()
    owner = node.graph.parent
    while owner is not None:
        if owner.type == "foreach":
            found |= {owner.with_.get("as", "item"), "index"}
        owner = owner.graph.parent
    return found
