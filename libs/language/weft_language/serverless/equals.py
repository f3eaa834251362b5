"""Which task of a Serverless Workflow each type of node is; what has none is a call of a function `weft.<type>`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from weft_language.serverless.notes import Notes, below
from weft_language.serverless.phrases import expression, iso, phrase
from weft_language.serverless.tasks import OURS

Task = dict[str, Any]
Lists = Callable[[Mapping[str, Any], str], list[Task]]
_HTTP: Final = ("url", "method", "headers", "query", "body")


def equal_of(node: Mapping[str, Any], lists: Lists, notes: Notes, at: str, slug: str) -> Task:
    """The task that is equal to a node, under its id. lists: writes a graph's list of tasks.  slug: of the workflow."""
    with_ = node.get("with", {})
    kind = node["type"]
    simple = {"set": _set, "transform": _transform, "wait": _wait, "fail": _fail, "http.request": _http}
    if kind in simple:
        body = simple[kind](with_, notes, below(at, "with"))
    elif kind in ("group", "parallel", "foreach"):
        body = {"group": _group, "parallel": _parallel, "foreach": _foreach}[kind](with_, lists, notes, below(at, "with"))
    elif kind == "loop":
        body = _loop(node["id"], with_, lists, notes, below(at, "with"))
    elif kind == "publish":
        event = {"source": f"weft://workflows/{slug}", **phrase({name: one for name, one in with_.items() if not name.startswith("x-")})}
        body = {"emit": {"event": {"with": event}}}
    elif kind == "end":
        body = _end(with_)
    elif (
        kind == "call"
        and isinstance(with_.get("workflow"), str)
        and "{{" not in with_["workflow"]
        and isinstance(with_.get("input", {}), dict)
    ):
        body = _call(with_, notes, below(at, "with"))
    elif kind == "state" and with_.get("events") and not with_.get("signals") and not with_.get("after"):
        body = {"listen": {"to": {"any": [_filter(one) for one in with_["events"].values()]}}}
    else:
        body = None
    if body is None:
        notes.changed(
            at, f"`{kind}` has no equal: it is a call of a function `{OURS}{kind}`", "give the runtime that function, or write it otherwise"
        )
        body = {"call": f"{OURS}{kind}", "with": phrase(with_)}
    return {node["id"]: body}


def _set(with_: Mapping[str, Any], notes: Notes, at: str) -> Task:
    return {"set": phrase(dict(with_)) if with_ else expression("{}")}


def _transform(with_: Mapping[str, Any], notes: Notes, at: str) -> Task:
    if "expression" in with_:
        return {"set": expression(with_["expression"])}
    return {"set": phrase(with_["map"]) if with_["map"] else expression("{}")}


def _wait(with_: Mapping[str, Any], notes: Notes, at: str) -> Task | None:
    if "for" not in with_ or "calendar" in with_:
        return None
    return {"wait": iso(with_["for"])}


def _fail(with_: Mapping[str, Any], notes: Notes, at: str) -> Task:
    code, message = with_.get("code", "failed"), with_.get("message", "")
    error = {"type": "weft://errors/failed", "status": 500, "title": phrase(code)}
    if "{{" not in code:
        error["type"] = f"weft://errors/{''.join(sign if sign.isascii() and (sign.isalnum() or sign in '_-.') else '_' for sign in code)}"
    return {"raise": {"error": {**error, **({"detail": phrase(message)} if message else {})}}}


def _http(with_: Mapping[str, Any], notes: Notes, at: str) -> Task | None:
    if "form" in with_ or with_.get("response") == "base64":
        return None
    for name in with_:
        if name not in _HTTP and not name.startswith("x-"):
            notes.changed(below(at, name), f"`{name}` of a call has no equal", "see to it where the document is run")
    given: Task = {"method": phrase(with_.get("method", "GET")), "endpoint": {"uri": phrase(with_["url"])}, "output": "response"}
    for name in ("headers", "query"):
        if name in with_:
            value = phrase(with_[name])
            given[name] = {key: _as_text(one) for key, one in value.items()} if isinstance(value, dict) else value
    if "body" in with_:
        given["body"] = phrase(with_["body"])
    return {"call": "http", "with": given}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _end(with_: Mapping[str, Any]) -> Task:
    if with_.get("status") == "failed":
        return {"raise": {"error": {"type": "weft://errors/failed", "status": 500, "title": "failed"}}}
    output = phrase(with_.get("output"))
    if not (isinstance(output, dict) and output) and not (isinstance(output, str) and output.startswith("${")):
        output = expression(json.dumps(output, ensure_ascii=False))
    return {"set": output, "then": "end"}


def _call(with_: Mapping[str, Any], notes: Notes, at: str) -> Task:
    notes.dropped(at, "version", why="of a called workflow is `latest` there") if "version" in with_ else None
    workflow = {"namespace": "weft", "name": with_["workflow"], "version": "latest", "input": phrase(with_.get("input", {}))}
    return {"run": {"workflow": workflow, **({"await": False} if with_.get("wait") is False else {})}}


def _group(with_: Mapping[str, Any], lists: Lists, notes: Notes, at: str) -> Task:
    return {"do": lists(with_, at)}


def _parallel(with_: Mapping[str, Any], lists: Lists, notes: Notes, at: str) -> Task:
    join = with_.get("join", "all")
    if join not in ("all", "any"):
        notes.changed(below(at, "join"), f"all branches are waited for there, not {join} of them")
    if with_.get("on_error", "fail") != "fail":
        notes.changed(below(at, "on_error"), "a branch that fails ends the others there")
    branches = [{name: {"do": lists(graph, below(at, "branches", name))}} for name, graph in with_["branches"].items()]
    return {"fork": {"branches": branches, **({"compete": True} if join == "any" else {})}}


def _foreach(with_: Mapping[str, Any], lists: Lists, notes: Notes, at: str) -> Task:
    items = with_["items"]
    if isinstance(items, list):
        shown = phrase(items)
        if shown != items:
            notes.lost(below(at, "items"), "a list with templates in it is no one expression", "build it by a `transform`, and name that")
        items = expression(json.dumps(items, ensure_ascii=False))
    else:
        items = phrase(items)
    for name, usual in (("concurrency", 1), ("on_error", "fail"), ("max_items", 10_000)):
        if with_.get(name, usual) != usual:
            notes.changed(below(at, name), "items are worked on one after the other there, and an error ends the loop")
    loop = {"each": with_.get("as", "item"), "in": items, "at": "index"}
    return {"for": loop, "do": lists(with_["body"], below(at, "body"))}


def _loop(id_: str, with_: Mapping[str, Any], lists: Lists, notes: Notes, at: str) -> Task:
    notes.changed(
        at, "a loop is a list whose tasks lead back: nothing counts its rounds, and `exhausted` does not come", "count in a variable"
    )
    body = {"do": lists(with_["body"], below(at, "body"))}
    again, check = f"{id_}_body", f"{id_}_check"
    if "while" in with_:
        goes_on = {"case_1": {"when": expression(with_["while"]), "then": again}}
        return {"do": [{check: {"switch": [goes_on, {"case_2": {"then": "exit"}}]}}, {again: {**body, "then": check}}]}
    ended = {"case_1": {"when": expression(with_["until"]), "then": "exit"}}
    return {"do": [{again: body}, {check: {"switch": [ended, {"case_2": {"then": again}}]}}]}


def _filter(event: Mapping[str, Any]) -> Task:
    return {"with": {"type": event["event"], **({"data": expression(event["match"])} if "match" in event else {})}}
