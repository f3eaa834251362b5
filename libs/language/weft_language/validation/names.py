"""Which paths exist where: the names in scope and the members that are known of each."""

from collections.abc import Mapping
from typing import Any, Final

from weft_language.validation.outline import Outline

MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    "trigger": ("type", "payload", "event", "time", "user", "request"),
    "tenant": ("id", "tier", "settings"),
    "execution": ("id", "workflow", "version", "started_at"),
}
STEP_MEMBERS: Final = ("status", "outcome", "output", "error", "attempts", "started_at", "completed_at")
WHERE: Final[dict[str, str]] = {
    "step": "steps can be read in nodes, on edges and in the definition's `output`",
    "vars": "variables can be read in nodes, on edges and in the definition's `output`",
    "input": "the input exists once an execution has started; a trigger reads `trigger.payload`",
    "execution": "the execution exists once it has started",
    "signal": "`signal` is what arrived at a `state`: it can be read on the edges that leave one",
    "item": "`item` exists in the body of a `foreach`",
    "index": "`index` exists in the body of a `foreach`",
    "iteration": "`iteration` exists in the body of a `loop`",
    "event": "an arriving event is `trigger.event`",
    "payload": "an arriving event's data is `trigger.payload`",
}


def variables(document: Outline) -> frozenset[str] | None:
    """Every variable that is declared or set somewhere; None when that cannot be known."""
    declared = document.document.get("vars", {})
    if not isinstance(declared, dict):
        return None
    names = set(declared)
    for node in document.all_nodes:
        if node.type == "set":
            if node.raw.get("with") is not None and not isinstance(node.raw["with"], dict):
                return None
            names |= set(node.with_)
    return frozenset(names)


def setters(document: Outline, name: str) -> list[str] | None:
    """The `set` nodes that write a variable; None when it is declared in `vars`."""
    declared = document.document.get("vars")
    if isinstance(declared, dict) and name in declared:
        return None
    return [node.id for node in document.all_nodes if node.type == "set" and name in node.with_]


def input_members(document: Mapping[str, Any]) -> tuple[frozenset[str], bool] | None:
    """The properties that the input's schema names, and whether others are refused; None when it names none."""
    schema = document.get("input")
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        return None
    if schema.keys() & {"allOf", "anyOf", "oneOf", "$ref", "if", "patternProperties", "dependentSchemas"}:
        return None
    return frozenset(schema["properties"]), schema.get("additionalProperties") is False
