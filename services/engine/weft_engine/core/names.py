"""The names that expressions read: `trigger`, `input`, `vars`, `tenant`, `execution`, `step`, `now` and, after a signal, `signal`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from weft_engine.core.state import State, Step


class Steps(Mapping[str, Any]):
    """`step`: what each visited node has come to, made when it is read."""

    __slots__ = ("_steps",)

    def __init__(self, steps: Mapping[str, Step]) -> None:
        self._steps = steps

    def __getitem__(self, node: str) -> dict[str, Any]:
        """The newest visit of a node. Raises: KeyError when it was never visited."""
        step = self._steps[node]
        view: dict[str, Any] = {"status": step.status, "attempts": step.attempts}
        if step.completed_at is not None:
            view |= {"outcome": step.outcome, "output": step.output, "completed_at": step.completed_at}
        if step.error is not None:
            view["error"] = step.error
        if step.started_at is not None:
            view["started_at"] = step.started_at
        return view

    def __iter__(self) -> Iterator[str]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)


def names_of(state: State, tenant: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What an expression may read in this state.

    tenant: `{id, tier, settings}`.  now: the time of the transition, constant within it, so that a replay gives the same answer.
    """
    return {
        "trigger": state.trigger,
        "input": state.input,
        "vars": state.vars,
        "tenant": tenant,
        "execution": {
            "id": str(state.id),
            "workflow": state.workflow,
            "version": state.version,
            "started_at": state.started_at,
        },
        "step": Steps(state.steps),
        "now": now,
    }


def signal_names(payload: Any, user: Mapping[str, Any] | None) -> dict[str, Any]:
    """`signal` as guards read it: the payload's members, with `user`. A payload that is no object is read as `signal.value`."""
    members = dict(payload) if isinstance(payload, Mapping) else {"value": payload}
    return {**members, "user": user}
