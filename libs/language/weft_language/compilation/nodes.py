"""Compiling one node: its `with` to the work it has to do."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from weft_language.actions import ACTIONS
from weft_language.compilation import work
from weft_language.compilation.correlating import EventWait, correlate
from weft_language.compilation.enhancing import EnhanceWork
from weft_language.compilation.moments import DelayValue, DueValue, TimeValue
from weft_language.compilation.program import Edge, Node, NodeKind
from weft_language.compilation.retrying import ACTIVITY_DEFAULT, NEVER_AGAIN, RetryPolicy
from weft_language.enhancing import DEFAULT_TIMEOUT_S, inputs_of
from weft_language.expressions import Template, compile_conditions, compile_expression, compile_template, escape
from weft_language.json_schemas import SchemaCheck
from weft_language.model import Node as WrittenNode
from weft_language.model import Retry, parse_duration
from weft_language.model.node import Compensation, Enhancement
from weft_language.model.part import Part
from weft_language.model.work import with_class
from weft_language.model.work_action import ActivityWith, CallWith, EndWith, FailWith, PublishWith
from weft_language.model.work_data import ForeachWith, IfWith, LoopWith, ParallelWith, SetWith, SwitchWith, TransformWith
from weft_language.model.work_task import Approvals, TaskWith
from weft_language.model.work_time import StateEvent, StateWith, WaitWith

_KINDS: Final[dict[str, NodeKind]] = {
    "group": "scope",
    "parallel": "scope",
    "foreach": "scope",
    "loop": "scope",
    "compensate": "scope",
    "call": "waiting",
    "wait": "waiting",
    "state": "waiting",
    "task": "task",
    "activity": "activity",
    "fail": "ending",
    "end": "ending",
}


def compile_node(node: WrittenNode, graph: str, edges: Mapping[str, tuple[Edge, ...]], frame: str = "") -> Node:
    """A node ready to run. graph: id of the graph it stands in; frame: as in `Node`.

    Raises: ExpressionError, InvalidSchema, pydantic's ValidationError for a `compensate` that was never validated.
    """
    kind = _KINDS.get(node.type, "activity" if "." in node.type else "control")
    default = ACTIVITY_DEFAULT if kind == "activity" else NEVER_AGAIN
    return Node(
        id=node.id,
        type=node.type,
        kind=kind,
        graph=graph,
        name=node.name or node.id,
        work=_work(node, edges),
        retry=default if node.retry is None else compile_retry(node.retry),
        timeout_s=None if node.timeout is None else parse_duration(node.timeout),
        edges=edges,
        frame=frame,
        undo=None if node.compensate is None else _undo(node.compensate),
        enhance=None if node.enhance is None else _enhance(node, node.enhance),
    )


def _enhance(node: WrittenNode, part: Enhancement) -> EnhanceWork:
    asks = ACTIONS[part.type].with_.model_validate({"timeout_s": DEFAULT_TIMEOUT_S, **part.with_})
    properties = (part.with_.get("schema") or {}).get("properties", {})
    action, takes_input = ACTIONS.get(node.type), part.apply == "input"
    return EnhanceWork(
        asks=_connector(part.type, asks),
        apply=part.apply,
        min_tier=part.min_tier,
        timeout_s=getattr(asks, "timeout_s", DEFAULT_TIMEOUT_S),
        own=compile_template(as_written(node.with_)) if takes_input and node.type != "foreach" else None,
        members=frozenset(properties) & inputs_of(node.type) if takes_input else frozenset(),
        output=None if action is None or takes_input else SchemaCheck(action.output),
    )


def _undo(part: Compensation) -> work.ActivityWork | work.ConnectorWork:
    given = (with_class(part.type) or Part).model_validate(part.with_)
    if isinstance(given, ActivityWith):
        return _activity(given)
    return _connector(part.type, given)


def _connector(type_: str, given: Part) -> work.ConnectorWork:
    connection, members = getattr(given, "connection", None), as_written(given)
    action = ACTIONS.get(type_)
    for name in action.as_written if action is not None else ():
        if name in members:
            members[name] = _escaped(members[name])
    room = None if action is None else action.room
    return work.ConnectorWork(type_, compile_template(members), connection if isinstance(connection, str) else None, room)


def _escaped(value: Any) -> Any:
    """What holds no templates, as a template that renders to it."""
    if isinstance(value, dict):
        return {name: _escaped(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_escaped(one) for one in value]
    return escape(value) if isinstance(value, str) else value


def compile_retry(retry: Retry) -> RetryPolicy:
    """The policy of a `retry` as written."""
    return RetryPolicy(
        attempts=retry.attempts,
        delay_s=parse_duration(retry.delay),
        factor=retry.factor,
        max_delay_s=parse_duration(retry.max_delay),
        jitter=retry.jitter,
        on=frozenset(retry.on),
        not_on=frozenset(retry.not_on),
        deadline_s=None if retry.deadline is None else parse_duration(retry.deadline),
    )


def _work(node: WrittenNode, edges: Mapping[str, tuple[Edge, ...]]) -> work.Work:
    if node.type == "group":
        return work.GroupWork(node.id)
    if node.type in _SCOPED:
        return _SCOPED[node.type](node.id, node.with_)
    if node.type == "task":
        return _task(node, edges)
    build = _BUILDERS.get(node.type)
    if build is None:
        return _connector(node.type, node.with_)
    return build(node.with_)


def as_written(part: Part) -> dict[str, Any]:
    """The plain object of a part, without `x-` keys, defaults filled in where they are not null."""
    members: dict[str, Any] = part.model_dump(mode="json", by_alias=True)
    given = {field.alias or name for name, field in type(part).model_fields.items() if part.given(name)}
    return {name: value for name, value in members.items() if not name.startswith("x-") and (value is not None or name in given)}


def _template(part: Part, name: str) -> Template | None:
    """The template of a field; None where the author left it out."""
    value = getattr(part, name)
    if value is None and not part.given(name):
        return None
    return compile_template(as_written(value) if isinstance(value, Part) else value)


def _set(part: SetWith) -> work.Work:
    return work.SetWork(tuple((name, compile_template(value)) for name, value in part.values.items()))


def _transform(part: TransformWith) -> work.Work:
    if part.expression is not None:
        return work.TransformWork(expression=compile_expression(part.expression))
    return work.TransformWork(map=compile_template(part.map))


def _if(part: IfWith) -> work.Work:
    if part.when is not None:
        return work.IfWork(compile_expression(part.when))
    return work.IfWork(compile_conditions(part.conditions or {}))


def _switch(part: SwitchWith) -> work.Work:
    cases = tuple(work.SwitchCase(compile_expression(case.when), case.outcome) for case in part.cases)
    return work.SwitchWork(cases, "done" if part.default is None else part.default)


def _parallel(node: str, part: ParallelWith) -> work.Work:
    branches = {name: f"{node}/{name}" for name in part.branches}
    needed = {"all": len(branches), "any": 1}.get(str(part.join)) or min(int(part.join), len(branches))
    return work.ParallelWork(branches, needed, part.on_error == "fail")


def _foreach(node: str, part: ForeachWith) -> work.Work:
    return work.ForeachWork(
        node, compile_template(part.items), compile_template(part.concurrency), part.as_, part.on_error == "fail", part.max_items
    )


def _loop(node: str, part: LoopWith) -> work.Work:
    while_ = None if part.while_ is None else compile_expression(part.while_)
    return work.LoopWork(node, while_, None if part.until is None else compile_expression(part.until), part.max_iterations)


def _call(part: CallWith) -> work.Work:
    return work.CallWork(compile_template(part.workflow), _template(part, "version"), _template(part, "input"), part.wait)


def _wait(part: WaitWith) -> work.Work:
    calendar = None if part.calendar is None else compile_template(part.calendar)
    if part.for_ is not None:
        return work.WaitWork(delay=DelayValue.compile(part.for_), calendar=calendar)
    return work.WaitWork(until=TimeValue.compile(part.until or ""), calendar=calendar)


def _state(part: StateWith) -> work.Work:
    signals = {name: None if signal.schema_ is None else SchemaCheck(signal.schema_) for name, signal in part.signals.items()}
    after = tuple((name, DelayValue.compile(text)) for name, text in part.after.items())
    return work.StateWork(signals, after, {name: _event(one) for name, one in part.events.items()})


def _event(part: StateEvent) -> EventWait:
    match = None if part.match is None else compile_expression(part.match)
    return EventWait(part.event, match, None if match is None else correlate(match))


def _task(node: WrittenNode, edges: Mapping[str, tuple[Edge, ...]]) -> work.Work:
    part = cast("TaskWith", node.with_)
    form = _template(part, "form")
    return work.TaskWork(
        title=compile_template(part.title or node.name or node.id),
        outcomes=part.outcomes,
        description=_template(part, "description"),
        form=form,
        form_check=SchemaCheck(part.form) if part.form is not None and form is not None and form.is_constant else None,
        ui=_template(part, "ui"),
        data=_template(part, "data"),
        assignee=_template(part, "assignee"),
        candidates=_template(part, "candidates"),
        due=None if part.due is None else DueValue.compile(part.due),
        priority=_template(part, "priority"),
        expires_at_due=part.due is not None and node.timeout is None and not part.on_timeout and "timeout" in edges,
        approvals=None if part.approvals is None else _approvals(part.approvals),
        separate_from=part.separate_from,
        reminders=tuple(DelayValue.compile(text) for text in part.reminders),
        ladder=tuple(
            work.RungWork(DelayValue.compile(rung.after), rung.do, _template(rung, "to"), rung.outcome) for rung in part.on_timeout
        ),
    )


def _approvals(part: Approvals) -> work.ApprovalsWork:
    return work.ApprovalsWork(part.required, part.required if part.of is None else part.of, part.distinct)


def _publish(part: PublishWith) -> work.Work:
    return work.PublishWork(compile_template(part.type), _template(part, "data"), _template(part, "subject"))


def _fail(part: FailWith) -> work.Work:
    return work.FailWork(compile_template(part.code), compile_template(part.message))


def _end(part: EndWith) -> work.Work:
    return work.EndWork(_template(part, "output"), part.status)


def _activity(part: ActivityWith) -> work.ActivityWork:
    return work.ActivityWork(compile_template(part.name), _template(part, "input"), _template(part, "queue"))


_SCOPED: Final[dict[str, Callable[[str, Any], work.Work]]] = {"parallel": _parallel, "foreach": _foreach, "loop": _loop}

_BUILDERS: Final[dict[str, Callable[[Any], work.Work]]] = {
    "set": _set,
    "call": _call,
    "compensate": lambda part: work.CompensateWork(),
    "transform": _transform,
    "if": _if,
    "switch": _switch,
    "wait": _wait,
    "state": _state,
    "publish": _publish,
    "fail": _fail,
    "end": _end,
    "activity": _activity,
}
