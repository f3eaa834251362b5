"""The node catalog: every type of the language with its title, schemas, outcomes and whether it is executed.

`node_types()` is what `GET /node-types` answers; `entry(type)` is what the verifier reads.
"""

from functools import cache
from typing import Any, Final

from weft_language.actions import ACTIONS
from weft_language.nodes.entries_control import CONTROL
from weft_language.nodes.entries_outside import OUTSIDE
from weft_language.nodes.entry import NodeType

CATALOG: Final[dict[str, NodeType]] = {entry.type: entry for entry in (*CONTROL, *OUTSIDE, *map(NodeType.of, ACTIONS.values()))}

__all__ = ["CATALOG", "NodeType", "entry", "node_type", "node_types"]


def entry(node_type: str) -> NodeType | None:
    """What is known about a type; an unknown connector's action waits and ends `done`; None when there is no such type."""
    known = CATALOG.get(node_type)
    if known is None and "." in node_type:
        return NodeType(node_type, node_type, "services", "plug", "A connector's action.", {}, waits=True, needs_connection=True)
    return known


@cache
def _shown(name: str) -> dict[str, Any]:
    from weft_language.schema import with_schema

    return CATALOG[name].as_dict(with_schema(name))


def node_type(name: str) -> dict[str, Any] | None:
    """One type as the HTTP API shows it, or None."""
    return _shown(name) if name in CATALOG else None


def node_types() -> list[dict[str, Any]]:
    """All types as the HTTP API shows them, in catalog order."""
    return [_shown(name) for name in CATALOG]
