"""Failing and undoing: compensation that has nothing to undo, calls of oneself, work whose failure nothing catches."""

from collections.abc import Iterator, Mapping

from weft_language.findings import Finding
from weft_language.model import slug_of
from weft_language.nodes import entry
from weft_language.validation.flow import ROOT_DONE, Flow, Moment, entry_of, ids_inside
from weft_language.validation.outline import Outline, OutlineNode


def undoing_findings(document: Outline, flow: Flow) -> Iterator[Finding]:
    """Everything doubtful about compensation, calls and errors that nothing catches."""
    undoable = [node.id for node in document.all_nodes if isinstance(node.raw.get("compensate"), Mapping)]
    settings = document.document.get("settings")
    undoes_failures = isinstance(settings, Mapping) and settings.get("on_failure") == "compensate"
    if undoes_failures and not undoable:
        message = "a failing execution is to be undone, but no node says how: none has a `compensate`"
        fix = "give the nodes that act on the world a `compensate`"
        yield Finding("warning", "nothing_to_compensate", "/settings/on_failure", message, fix=fix)
    for node in document.all_nodes:
        yield from _compensation(node)
        if node.type == "compensate":
            yield from _compensate(document, node, flow, undoable)
        elif node.type == "call":
            yield from _call(document, node, flow)
        if not undoes_failures and _acts(node) and flow.reached(entry_of(node)) and not _is_caught(node):
            message = f"nothing catches an error of `{node.id}`: it fails the execution"
            fix = "draw an edge on `error`, from it or from a group around it, or set `on_failure: compensate`"
            yield Finding("info", "error_not_caught", node.pointer, message, node.id, fix)


def _compensation(node: OutlineNode) -> Iterator[Finding]:
    undo = node.raw.get("compensate")
    kind = undo.get("type") if isinstance(undo, Mapping) else None
    if not isinstance(kind, str) or kind == "activity" or "." in kind:
        return
    pointer, fix = f"{node.pointer}/compensate/type", "use `activity`, or a connector's action such as http.request"
    if entry(kind) is None:
        yield Finding("error", "unknown_node_type", pointer, f"`{kind}` is not a node type of this language", node.id, fix)
    else:
        message = f"`{node.id}` is to be undone by a `{kind}`; only an activity or a connector's action can undo"
        yield Finding("error", "compensation_not_activity", pointer, message, node.id, fix)


def _compensate(document: Outline, node: OutlineNode, flow: Flow, undoable: list[str]) -> Iterator[Finding]:
    scope = node.with_.get("scope")
    inside = set(undoable)
    where = ""
    if isinstance(scope, str):
        group = document.nodes.get(scope)
        if group is None or group.type != "group":
            return  # An unknown scope is told of already.
        inside &= {one for graph in group.graphs for one in ids_inside(graph)}
        where = f" in `{scope}`"
    if not inside:
        message = f"`{node.id}` has nothing to undo: no node{where} has a `compensate`"
        yield Finding("warning", "nothing_to_compensate", node.pointer, message, node.id, "give a node before it a `compensate`")
    elif flow.reached(entry_of(node)) and flow.has_run(entry_of(node), inside) == "never":
        message = f"`{node.id}` has nothing to undo: no node{where} with a `compensate` can have run by then"
        yield Finding("warning", "nothing_to_compensate", node.pointer, message, node.id, "undo after what is to be undone")


def _call(document: Outline, node: OutlineNode, flow: Flow) -> Iterator[Finding]:
    raw = document.document
    name = raw.get("name")
    own = raw["slug"] if isinstance(raw.get("slug"), str) else slug_of(name) if isinstance(name, str) else None
    if own is None or node.with_.get("workflow") != own or not flow.reached(entry_of(node)):
        return
    if _is_avoidable(flow, entry_of(node)):
        return
    message = f"`{node.id}` calls this workflow itself on every way: each execution starts the next"
    message += ", until the depth of 20 fails them all" if node.with_.get("wait", True) is not False else ", without end"
    yield Finding("warning", "call_of_itself", f"{node.pointer}/with/workflow", message, node.id, "let a condition decide whether it calls")


def _is_avoidable(flow: Flow, moment: Moment) -> bool:
    """Whether an execution can end, well or by `end`, without coming to a moment."""
    seen, waiting = {flow.start}, [flow.start]
    while waiting:
        current = waiting.pop()
        if current == moment:
            continue
        ways = flow.ways.get(current, [])
        if current == ROOT_DONE or (not ways and current[0] == "in"):
            return True
        for target in ways:
            failing = target[0] == "fail" or (target[0] == "out" and target[2] == "error")
            if target not in seen and flow.reached(target) and not failing:
                seen.add(target)
                waiting.append(target)
    return False


def _acts(node: OutlineNode) -> bool:
    """Whether a node does work outside that may fail for reasons of its own."""
    return node.type in ("activity", "call") or "." in node.type


def _is_caught(node: OutlineNode) -> bool:
    """Whether an error of a node goes anywhere but up to the root."""
    current: OutlineNode | None = node
    while current is not None:
        if any(edge.on == "error" for edge in current.graph.leaving(current)):
            return True
        current = current.graph.parent
        if current is not None and (current.type, current.with_.get("on_error")) in (("foreach", "continue"), ("parallel", "wait")):
            return True
    return False
