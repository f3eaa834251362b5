"""Starts by hand: what the workflow's manual trigger makes of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from weft_contracts.executions import StartExecution
from weft_language.compilation import MANUAL, Program, Trigger, holds
from weft_language.expressions import CALENDARS, Calendar, ExpressionError
from weft_runtime.errors import WeftError

from weft_engine.errors import InputInvalid, TriggerDisabled, TriggerRefused


def is_written(program: Program) -> bool:
    """Whether the author wrote a manual trigger. One that nobody wrote takes everything as it is."""
    return any(one.on == "manual" and one is not MANUAL for one in program.triggers)


def triggered(
    start: StartExecution, program: Program, tenant: Mapping[str, Any], calendars: Mapping[str, Calendar], now: datetime
) -> StartExecution:
    """A start as the first manual trigger that takes it has it: with its id, its input and its key.

    start: as asked for; its `input` is what the form was filled in with, and a key it names goes before the trigger's.
    tenant: as expressions read it.  calendars: its business calendars, by name.
    Raises: TriggerDisabled when all are switched off; what the first of the others refuses it for: InputInvalid, TriggerRefused.
    """
    written = sorted((one for one in program.triggers if one.on == "manual"), key=lambda one: one.priority)
    enabled = [one for one in written if one.enabled]
    if not enabled:
        raise TriggerDisabled(program.slug)
    info = start.trigger.model_dump(exclude={"id", "event_id"})
    names = {"trigger": info, "tenant": tenant, "now": now, CALENDARS: calendars}
    refusals: list[WeftError] = []
    for trigger in enabled:
        try:
            return _taken(start, program, trigger, names)
        except (InputInvalid, TriggerRefused) as refusal:
            refusals.append(refusal)
    raise refusals[0]


def _taken(start: StartExecution, program: Program, trigger: Trigger, names: Mapping[str, Any]) -> StartExecution:
    errors = [] if trigger.form is None else trigger.form.errors(start.input)
    if errors:
        raise InputInvalid(program.slug, errors)
    try:
        if trigger.when is not None and not holds(trigger.when, names):
            raise TriggerRefused(program.slug, trigger.id, f"its condition is false: {trigger.when.text}")
        input_ = start.input if trigger.input is None else trigger.input.render(names)
        key = start.key if start.key is not None else trigger.key_of(names)
    except ExpressionError as error:
        raise TriggerRefused(program.slug, trigger.id, str(error)) from error
    info = start.trigger.model_copy(update={"id": trigger.id})
    return start.model_copy(update={"input": input_, "key": key, "trigger": info})
