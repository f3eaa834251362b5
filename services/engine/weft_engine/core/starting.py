"""How an execution begins: its input is checked, it is admitted where its number is bounded, its first node is ready."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.failures import failure
from weft_engine.core.holding import let_go
from weft_engine.core.items import Admit, Skip, Start
from weft_engine.core.queued import Asking, gates_of, key_in, withdraw
from weft_engine.core.seeing import SEEN, seen
from weft_engine.core.sla import promised
from weft_engine.core.state import ROOT
from weft_engine.core.turn import Entering, Turn
from weft_engine.machine import ExecutionStatus

PATIENCE: Final = timedelta(seconds=30)
"""How long a start is held whose definition is not here but may be on its way."""


def start(turn: Turn, item: Start) -> None:
    """Begin, wait to be admitted, or refuse what does not fit. A repeated start changes nothing."""
    state, program = turn.state, turn.program
    if state.status != ExecutionStatus.QUEUED or state.begun is not None:
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
        message = f"the input does not fit what {state.workflow} takes"
        turn.emit(e.REJECTED, error=failure("input_invalid", message, None, permanent=True, details={"errors": details}), **begun)
        return
    try:
        gates = gates_of(turn.state, turn.program, turn.now, turn.context, Asking(item.input, item.trigger, item.caller, item.passed))
    except ExpressionError as error:
        message = f"the key of settings.concurrency: {error.message}"
        turn.emit(e.REJECTED, error=failure(error.code, message, None, permanent=True), **begun)
        return
    if item.passed:
        begun["passed"] = item.passed
    if gates:
        begun[SEEN] = seen(turn.context.tenant)  # which of its quotas bound it
        turn.emit(e.QUEUED, gates=gates, **begun)
    else:
        _go(turn, begun)


def refused(item: Start, tenant: str, kind: str, data: Mapping[str, Any]) -> Entry:
    """What ends an execution that never begins: its key is taken, or its workflow is not there. kind: of the entry.  data: why."""
    born = {"tenant": tenant, "workflow": item.workflow, "version": item.workflow_version or 0, "trigger": item.trigger}
    if item.caller is not None:
        born["caller"] = msgspec.to_builtins(item.caller)
    return Entry(kind, data={**born, **data})


def admit(turn: Turn, item: Admit) -> None:
    """Begin what waited to be admitted, or let go what was held up. A repeat changes nothing."""
    if turn.state.begun is None:
        let_go(turn, item.gates)
    elif not item.gates and not turn.state.retrying:  # going on with a retry takes the whole journal, see `rewinding.retry`
        _go(turn, {})


def skip(turn: Turn, item: Skip) -> None:
    """Give up what waited to be admitted: another lives, and the workflow asks to be skipped then."""
    if turn.state.retrying:
        withdraw(turn, live_execution_id=str(item.live_execution_id))
    elif turn.state.begun is not None:
        turn.emit(e.SKIPPED, key=key_in(turn.state.gates), live_execution_id=str(item.live_execution_id))


def _go(turn: Turn, begun: dict[str, Any]) -> None:
    terms = turn.program.sla
    if terms is not None:
        begun = {**begun, "sla": promised(terms, turn.now, (), turn.context.calendars).told()}
    turn.emit(e.STARTED, **begun)
    begin(turn)


def begin(turn: Turn) -> None:
    """Render what an execution that is started begins with, and enter its first node."""
    _initial_vars(turn)
    turn.ready.append(Entering(turn.program.scopes[ROOT].start, ROOT))


def _initial_vars(turn: Turn) -> None:
    if not turn.program.vars:
        return
    try:
        values = {name: template.render(turn.names()) for name, template in turn.program.vars.items()}
    except ExpressionError as error:
        turn.fail_execution(failure(error.code, f"the initial vars: {error.message}", None, permanent=True))
        return
    turn.emit(e.VARS_SET, vars=values)
