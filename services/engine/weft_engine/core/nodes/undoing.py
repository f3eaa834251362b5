"""Compensation: what has completed is undone, the newest first, one after another, each at most once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from weft_language.compilation import CompensateWork, Node
from weft_language.compilation.retrying import ACTIVITY_DEFAULT
from weft_language.compilation.work import ActivityWork
from weft_language.expressions import compile_template

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.failures import failure
from weft_engine.core.holding import hold, request_held_up
from weft_engine.core.ledger import request_hash
from weft_engine.core.nodes.outside import schedule, timed
from weft_engine.core.nodes.resting import limit
from weft_engine.core.state import Pending, Place
from weft_engine.core.turn import At, Turn

SUFFIX: Final = ".compensate"
"""What the undoing of a node is called behind the node's id: no node can have a dot in its own."""
_WORK: Final = ActivityWork(compile_template("compensate"))


def compensate(turn: Turn, at: At, work: CompensateWork) -> None:
    """Undo every completed node that the work names, then go on."""
    queue = [(undo.node, undo.visit) for undo in reversed(turn.state.undo) if work.nodes is None or undo.node in work.nodes]
    turn.emit(e.SCOPE_ENTERED, at, kind="compensate", queue=queue, **limit(turn, at))
    turn.ready.appendleft(at.place)


def undo_next(turn: Turn, pending: Pending) -> None:
    """Undo the next in the queue, or end when there is none. What another compensation is undoing is left to it, and waited for."""
    mine = list(pending.place)
    if any(one.data.get("by") == mine for one in turn.state.pending.values()):
        return
    requests = {(undo.node, undo.visit): undo.request for undo in turn.state.undo}
    for node, visit in list(pending.progress.queue):
        if (node + SUFFIX, visit) in turn.state.pending:
            continue
        request = requests[node, visit]
        if "error" in request:
            _undone(turn, pending, (node, visit), request["error"])
        elif _undone_before(turn, (node, visit), pending.scope, request):
            _undone(turn, pending, (node, visit), None)
        else:
            _ask(turn, node + SUFFIX, visit, pending.scope, {**request, "by": mine})
            return
    if not pending.progress.queue:
        _all_undone(turn, pending)


def _ask(turn: Turn, node: str, visit: int, scope: str, request: dict[str, Any]) -> None:
    held = request_held_up(turn, request)
    if held is None:
        schedule(turn, node, visit, scope, request)
    else:
        hold(turn, node, visit, 0, scope, held, timed(turn, request))


def _undone_before(turn: Turn, place: Place, scope: str, request: Mapping[str, Any]) -> bool:
    """Whether this very visit was undone in a time that a retry went back behind; that is written down then."""
    if not turn.state.ledger:
        return False
    there = turn.state.ledger.get((place[0] + SUFFIX, turn.state.path(scope)), ())
    asked = (place[1], request_hash("activity", request))
    done = next((one for one in there if (one.visit, one.request) == asked), None)
    if done is None:
        return False
    data = {"ledger": done.position, **({} if done.output is None else {"output": done.output})}
    turn.write(Entry(e.STEP_COMPLETED, place[0] + SUFFIX, place[1], 0, data, scope))
    return True


def answered(turn: Turn, activity: Pending, error: dict[str, Any] | None, output: Any = None) -> None:
    """A worker has undone a visit, or given up. activity: the pending of the undoing."""
    node, visit = activity.data["by"]
    owner = turn.state.pending[node, visit]
    if error is None:
        data = {} if output is None else {"output": output}
        turn.write(Entry(e.STEP_COMPLETED, activity.node, activity.visit, 0, data, activity.scope))
    else:
        turn.write(Entry(e.STEP_FAILED, activity.node, activity.visit, 0, {"outcome": "error", "error": error}, activity.scope))
    _undone(turn, owner, (activity.node.removesuffix(SUFFIX), activity.visit), error)
    turn.ready.extendleft(one.place for one in turn.state.pending.values() if one.kind == "compensate" and one is not owner)
    turn.ready.appendleft(owner.place)


def _undone(turn: Turn, owner: Pending, place: Place, error: dict[str, Any] | None) -> None:
    data: dict[str, Any] = {"by": list(owner.place), **({} if error is None else {"error": error})}
    turn.write(Entry(e.STEP_COMPENSATED, *place, 0, data))


def _all_undone(turn: Turn, pending: Pending) -> None:
    progress = pending.progress
    undone, failed = list(progress.results.values()), [str(node) for node in progress.failed]
    if not pending.node:
        _fail_at_last(turn, failed)
        return
    at = turn.at(pending)
    if failed:
        details = {"compensated": undone, "failed": failed, "error": progress.error}
        turn.fail(at, failure("compensation_failed", f"not undone: {', '.join(failed)}", at.node.id, 1, permanent=True, details=details))
    else:
        turn.finish(at, "done", {"compensated": undone, "failed": []})


def _fail_at_last(turn: Turn, failed: list[str]) -> None:
    failing = turn.state.failing
    if failing is None:
        return
    error = failing["error"]
    if failed:
        error = {**error, "details": {"cause": error.get("details"), "compensation": failed}}
    output = failing.get("output")
    more = {} if output is None else {"output": turn.context.values.opened(output) if turn.state.large else output}
    turn.fail_execution(error, failing["kind"], **more)


def undoing_node(pending: Pending) -> Node:
    """The node that an undoing is tried again by: with the defaults of activities, and no way on."""
    return Node(pending.node, "activity", "activity", "", pending.node, _WORK, ACTIVITY_DEFAULT, None, {})
