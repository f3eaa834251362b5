"""How an execution begins: its input is checked, its variables are rendered, its first node is ready."""

from __future__ import annotations

from typing import Any

import msgspec
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.items import Start
from weft_engine.core.state import ROOT
from weft_engine.core.turn import Entering, Turn, failure
from weft_engine.machine import ExecutionStatus


def start(turn: Turn, item: Start) -> None:
    """Begin, or refuse what does not fit. A repeated start changes nothing."""
    state, program = turn.state, turn.program
    if state.status != ExecutionStatus.QUEUED:
        return
    begun: dict[str, Any] = {"tenant": state.tenant, "workflow": state.workflow, "version": program.version, "trigger": item.trigger}
    if item.input:
        begun["input"] = item.input
    if item.key is not None:
        begun["key"] = item.key
    labels = {**program.labels, **item.labels}
    if labels:
        begun["labels"] = labels
    begun["priority"] = item.priority if item.priority is not None else program.settings.priority
    if item.caller is not None:
        begun["caller"] = msgspec.to_builtins(item.caller)
    if state.traceparent is not None:
        begun["traceparent"] = state.traceparent
    if program.settings.max_duration_s is not None:
        begun["max_duration_s"] = program.settings.max_duration_s
    errors = program.input.errors(item.input)
    if errors:
        details = [{"pointer": f"/input{pointer}", "code": code, "detail": detail} for pointer, code, detail in errors]
        error = failure(
            "input_invalid", f"the input does not fit what {state.workflow} takes", None, permanent=True, details={"errors": details}
        )
        turn.emit(e.REJECTED, error=error, **begun)
        return
    turn.emit(e.STARTED, **begun)
    _initial_vars(turn)
    turn.ready.append(Entering(program.scopes[ROOT].start, ROOT))


def _initial_vars(turn: Turn) -> None:
    if not turn.program.vars:
        return
    try:
        values = {name: template.render(turn.names()) for name, template in turn.program.vars.items()}
    except ExpressionError as error:
        turn.fail_execution(failure(error.code, f"the initial vars: {error.message}", None, permanent=True))
        return
    turn.emit(e.VARS_SET, vars=values)
