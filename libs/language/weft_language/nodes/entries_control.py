"""Catalog entries of the nodes that set, choose, group and end."""

from typing import Any, Final

from weft_language.nodes.entry import NodeType

ANYTHING: Final[dict[str, Any]] = {}
OBJECT: Final[dict[str, Any]] = {"type": "object"}

CONTROL: Final = (
    NodeType("set", "Set variables", "data", "variable", "Writes variables; they are read as vars.<name>.", OBJECT),
    NodeType("transform", "Transform", "data", "shuffle", "Computes a value with an expression or a map of templates.", ANYTHING),
    NodeType("if", "If", "flow", "git-branch", "Goes one of two ways by a condition.", {"type": "boolean"}, outcomes=("true", "false")),
    NodeType(
        "switch",
        "Switch",
        "flow",
        "split",
        "Goes the way of the first case that holds.",
        {"type": "string"},
        outcomes=(),
        outcomes_from="the outcome of each case, and `default` (`done` when no default is given)",
    ),
    NodeType("group", "Group", "flow", "box", "Runs a graph of its own: one place to catch its errors and limit its time.", ANYTHING),
    NodeType("parallel", "Parallel", "flow", "columns", "Runs branches at once and joins them.", OBJECT, waits=True),
    NodeType("foreach", "For each", "flow", "repeat", "Runs a body for each item of a list.", {"type": "array"}, waits=True),
    NodeType(
        "loop",
        "Loop",
        "flow",
        "rotate-cw",
        "Runs a body while or until a condition holds.",
        ANYTHING,
        outcomes=("done", "exhausted"),
        waits=True,
    ),
    NodeType("fail", "Fail", "ending", "octagon-x", "Fails its scope with an error of one's own.", ANYTHING, outcomes=()),
    NodeType("end", "End", "ending", "flag", "Ends the whole execution.", ANYTHING, outcomes=()),
    NodeType("compensate", "Compensate", "flow", "undo", "Undoes completed nodes, newest first.", ANYTHING, waits=True),
)
