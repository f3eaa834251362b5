"""Checks that belong to single node types and triggers: what has the right shape and still cannot be meant."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, get_args

from pydantic import ValidationError

from weft_language.actions import ACTIONS
from weft_language.findings import Finding, pointer_of
from weft_language.model.triggers import ScheduleTrigger, Signature, timetable_of
from weft_language.validation.enhancing import enhance_findings
from weft_language.validation.nearest import nearest
from weft_language.validation.outline import Outline, OutlineNode

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PLAIN_TEXTS: Final = ("name", "description")
_SIGNS_THE_BODY: Final = ("hmac-sha256", "github")


def meaning_findings(document: Outline) -> Iterator[Finding]:
    """Everything that single nodes, edges and triggers say against themselves."""
    yield from _triggers(document.document.get("triggers"))
    yield from _not_rendered(document.document, ("name", "description"), "", None)
    for node in document.all_nodes:
        yield from _not_rendered(node.raw, _PLAIN_TEXTS, node.pointer, node.id)
        check = _CHECKS.get(node.type)
        if check is not None:
            yield from check(document, node)
        yield from _action(node.type, node.with_, f"{node.pointer}/with", node)
        undo = node.raw.get("compensate")
        if isinstance(undo, Mapping):
            yield from _action(undo.get("type"), undo.get("with"), f"{node.pointer}/compensate/with", node)
        enhance = node.raw.get("enhance")
        if isinstance(enhance, Mapping):
            yield from _action(enhance.get("type"), enhance.get("with"), f"{node.pointer}/enhance/with", node)
            yield from enhance_findings(node, enhance)
    for graph in document.graphs:
        for edge in graph.edges:
            if not edge.implied and edge.on == "":
                yield Finding("error", "wrong_format", f"{edge.pointer}/on", "an outcome has a name", edge.source)


def _not_rendered(raw: Any, fields: tuple[str, ...], pointer: str, node: str | None) -> Iterator[Finding]:
    for field in fields:
        value = raw.get(field)
        if isinstance(value, str) and "{{" in value and "}}" in value:
            message = f"`{field}` is shown as written: templates are read in `with`, `vars`, `output` and triggers"
            yield Finding("warning", "template_not_rendered", f"{pointer}/{field}", message, node, "write a plain text")


def _triggers(triggers: Any) -> Iterator[Finding]:
    taken: dict[str, int] = {}
    for place, trigger in enumerate(triggers if isinstance(triggers, list) else ()):
        name = trigger.get("id") if isinstance(trigger, dict) else None
        if isinstance(name, str):
            if name in taken:
                message = f"the trigger id `{name}` is already the id of the trigger at /triggers/{taken[name]}"
                yield Finding("error", "duplicate_id", f"/triggers/{place}/id", message, fix="give it an id of its own")
            taken.setdefault(name, place)
        if isinstance(trigger, dict) and trigger.get("on") == "schedule":
            yield from _span(trigger, f"/triggers/{place}/ends")
        if isinstance(trigger, dict) and trigger.get("on") == "webhook":
            yield from _hook(trigger, f"/triggers/{place}")


def _span(schedule: dict[str, Any], pointer: str) -> Iterator[Finding]:
    """What the start and the end of a schedule leave of it."""
    try:
        read = ScheduleTrigger.model_validate(schedule)
    except ValidationError:
        return
    timetable = timetable_of(read)
    starts, ends = timetable.starts, timetable.ends
    if ends is None:
        return
    if starts is not None and ends < starts:
        yield Finding("error", "ends_before_starts", pointer, "it ends before it starts: it is never due", fix="let it end later")
    elif starts is not None and timetable.after(starts - timedelta(microseconds=1)) is None:
        yield Finding("warning", "never_due", pointer, "it is not due once between `starts` and `ends`", fix="let it end later")


def _hook(hook: dict[str, Any], pointer: str) -> Iterator[Finding]:
    """Who may call a webhook. What is no signature of the language is said of its shape."""
    signature, methods = hook.get("signature", "standard-webhooks"), hook.get("methods", ["POST"])
    if signature == "none":
        message = "calls of this webhook are not signed: whoever knows its address may start the workflow, with any payload"
        fix = "let the sender sign them: name a `signature` and a `connection` of type webhook that holds the secret"
        yield Finding("warning", "webhook_unsigned", f"{pointer}/signature", message, fix=fix)
    elif signature in get_args(Signature) and hook.get("connection") is None:
        message = f"the signature `{signature}` cannot be verified without a secret"
        fix = "name a `connection` of type webhook that holds it, or write `signature: none` to let anybody call"
        yield Finding("error", "webhook_without_connection", f"{pointer}/connection", message, fix=fix)
    if signature in _SIGNS_THE_BODY and isinstance(methods, list) and "GET" in methods:
        message = f"`{signature}` signs the body, and a GET has none: every one is signed alike, and after the first each is a repetition"
        fix = "let it be called by POST, or use a signature that covers the time, such as standard-webhooks"
        yield Finding("warning", "webhook_signs_nothing", f"{pointer}/methods", message, fix=fix)


def _task(document: Outline, node: OutlineNode) -> Iterator[Finding]:
    pointer = f"{node.pointer}/with"
    if "due" not in node.with_ and "timeout" not in node.raw:
        fix = "give it a `due`, such as 2d"
        yield Finding("warning", "task_without_due", pointer, f"the task `{node.id}` has no `due`: it may wait for ever", node.id, fix)
    outcomes = node.with_.get("outcomes")
    yield from _outcome_names(outcomes if isinstance(outcomes, list) else [], f"{pointer}/outcomes", node, by_place=True)
    separate = node.with_.get("separate_from")
    for place, name in enumerate(separate if isinstance(separate, list) else ()):
        other = document.nodes.get(name) if isinstance(name, str) else None
        if other is None or other.type != "task":
            tasks = [task.id for task in document.all_nodes if task.type == "task" and task is not node]
            meant = nearest(str(name), tasks)
            fix = f"did you mean `{meant}`?" if meant else "name the id of a task"
            yield Finding("error", "unknown_node", f"{pointer}/separate_from/{place}", f"no task has the id `{name}`", node.id, fix)
    if not node.with_.get("assignee") and not node.with_.get("candidates"):
        message = f"the task `{node.id}` names nobody: it waits among the unassigned ones"
        yield Finding("info", "task_without_people", pointer, message, node.id, "give it an `assignee` or `candidates`")


def _outcome_names(names: list[Any], pointer: str, node: OutlineNode, *, by_place: bool) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, name in enumerate(names):
        at = f"{pointer}/{place}" if by_place else pointer + pointer_of(str(name))
        if name == "error":
            message = f"`{node.id}` names an outcome `error`, which is what a failing node ends with"
            yield Finding("error", "reserved_outcome", at, message, node.id, "choose another name, such as `rejected`")
        if isinstance(name, str) and name in seen:
            yield Finding("error", "duplicate_outcome", at, f"`{node.id}` names the outcome `{name}` twice", node.id, "name it once")
        if isinstance(name, str):
            seen.add(name)


def _state(document: Outline, node: OutlineNode) -> Iterator[Finding]:
    seen: set[str] = set()
    for word in ("signals", "events", "after"):
        members = node.with_.get(word)
        names = list(members) if isinstance(members, dict) else []
        pointer = f"{node.pointer}/with/{word}"
        yield from _outcome_names(names, pointer, node, by_place=False)
        for name in names:
            if name in seen:
                message = f"`{node.id}` names `{name}` twice: as signal, event or time"
                yield Finding("error", "duplicate_outcome", pointer + pointer_of(name), message, node.id, "give each a name of its own")
        seen.update(names)
    if not seen and "timeout" not in node.raw:
        message = f"nothing can leave the state `{node.id}`"
        fix = "give it `signals`, `events` or `after`"
        yield Finding("error", "state_never_left", f"{node.pointer}/with", message, node.id, fix)


def _switch(document: Outline, node: OutlineNode) -> Iterator[Finding]:
    cases = node.with_.get("cases")
    for place, case in enumerate(cases if isinstance(cases, list) else ()):
        if isinstance(case, dict) and case.get("outcome") == "error":
            yield from _outcome_names(["error"], f"{node.pointer}/with/cases/{place}/outcome", node, by_place=True)


def _set(document: Outline, node: OutlineNode) -> Iterator[Finding]:
    for name in node.with_:
        if not name.startswith("x-") and not _VARIABLE.fullmatch(name):
            message = f"the variable `{name}` cannot be read as vars.{name}, only as vars[{name!r}]"
            fix = "use letters, digits and _, starting with a letter"
            yield Finding("warning", "variable_name", f"{node.pointer}/with{pointer_of(name)}", message, node.id, fix)


def _compensate(document: Outline, node: OutlineNode) -> Iterator[Finding]:
    scope = node.with_.get("scope")
    if isinstance(scope, str) and (scope not in document.nodes or document.nodes[scope].type != "group"):
        groups = [group.id for group in document.all_nodes if group.type == "group"]
        meant = nearest(scope, groups)
        fix = f"did you mean `{meant}`?" if meant else "name a group"
        yield Finding("error", "unknown_node", f"{node.pointer}/with/scope", f"no group has the id `{scope}`", node.id, fix)


def _action(type_: Any, with_: Any, pointer: str, node: OutlineNode) -> Iterator[Finding]:
    """What a connector says of its own action."""
    action = ACTIONS.get(type_) if isinstance(type_, str) else None
    if action is not None and isinstance(with_, Mapping):
        for fault in action.check(with_):
            yield Finding(fault.severity, fault.code, f"{pointer}/{fault.field}", fault.message, node.id, fault.fix)


_CHECKS: Final = {
    "task": _task,
    "state": _state,
    "switch": _switch,
    "set": _set,
    "compensate": _compensate,
}
