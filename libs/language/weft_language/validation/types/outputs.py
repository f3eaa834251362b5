"""What a node's step holds: its output by its type, its outcome, and the error it may have failed with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from weft_language.nodes import entry
from weft_language.plain import walk
from weft_language.validation.outcomes import PROPAGATING, outcomes_of
from weft_language.validation.types.kinds import ANY, BOOL, INT, MAP, MOMENT, TEXT, Type, a_list, a_map, either, texts

if TYPE_CHECKING:
    from weft_language.validation.outline import OutlineNode
    from weft_language.validation.types.environment import Environment

_ERROR = Type(
    frozenset({"map"}),
    {"code": TEXT, "message": TEXT, "node": ANY, "attempt": ANY, "permanent": ANY, "details": ANY},
    declared=True,
)


def step_of(node: OutlineNode, output: Type) -> Type:
    """What `step.<id>` holds."""
    known = outcomes_of(node)
    outcome = TEXT
    if known is not None and not known.any and known.own:
        outcome = texts([*known.own, "done", "cancelled", *PROPAGATING])
    members = {
        "status": TEXT,
        "outcome": outcome,
        "output": output,
        "error": _ERROR,
        "attempts": INT,
        "started_at": MOMENT,
        "completed_at": MOMENT,
    }
    return Type(frozenset({"map"}), members)


def output_of(node: OutlineNode, environment: Environment) -> Type:
    """What a node that ended well leaves; ANY where nobody can know."""
    enhance = node.raw.get("enhance")
    if isinstance(enhance, Mapping) and enhance.get("apply", "replace") != "input":
        return ANY
    if node.type in _OUTPUTS:
        return _OUTPUTS[node.type](node, environment)
    known = entry(node.type)
    return environment.schemas.type_of(known.output) if known is not None and known.output else ANY


def _values(node: OutlineNode, environment: Environment) -> Type:
    values = {name: value for name, value in node.with_.items() if not name.startswith("x-")}
    return environment.template(values, node, f"{node.pointer}/with")


def _transformed(node: OutlineNode, environment: Environment) -> Type:
    expression, made = node.with_.get("expression"), node.with_.get("map")
    if isinstance(expression, str):
        return environment.cel(expression, node)
    return environment.template(made, node, f"{node.pointer}/with/map") if isinstance(made, Mapping) else ANY


def _chosen(node: OutlineNode, environment: Environment) -> Type:
    known = outcomes_of(node)
    return texts(known.own) if known is not None else TEXT


def _branches(node: OutlineNode, environment: Environment) -> Type:
    branches = node.with_.get("branches")
    return a_map(dict.fromkeys(branches, ANY)) if isinstance(branches, Mapping) else MAP


def _called(node: OutlineNode, environment: Environment) -> Type:
    return a_map({"execution_id": TEXT}, closed=False) if node.with_.get("wait") is False else ANY


def _payload(node: OutlineNode, environment: Environment) -> Type:
    """What a `state` leaves: the payload of the signal that arrived, where every way out of it is a signal with a schema."""
    signals = node.with_.get("signals")
    if not isinstance(signals, Mapping) or not signals or node.with_.get("events") or node.with_.get("after") or "timeout" in node.raw:
        return ANY
    found: Type | None = None
    for signal in list(signals.values())[:20]:
        if not isinstance(signal, Mapping) or "schema" not in signal:
            return ANY
        one = environment.schemas.type_of(signal["schema"])
        found = one if found is None else either(found, one)
    return ANY if found is None or len(signals) > 20 else found


def signal_of(node: OutlineNode, name: str, environment: Environment) -> Type:
    """What `signal` holds on the edges of a `state` on one name."""
    signal = node.with_.get("signals", {}).get(name) if isinstance(node.with_.get("signals"), Mapping) else None
    if not isinstance(signal, Mapping) or "schema" not in signal:
        return ANY
    found = environment.schemas.type_of(signal["schema"])
    if found.kinds != {"map"}:
        return ANY
    return Type(found.kinds, {**found.members, "user": ANY}, found.closed, found.declared)


def _decision(node: OutlineNode, environment: Environment) -> Type:
    with_ = node.with_
    form = with_.get("form")
    # A form with templates is a schema only once it is rendered, and several approvals leave several forms.
    plain = isinstance(form, Mapping) and not with_.get("approvals") and not _has_template(form)
    known = outcomes_of(node)
    members = {
        "outcome": texts([*known.own, "timeout"]) if known is not None else TEXT,
        "form": environment.schemas.type_of(form) if plain else ANY,
        "completed_by": ANY,
        "completed_at": MOMENT,
    }
    if with_.get("approvals"):
        members["approvals"] = a_list(None)
    return a_map(members, closed=False)


def _has_template(value: Any) -> bool:
    return any(isinstance(inner, str) and "{{" in inner for _, inner in walk(value))


_OUTPUTS: Final[dict[str, Callable[[OutlineNode, Environment], Type]]] = {
    "set": _values,
    "transform": _transformed,
    "if": lambda node, environment: BOOL,
    "switch": _chosen,
    "parallel": _branches,
    "foreach": lambda node, environment: a_list(None),
    "state": _payload,
    "task": _decision,
    "call": _called,
    "compensate": lambda node, environment: a_map({"compensated": a_list(TEXT), "failed": a_list(TEXT)}, closed=False),
}
