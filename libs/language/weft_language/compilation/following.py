"""Where an execution goes when a node has ended: section 3 of the language, as pure functions."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from weft_language.compilation.program import Edge, Node
from weft_language.expressions import Expression, ExpressionError

PROPAGATING: Final = frozenset({"error", "timeout"})
"""Outcomes that pass to the enclosing scope node where no edge takes them."""


class Propagate(Enum):
    """The answer "nobody here handles this": the error passes to the enclosing scope node."""

    PROPAGATE = "propagate"


PROPAGATE: Final = Propagate.PROPAGATE


def holds(condition: Expression, names: Mapping[str, Any]) -> bool:
    """Whether a condition is true. Raises: ExpressionError, also when it gives anything but a boolean."""
    value = condition.evaluate(names)
    if value is True or value is False:
        return value
    message = f"a condition must be true or false, this one gave {type(value).__name__}; compare it with something"
    raise ExpressionError("expression_type", message, expression=condition.text)


def candidates(node: Node, outcome: str) -> tuple[Edge, ...]:
    """The edges that are read for an outcome: those on it, else (unless it propagates) those on `done`. May be empty."""
    edges = node.edges.get(outcome)
    if edges:
        return edges
    return () if outcome in PROPAGATING else node.edges.get("done", ())


def follow(node: Node, outcome: str, names: Mapping[str, Any]) -> Edge | Propagate | None:
    """The one edge to take; `PROPAGATE` for an `error` or `timeout` that no edge takes; None when the scope is complete.

    names: what guards may read, with `signal` after a `state`.
    For a signal that arrives at a `state`: None although `candidates` gives edges means that every guard refused it.
    Raises: ExpressionError when a guard cannot be evaluated.
    """
    for edge in candidates(node, outcome):
        if edge.when is None or holds(edge.when, names):
            return edge
    return PROPAGATE if outcome in PROPAGATING else None
