"""Which outcomes a node can end with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from weft_language.nodes import entry
from weft_language.validation.outline import OutlineNode

PROPAGATING: Final = ("error", "timeout")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """own: what the node itself can end with, in order, without `error`.  any: also what nobody can know before."""

    own: tuple[str, ...]
    any: bool = False

    def allows(self, outcome: str) -> bool:
        """Whether an edge on this outcome can ever be taken. `done` edges serve every outcome without edges of its own."""
        return self.any or (bool(self.own) and outcome in (*self.own, "done", *PROPAGATING))


def outcomes_of(node: OutlineNode) -> Outcomes | None:
    """The outcomes of a node; None for an unknown type, about which nothing is said."""
    known = entry(node.type)
    if known is None:
        return None
    own = [*known.outcomes, *_named(node)]
    if own and "timeout" in node.raw and "timeout" not in own:
        own.append("timeout")
    return Outcomes(tuple(dict.fromkeys(own)), known.any_outcome)


def possible_outcomes(node: OutlineNode, decisions: Mapping[str, bool]) -> tuple[str, ...]:
    """The outcomes of a node that conditions which never change leave over. decisions: pointer of a condition to what it always is."""
    known = outcomes_of(node)
    if known is None:
        return ("done",)
    dropped: set[str] = set()
    if node.type == "if":
        for word in ("when", "conditions"):
            always = decisions.get(f"{node.pointer}/with/{word}")
            if always is not None:
                dropped.add("false" if always else "true")
    elif node.type == "switch":
        dropped = set(known.own) - _chosen(node, decisions)
    return tuple(name for name in known.own if name not in dropped)


def _chosen(node: OutlineNode, decisions: Mapping[str, bool]) -> set[str]:
    """The outcomes a `switch` may choose: those of the cases up to the first that always holds, and what the node's `timeout` gives."""
    chosen = {"timeout"}
    cases = node.with_.get("cases")
    for place, case in enumerate(cases if isinstance(cases, list) else ()):
        if not isinstance(case, dict):
            continue
        always = decisions.get(f"{node.pointer}/with/cases/{place}/when")
        if always is not False:
            chosen.add(str(case.get("outcome")))
        if always:
            return chosen
    return {*chosen, str(node.with_.get("default", "done"))}


def _named(node: OutlineNode) -> list[str]:
    """The outcomes that the author names in `with`."""
    with_ = node.with_
    if node.type == "switch":
        cases = with_.get("cases")
        named = [case.get("outcome") for case in cases if isinstance(case, dict)] if isinstance(cases, list) else []
        return _texts([*named, with_.get("default", "done")])
    if node.type == "state":
        return _texts([name for word in ("signals", "events", "after") for name in _map(with_.get(word))])
    if node.type == "task":
        outcomes = with_.get("outcomes", ["completed"])
        return _texts(outcomes) if isinstance(outcomes, list) else []
    return []


def _texts(values: list[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
