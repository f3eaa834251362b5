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
)
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.enhancing import before
from weft_engine.core.failures import failure
from weft_engine.core.holding import held_up
from weft_engine.core.nodes import inline, outside, people, resting, scopes, undoing
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
        turn.fail(at, failure(error.code, error.message, at.node.id, 1, permanent=True))


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
