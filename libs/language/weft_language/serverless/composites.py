"""Tasks of a Serverless Workflow that hold others, or wait for events: do, fork, for, try, listen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from weft_language.serverless.notes import below
from weft_language.serverless.scopes import Made, Node, Result, Task
from weft_language.serverless.tasks import code_of, member_of, ways
from weft_language.serverless.terms import View, member, quoted
from weft_language.serverless.values import Values, is_expression, plain_id


class Lists(Protocol):
    """Makes a graph of a list of tasks, given what they see and where it stands."""

    def __call__(self, listed: Any, view: View, at: str, result: Result | None = None) -> dict[str, Any]:
        """The graph. result: the node that ends it, given what is seen there; else one that gives what the list gives."""


_LOCAL: Final = frozenset({"input", "vars", "tenant", "execution", "step", "trigger", "signal", "now", "index", "iteration"})
_ERROR: Final = {"type": "code", "title": "code", "detail": "message", "status": "details.status"}
_FAMILIES: Final = {"communication": "http_"}
MAX_ATTEMPTS: Final = 100


def do(task: Task, view: View, values: Values, lists: Lists) -> Made:
    """`do`: a group."""
    graph = lists(task.body["do"], view, below(task.at, "do"))
    return Made([{"id": task.id, "type": "group", "with": graph}], ways(task))


def fork(task: Task, view: View, values: Values, lists: Lists) -> Made:
    """`fork`: branches at once; what they give is a list, or what the first that ends gives."""
    given, at = member_of(task.body, "fork"), below(task.at, "fork", "branches")
    branches: dict[str, Any] = {}
    listed = given.get("branches")
    for place, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, dict):
            name = plain_id(str(next(iter(entry), "branch")))
            name = name if name not in branches else f"{name}_{place + 1}"
            branches[name] = lists([entry], view, f"{at}/{place}#")
    if not branches:
        values.notes.lost(at, "a fork has no branches", "give it some")
        branches = {"none": {"nodes": [{"id": values.id_of("nothing"), "type": "transform", "with": {"expression": "null"}}]}}
    node: Node = {"id": task.id, "type": "parallel", "with": {"branches": branches}}
    output = f"step.{task.id}.output"
    if given.get("compete") is True:
        node["with"]["join"] = "any"
        return Made([node, _result(task, values, f"{output}.map(name, {output}[name])[0]")], ways(task))
    return Made([node, _result(task, values, f"[{', '.join(member(output, name) for name in branches)}]")], ways(task))


def for_(task: Task, view: View, values: Values, lists: Lists) -> Made:
    """`for`: a body for each item, which begins with what the one before gave: a variable keeps that."""
    given, at = member_of(task.body, "for"), below(task.at, "for")
    each, place = str(given.get("each", "item")), str(given.get("at", "index"))
    item = values.id_of(each) if each not in _LOCAL else values.id_of(f"{each}_")
    seen = {name: value for name, value in view.variables.items() if value != "index"} | {each: item, place: "index"}
    inside = View(view.dot, seen)
    data = task.beside_it("data", values)
    kept: Node = {"id": values.id_of(f"{task.id}_keep"), "type": "set"}
    body = lists(task.body["do"], inside.at(f"vars.{data}"), below(task.at, "do"), lambda end: {**kept, "with": {data: _template(end.dot)}})
    if "while" in task.body:
        first = values.id_of(f"{task.id}_while")
        when = values.cel(task.body["while"], inside.at(f"vars.{data}"), below(task.at, "while"))
        body = {
            "nodes": [{"id": first, "type": "if", "with": {"when": when}}, *body["nodes"]],
            "edges": [{"from": first, "to": body["nodes"][0]["id"], "on": "true"}, *body.get("edges", ())],
        }
        values.notes.changed(below(task.at, "while"), "an item for which it does not hold is passed over, and those after it are looked at")
    begun: Node = {"id": values.id_of(f"{task.id}_begin"), "type": "set", "with": {data: _template(view.dot)}}
    items = _template(values.cel(given.get("in"), view, below(at, "in")))
    node: Node = {"id": task.id, "type": "foreach", "with": {"items": items, "as": item, "body": body}}
    return Made([begun, node, _result(task, values, f"vars.{data}")], ways(task))


def try_(task: Task, view: View, values: Values, lists: Lists, retries: Mapping[str, Any]) -> Made:
    """`try`: a group, tried again by its policy; what its errors lead to is another. retries: policies referred to by name."""
    node: Node = {"id": task.id, "type": "group", "with": lists(task.body["try"], view, below(task.at, "try"))}
    catch, at = member_of(task.body, "catch"), below(task.at, "catch")
    policy = catch.get("retry")
    policy = retries.get(policy) if isinstance(policy, str) else policy
    if isinstance(policy, dict):
        node["retry"] = retry(policy, values, below(at, "retry"))
    elif "retry" in catch:
        values.notes.lost(below(at, "retry"), "this policy is not defined", "define it here, or under use.retries")
    name = str(catch.get("as", "error"))
    error = f"step.{task.id}.error"
    caught = view.knowing(**{name: (error, {theirs: f"{error}.{ours}" for theirs, ours in _ERROR.items()})})
    guard = _guard(catch, error, caught, values, at)
    output = f"step.{task.id}.output"
    edge = {"from": task.id, "on": "error", **({"when": guard} if guard else {})}
    result = task.beside_it("result", values)
    if not isinstance(catch.get("do"), list):
        made = _result(task, values, f"default({output}, {view.dot})")
        return Made([node, made], ways(task), edges=[{**edge, "to": result}])
    handler = values.id_of(f"{task.id}_catch")
    group: Node = {"id": handler, "type": "group", "with": lists(catch["do"], caught, below(at, "do"))}
    edges = [{**edge, "to": handler}, {"from": handler, "to": result}]
    text = f"step.{task.id}.outcome == 'error' ? default(step.{handler}.output, null) : {output}"
    return Made([node, _result(task, values, text)], ways(task), [group], edges)


def listen(task: Task, view: View, values: Values) -> Made:
    """`listen`: rest until an event comes, or all of several have; what it gives is the list of their data."""
    to, at = member_of(member_of(task.body, "listen"), "to"), below(task.at, "listen", "to")
    if "until" in to or "foreach" in task.body:
        why = "events are waited for once here; a loop around a `state` waits for more"
        values.notes.lost(at if "until" in to else below(task.at, "foreach"), why, "wait for one, or for all of several")
    if member_of(task.body, "listen").get("read", "data") != "data":
        values.notes.changed(below(task.at, "listen", "read"), "an event's data is read, without its attributes")
    output = f"step.{task.id}.output"
    if isinstance(to.get("all"), list):
        branches = {}
        for place, given in enumerate(to["all"]):
            name = values.id_of(f"{task.id}_event_{place + 1}")
            branches[name] = {"nodes": [_state(values.id_of(f"{name}_came"), [(given, below(at, "all", place))], view, values)]}
        if branches:
            node: Node = {"id": task.id, "type": "parallel", "with": {"branches": branches}}
            return Made([node, _result(task, values, f"[{', '.join(member(output, name) for name in branches)}]")], ways(task))
    word = "one" if "one" in to else "any"
    listed = to.get(word) if isinstance(to.get(word), list) else [to.get(word)]
    filters = [(given, below(at, word, place) if word == "any" else below(at, word)) for place, given in enumerate(listed or [{}])]
    return Made([_state(task.id, filters, view, values), _result(task, values, f"[{output}]")], ways(task))


def heard(given: Any, at: str, view: View, values: Values, event: str, data: str) -> tuple[str, str]:
    """The type of event that a filter is for, and the CEL that its other attributes make. event, data: CEL of an event and its data."""
    with_ = member_of(given if isinstance(given, dict) else {}, "with")
    parts: list[str] = []
    for name, wanted in with_.items():
        read = data if name == "data" else member(event, name)
        if is_expression(wanted):
            parts.append(values.cel(wanted, view.at(read), below(at, "with", name)))
        elif name != "type":
            parts.append(f"default({read}, null) == {_constant(wanted)}")
    correlate = member_of(given if isinstance(given, dict) else {}, "correlate")
    for name, one in correlate.items():
        place = below(at, "correlate", name)
        if not isinstance(one, dict) or "expect" not in one:
            values.notes.changed(place, "events are not held to the first one's value", "say what it is to be in `expect`")
            continue
        got = values.cel(one.get("from"), view.at(data), below(place, "from"))
        expected = one["expect"]
        parts.append(f"{got} == {values.cel(expected, view, below(place, 'expect')) if is_expression(expected) else _constant(expected)}")
    kind = with_.get("type")
    return kind if isinstance(kind, str) and not is_expression(kind) else "*", " && ".join(f"({part})" for part in parts)


def retry(policy: Mapping[str, Any], values: Values, at: str) -> dict[str, Any]:
    """A policy of trying again, as Weft writes it."""
    limit = member_of(policy, "limit")
    count = member_of(limit, "attempt").get("count")
    made: dict[str, Any] = {"attempts": min(count + 1, MAX_ATTEMPTS) if type(count) is int and count >= 0 else MAX_ATTEMPTS}
    view = View("null")
    if "delay" in policy:
        made["delay"] = values.duration(policy["delay"], view, below(at, "delay"))
    backoff = member_of(policy, "backoff")
    made["factor"] = 2.0 if "exponential" in backoff else 1.0
    made["jitter"] = "jitter" in policy
    if "duration" in limit:
        made["deadline"] = values.duration(limit["duration"], view, below(at, "limit", "duration"))
    for name, fix in (("when", "retry.on"), ("exceptWhen", "retry.not_on")):
        if name in policy:
            values.notes.changed(below(at, name), "it is tried again whatever the error", f"name the errors in {fix}")
    if "linear" in backoff or "duration" in member_of(limit, "attempt"):
        values.notes.changed(at, "delays do not grow by a step here, and an attempt has the node's own timeout")
    return made


def _guard(catch: Mapping[str, Any], error: str, view: View, values: Values, at: str) -> str:
    """When an error is caught; empty for always."""
    wanted, place = member_of(member_of(catch, "errors"), "with"), below(at, "errors", "with")
    parts: list[str] = []
    if "status" in wanted and type(wanted["status"]) is int:
        parts.append(f"default({error}.details.status, 0) == {wanted['status']}")
    if isinstance(wanted.get("type"), str):
        code = code_of(wanted["type"])
        family = _FAMILIES.get(code)
        parts.append(f"{error}.code.startsWith({quoted(family)})" if family else f"{error}.code == {quoted(code)}")
    for name in wanted:
        if name not in ("status", "type"):
            values.notes.changed(below(place, name), "errors are told apart by their code and status alone")
    if "when" in catch:
        parts.append(values.cel(catch["when"], view, below(at, "when")))
    if "exceptWhen" in catch:
        parts.append(f"!({values.cel(catch['exceptWhen'], view, below(at, 'exceptWhen'))})")
    return " && ".join(f"({part})" if len(parts) > 1 else part for part in parts)


def _state(id_: str, filters: list[tuple[Any, str]], view: View, values: Values) -> Node:
    events: dict[str, Any] = {}
    for number, (given, at) in enumerate(filters, start=1):
        kind, match = heard(given, at, view, values, "event", "event.data")
        events["came" if len(filters) == 1 else f"came_{number}"] = {"event": kind, **({"match": match} if match else {})}
    return {"id": id_, "type": "state", "with": {"events": events}}


def _result(task: Task, values: Values, expression: str) -> Node:
    return {"id": task.beside_it("result", values), "type": "transform", "with": {"expression": expression}}


def _template(cel: str) -> str:
    return "{{ " + cel + " }}"


def _constant(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(name)}: {_constant(one)}" for name, one in value.items()) + "}"
    return f"[{', '.join(map(_constant, value))}]" if isinstance(value, list) else repr(value)
