"""A child whose caller goes on: it is retried, or tells again what it came to, or that another has to be called in its place."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from weft_engine.core import entries as e
from weft_engine.core.evolve import Timed
from weft_engine.core.failures import failure
from weft_engine.core.items import Caller, Retry
from weft_engine.core.ledger import request_hash
from weft_engine.core.reuse import Recalled
from weft_engine.core.state import Pending, State
from weft_engine.core.turn import Entering
from weft_engine.machine import EXECUTION_MOVES, ExecutionStatus

LOST: Final = "child_lost"
"""The code by which a caller is told that its child cannot go on; a child's own errors name the child in their details."""


class Standing(StrEnum):
    """What a call that comes again is to a child."""

    REPEATED = "repeated"
    OVERTAKEN = "overtaken"
    RETRY = "retry"
    LIVES = "lives"
    DONE = "done"
    LOST = "lost"


def standing(state: State, caller: Caller) -> Standing:
    """What is to be done where a visit of its caller asks a child to go on.

    A visit that has been heard of, or that a newer one has taken the place of, is a word that came twice or late.
    """
    first = state.caller
    if first is None or not first["wait"] or UUID(str(first["execution_id"])) != caller.execution_id:
        return Standing.LOST
    node, visit = state.asked_by or (first["node"], first["visit"])
    if (node, visit) == (caller.node, caller.visit):
        return Standing.REPEATED
    if node == caller.node and visit > caller.visit:
        return Standing.OVERTAKEN
    if not state.ended:
        return Standing.LIVES
    if (state.status, "retry") in EXECUTION_MOVES:
        return Standing.RETRY
    return Standing.DONE if state.status == ExecutionStatus.COMPLETED else Standing.LOST


def asked_by(item: Retry) -> dict[str, Any]:
    """What an entry says of the visit of its caller that waits from now on."""
    return {} if item.caller is None else {"asked_by": [item.caller.node, item.caller.visit]}


def child_lost(caller: Caller, child: UUID, why: str) -> dict[str, Any]:
    """The `step.fail` by which a caller is told that its child cannot go on."""
    error = failure(LOST, f"execution {child} cannot go on: {why}; another is called in its place", None, permanent=True)
    return {"execution_id": caller.execution_id, "node": caller.node, "visit": caller.visit, "error": error}


def is_lost(pending: Pending, error: dict[str, Any]) -> bool:
    """Whether a caller hears that a child which it had asked to go on cannot."""
    return "recalled" in pending.data and error.get("code") == LOST and "execution_id" not in (error.get("details") or {})


def recalled(back: State, since: Sequence[Timed], item: Retry) -> dict[Entering, Recalled]:
    """Children, by where they are called, that were waited for at a position that a retry goes back to, and have failed since.

    back: the state there.  since: the entries after it. One that was taken back or cancelled cannot go on.
    """
    failed = {(entry.node, entry.visit): entry.data for entry, _ in since if entry.kind == e.STEP_FAILED and "child_id" not in entry.data}
    return {
        Entering(one.node, one.scope): Recalled(one.data["child_id"], request_hash("child", one.data), item.effects, item.user)
        for one in back.pending.values()
        if one.kind == "child" and one.place in failed and failed[one.place]["error"].get("code") not in _GONE
    }


_GONE: Final = frozenset({"child_cancelled", LOST})
