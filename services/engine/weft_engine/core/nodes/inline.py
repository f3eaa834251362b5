"""Nodes that need no outside help: they end in the transition that enters them."""

from __future__ import annotations

from typing import Any
from uuid import uuid5

from weft_language.compilation import EndWork, FailWork, IfWork, PublishWork, SetWork, SwitchWork, TransformWork, holds
from weft_language.expressions import to_json

from weft_engine.core import entries as e
from weft_engine.core.asking import text
from weft_engine.core.claims import MAX_OUTPUT_BYTES, size_of_parts, too_large
from weft_engine.core.failures import failure
from weft_engine.core.publishable import fault
from weft_engine.core.turn import At, Turn


def set_(turn: Turn, at: At, work: SetWork) -> None:
    """Write variables. All values are rendered before the first is written."""
    names = turn.names(at.scope)
    values = {name: template.render(names) for name, template in work.values}
    if not _too_large(turn, at, values):
        turn.finish(at, "done", values, vars=values)


def transform(turn: Turn, at: At, work: TransformWork) -> None:
    """Compute a value."""
    names = turn.names(at.scope)
    if work.map is not None:
        output = work.map.render(names)
    else:
        output = to_json(work.expression.evaluate(names)) if work.expression is not None else None
    if not _too_large(turn, at, output):
        turn.finish(at, "done", output)


def _too_large(turn: Turn, at: At, output: Any) -> bool:
    """Fail what is larger than a step's output may be. An expression is bounded by itself; only several together can come to that."""
    size = size_of_parts(output)
    if size > MAX_OUTPUT_BYTES:
        turn.fail(at, too_large(at.node.id, "its output", size))
    return size > MAX_OUTPUT_BYTES


def if_(turn: Turn, at: At, work: IfWork) -> None:
    """Choose one of two ways."""
    value = holds(work.condition, turn.names(at.scope))
    turn.finish(at, "true" if value else "false", value)


def switch(turn: Turn, at: At, work: SwitchWork) -> None:
    """Choose the way of the first case that holds."""
    names = turn.names(at.scope)
    outcome = next((case.outcome for case in work.cases if holds(case.when, names)), work.default)
    turn.finish(at, outcome, outcome)


def publish(turn: Turn, at: At, work: PublishWork) -> None:
    """Say a domain event."""
    names = turn.names(at.scope)
    event_id = str(uuid5(turn.state.id, f"event:{at.node.id}:{at.visit}"))
    subject: dict[str, Any] = {"subject": text(work.subject.render(names))} if work.subject is not None else {}
    data = {"data": work.data.render(names)} if work.data is not None else {}
    event = {"type": text(work.type.render(names)), **subject, **data}
    if turn.answered_before(at, "event", event):
        return
    error = fault(turn.state, at.node.id, event_id, event, turn.now)
    if error is not None:
        turn.fail(at, error)
        return
    turn.emit(e.EVENT_PUBLISHED, at, event_id=event_id, **event)
    turn.finish(at, "done", {"event_id": event_id})


def fail(turn: Turn, at: At, work: FailWork) -> None:
    """Fail the scope."""
    names = turn.names(at.scope)
    error = failure(text(work.code.render(names)), text(work.message.render(names)), at.node.id, 1, permanent=True)
    turn.emit(e.STEP_FAILED, at, outcome="error", error=error)
    turn.fail_scope(at.scope, error)


def end(turn: Turn, at: At, work: EndWork) -> None:
    """End the whole execution."""
    output = work.output.render(turn.names(at.scope)) if work.output is not None else None
    if _too_large(turn, at, output):
        return
    turn.emit(e.STEP_COMPLETED, at, **({"output": output} if output is not None else {}))
    if work.status == "failed":
        message = f"the end node {at.node.id} ends the execution as failed"
        told = {} if output is None else {"output": output}
        turn.fail_execution(failure("ended_failed", message, at.node.id, details=told or None), **told)
    else:
        turn.complete(output)
