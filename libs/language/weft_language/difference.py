"""The structural difference of two definitions: what a person would say has changed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from weft_language.findings import pointer_of
from weft_language.model import Definition, to_document
from weft_language.validation.outline import OutlineGraph, outline

_PARTS: Final = ("nodes", "edges", "triggers", "settings", "fields")
_IGNORED: Final = ("position",)
_INNER: Final = ("nodes", "edges", "start")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. id: of the node or trigger, `from -on-> to` of an edge, the name of a setting or field.

    before, after: the thing as written; None where it did not exist.  pointers: the members that differ, inside the thing.
    """

    id: str
    before: Any = None
    after: Any = None
    pointers: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The change as the HTTP API shows it."""
        return {"id": self.id, "before": self.before, "after": self.after, "pointers": list(self.pointers)}


@dataclass(frozen=True, slots=True)
class PartDifference:
    """What was added, removed and changed in one part of the document."""

    added: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of two definitions, by part. `fields` are the document's other members, such as `input` and `vars`."""

    nodes: PartDifference
    edges: PartDifference
    triggers: PartDifference
    settings: PartDifference
    fields: PartDifference

    def __bool__(self) -> bool:
        return any(getattr(self, part) for part in _PARTS)

    def as_dict(self) -> dict[str, Any]:
        """The difference as the HTTP API shows it."""
        return {
            part: {kind: [change.as_dict() for change in getattr(getattr(self, part), kind)] for kind in ("added", "removed", "changed")}
            for part in _PARTS
        }


def difference(before: Definition, after: Definition) -> Difference:
    """What has changed from one definition to another. Positions on the canvas do not count."""
    old, new = to_document(before), to_document(after)
    return Difference(
        nodes=_compare(_nodes(old), _nodes(new)),
        edges=_compare(_edges(old), _edges(new)),
        triggers=_compare(_triggers(old), _triggers(new)),
        settings=_compare(_map(old.get("settings")), _map(new.get("settings"))),
        fields=_compare(_fields(old), _fields(new)),
    )


def _compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> PartDifference:
    return PartDifference(
        added=tuple(Change(name, after=value) for name, value in new.items() if name not in old),
        removed=tuple(Change(name, before=value) for name, value in old.items() if name not in new),
        changed=tuple(
            Change(name, old[name], value, tuple(_differing(old[name], value)))
            for name, value in new.items()
            if name in old and not same(old[name], value)
        ),
    )


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; unlike Python, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(left, right) for left, right in zip(one, other, strict=True))
    return bool(one == other)


def _differing(old: Any, new: Any, path: tuple[str, ...] = ()) -> Iterable[str]:
    """Pointers of the smallest members that differ; lists count as one."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            if name not in old or name not in new:
                yield pointer_of(*path, name)
            elif not same(old[name], new[name]):
                yield from _differing(old[name], new[name], (*path, name))
    else:
        yield pointer_of(*path)


def _nodes(document: Mapping[str, Any]) -> dict[str, Any]:
    """Nodes by id, over all scopes, each with the graph it stands in; the nodes inside it count for themselves."""
    found: dict[str, Any] = {}
    for graph in outline(document).graphs:
        for node in graph.nodes:
            shown = {name: value for name, value in node.raw.items() if name not in _IGNORED}
            if node.graphs:
                shown["with"] = _without_graphs(node.type, shown["with"])
            found[node.id] = {**shown, "graph": graph.id} if graph.id else shown
    return found


def _without_graphs(node_type: str, with_: Mapping[str, Any]) -> dict[str, Any]:
    if node_type == "parallel":
        return {**with_, "branches": sorted(with_["branches"])}
    inner = _INNER if node_type == "group" else ("body",)
    return {name: value for name, value in with_.items() if name not in inner}


def _edges(document: Mapping[str, Any]) -> dict[str, Any]:
    """Edges by what they join; those that listed order implies, and each graph's `start`, are told like written ones."""
    found: dict[str, Any] = {}
    for graph in outline(document).graphs:
        _graph_edges(graph, found)
    return found


def _graph_edges(graph: OutlineGraph, found: dict[str, Any]) -> None:
    first = graph.first()
    if first is not None:
        found[f"start of {graph.id}" if graph.id else "start"] = {"start": first.id}
    seen: Counter[str] = Counter()
    for edge in graph.edges:
        name = f"{edge.source} -{edge.on}-> {edge.to}"
        seen[name] += 1
        shown: dict[str, Any] = {"from": edge.source, "to": edge.to, "on": edge.on}
        if edge.when is not None:
            shown["when"] = edge.when
        found[name if seen[name] == 1 else f"{name} ({seen[name]})"] = shown


def _triggers(document: Mapping[str, Any]) -> dict[str, Any]:
    triggers = document.get("triggers", [])
    return {trigger.get("id") or f"trigger_{place}": trigger for place, trigger in enumerate(triggers, 1)}


def _fields(document: Mapping[str, Any]) -> dict[str, Any]:
    parts = ("nodes", "edges", "start", "triggers", "settings")
    return {name: value for name, value in document.items() if name not in parts}


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
