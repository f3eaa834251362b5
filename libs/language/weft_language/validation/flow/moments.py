"""Moments: the points of a document between which an execution moves."""

from typing import Final

from weft_language.validation.outline import OutlineGraph, OutlineNode

Moment = tuple[str, str, str]
"""("in", pointer of the node, ""), ("out", pointer of the node, outcome), ("again", pointer of a `loop`, ""): its condition is read,
("done" | "fail", pointer of the graph, "")."""

ROOT_DONE: Final[Moment] = ("done", "", "")


def entry_of(node: OutlineNode) -> Moment:
    """The moment a node begins: its `with` is rendered here."""
    return ("in", node.pointer, "")


def outcome_of(node: OutlineNode, outcome: str) -> Moment:
    """The moment a node has ended with an outcome: guards on that outcome are read here."""
    return ("out", node.pointer, outcome)


def condition_of(node: OutlineNode) -> Moment:
    """The moment a `loop` reads its `while` or `until`."""
    return ("again", node.pointer, "")


def done_of(graph: OutlineGraph) -> Moment:
    """The moment a scope is complete."""
    return ("done", graph.pointer, "")


def fail_of(graph: OutlineGraph) -> Moment:
    """The moment a scope fails."""
    return ("fail", graph.pointer, "")
