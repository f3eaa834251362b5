"""Which node of a version is which node of another: as told, as the structure suggests, as the ids say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from weft_language import parse
from weft_language.compilation import Program
from weft_language.difference import difference, same

from weft_engine.core import branches

NodeMapping = Mapping[str, str | None]
"""Nodes of the old version with their nodes in the new one, and branches of a `parallel` as `<node>/<branch>`; None for what has none.

Of branches, only those that are called otherwise, or whose name means another one now.
"""

USABLE: Final = 0.75
"""From this confidence on a proposal is followed where nobody says otherwise."""
_SHOWN: Final = 0.5
_SAME_WITH: Final = 0.5
_SAME_GRAPH: Final = 0.25
_SAME_NEIGHBOURS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Proposed:
    """A guess about a node or branch. new: None where it has gone.  confidence: 0..1.  reason: what it stands on."""

    old: str
    new: str | None
    confidence: float
    reason: str


class MappingUnusable(ValueError):
    """A mapping that names what does not exist, or makes one node of two. reasons: node and sentence each."""

    def __init__(self, reasons: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(detail for _, detail in reasons))
        self.reasons = reasons


def completed(old: Program, new: Program, told: NodeMapping | None) -> dict[str, str | None]:
    """The mapping of every node and branch. told: what somebody decided; None follows the proposal where that is sure enough.

    What nothing is said of stays what its name says. Raises: MappingUnusable.
    """
    if told is None:
        chosen: dict[str, str | None] = {
            one.old: one.new for one in proposal(old, new) if one.new is not None and one.new != one.old and one.confidence >= USABLE
        }
    else:
        chosen = dict(told)
        if reasons := _unusable(old, new, chosen):
            raise MappingUnusable(reasons)
    taken = {new_node for new_node in chosen.values() if new_node is not None}
    nodes = {node: chosen.get(node, node if node in new.nodes and node not in taken else None) for node in old.nodes}
    if reasons := branches.unusable(old, new, chosen, nodes):
        raise MappingUnusable(reasons)
    return {**nodes, **branches.renamed(old, nodes, chosen)}


def _unusable(old: Program, new: Program, told: NodeMapping) -> list[tuple[str, str]]:
    reasons = [(node, f"version {old.version} has no node {node}") for node in told if "/" not in node and node not in old.nodes]
    used: dict[str, str] = {}
    for node, becomes in told.items():
        if becomes is None or "/" in node:
            continue
        if becomes not in new.nodes:
            reasons.append((node, f"{node} is to become {becomes}, which version {new.version} does not have"))
        elif becomes in used:
            reasons.append((node, f"{used[becomes]} and {node} would both become {becomes}; one of them must become another or null"))
        used.setdefault(becomes, node)
    return reasons


def renames(mapping: NodeMapping) -> dict[str, str]:
    """The nodes and branches that are called otherwise."""
    return {node: becomes for node, becomes in mapping.items() if becomes is not None and becomes != node}


def forgotten(mapping: NodeMapping, new: Program) -> list[str]:
    """Nodes that have gone and whose name means another node in the new version; and branches that are said to go."""
    return [node for node, becomes in mapping.items() if becomes is None and (node in new.nodes or "/" in node)]


def proposal(old: Program, new: Program) -> list[Proposed]:
    """What each node of the old version probably is in the new one, in the order of the old one.

    Same id and type are certain. Of the others, those of one type are compared by their `with`, the graph they stand in and their
    neighbours; the likeliest pairs go first, and no node is given twice. Branches are told by the nodes that stand in them.
    """
    certain = {node: node for node in old.nodes if node in new.nodes and old.nodes[node].type == new.nodes[node].type}
    gone, come = _changed(old, new)
    guesses: dict[str, Proposed] = {}
    known = dict(certain)
    # A scope that was renamed tells which graphs are the same, so guessing goes on until it finds no more.
    while best := _best(old, new, gone, come, known, guesses):
        guesses[best.old] = best
        known[best.old] = str(best.new)
    found = []
    for node in old.nodes:
        if node in certain:
            found.append(Proposed(node, node, 1.0, "same id and type"))
        else:
            found.append(guesses.get(node) or Proposed(node, None, 1.0, "no node of its type has come in its place"))
    for branch, becomes, share, reason in branches.proposed(old, new, known):
        owner = guesses.get(branch.partition("/")[0])
        # A branch of a node that is only guessed is no surer than the guess.
        found.append(Proposed(branch, becomes, share if owner is None else min(share, owner.confidence), reason))
    return found


def _changed(old: Program, new: Program) -> tuple[dict[str, Any], dict[str, Any]]:
    """(nodes that have gone, nodes that have come) as documents show them; one whose type has changed is both."""
    nodes = difference(parse(old.definition), parse(new.definition)).nodes
    retyped = [change for change in nodes.changed if "/type" in change.pointers]
    gone = {change.id: change.before for change in (*nodes.removed, *retyped)}
    return gone, {change.id: change.after for change in (*nodes.added, *retyped)}


def _best(
    old: Program, new: Program, gone: Mapping[str, Any], come: Mapping[str, Any], known: Mapping[str, str], guesses: Mapping[str, Any]
) -> Proposed | None:
    taken = set(known.values())
    best: Proposed | None = None
    for node, before in gone.items():
        if node in guesses:
            continue
        for other, after in come.items():
            if other in taken or other == node or before["type"] != after["type"]:
                continue
            guess = _compared(old, new, node, other, same(before.get("with"), after.get("with")), known)
            if guess.confidence >= _SHOWN and (best is None or guess.confidence > best.confidence):
                best = guess
    return best


def _compared(old: Program, new: Program, node: str, other: str, same_with: bool, known: Mapping[str, str]) -> Proposed:
    confidence, reasons = 0.0, ["same type"]
    if same_with:
        confidence += _SAME_WITH
        reasons.append("equal `with`")
    if graph_in(old.nodes[node].graph, known) == new.nodes[other].graph:
        confidence += _SAME_GRAPH
        reasons.append("same graph")
    before, after = {known.get(one, "") for one in _neighbours(old, node)}, _neighbours(new, other)
    shared = len(before & after) / max(len(before | after), 1) if before | after else 1.0
    if shared:
        confidence += _SAME_NEIGHBOURS * shared
        reasons.append("same neighbours" if shared == 1.0 else "neighbours shared in part")
    return Proposed(node, other, round(confidence, 2), ", ".join(reasons))


def graph_in(graph: str, mapping: Mapping[str, str | None]) -> str | None:
    """What a graph of the old version is called in the new one, None where it, or the node it belongs to, has gone."""
    if not graph or graph in mapping:
        return mapping.get(graph, graph)
    owner, slash, branch = graph.partition("/")
    becomes = mapping.get(owner)
    return None if becomes is None else f"{becomes}{slash}{branch}"


def _neighbours(program: Program, node: str) -> set[str]:
    after = {edge.to for edges in program.nodes[node].edges.values() for edge in edges}
    graph = program.scopes[program.nodes[node].graph]
    before = {one for one in graph.nodes if any(edge.to == node for edges in program.nodes[one].edges.values() for edge in edges)}
    return before | after
