"""The node that asks people: what the tasks service is told, rendered when the execution comes to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from weft_language.compilation import RungWork, TaskWork
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.asking import text
from weft_engine.core.identity import task_id_of
from weft_engine.core.nodes.resting import limit
from weft_engine.core.state import ROOT, State
from weft_engine.core.turn import At, Turn

_PEOPLE: Final = ("users", "groups", "roles")


def task(turn: Turn, at: At, work: TaskWork) -> None:
    """Ask a person, or several."""
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
        **{name: _candidates(value) for name, value in rendered("candidates").items()},
        **{name: text(value) for name, value in rendered("description").items()},
        **{name: text(value) for name, value in rendered("assignee").items()},
        **_priority(rendered("priority")),
        **_several(work),
        **_apart(turn, at, work, names),
    }
    if turn.answered_before(at, "task", asked):
        return
    due: dict[str, Any] = {}
    if due_at is not None:
        asked["due_at"] = due_at
        if work.expires_at_due:
            due["deadline_at"] = due_at
        if work.reminders:
            asked["reminders"] = [delay.seconds(names) for delay in work.reminders]
    if work.ladder:
        asked["on_timeout"] = [_rung(rung, names) for rung in work.ladder]
    turn.emit(e.STEP_WAITING, at, kind="task", task=asked, **{**limit(turn, at), **due})


def _priority(rendered: dict[str, Any]) -> dict[str, int]:
    if not rendered:
        return {}
    value = rendered["priority"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 9 or value != int(value):
        raise ExpressionError("expression_value", f"a task's priority is a whole number from 0 to 9, not {value!r}")
    return {"priority": int(value)}


def _several(work: TaskWork) -> dict[str, Any]:
    needed = work.approvals
    return {} if needed is None else {"approvals": {"required": needed.required, "of": needed.of, "distinct": needed.distinct}}


def _apart(turn: Turn, at: At, work: TaskWork, names: Mapping[str, Any]) -> dict[str, Any]:
    """From whose work a task is kept apart.

    What is known of it now is told by name; of tasks that are still open, beside this one or to come, the tasks service knows more, so
    every task says in which iterations it stands.
    """
    asked: dict[str, Any] = {}
    if work.separate_from:
        asked["separate_from"] = list(work.separate_from)
        excluded: dict[str, str] = {}
        for node in work.separate_from:
            for user in _deciders(names["step"].get(node)):
                excluded.setdefault(user, node)
        if excluded:
            asked["excluded"] = excluded
    rounds = "".join(f"{key}/" for key in _rounds(turn.state, at.scope))
    return {**asked, "rounds": rounds} if rounds else asked


def _deciders(step: Mapping[str, Any] | None) -> Iterator[str]:
    """Who decided, or had a part in it, in a step that ended well."""
    output = None if step is None else step.get("output")
    if not isinstance(output, Mapping):
        return
    approvals = output.get("approvals")
    for decision in (output, *(approvals if isinstance(approvals, list) else ())):
        if isinstance(decision, Mapping):
            yield from (user for user in (decision.get("completed_by"), decision.get("on_behalf_of")) if isinstance(user, str))


def _rounds(state: State, scope: str) -> Iterable[str]:
    """The keys of the iterations around a scope, outermost first."""
    keys: list[str] = []
    while scope != ROOT:
        inside = state.scopes[scope]
        if isinstance(inside.label, int):
            keys.append(scope)
        scope = inside.outer
    return reversed(keys)


def _rung(rung: RungWork, names: Mapping[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {"after_s": rung.after.seconds(names), "do": rung.do}
    if rung.outcome is not None:
        asked["outcome"] = rung.outcome
    to = None if rung.to is None else rung.to.render(names)
    if isinstance(to, str):
        asked["assignee"] = to
    elif to is not None:
        asked["candidates"] = _candidates(to)
    if (
        rung.do in ("reassign", "escalate")
        and not (isinstance(to, str) and to.strip())
        and not (isinstance(to, Mapping) and any(to.values()))
    ):
        raise ExpressionError("expression_value", f"`{rung.do}` needs a person or candidates in `to`, not {to!r:.80}")
    return asked


def _candidates(value: Any) -> Any:
    """Candidates as they are sent. Raises: ExpressionError where they are none, which nobody could tell the author later."""
    if isinstance(value, Mapping) and all(value.get(word) is None or _texts(value[word]) for word in _PEOPLE):
        return {word: value[word] for word in _PEOPLE if value.get(word) is not None}
    raise ExpressionError("expression_value", f"candidates are `{{users, groups, roles}}`, each a list of texts, not {value!r:.120}")


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
