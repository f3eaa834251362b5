"""Nodes whose work is done elsewhere: by a worker, or by another execution."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from weft_language.compilation import ActivityWork, CallWork, ConnectorWork
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.asking import request_of, text
from weft_engine.core.entries import Entry
from weft_engine.core.failures import failure
from weft_engine.core.identity import child_id_of
from weft_engine.core.ledger import request_hash
from weft_engine.core.nodes.resting import limit
from weft_engine.core.turn import At, Entering, Turn

MAX_DEPTH: Final = 20
"""Executions that call one another in a row, at most: a workflow that calls itself for ever is stopped there."""


def activity(turn: Turn, at: At, work: ActivityWork | ConnectorWork) -> None:
    """Ask a worker."""
    request = request_of(work, turn.names(at.scope), turn.state.tenant, turn.context)
    if turn.answered_before(at, "activity", request):
        return
    schedule(turn, at.node.id, at.visit, at.scope, {**request, **limit(turn, at)})


def schedule(turn: Turn, node: str, visit: int, scope: str, request: dict[str, Any]) -> None:
    """Ask a worker for the first attempt of a visit. request: as `request_of` gives it."""
    turn.write(Entry(e.STEP_SCHEDULED, node, visit, 1, timed(turn, request), scope))


def timed(turn: Turn, request: dict[str, Any]) -> dict[str, Any]:
    """A request with how long its answer is waited for."""
    return {**request, "resend_s": turn.context.resend_s, "lease_s": turn.context.lease_s}


def call(turn: Turn, at: At, work: CallWork) -> None:
    """Start another workflow, and wait for its end where that is asked for."""
    state = turn.state
    depth = state.caller["depth"] + 1 if state.caller is not None else 1
    if depth > MAX_DEPTH:
        message = f"{MAX_DEPTH} executions call one another in a row and {at.node.id} would call a further one; end the recursion before"
        turn.fail(at, failure("call_too_deep", message, at.node.id, 1, permanent=True))
        return
    names = turn.names(at.scope)
    child: dict[str, Any] = {
        "child_id": child_id_of(state.id, at.node.id, at.visit),
        "workflow": text(work.workflow.render(names)),
        "depth": depth,
        "wait": work.wait,
        **_version(work, names),
        **_input(work, names),
    }
    if turn.answered_before(at, "child", child):
        return
    if work.wait:
        child |= _again(turn, at, child)
        due_at = turn.now + timedelta(seconds=turn.context.resend_s)
        turn.emit(e.STEP_WAITING, at, kind="child", due_at=due_at, resend_s=turn.context.resend_s, **child, **limit(turn, at))
    else:
        turn.emit(e.CHILD_CALLED, at, **child)
        turn.finish(at, "done", {"execution_id": child["child_id"]})


def _again(turn: Turn, at: At, child: dict[str, Any]) -> dict[str, Any]:
    """The child that failed, where a retry enters this call again and it would be asked the same: what it has done is not done twice."""
    before = turn.recalled.pop(Entering(at.node.id, at.scope), None)
    if before is None or before.request != request_hash("child", child):
        return {}
    by = {} if before.by is None else {"by": before.by}
    return {"child_id": before.child_id, "recalled": {"effects": before.effects, **by}}


def _version(work: CallWork, names: dict[str, Any]) -> dict[str, Any]:
    version = work.version.render(names) if work.version is not None else None
    if version is None:
        return {}
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ExpressionError("expression_value", f"a version is a whole number from 1, not {version!r:.80}")
    return {"version": version}


def _input(work: CallWork, names: dict[str, Any]) -> dict[str, Any]:
    value = work.input.render(names) if work.input is not None else None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ExpressionError("expression_value", f"the input of a workflow is an object, not {value!r:.80}")
    return {"input": value}
