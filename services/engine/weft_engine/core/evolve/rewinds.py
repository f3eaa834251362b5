"""Going back: the state of an earlier position, with what must not be forgotten of the time since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from weft_engine.core import entries as e
from weft_engine.core import sla
from weft_engine.core.entries import Entry
from weft_engine.core.evolve.change import Change, nothing
from weft_engine.core.evolve.executions import called_again
from weft_engine.core.ledger import done_since
from weft_engine.core.state import OWNERS, SEEN_SIGNALS, State
from weft_engine.machine import STEP_MOVES, move_execution, move_step


def carry_over(state: State, back: State, entries: Sequence[tuple[Entry, datetime]], entry: Entry) -> None:
    """Tell the earlier state `back` what `state`, after all entries, knows beyond it: visits and signals are not repeated.

    A migration that is undone was the last thing that happened, but for what time alone says of the sla: there is nothing beyond it.
    """
    back.position = len(entries)
    back.large = state.large
    if entry.kind == e.MIGRATION_UNDONE:
        if state.sla is not None and back.sla is not None and state.sla.by == back.sla.by:
            back.sla = state.sla  # what was said of it since stays said
        return
    back.status, back.sla, back.rests = state.status, state.sla, state.rests
    back.asked_by = state.asked_by
    back.gates = tuple(dict.fromkeys((*back.gates, *state.gates)))
    back.floors = {**state.floors, **{node: max(step.visit, state.floors.get(node, 0)) for node, step in state.steps.items()}}
    back.seen = tuple(dict.fromkeys((*back.seen, *state.seen)))[-SEEN_SIGNALS:]
    # What an earlier retry left to be taken up counts too: what was done once is not done again, however often one goes back.
    back.ledger = done_since(entries, entry.data["to"], back.ledger) if entry.data["effects"] == "skip" else {}


def _retried(state: State, entry: Entry, at: datetime) -> None:
    """Leaves that are kept wait on; the others are gone, and entered anew by the same transition."""
    data = entry.data
    state.status = move_execution(state.status, "start" if "let_in" in data else "retry")
    kept = {(node, visit) for node, visit in data["keep"]}
    for place, pending in list(state.pending.items()):
        if pending.kind in OWNERS and pending.kind != "compensate":
            continue
        if place in kept:
            pending.due_at = at if pending.kind == "activity" else pending.due_at
            continue
        del state.pending[place]
        step = state.steps_in(pending.scope).get(pending.node)
        if step is not None and (step.status, "cancel") in STEP_MOVES:
            step.status, step.completed_at = move_step(step.status, "cancel"), at
    for steps in (state.steps, *(scope.steps for scope in state.scopes.values() if scope.steps is not None)):
        for node, step in steps.items():
            # One that was enhanced and failed at once, before it waited for anything of its own.
            if step.enhancement is not None and step.completed_at is None and (node, step.visit) not in state.pending:
                step.status, step.completed_at = move_step(step.status, "cancel"), at
    state.walked.clear()
    for step in state.steps.values():
        step.told = step.told or step.completed_at is not None  # by the end that this goes back behind
    state.failing, state.ready, state.quiet = None, (), 0
    called_again(state, entry, at)
    state.input = data.get("input", state.input)
    state.version = data.get("version", state.version)
    if "sla" in data:
        state.sla = sla.read(data["sla"])
    limit = data.get("max_duration_s")
    state.deadline_at = None if limit is None else at + timedelta(seconds=limit)


REWIND_CHANGES: Final[dict[str, Change]] = {e.RETRIED: _retried, e.MIGRATION_UNDONE: nothing}
