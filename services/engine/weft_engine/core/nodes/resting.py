"""Nodes that rest: until a time, until a signal or an event, until a person has decided."""

from __future__ import annotations

from datetime import timedelta
from operator import itemgetter
from typing import Any

from weft_language.compilation import StateWork, TaskWork, WaitWork
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.asking import text
from weft_engine.core.identity import task_id_of
from weft_engine.core.listening import waits
from weft_engine.core.signals import take_kept
from weft_engine.core.turn import At, Turn


def wait(turn: Turn, at: At, work: WaitWork) -> None:
    """Rest for a duration or until a time."""
    names = turn.names(at.scope)
    if work.delay is not None:
        wake_at = turn.now + timedelta(seconds=work.delay.seconds(names))
    elif work.until is not None:
        wake_at = work.until.at(names)
    else:
        wake_at = turn.now
    if wake_at <= turn.now:
        turn.finish(at, "done", {"woke_at": turn.now.isoformat()})
    else:
        turn.emit(e.STEP_WAITING, at, kind="timer", due_at=wake_at, **limit(turn, at))


def state(turn: Turn, at: At, work: StateWork) -> None:
    """Rest until a signal, an event or time leaves it. A signal that came before is taken at once; an event that did is asked for."""
    names = turn.names(at.scope)
    after: list[list[Any]] = [[name, turn.now + timedelta(seconds=delay.seconds(names))] for name, delay in work.after]
    after.sort(key=itemgetter(1))
    due: dict[str, Any] = {"due_at": after[0][1]} if after else {}
    waited: dict[str, Any] = {"signals": sorted(work.signals), **waits(work, names), "after": after, **due, **limit(turn, at)}
    turn.emit(e.STEP_WAITING, at, kind="signal", **waited)
    take_kept(turn, at, work)


def task(turn: Turn, at: At, work: TaskWork) -> None:
    """Ask a person."""
    names = turn.names(at.scope)

    def rendered(name: str) -> dict[str, Any]:
        template = getattr(work, name)
        value = template.render(names) if template is not None else None
        return {} if value is None else {name: value}

    due_at = work.due.at(names, turn.now) if work.due is not None else None
    asked: dict[str, Any] = {
        "task_id": task_id_of(turn.state.id, at.node.id, at.visit),
        "title": text(work.title.render(names)),
        "outcomes": list(work.outcomes),
        **rendered("form"),
        **rendered("ui"),
        **rendered("data"),
        **rendered("candidates"),
        **{name: text(value) for name, value in rendered("description").items()},
        **{name: text(value) for name, value in rendered("assignee").items()},
        **_priority(rendered("priority")),
    }
    if turn.answered_before(at, "task", asked):
        return
    due: dict[str, Any] = {}
    if due_at is not None:
        asked["due_at"] = due_at
        if work.expires_at_due:
            due["deadline_at"] = due_at
    turn.emit(e.STEP_WAITING, at, kind="task", task=asked, **{**limit(turn, at), **due})


def _priority(rendered: dict[str, Any]) -> dict[str, int]:
    if not rendered:
        return {}
    value = rendered["priority"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 9 or value != int(value):
        raise ExpressionError("expression_value", f"a task's priority is a whole number from 0 to 9, not {value!r}")
    return {"priority": int(value)}


def limit(turn: Turn, at: At) -> dict[str, Any]:
    """When the visit outlives the node's `timeout`, as entries hold it; nothing where it has none."""
    deadline = turn.deadline(at.node, at.scope)
    return {} if deadline is None else {"deadline_at": deadline}
