"""Enhancement points: which types of nodes a model may stand in for, and what it may give them."""

from collections.abc import Mapping
from typing import Final, Literal

from weft_language.actions import ACTIONS

Apply = Literal["replace", "input", "output"]
DEFAULT_TIMEOUT_S: Final = 5.0
"""What a node waits for its enhancement, at most. Source: requirements, X-12."""
MAX_TIMEOUT_S: Final = 60.0

PRODUCES: Final = frozenset({"set", "transform", "if", "switch", "group", "parallel", "foreach", "loop", "call", "activity"})
"""Types whose work is to make an output, so that another can stand in its place; so does every connector's action."""
INPUTS: Final[Mapping[str, frozenset[str]]] = {
    "activity": frozenset({"input"}),
    "call": frozenset({"input"}),
    "publish": frozenset({"data"}),
    "task": frozenset({"description", "data"}),
    "foreach": frozenset({"items"}),
}
"""Members of `with` that are a node's input, by type."""
_NEVER: Final = frozenset({"connection", "fallback", "url", "method", "headers"})
"""Members of a connector's `with` that say whom it reaches, and as whom: no model decides that."""


def inputs_of(node_type: str) -> frozenset[str]:
    """The members of `with` that an enhancement may give; none where the type has no input."""
    action = ACTIONS.get(node_type)
    if action is None:
        return INPUTS.get(node_type, frozenset())
    fields = {field.alias or name for name, field in action.with_.model_fields.items()}
    return frozenset(fields - _NEVER - set(action.as_written))


def has_output(node_type: str) -> bool:
    """Whether a model's result may stand in the place of its work, or of its output."""
    return node_type in PRODUCES or node_type in ACTIONS
