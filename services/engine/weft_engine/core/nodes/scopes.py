"""Nodes with scopes of their own: how they enter, open a scope, and go on when one has ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from weft_language.compilation import ForeachWork, GroupWork, LoopWork, ParallelWork, holds
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.claims import MAX_OUTPUT_BYTES, count_of, size_of, too_large
from weft_engine.core.failures import failure
from weft_engine.core.nodes.resting import limit
from weft_engine.core.state import Pending, Place, scope_key
from weft_engine.core.turn import At, Entering, Turn


def group(turn: Turn, at: At, work: GroupWork) -> None:
    """Begin a graph of its own: a place to catch errors and limit time."""
    turn.emit(e.SCOPE_ENTERED, at, kind="group", **limit(turn, at))
    turn.ready.appendleft(Entering(turn.program.scopes[work.graph].start, scope_key(*at.place, None)))


def parallel(turn: Turn, at: At, work: ParallelWork) -> None:
    """Begin every branch; each runs until it waits before the next begins."""
    turn.emit(e.SCOPE_ENTERED, at, kind="parallel", **limit(turn, at))
    _open(turn, at, [(name, graph) for name, graph in work.branches.items()])


def foreach(turn: Turn, at: At, work: ForeachWork) -> None:
    """Begin as many iterations as may run at once."""
    names = turn.names(at.scope)
    items = work.items.render(names)
    if not isinstance(items, list):
        raise ExpressionError("expression_type", f"`items` of {at.node.id} must be a list, this is {type(items).__name__}")
    if len(items) > work.max_items:
        message = f"{at.node.id} is given {len(items)} items and takes {work.max_items}; raise `max_items`, or go through them in parts"
        turn.fail(at, failure("too_many_items", message, at.node.id, 1, permanent=True))
        return
    concurrency = _concurrency(work.concurrency.render(names))
    if not items:
        turn.finish(at, "done", [])
        return
    turn.emit(e.SCOPE_ENTERED, at, **{"kind": "foreach", "items": items, "as": work.as_, "concurrency": concurrency, **limit(turn, at)})
    _open_items(turn, at, work, range(min(concurrency, len(items))), len(items))


def _open_items(turn: Turn, at: At, work: ForeachWork, indexes: range, count: int) -> None:
    """Open iterations. Where more are to come they are looked after once these have begun, so that all begin in order."""
    after = [at.place] if indexes.stop < count else []
    _open(turn, at, [(index, work.graph) for index in indexes], *after)


def _concurrency(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value) or value < 1:
        raise ExpressionError("expression_value", f"`concurrency` is a whole number from 1, not {value!r:.80}")
    return int(value)


def loop(turn: Turn, at: At, work: LoopWork) -> None:
    """Begin the first iteration, unless `while` is false from the start."""
    if not _again(turn, at, work, 1):
        turn.finish(at, "done", None)
        return
    turn.emit(e.SCOPE_ENTERED, at, kind="loop", **limit(turn, at))
    _open(turn, at, [(1, work.graph)])


def _again(turn: Turn, at: At, work: LoopWork, iteration: int) -> bool:
    return work.while_ is None or holds(work.while_, {**turn.names(at.scope), "iteration": iteration})


def _open(turn: Turn, at: At, scopes: Sequence[tuple[str | int, str]], *after: Place) -> None:
    """Open scopes of a visit, by label and graph; the first of them goes first. after: what is looked at when all have begun."""
    begun: list[Entering | Place] = []
    for label, graph in scopes:
        turn.emit(e.SCOPE_OPENED, at, label=label)
        begun.append(Entering(turn.program.scopes[graph].start, scope_key(*at.place, label)))
    turn.ready.extendleft(reversed([*begun, *after]))


def scope_ended(turn: Turn, pending: Pending) -> None:
    """A branch or an iteration has ended: open the next, go on waiting, or end the node."""
    at = turn.at(pending)
    work = at.node.work
    try:
        if isinstance(work, ParallelWork):
            _branch_ended(turn, at, pending, work)
        elif isinstance(work, ForeachWork):
            _iteration_ended(turn, at, pending, work)
        elif isinstance(work, LoopWork):
            _round_ended(turn, at, pending, work)
    except ExpressionError as error:
        turn.fail(at, failure(error.code, error.message, at.node.id, 1, permanent=True))


def _branch_ended(turn: Turn, at: At, pending: Pending, work: ParallelWork) -> None:
    progress = pending.progress
    # A transition that yields looks later than a branch has ended, and others may have ended meanwhile: the first of them decide.
    results = list(progress.results)[: work.needed]
    completed = min(progress.before, len(results)) if work.fail_fast else len(results)
    if progress.error is not None and completed < work.needed and (work.fail_fast or not progress.open):
        turn.fail(at, progress.error)
    elif len(results) >= work.needed:
        turn.cancel_pending(inside=at.place)
        _finish(turn, at, {name: progress.results[name] for name in work.branches if name in results})


def _iteration_ended(turn: Turn, at: At, pending: Pending, work: ForeachWork) -> None:
    progress, count = pending.progress, count_of(pending.progress.items)
    if progress.error is not None and work.fail_fast:
        turn.fail(at, progress.error)
    elif _goes_on(turn, at):
        return  # an item before the next has still to begin; it is looked again then
    elif progress.opened < count:
        room = pending.data["concurrency"] - len(progress.open)
        if room > 0:
            _open_items(turn, at, work, range(progress.opened, min(progress.opened + room, count)), count)
    elif not progress.open:
        _finish(turn, at, [progress.results.get(index) for index in range(count)])


def _goes_on(turn: Turn, at: At) -> bool:
    """Whether it is the turn of one of a visit's own scopes."""
    following = turn.ready[0] if turn.ready else None
    scope = turn.state.scopes.get(following.scope) if isinstance(following, Entering) else None
    return scope is not None and (scope.node, scope.visit) == at.place


def _round_ended(turn: Turn, at: At, pending: Pending, work: LoopWork) -> None:
    progress = pending.progress
    if progress.error is not None:
        turn.fail(at, progress.error)
        return
    ended = progress.opened
    output = progress.results.get(ended)
    done = work.until is not None and holds(work.until, {**turn.names(at.scope), "iteration": ended})
    if done or not _again(turn, at, work, ended + 1):
        turn.finish(at, "done", output)
    elif ended >= work.max_iterations:
        turn.finish(at, "exhausted", output)
    else:
        _open(turn, at, [(ended + 1, work.graph)])


def _finish(turn: Turn, at: At, output: Any) -> None:
    """End a node with what its scopes gave, unless that is larger than a step's output may be."""
    size = size_of(output)
    if size > MAX_OUTPUT_BYTES:
        turn.fail(at, too_large(at.node.id, "the outputs of its scopes together", size))
    else:
        turn.finish(at, "done", turn.context.values.opened(output) if turn.state.large else output)
