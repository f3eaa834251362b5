"""What each type of node does when an execution comes to it: a function per type, all with the shape `(turn, node, work, visit)`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from operator import itemgetter
from typing import Any, Final
from uuid import uuid5

from weft_language.compilation import (
    ActivityWork,
    ConnectorWork,
    EndWork,
    FailWork,
    GroupWork,
    IfWork,
    Node,
    PublishWork,
    SetWork,
    StateWork,
    SwitchWork,
    TaskWork,
    TransformWork,
    WaitWork,
)
from weft_language.expressions import ExpressionError, to_json

from weft_engine.core import entries as e
from weft_engine.core.signals import take_kept
from weft_engine.core.turn import Turn, failure, task_id_of

Enter = Callable[[Turn, Node, Any, int], None]

CONNECTOR_QUEUE: Final = "default"
"""The pool of Weft's own workers, which runs every connector's action."""


def enter(turn: Turn, node: Node) -> None:
    """Begin the next visit of a node. What cannot be rendered fails the visit, never the engine."""
    visit = turn.visit_of(node.id) + 1
    try:
        ENTER[type(node.work)](turn, node, node.work, visit)
    except ExpressionError as error:
        turn.fail(node, visit, failure(error.code, error.message, node.id, 1, permanent=True))


def _set(turn: Turn, node: Node, work: SetWork, visit: int) -> None:
    values = {name: template.render(turn.names) for name, template in work.values}
    turn.finish(node, visit, "done", values, vars=values)


def _transform(turn: Turn, node: Node, work: TransformWork, visit: int) -> None:
    if work.map is not None:
        output = work.map.render(turn.names)
    else:
        output = to_json(work.expression.evaluate(turn.names)) if work.expression is not None else None
    turn.finish(node, visit, "done", output)


def _if(turn: Turn, node: Node, work: IfWork, visit: int) -> None:
    value = work.condition.evaluate(turn.names)
    if not isinstance(value, bool):
        message = f"the condition gave {type(value).__name__}, not true or false"
        raise ExpressionError("expression_type", message, expression=work.condition.text)
    turn.finish(node, visit, "true" if value else "false", value)


def _switch(turn: Turn, node: Node, work: SwitchWork, visit: int) -> None:
    outcome = next((case.outcome for case in work.cases if case.when.evaluate(turn.names) is True), work.default)
    turn.finish(node, visit, outcome, outcome)


def _group(turn: Turn, node: Node, work: GroupWork, visit: int) -> None:
    turn.emit(e.SCOPE_ENTERED, node.id, visit, 1, **_place(turn, node))
    turn.ready.append(turn.program.scopes[work.graph].start)


def _wait(turn: Turn, node: Node, work: WaitWork, visit: int) -> None:
    if work.delay is not None:
        wake_at = turn.now + timedelta(seconds=work.delay.seconds(turn.names))
    elif work.until is not None:
        wake_at = work.until.at(turn.names)
    else:
        wake_at = turn.now
    if wake_at <= turn.now:
        turn.finish(node, visit, "done", {"woke_at": turn.now.isoformat()})
    else:
        turn.emit(e.STEP_WAITING, node.id, visit, kind="timer", due_at=wake_at, **_place(turn, node))


def _state(turn: Turn, node: Node, work: StateWork, visit: int) -> None:
    after: list[list[Any]] = [[name, turn.now + timedelta(seconds=delay.seconds(turn.names))] for name, delay in work.after]
    after.sort(key=itemgetter(1))
    due: dict[str, Any] = {"due_at": after[0][1]} if after else {}
    turn.emit(e.STEP_WAITING, node.id, visit, kind="signal", signals=sorted(work.signals), after=after, **due, **_place(turn, node))
    take_kept(turn, node, work)


def _task(turn: Turn, node: Node, work: TaskWork, visit: int) -> None:
    names = turn.names

    def rendered(name: str) -> dict[str, Any]:
        template = getattr(work, name)
        value = template.render(names) if template is not None else None
        return {} if value is None else {name: value}

    due_at = work.due.at(names, turn.now) if work.due is not None else None
    task: dict[str, Any] = {
        "task_id": task_id_of(turn.state.id, node.id, visit),
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
    due: dict[str, Any] = {}
    if due_at is not None:
        task["due_at"] = due_at
        if work.expires_at_due:
            due["deadline_at"] = due_at
    turn.emit(e.STEP_WAITING, node.id, visit, kind="task", task=task, **{**_place(turn, node), **due})


def _priority(rendered: dict[str, Any]) -> dict[str, int]:
    if not rendered:
        return {}
    value = rendered["priority"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 9 or value != int(value):
        raise ExpressionError("expression_value", f"a task's priority is a whole number from 0 to 9, not {value!r}")
    return {"priority": int(value)}


def _publish(turn: Turn, node: Node, work: PublishWork, visit: int) -> None:
    names = turn.names
    event_id = str(uuid5(turn.state.id, f"event:{node.id}:{visit}"))
    subject: dict[str, Any] = {"subject": text(work.subject.render(names))} if work.subject is not None else {}
    data = {"data": work.data.render(names)} if work.data is not None else {}
    turn.emit(e.EVENT_PUBLISHED, node.id, visit, event_id=event_id, type=text(work.type.render(names)), **subject, **data)
    turn.finish(node, visit, "done", {"event_id": event_id})


def _fail(turn: Turn, node: Node, work: FailWork, visit: int) -> None:
    code, message = text(work.code.render(turn.names)), text(work.message.render(turn.names))
    error = failure(code, message, node.id, 1, permanent=True)
    turn.emit(e.STEP_FAILED, node.id, visit, outcome="error", error=error)
    turn.fail_scope(node.graph, error)


def _end(turn: Turn, node: Node, work: EndWork, visit: int) -> None:
    output = work.output.render(turn.names) if work.output is not None else None
    turn.emit(e.STEP_COMPLETED, node.id, visit, **({"output": output} if output is not None else {}))
    if work.status == "failed":
        turn.fail_execution(failure("ended_failed", f"the end node {node.id} ends the execution as failed", node.id, details=output))
    else:
        turn.complete(output)


def _activity(turn: Turn, node: Node, work: ActivityWork, visit: int) -> None:
    name = text(work.name.render(turn.names))
    input_ = work.input.render(turn.names) if work.input is not None else None
    queue = text(work.queue.render(turn.names)) if work.queue is not None else turn.state.tenant
    _schedule(turn, node, visit, name, input_, queue)


def _connector(turn: Turn, node: Node, work: ConnectorWork, visit: int) -> None:
    _schedule(turn, node, visit, work.type, work.with_.render(turn.names), CONNECTOR_QUEUE)


def _schedule(turn: Turn, node: Node, visit: int, name: str, input_: Any, queue: str) -> None:
    turn.emit(
        e.STEP_SCHEDULED, node.id, visit, 1, name=name, queue=queue, resend_s=turn.context.resend_s,
        lease_s=turn.context.lease_s, **({"input": input_} if input_ is not None else {}), **_place(turn, node),
    )  # fmt: skip


def _place(turn: Turn, node: Node) -> dict[str, Any]:
    place: dict[str, Any] = {"graph": node.graph} if node.graph else {}
    deadline = turn.deadline(node)
    if deadline is not None:
        place["deadline_at"] = deadline
    return place


def text(value: Any) -> str:
    """A rendered value where the language wants a text. Raises: ExpressionError when it is another kind of value."""
    if not isinstance(value, str):
        raise ExpressionError("expression_value", f"a text is needed here, not {value!r:.80}")
    return value


ENTER: Final[dict[type[Any], Enter]] = {
    SetWork: _set,
    TransformWork: _transform,
    IfWork: _if,
    SwitchWork: _switch,
    GroupWork: _group,
    WaitWork: _wait,
    StateWork: _state,
    TaskWork: _task,
    PublishWork: _publish,
    FailWork: _fail,
    EndWork: _end,
    ActivityWork: _activity,
    ConnectorWork: _connector,
}
