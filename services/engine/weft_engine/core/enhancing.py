"""Enhancement: a model may do a node's work, give its input or its output. Without it the node's own work is what happens.

An enhancement is asked of a worker once, and waited for no longer than it says; nothing that it comes to fails the node. It has its
place where the visit has its own: a visit waits for its enhancement or for its own work, never for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from weft_language.compilation import EnhanceWork, outcome_by
from weft_language.expressions import ExpressionError
from weft_language.tiers import reaches

from weft_engine.core import entries as e
from weft_engine.core.asking import request_of
from weft_engine.core.claims import hash_of
from weft_engine.core.failures import failure
from weft_engine.core.state import Pending

if TYPE_CHECKING:
    from weft_engine.core.turn import At, Turn

SUFFIX: Final = ".enhance"
"""What an enhancement is known by outside: `<node>.enhance`, so its key and its answers are never those of the node's own work."""
KIND: Final = "enhancing"
GoOn = Callable[["Turn", "At", Any], None]
"""Begins a node's own work, or lets it wait where it is held up. The last argument: members of its input from a model, None for none."""
_REASONS: Final = {
    "ai_over_budget": "over_budget",
    "ai_refused": "refused",
    "ai_timeout": "late",
    "deadline": "late",
    "ai_invalid": "invalid",
    "ai_too_large": "invalid",
    "enhancement_invalid": "invalid",
}
"""Why an enhancement was not applied, by the code of its error; any other code: it is `unavailable`."""
_SAID_CHARS: Final = 500


def before(turn: Turn, at: At) -> bool:
    """Whether a node's work has to wait for its enhancement, or is not needed at all."""
    enhance = at.node.enhance
    if enhance is None or enhance.apply == "output":
        return False
    refused = _refusal(turn, enhance)
    if refused is None:
        try:
            asked = {**_asked(turn, at, enhance, turn.names(at.scope)), **_own(turn, at, enhance)}
        except ExpressionError as error:
            refused = _not_rendered(error)
        else:
            if turn.answered_before(at, "enhancement", asked, enhancement=told(enhance, applied=True, reason="reused")):
                return True
            turn.emit(e.STEP_ENHANCING, at, 1, **asked, **_awaited(turn, at, enhance), **_limit(turn, at))
            return True
    turn.emit(e.STEP_ENHANCED, at, enhancement=told(enhance, applied=False, **refused))
    return False


def after(turn: Turn, at: At, outcome: str, output: Any, data: dict[str, Any]) -> bool:
    """Whether a visit whose work is done has to wait for its enhancement. data: of its end, which says why where it has not."""
    enhance = at.node.enhance
    if enhance is None or enhance.apply != "output" or data.keys() & {"ledger", "enhancement"}:
        return False
    refused = _refusal(turn, enhance)
    if refused is None:
        names = turn.names(at.scope)
        # Its own output is not in the state yet: it is read as it will be there if nothing comes of this.
        own = {"status": "completed", "outcome": outcome, "output": output, "attempts": 1, "completed_at": turn.now}
        try:
            asked = _asked(turn, at, enhance, {**names, "step": _With(names["step"], at.node.id, own)})
        except ExpressionError as error:
            refused = _not_rendered(error)
        else:
            kept = {name: data[name] for name in ("vars",) if name in data}
            turn.emit(e.STEP_ENHANCING, at, 1, **asked, **_awaited(turn, at, enhance), outcome=outcome, output=output, **kept)
            return True
    data["enhancement"] = told(enhance, applied=False, **refused)
    return False


def answered(turn: Turn, pending: Pending, output: Any, go_on: GoOn) -> None:
    """A model gave something. output: of an action `ai.*`."""
    at = turn.at(pending)
    enhance, given = at.node.enhance, output if isinstance(output, dict) else {}
    usage = {"usage": given["usage"]} if isinstance(given.get("usage"), dict) else {}
    if enhance is None or enhance.apply != pending.data["apply"]:
        error = failure("enhancement_changed", f"version {turn.program.version} enhances {at.node.id} otherwise", at.node.id)
        _stands(turn, pending, "migrated", error, go_on, **usage)
        return
    fault = _fault(turn, at, enhance, given)
    if fault is not None:
        error = failure("enhancement_invalid", f"the result does not do for {at.node.id}: {fault}"[:_SAID_CHARS], at.node.id)
        _stands(turn, pending, "invalid", error, go_on, **usage)
        return
    result, enhancement = given["result"], told(enhance, applied=True, **usage)
    if enhance.apply == "input":
        turn.emit(e.STEP_ENHANCED, at, enhancement=enhancement, output=result)
        go_on(turn, at, result)
        return
    variables = {"vars": result} if at.node.type == "set" else {}
    outcome = outcome_by(at.node.work, result, str(pending.data.get("outcome", "done")))
    turn.finish(at, outcome, result, enhancement=enhancement, **variables)


