"""What waits to be let in: the gates that a start or a retry has to pass, and a retry that waits at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from weft_language.compilation import ConcurrencyRule, Program

from weft_engine.core import entries as e
from weft_engine.core.claims import Values
from weft_engine.core.context import Context
from weft_engine.core.entries import Entry
from weft_engine.core.items import Admit, Caller, Happening, Retry
from weft_engine.core.names import names_of
from weft_engine.core.quotas import quotas_of
from weft_engine.core.recalling import asked_by
from weft_engine.core.seeing import SEEN, seen
from weft_engine.core.signals import Answer
from weft_engine.core.state import State
from weft_engine.core.turn import Turn

Gate = dict[str, Any]
"""`{name, limit, on_conflict}`, as entries hold it."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What asks to begin. caller: whose place it lives on, where that waits for it.  passed: gates of the tenant that it is through."""

    input: Any
    trigger: Mapping[str, Any]
    caller: Caller | None = None
    passed: Sequence[str] = ()


def gates_of(state: State, program: Program, now: datetime, context: Context, asking: Asking) -> list[Gate]:
    """The gates that stand before it now. Raises: ExpressionError where the key of `settings.concurrency` cannot be rendered, Wanted."""
    held_up = (context.suspended.get(what) for what in ("tenant", f"workflow:{state.workflow}"))
    gates = [_gate(gate) for gate in held_up if gate is not None]
    rule = program.settings.concurrency
    if rule is not None:
        name = f"{_KEYED}{state.workflow}:{_key(state, program, now, context, rule, asking)}"
        gates.append(_gate(name, rule.limit, rule.on_conflict))
    if asking.caller is not None and asking.caller.wait:
        # Its caller lives and waits for it: behind the same gate the two would wait for each other for ever.
        return gates
    quotas = quotas_of(context.tenant.get("settings"))
    return gates + [_gate(name, quotas.live or 0) for name in quotas.gates if name not in asking.passed]


_KEYED: Final = "workflow:"


def _gate(name: str, limit: int = 0, on_conflict: str = "queue") -> Gate:
    return {"name": name, "limit": limit, "on_conflict": on_conflict}


def _key(state: State, program: Program, now: datetime, context: Context, rule: ConcurrencyRule, asking: Asking) -> str:
    if rule.key is None:
        return ""
    # As one that only begins reads them: a retry stands with the starts that have its input.
    blank = State(state.id, state.tenant, state.workflow, program.version)
    names = names_of(blank, context.tenant, now, program.nodes, calendars=context.calendars)
    value = rule.key.render({**names, "input": asking.input, "trigger": asking.trigger})
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def gates_again(state: State, item: Retry, program: Program, now: datetime, context: Context) -> list[Gate]:
    """The gates that stand before a retry: those of a start with its input. Raises: as `gates_of`."""
    rule = program.settings.concurrency
    if rule is None or rule.key is None:
        return gates_of(state, program, now, context, Asking({}, {}, item.caller))
    input_ = state.input if item.input is None else item.input
    asking = Asking(context.values.opened(input_), context.values.opened(state.trigger), item.caller)
    return gates_of(state, program, now, context, asking)


def key_in(gates: Iterable[str]) -> str:
    """The key of `settings.concurrency` that one of these gates stands for; empty where there is none."""
    return next((name for name in gates if name.startswith(_KEYED)), "").split(":", 2)[-1]


def line_up(
    state: State, item: Retry, now: datetime, program: Program, context: Context, gates: Sequence[Gate]
) -> tuple[Turn, Answer | None]:
    """Let an execution that has ended badly wait at gates until its retry is let in. `state` is changed in place.

    Returns: what is written, and the answer; None where that is known when it is let in or skipped.
    """
    asked: dict[str, Any] = {"effects": item.effects, **asked_by(item)}
    given = {"from": item.node, "input": item.input, "version": item.workflow_version, "by": item.user}
    asked |= {name: value for name, value in given.items() if value is not None}
    if item.answer_id is not None:
        asked["answer_id"] = str(item.answer_id)
    turn = Turn(state, program, now, context)
    before = {"was": str(state.status), "ended_at": state.completed_at}
    turn.emit(e.RETRY_QUEUED, gates=list(gates), **before, **asked, **{SEEN: seen(context.tenant)})
    return turn, None if _owes(turn.state.begun) else Answer(202, body={"status": "queued"})


def goes_back(item: Happening, state: State) -> bool:
    """Whether an item takes the whole journal: a retry, or that one is let in, which one that is paused is when it is resumed."""
    return isinstance(item, Retry) or (isinstance(item, Admit) and not item.gates and state.retrying and state.paused is None)


def asked_before(state: State, values: Values) -> Retry:
    """The retry that an execution waits for, as it was asked for. Raises: Wanted."""
    asked = state.begun or {}
    answer_id = UUID(asked["answer_id"]) if "answer_id" in asked else None
    input_ = values.opened(asked["input"]) if "input" in asked else None
    return Retry(state.id, asked.get("from"), input_, asked.get("version"), asked["effects"], asked.get("by"), answer_id)


def is_asked_again(state: State, item: Retry) -> bool:
    """Whether this very retry waits already: it came once more."""
    return state.retrying and item.answer_id is not None and (state.begun or {}).get("answer_id") == str(item.answer_id)


def withdraw(turn: Turn, **why: Any) -> None:
    """Give up a retry that waits: the execution has ended as it had before. why: `by` and `reason`, or `live_execution_id`."""
    state = turn.state
    begun = state.begun or {}
    told = {name: value for name, value in why.items() if value is not None}
    if "live_execution_id" in told:
        told["key"] = key_in(gate["name"] for gate in begun["gates"])
    turn.emit(e.RETRY_WITHDRAWN, was=begun["was"], ended_at=begun["ended_at"], error=state.error, **told)


def _owes(begun: Mapping[str, Any] | None) -> bool:
    """Whether who asked is answered only when it is known whether the retry is skipped."""
    return begun is not None and "answer_id" in begun and any(gate["on_conflict"] == "skip" for gate in begun["gates"])


def let_in_answer(state: State) -> Answer | None:
    """What is owed to who asked for a retry that is let in now."""
    begun = state.begun or {}
    return Answer(200, to=UUID(begun["answer_id"])) if _owes(begun) else None


def withdrawn_answer(begun: Mapping[str, Any] | None, entries: Sequence[Entry]) -> Answer | None:
    """What is owed to who asked for a retry that is given up. begun: how it waited, before these entries."""
    given_up = next((entry.data for entry in entries if entry.kind == e.RETRY_WITHDRAWN), None)
    if given_up is None or begun is None or not _owes(begun):
        return None
    to = UUID(begun["answer_id"])
    if "live_execution_id" in given_up:
        return place_taken(given_up["key"], given_up["live_execution_id"], to)
    reason = f": {given_up['reason']}" if "reason" in given_up else ""
    return Answer(409, "retry_withdrawn", f"the retry was taken back before it was let in{reason}", to=to)


def place_taken(key: str, holder: str, to: UUID | None = None) -> Answer:
    """What is told to who asks for a retry that is skipped. holder: who lives in its place."""
    reason = (
        f"execution {holder} lives with the key {key!r}, and settings.concurrency asks to skip further ones; wait for its end, or cancel it"
    )
    return Answer(409, "place_taken", reason, {"execution_id": holder}, to)
