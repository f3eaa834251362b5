"""What the outside is taken to answer in a simulation: as it was told, else as it once did, else as plainly as the catalog allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from weft_language.compilation import Node
from weft_language.nodes import entry as catalogued

from weft_engine.core import entries as e
from weft_engine.core.enhancing import KIND as ENHANCING
from weft_engine.core.enhancing import SUFFIX as ENHANCEMENT
from weft_engine.core.evolve import Timed
from weft_engine.core.nodes.undoing import SUFFIX
from weft_engine.core.simulating.samples import sample
from weft_engine.core.state import Pending, Place

ASKED: Final = frozenset({"activity", "task", "child", "signal", ENHANCING})
"""Kinds of waiting that somebody outside ends."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a visit ends. outcome: None for the usual one.  error: `{code, message, permanent, details}` where it fails.

    assumed: nobody said so.  user, event: who sent a signal, and the attributes of an event, where an execution tells it.
    """

    output: Any = None
    outcome: str | None = None
    error: Mapping[str, Any] | None = None
    assumed: bool = False
    user: dict[str, Any] | None = None
    event: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What somebody who simulates says of the outside, by node.

    outputs: what a node's work gives, the form of a task, the payload of a signal or event.  outcomes: what it ends with; of a list,
    which is not empty, visits take one after another, and all further ones the last.  errors: what its every attempt fails with.
    before: how visits ended in the execution that is gone on with.

    What undoes or enhances a node has a name of its own: `<node>.compensate`, `<node>.enhance`.
    """

    outputs: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    errors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    before: Mapping[Place, Answer] = field(default_factory=dict)

    def to(self, pending: Pending, node: Node | None) -> Answer | None:
        """How a visit that waits is ended from outside; None where nobody ends it. node: None for an undoing."""
        name, visit = named(pending), pending.visit
        error = self.errors.get(name)
        if error is not None and pending.kind != "signal":
            return Answer(error=error)
        outcome = _of_visit(self.outcomes.get(name), visit)
        if name in self.outputs or outcome is not None:
            output = self.outputs.get(name)
            user = self.before[name, visit].user if (name, visit) in self.before else None
            return Answer({"result": output} if pending.kind == ENHANCING else output, outcome, user=user)
        if (name, visit) in self.before:
            return self.before[name, visit]
        if pending.kind == ENHANCING:
            return Answer(error={"code": "not_simulated", "message": f"nobody says what {name} gives", "permanent": True}, assumed=True)
        if pending.kind in ("task", "signal"):
            return None
        return Answer(_assumed(node), assumed=not name.endswith(SUFFIX))

    @property
    def named(self) -> set[str]:
        """The nodes that something is said of."""
        return {*self.outputs, *self.outcomes, *self.errors}


def named(pending: Pending) -> str:
    """What is answered is called so: the node, or `<node>.enhance`."""
    return f"{pending.node}{ENHANCEMENT}" if pending.kind == ENHANCING else pending.node


def _of_visit(outcome: str | Sequence[str] | None, visit: int) -> str | None:
    if outcome is None or isinstance(outcome, str):
        return outcome
    return outcome[min(visit, len(outcome)) - 1]


def _assumed(node: Node | None) -> Any:
    known = None if node is None else catalogued(node.type)
    return None if known is None or known.any_outcome else sample(known.output)


def answers_of(entries: Iterable[Timed]) -> dict[Place, Answer]:
    """How the visits of an execution ended, as its journal tells it; by every name that a migration gave their nodes."""
    found: dict[Place, Answer] = {}
    brought: dict[Place, Mapping[str, Any]] = {}
    names: dict[str, set[str]] = {}
    for entry, _ in entries:
        if entry.kind == e.MIGRATED:
            _join(names, entry.data.get("mapping", {}))
        if entry.node is None:
            continue
        place, data = (entry.node, entry.visit), entry.data
        enhanced = data.get("enhancement", {}).get("applied", False)
        if enhanced:
            found[f"{entry.node}{ENHANCEMENT}", entry.visit] = Answer({"result": data.get("output")})
        if entry.kind == e.SIGNAL_DELIVERED:
            brought[place] = {name: data.get(name) for name in ("user", "event")}
        elif entry.kind == e.STEP_ENHANCING and "outcome" in data:
            found[place] = Answer(data.get("output"), data["outcome"])
        elif entry.kind == e.STEP_COMPLETED and not enhanced:
            found[place] = Answer(data.get("output"), data.get("outcome"), **brought.get(place, {}))
        elif entry.kind == e.STEP_FAILED and "error" in data:
            found[place] = Answer(error={**data["error"], "permanent": True})
    for (name, visit), answer in list(found.items()):
        node, dot, part = name.partition(".")
        for other in names.get(node, ()):
            found.setdefault((f"{other}{dot}{part}", visit), answer)
    return found


def _join(names: dict[str, set[str]], mapping: Mapping[str, str | None]) -> None:
    """Let every name of a node stand for the others, too. mapping: of a migration, names by what they become."""
    for old, new in mapping.items():
        if new is not None:
            together = names.get(old, {old}) | names.get(new, {new})
            names.update(dict.fromkeys(together, together))