def failed(turn: Turn, pending: Pending, error: Mapping[str, Any], go_on: GoOn) -> None:
    """A model could not be asked, or would not answer. error: of an action `ai.*`."""
    reason = _REASONS.get(str(error.get("code")), "unavailable")
    details = error.get("details")
    usage = {"usage": details["usage"]} if isinstance(details, Mapping) and isinstance(details.get("usage"), dict) else {}
    _stands(turn, pending, reason, error, go_on, **usage)


def late(turn: Turn, pending: Pending, go_on: GoOn) -> None:
    """Its time is over."""
    _stands(turn, pending, "late", None, go_on)


def told(enhance: EnhanceWork, *, applied: bool, **more: Any) -> dict[str, Any]:
    """What a step tells of its enhancement: which action, in what place, whether it was applied, and why not."""
    return {"type": enhance.asks.type, "apply": enhance.apply, "applied": applied, "reason": None, **more}


def _stands(turn: Turn, pending: Pending, reason: str, error: Mapping[str, Any] | None, go_on: GoOn, **usage: Any) -> None:
    """The node's own work is what counts: its output, or its work as it is, which begins now."""
    at, data = turn.at(pending), pending.data
    enhancement = {"type": data["name"], "apply": data["apply"], "applied": False, "reason": reason, **usage}
    if error is not None:
        message = str(error.get("message", ""))[:_SAID_CHARS]
        enhancement |= {"code": str(error.get("code", "")), "message": message}
    if data["apply"] == "output":
        opened = turn.context.values.opened(data) if turn.state.large else data
        kept = {name: opened[name] for name in ("vars",) if name in opened}
        turn.finish(at, opened["outcome"], opened["output"], enhancement=enhancement, **kept)
        return
    turn.emit(e.STEP_ENHANCED, at, enhancement=enhancement)
    go_on(turn, at, None)


def _fault(turn: Turn, at: At, enhance: EnhanceWork, given: Mapping[str, Any]) -> str | None:
    if "result" not in given:
        return "there is none"
    if enhance.apply != "input":
        return enhance.fault(at.node.work, given["result"])
    try:
        rendered = None if enhance.own is None else enhance.own.render(turn.names(at.scope))
    except ExpressionError:
        rendered = None  # the node's own work tells of it
    return enhance.input_fault(at.node.type, at.node.work, given["result"], rendered)


def _refusal(turn: Turn, enhance: EnhanceWork) -> dict[str, Any] | None:
    """Why nobody is asked, None where somebody may be."""
    tier = turn.context.tenant["tier"]
    if not reaches(tier, enhance.min_tier):
        has = f"is {tier}" if tier else "has no tier"
        return {"reason": "tier", "message": f"the tenant {has}, and {enhance.min_tier} is needed"}
    for by in (f"node_type:{enhance.asks.type}", f"connection:{enhance.asks.connection}"):
        if (gate := turn.context.suspended.get(by)) is not None:
            return {"reason": "suspended", "held_by": by, "gate": gate}
    return None


def _not_rendered(error: ExpressionError) -> dict[str, Any]:
    return {"reason": "not_rendered", "code": error.code, "message": error.message[:_SAID_CHARS]}


def _asked(turn: Turn, at: At, enhance: EnhanceWork, names: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker is asked. Raises: ExpressionError."""
    return {**request_of(enhance.asks, names, turn.state.tenant, turn.context), "apply": enhance.apply}


def _own(turn: Turn, at: At, enhance: EnhanceWork) -> dict[str, Any]:
    """What the node itself would ask, as a hash: what another input made of it is taken by a retry only where the rest is the same."""
    return {} if enhance.own is None else {"own": hash_of(enhance.own.render(turn.names(at.scope)))}


def _awaited(turn: Turn, at: At, enhance: EnhanceWork) -> dict[str, Any]:
    due_at = turn.now + timedelta(seconds=enhance.timeout_s)
    return {"due_at": due_at, "lease_s": turn.context.lease_s, "asked_as": [f"{at.node.id}{SUFFIX}", at.visit]}


def _limit(turn: Turn, at: At) -> dict[str, Any]:
    """When a visit that tries others again outlives the `timeout` of all of them; of a first one it begins with its own work."""
    before = turn.state.steps_in(at.scope).get(at.node.id)
    return {"deadline_at": before.until} if before is not None and before.again and before.until is not None else {}


class _With(Mapping[str, Any]):
    """`step` with one step of its own."""

    __slots__ = ("_name", "_own", "_steps")

    def __init__(self, steps: Mapping[str, Any], name: str, own: Mapping[str, Any]) -> None:
        self._steps, self._name, self._own = steps, name, own

    def __getitem__(self, node: str) -> Any:
        return self._own if node == self._name else self._steps[node]

    def __contains__(self, node: object) -> bool:
        return node == self._name or node in self._steps

    def __iter__(self) -> Any:
        yield from self._steps
        if self._name not in self._steps:
            yield self._name

    def __len__(self) -> int:
        return sum(1 for _ in self)
