"""Tasks of a Serverless Workflow that do one thing: set, switch, call, wait, emit, raise, run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from weft_language.model.definition import slug_of
from weft_language.serverless.notes import below
from weft_language.serverless.scopes import NEXT, Made, Node, Task
from weft_language.serverless.terms import View
from weft_language.serverless.values import Values, is_expression

OURS: Final = "weft."
"""Functions of this name before their own are types of Weft's nodes."""
ONCE: Final = {"attempts": 1}
"""Nothing is tried again there unless a policy says so; here activities are."""
_ELSEWHERE: Final = ("grpc", "openapi", "asyncapi", "a2a", "mcp")


def ways(task: Task) -> list[tuple[str, str]]:
    """Where a task leads that ends in one way."""
    then = task.body.get("then", NEXT)
    return [("done", then if isinstance(then, str) else NEXT)]


def member_of(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A member that is to be an object, empty where it is none."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def set_(task: Task, view: View, values: Values) -> Made:
    """`set`: variables, or one expression whose value is the data from then on."""
    given, at = task.body["set"], below(task.at, "set")
    if isinstance(given, dict) and given:
        return Made([{"id": task.id, "type": "set", "with": values.template(given, view, at)}], ways(task))
    return Made([{"id": task.id, "type": "transform", "with": values.reading(given, view, at)}], ways(task))


def switch(task: Task, view: View, values: Values) -> Made:
    """`switch`: the first case that holds; without a default it goes on as the task says."""
    cases: list[dict[str, str]] = []
    found: list[tuple[str, str]] = []
    otherwise, leads_to = "", str(task.body.get("then", NEXT))
    listed = task.body["switch"]
    for place, entry in enumerate(listed if isinstance(listed, list) else ()):
        for name, case in entry.items() if isinstance(entry, dict) else ():
            at = below(task.at, "switch", place, name)
            then = case.get("then") if isinstance(case, dict) else None
            if not isinstance(then, str):
                values.notes.lost(at, "a case leads nowhere", "give it a `then`")
            elif "when" in case:
                cases.append({"when": values.cel(case["when"], view, below(at, "when")), "outcome": _outcome(name)})
                found.append((_outcome(name), then))
            else:
                otherwise, leads_to = _outcome(name), then
    word = otherwise or _free("otherwise", {outcome for outcome, _ in found})
    if not cases:
        values.notes.lost(below(task.at, "switch"), "a switch has no case with a condition", "give one a `when`")
        cases = [{"when": "false", "outcome": "never"}]
    node = {"id": task.id, "type": "switch", "with": {"cases": cases, "default": word}}
    return Made([node], [*found, (word, leads_to)])


def wait(task: Task, view: View, values: Values) -> Made:
    """`wait`: for a duration."""
    duration = values.duration(task.body["wait"], view, below(task.at, "wait"), plain=False)
    return Made([{"id": task.id, "type": "wait", "with": {"for": duration}}], ways(task))


def emit(task: Task, view: View, values: Values) -> Made:
    """`emit`: a domain event. Its id, time and source are given by Weft."""
    event = member_of(member_of(task.body["emit"] if isinstance(task.body["emit"], dict) else {}, "event"), "with")
    at = below(task.at, "emit", "event", "with")
    with_ = {name: values.template(event[name], view, below(at, name)) for name in ("type", "subject", "data") if name in event}
    if "type" not in with_:
        values.notes.lost(at, "the event has no type", "give it one")
        with_["type"] = "unknown"
    for name in event:
        if name not in with_:
            values.notes.dropped(at, name, why="of an event is given by Weft, or left out")
    values.notes.dropped(task.at, "emit", why="gives {event_id} here, not the whole event")
    return Made([{"id": task.id, "type": "publish", "with": with_}], ways(task))


def raise_(task: Task, view: View, values: Values, errors: Mapping[str, Any]) -> Made:
    """`raise`: an error of one's own, by the last part of its type. errors: those that are referred to by name."""
    error, at = member_of({"raise": task.body["raise"]}, "raise").get("error"), below(task.at, "raise", "error")
    if isinstance(error, str):
        error = errors.get(error)
    if not isinstance(error, dict):
        values.notes.lost(at, "this error is not defined", "define it here, or under use.errors")
        error = {}
    parts = [values.template(error[name], view, below(at, name)) for name in ("title", "detail") if isinstance(error.get(name), str)]
    for name in ("status", "instance"):
        if name in error:
            values.notes.dropped(at, name, why="of an error has no equal: an error has a code and a message here")
    node = {"id": task.id, "type": "fail", "with": {"code": code_of(error.get("type")), "message": ": ".join(map(str, parts))}}
    return Made([node], [])


def call(task: Task, view: View, values: Values) -> Made:
    """`call`: HTTP, a node of Weft's own, or work that a worker of the tenant does."""
    function, with_, at = task.body["call"], member_of(task.body, "with"), below(task.at, "with")
    if function == "http":
        return _http(task, with_, view, values, at)
    if isinstance(function, str) and function.startswith(OURS):
        node = {"id": task.id, "type": function.removeprefix(OURS), "with": values.template(with_, view, at)}
        return Made([node], ways(task))
    known = function if function in _ELSEWHERE else f"the function `{str(function)[:80]}`"
    return elsewhere(task, f"serverless.{function}", known, values.template(with_, view, at), values)


def run(task: Task, view: View, values: Values) -> Made:
    """`run`: another workflow, or a process that a worker of the tenant runs."""
    process = member_of(task.body, "run")
    workflow, at = process.get("workflow"), below(task.at, "run")
    if not isinstance(workflow, dict) or not isinstance(workflow.get("name"), str):
        kind = next((name for name in ("container", "shell", "script") if name in process), "process")
        return elsewhere(task, f"serverless.{kind}", f"a {kind}", values.template(process, view, at), values)
    with_: dict[str, Any] = {"workflow": slug_of(workflow["name"])}
    if "input" in workflow:
        with_["input"] = values.template(workflow["input"], view, below(at, "workflow", "input"))
    for name in ("namespace", "version"):
        if name in workflow:
            values.notes.dropped(at, "workflow", name, why="does not choose a workflow here: its active version is called by its slug")
    if process.get("await") is False:
        with_["wait"] = False
    return Made([{"id": task.id, "type": "call", "with": with_}], ways(task))


def elsewhere(task: Task, name: str, what: str, given: Any, values: Values) -> Made:
    """Work that Weft does not do itself, as an activity of that name."""
    values.notes.changed(
        task.at, f"{what} is not called by Weft: this is an activity `{name[:100]}` now", "let a worker of yours do it, or use a connector"
    )
    return Made([{"id": task.id, "type": "activity", "with": {"name": name[:200], "input": given}, "retry": ONCE}], ways(task))


def code_of(kind: Any) -> str:
    """The code of an error, by the last part of its type's URI."""
    last = re.split(r"[/:]", kind.rstrip("/"))[-1] if isinstance(kind, str) else ""
    return re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_")[:100] or "failed"


def _http(task: Task, with_: Mapping[str, Any], view: View, values: Values, at: str) -> Made:
    made: dict[str, Any] = {}
    endpoint, endpoint_at = with_.get("endpoint"), below(at, "endpoint")
    if isinstance(endpoint, dict):
        if "authentication" in endpoint:
            values.notes.changed(
                below(endpoint_at, "authentication"), "credentials do not stand in a definition", "name a `connection` of type http instead"
            )
        endpoint, endpoint_at = endpoint.get("uri"), below(endpoint_at, "uri")
    made["url"] = values.address(endpoint, view, endpoint_at)
    method = with_.get("method", "get")
    made["method"] = values.template(method, view, below(at, "method")) if is_expression(method) else str(method).upper()
    for name in ("headers", "query", "body"):
        if name in with_:
            made[name] = values.template(with_[name], view, below(at, name))
    if with_.get("redirect") is True:
        made["expect"] = ["2xx", "3xx"]
    for name in with_:
        if name not in ("method", "endpoint", "headers", "query", "body", "redirect", "output"):
            values.notes.lost(below(at, name), "a call by HTTP has nothing like it", "leave it out")
    nodes: list[Node] = [{"id": task.id, "type": "http.request", "with": made, "retry": ONCE}]
    if with_.get("output") == "raw":
        made["response"] = "base64"
    if with_.get("output") == "response":
        answer = {"statusCode": "status", "headers": "headers", "content": "body"}
        parts = {name: f"{{{{ step.{task.id}.output.{ours} }}}}" for name, ours in answer.items()}
        nodes.append({"id": task.beside_it("response", values), "type": "transform", "with": {"map": parts}})
    return Made(nodes, ways(task))


def _outcome(name: str) -> str:
    return re.sub(r"[/\x00-\x1f]", "_", name)[:64].strip() or "case"


def _free(word: str, taken: set[str]) -> str:
    return word if word not in taken else _free(f"{word}_", taken)


def gives_of_call(task: Task, values: Values) -> str:
    """CEL of what a `call` gives."""
    output = member_of(task.body, "with").get("output") if task.body["call"] == "http" else None
    if output == "response":
        return f"step.{task.beside_it('response', values)}.output"
    return f"step.{task.id}.output.body" if task.body["call"] == "http" else f"step.{task.id}.output"
