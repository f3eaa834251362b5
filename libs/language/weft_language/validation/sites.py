"""Where expressions stand in a document: every text that is CEL, a template, or conditions as data, with what it may read."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

from weft_language.actions import ACTIONS
from weft_language.findings import pointer_of
from weft_language.plain import walk
from weft_language.records import InvalidField, read_field
from weft_language.validation.flow import ROOT_DONE, Moment, condition_of, entry_of, outcome_of
from weft_language.validation.outline import Outline, OutlineGraph, OutlineNode

Kind = Literal["cel", "template", "conditions"]

AT_RUN: Final = frozenset({"trigger", "input", "vars", "tenant", "execution", "step", "now"})
AT_START: Final = frozenset({"trigger", "input", "tenant", "execution", "now"})
AT_TRIGGER: Final = frozenset({"trigger", "tenant", "now"})
AT_ADMISSION: Final = frozenset({"trigger", "input", "tenant"})

_NODE_CEL: Final[dict[str, tuple[str, ...]]] = {"transform": ("expression",), "if": ("when",), "loop": ("while", "until")}
_NOT_RENDERED: Final[dict[str, tuple[str, ...]]] = {
    "transform": ("expression",),
    "if": ("when", "conditions"),
    "switch": ("cases", "default"),
    "group": ("nodes", "edges", "start"),
    "parallel": ("branches", "join", "on_error"),
    "foreach": ("as", "body", "on_error", "max_items"),
    "loop": ("while", "until", "body", "max_iterations"),
    "state": ("signals", "events"),
    "task": ("outcomes", "approvals", "separate_from"),
    "end": ("status",),
    "compensate": ("scope",),
    **{action.type: action.as_written for action in ACTIONS.values()},
}


@dataclass(frozen=True, slots=True)
class Site:
    """One expression in its place. names: what it may read.  moment: when it is read, None where no step has run."""

    kind: Kind
    value: Any
    pointer: str
    names: frozenset[str]
    moment: Moment | None = None
    node: str | None = None


def sites(document: Outline) -> Iterator[Site]:
    """Every expression of a document, in document order by part."""
    raw = document.document
    yield from _templates(raw.get("vars"), "/vars", AT_START)
    yield from _templates(raw.get("output"), "/output", AT_RUN, ROOT_DONE)
    for place, trigger in enumerate(_list(raw.get("triggers"))):
        if isinstance(trigger, dict):
            yield from _trigger(trigger, f"/triggers/{place}")
    concurrency = _map(_map(raw.get("settings")).get("concurrency"))
    yield from _templates(concurrency.get("key"), "/settings/concurrency/key", AT_ADMISSION)
    for graph in document.graphs:
        names = AT_RUN | _loop_names(graph)
        for node in graph.nodes:
            yield from _node(node, names)
        for edge in graph.edges:
            if edge.when is not None:
                source = graph.by_id.get(edge.source)
                own = names | {"signal"} if source is not None and source.type == "state" else names
                moment = None if source is None else outcome_of(source, edge.on)
                yield Site("cel", edge.when, f"{edge.pointer}/when", own, moment, edge.source)


def _loop_names(graph: OutlineGraph) -> frozenset[str]:
    """The names that enclosing `foreach` and `loop` nodes add."""
    names: set[str] = set()
    current: OutlineGraph | None = graph
    while current is not None and current.parent is not None:
        node = current.parent
        if node.type == "foreach":
            names |= {str(node.with_.get("as", "item")), "index"}
        elif node.type == "loop":
            names.add("iteration")
        current = node.graph
    return frozenset(names)


def _trigger(trigger: Mapping[str, Any], pointer: str) -> Iterator[Site]:
    if isinstance(trigger.get("when"), str):
        yield Site("cel", trigger["when"], f"{pointer}/when", AT_TRIGGER)
    if trigger.get("conditions") is not None:
        yield Site("conditions", trigger["conditions"], f"{pointer}/conditions", AT_TRIGGER)
    for name, wanted in _map(trigger.get("fields") if trigger.get("on") == "record" else None).items():
        yield from _field(name, wanted, pointer + pointer_of("fields", name))
    for word in ("input", "key", "correlate"):
        yield from _templates(trigger.get(word), f"{pointer}/{word}", AT_TRIGGER)


def _field(name: str, wanted: Any, pointer: str) -> Iterator[Site]:
    with suppress(InvalidField):  # what cannot be read is a finding about its shape
        yield Site("conditions", read_field(name, wanted), pointer, AT_TRIGGER)


def _node(node: OutlineNode, names: frozenset[str]) -> Iterator[Site]:
    at, pointer, with_ = entry_of(node), f"{node.pointer}/with", node.with_
    for word in _NODE_CEL.get(node.type, ()):
        if isinstance(with_.get(word), str):
            own = names | {"iteration"} if node.type == "loop" else names
            yield Site("cel", with_[word], f"{pointer}/{word}", own, condition_of(node) if node.type == "loop" else at, node.id)
    yield from _choices(node, names)
    skipped = _NOT_RENDERED.get(node.type, ())
    for name, value in with_.items():
        if name not in skipped and not name.startswith("x-"):
            yield from _templates(value, pointer + pointer_of(name), names, at, node.id)
    undo, enhance = _map(node.raw.get("compensate")), _map(node.raw.get("enhance"))
    yield from _templates(_map(undo.get("with")), f"{node.pointer}/compensate/with", names, outcome_of(node, "done"), node.id)
    # What comes after the node's work may read its output; what comes before it, or in its place, reads what the work would.
    then = outcome_of(node, "done") if enhance.get("apply") == "output" else at
    yield from _templates(_map(enhance.get("with")), f"{node.pointer}/enhance/with", names, then, node.id)


def _choices(node: OutlineNode, names: frozenset[str]) -> Iterator[Site]:
    """The conditions of `if`, `switch` and `state`."""
    at, pointer, with_ = entry_of(node), f"{node.pointer}/with", node.with_
    if node.type == "if" and with_.get("conditions") is not None:
        yield Site("conditions", with_["conditions"], f"{pointer}/conditions", names, at, node.id)
    if node.type == "switch":
        for place, case in enumerate(_list(with_.get("cases"))):
            if isinstance(case, dict) and isinstance(case.get("when"), str):
                yield Site("cel", case["when"], f"{pointer}/cases/{place}/when", names, at, node.id)
    if node.type == "state":
        for name, event in _map(with_.get("events")).items():
            if isinstance(event, dict) and isinstance(event.get("match"), str):
                yield Site("cel", event["match"], pointer + pointer_of("events", name, "match"), names | {"event"}, at, node.id)


def _templates(value: Any, pointer: str, names: frozenset[str], moment: Moment | None = None, node: str | None = None) -> Iterator[Site]:
    for path, inner in walk(value):
        if isinstance(inner, str) and "{{" in inner:
            yield Site("template", inner, pointer + pointer_of(*path), names, moment, node)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
