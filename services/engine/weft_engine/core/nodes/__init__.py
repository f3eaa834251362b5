"""What each type of node does when an execution comes to it: a function per type, all with the shape `(turn, at, work)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from weft_language.compilation import (
    ActivityWork,
    CallWork,
    CompensateWork,
    ConnectorWork,
    EndWork,
    FailWork,
    ForeachWork,
    GroupWork,
    IfWork,
    LoopWork,
    ParallelWork,
    PublishWork,
    SetWork,
    StateWork,
    SwitchWork,
    TaskWork,
    TransformWork,
    WaitWork,
    Work,
    with_input,
)
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.asking import details_of
from weft_engine.core.enhancing import before
from weft_engine.core.failures import failure
from weft_engine.core.holding import held_up
from weft_engine.core.nodes import inline, outside, people, resting, scopes, undoing
from weft_engine.core.state import Pending
from weft_engine.core.turn import At, Entering, Turn

Enter = Callable[[Turn, At, Any], None]


def enter(turn: Turn, entering: Entering) -> None:
    """Begin the next visit of a node. What cannot be rendered fails the visit, never the engine."""
    at = turn.next_visit(turn.program.nodes[entering.node], entering.scope)
    held = held_up(turn, at.node)
    if held is not None:
        turn.emit(e.STEP_WAITING, at, kind="suspended", **held.told, **resting.limit_held_up(turn, at))
        return
    if not before(turn, at):
        begin_work(turn, at, at.node.work)


def begin_work(turn: Turn, at: At, work: Work) -> None:
    """Begin what a visit has to do. work: the node's own, or that with another input."""
    try:
        ENTER[type(work)](turn, at, work)
    except ExpressionError as error:
        turn.fail(at, failure(error.code, error.message, at.node.id, 1, permanent=True, details=details_of(error)))


def begin_own(turn: Turn, at: At, given: Any) -> None:
    """Begin a visit's own work, once it is known what becomes of its enhancement; where it is held up by now, when that is lifted.

    given: members of its input that a model gave, None for none.
    """
    held = held_up(turn, at.node)
    if held is None:
        begin_work(turn, at, at.node.work if given is None else with_input(at.node.work, given))
        return
    more = {} if given is None else {"given": given}
    turn.emit(e.STEP_WAITING, at, kind="suspended", **held.told, **more, **resting.limit_of_enhanced(turn, at))


def let_in(turn: Turn, pending: Pending) -> None:
    """Begin the own work of a visit that was held up after its enhancement."""
    given = pending.data.get("given")
    opened = turn.context.values.opened(given) if turn.state.large else given
    at, enhancement = turn.at(pending), turn.state.steps_in(pending.scope)[pending.node].enhancement
    turn.emit(e.STEP_ENHANCED, at, enhancement=enhancement, gate=pending.gate)
    begin_own(turn, at, opened)


ENTER: Final[dict[type[Any], Enter]] = {
    SetWork: inline.set_,
    TransformWork: inline.transform,
    IfWork: inline.if_,
    SwitchWork: inline.switch,
    PublishWork: inline.publish,
    FailWork: inline.fail,
    EndWork: inline.end,
    GroupWork: scopes.group,
    ParallelWork: scopes.parallel,
    ForeachWork: scopes.foreach,
    LoopWork: scopes.loop,
    CompensateWork: undoing.compensate,
    WaitWork: resting.wait,
    StateWork: resting.state,
    TaskWork: people.task,
    CallWork: outside.call,
    ActivityWork: outside.activity,
    ConnectorWork: outside.activity,
}
