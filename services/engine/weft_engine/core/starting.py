"""How an execution begins: its input is checked, it is admitted where its number is bounded, its first node is ready."""

from __future__ import annotations

from typing import Any

import msgspec
from weft_language.compilation import ConcurrencyRule
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.failures import failure
from weft_engine.core.holding import let_go
from weft_engine.core.items import Admit, Skip, Start
from weft_engine.core.names import names_of
from weft_engine.core.quotas import quotas_of
from weft_engine.core.seeing import SEEN, seen
from weft_engine.core.sla import promised
from weft_engine.core.state import ROOT
from weft_engine.core.turn import Entering, Turn
from weft_engine.machine import ExecutionStatus


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
        gates = _gates(turn, item)
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


def _gates(turn: Turn, item: Start) -> list[dict[str, Any]]:
    held_up = (turn.context.suspended.get(what) for what in ("tenant", f"workflow:{turn.state.workflow}"))
    gates = [_gate(gate) for gate in held_up if gate is not None]
    rule = turn.program.settings.concurrency
    if rule is not None:
        name = f"workflow:{turn.state.workflow}:{_key(turn, rule, item)}"
        gates.append(_gate(name, rule.limit, rule.on_conflict))
    if item.caller is not None and item.caller.wait:
        # Its caller lives and waits for it: behind the same gate the two would wait for each other for ever.
        return gates
    quotas = quotas_of(turn.context.tenant.get("settings"))
    return gates + [_gate(name, quotas.live or 0) for name in quotas.gates if name not in item.passed]


def _gate(name: str, limit: int = 0, on_conflict: str = "queue") -> dict[str, Any]:
    return {"name": name, "limit": limit, "on_conflict": on_conflict}


def _key(turn: Turn, rule: ConcurrencyRule, item: Start) -> str:
    if rule.key is None:
        return ""
    # Not the turn's own names: those are kept, and the state they look into begins only now.
    names = names_of(turn.state, turn.context.tenant, turn.now, turn.program.nodes, calendars=turn.context.calendars)
    names = {**names, "input": item.input, "trigger": item.trigger}
    value = rule.key.render(names)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def admit(turn: Turn, item: Admit) -> None:
    """Begin what waited to be admitted, or let go what was held up. A repeat changes nothing."""
    if turn.state.begun is None:
        let_go(turn, item.gates)
    elif not item.gates:
        _go(turn, {})


def skip(turn: Turn, item: Skip) -> None:
    """Give up what waited to be admitted: another lives, and the workflow asks to be skipped then."""
    if turn.state.begun is not None:
        key = next((name for name in turn.state.gates if name.startswith("workflow:")), "").split(":", 2)[-1]
        turn.emit(e.SKIPPED, key=key, live_execution_id=str(item.live_execution_id))


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
