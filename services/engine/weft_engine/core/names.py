"""The names that expressions read: `trigger`, `input`, `vars`, `tenant`, `execution`, `step`, `now`; inside scopes also their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from weft_language.compilation import Node
from weft_language.expressions import CALENDARS, Calendar

from weft_engine.core.claims import NOTHING_READ, Claimed, Opened, Values, object_of
from weft_engine.core.state import ROOT, State, Step

NONE: Final[Mapping[str, Calendar]] = MappingProxyType({})
"""The business calendars of who has none."""


class Steps(Mapping[str, Any]):
    """`step`: what each visited node has come to, made when it is read.

    frames: the visits of the branches and iterations around the reader, by graph: a node of such a graph is read as its visit there.
    Any other node is read as its newest visit.  values: contents of what is kept apart.
    """

    __slots__ = ("_frames", "_newest", "_nodes", "_values")

    def __init__(
        self, newest: Mapping[str, Step], frames: Mapping[str, Mapping[str, Step]], nodes: Mapping[str, Node], values: Values
    ) -> None:
        self._newest = newest
        self._frames = frames
        self._nodes = nodes
        self._values = values

    def __getitem__(self, node: str) -> Mapping[str, Any]:
        """A visit of a node. Raises: KeyError when it was never visited where it is read from."""
        step = self._steps_of(node)[node]
        # A plain text: an expression takes no member of an enum for one, and would find it equal to nothing.
        view: dict[str, Any] = {"status": str(step.status), "attempts": step.attempts}
        if step.completed_at is not None:
            view |= {"outcome": step.outcome, "output": step.output, "completed_at": step.completed_at}
        if step.error is not None:
            view["error"] = step.error
        if step.started_at is not None:
            view["started_at"] = step.started_at
        return Opened(view, self._values) if type(step.output) is Claimed else view

    def _steps_of(self, node: str) -> Mapping[str, Step]:
        if not self._frames:
            return self._newest
        known = self._nodes.get(node)
        return self._newest if known is None else self._frames.get(known.frame, self._newest)

    def __contains__(self, node: object) -> bool:
        return isinstance(node, str) and node in self._steps_of(node)

    def __iter__(self) -> Iterator[str]:
        return (node for node in self._newest if node in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def names_of(
    state: State,
    tenant: Mapping[str, Any],
    now: datetime,
    nodes: Mapping[str, Node],
    values: Values = NOTHING_READ,
    calendars: Mapping[str, Calendar] = NONE,
) -> dict[str, Any]:
    """What an expression in the root scope may read in this state.

    tenant: `{id, tier, settings}`.  now: the time of the transition, constant within it, so that a replay gives the same answer.
    nodes: of the program.  values: contents of what is kept apart; reading another raises Wanted.  calendars: by name.
    """
    apart = state.large
    return {
        "trigger": object_of(state.trigger, values) if apart else state.trigger,
        "input": object_of(state.input, values) if apart else state.input,
        "vars": object_of(state.vars, values) if apart else state.vars,
        "tenant": tenant,
        "execution": {
            "id": state.name,
            "workflow": state.workflow,
            "version": state.version,
            "started_at": state.started_at,
        },
        "step": Steps(state.steps, {}, nodes, values),
        "now": now,
        CALENDARS: calendars,
    }


def scoped(names: Mapping[str, Any], state: State, scope: str, nodes: Mapping[str, Node], values: Values = NOTHING_READ) -> dict[str, Any]:
    """The same inside an open scope: with the names of every scope around it, the inner ones first. Raises: Wanted."""
    frames: dict[str, Mapping[str, Step]] = {}
    own: dict[str, Any] = {}
    while scope != ROOT:
        inside = state.scopes[scope]
        own = {**inside.names, **own}
        if inside.steps is not None:
            frames.setdefault(inside.graph, inside.steps)
        scope = inside.outer
    if state.large:
        own = {name: values.open(value) for name, value in own.items()}
    return {**names, **own, "step": Steps(state.steps, frames, nodes, values)}


def signal_names(payload: Any, user: Mapping[str, Any] | None) -> dict[str, Any]:
    """`signal` as guards read it: the payload's members, with `user`. A payload that is no object is read as `signal.value`."""
    members = dict(payload) if isinstance(payload, Mapping) else {"value": payload}
    return {**members, "user": user}
