"""One node: its `with`, and the common fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.engine.programs.generating.enhancing import enhance
from tests.engine.programs.generating.graphs import graph
from tests.engine.programs.generating.maker import Document, Maker, Place
from tests.engine.programs.generating.people import limit_task, task
from tests.engine.programs.times import moment

INLINE = ("set", "transform", "if", "switch", "publish", "state", "compensate")
RESTING = ("activity", "http.request", "wait", "task", "call")
HOLDING = ("group", "parallel", "foreach", "loop")
ENDING = ("fail", "end")
BEHAVIOURS = ("ok", "flaky", "broken", "worn", "odd", "dies")
"""What a worker does with an activity of that name; see `driving.working`."""
CONNECTIONS = ("bank", "shop")
MAX_DEPTH = 3


def node(maker: Maker, place: Place, *, last: bool, resting: bool = False) -> Document:
    """A node. last: nothing is listed after it.  resting: it must rest before anything after it runs."""
    kinds = [*RESTING] if resting else [*INLINE, *RESTING, *RESTING, "compensate"]
    if place.depth < MAX_DEPTH and maker.budget > 1:
        kinds += [*HOLDING, *HOLDING, *HOLDING]
    if last and place.depth and not resting:
        kinds += ENDING
    kinds = [kind for kind in kinds if kind in maker.features and (kind != "call" or maker.children)]
    return made(maker, place, maker.one(kinds), resting=resting)


def made(maker: Maker, place: Place, kind: str, *, resting: bool) -> Document:
    """A node of a kind."""
    name = maker.fresh(kind)
    if kind in HOLDING:
        one: Document = {"id": name, "type": kind, "with": _HOLDING[kind](maker, place, name, resting)}
    else:
        one = {"id": name, "type": kind, "with": _LEAVES[kind](maker, place)}
    if kind in (*RESTING, *HOLDING, "state", "compensate") and maker.one_in(6):
        one["timeout"] = maker.duration()
    if kind in ("activity", "http.request") and maker.one_in(3):
        one["retry"] = _retry(maker)
    if kind in (*HOLDING, "call", "task") and "again" in maker.features and maker.one_in(4):
        one["retry"] = _again(maker)
    if kind == "task":
        limit_task(maker, one)
    undoable = kind not in (*ENDING, "compensate") and not (place.beside and kind in INLINE)
    if "compensate" in maker.features and undoable and maker.one_in(4 if len(maker.features) > 8 else 2):
        one["compensate"] = undoing(maker, place)
    often = "operated" in maker.features and maker.pick(4) < 3
    if "enhance" in maker.features and not (place.beside and kind in INLINE) and (often or maker.one_in(3)):
        enhance(maker, place, one)
    maker.steps.append(name)
    return one


def undoing(maker: Maker, place: Place) -> Document:
    """The activity that undoes a node, some by a connection."""
    behaviour = maker.one(BEHAVIOURS[:3])
    if "http.request" in maker.features and maker.one_in(3):
        with_ = {"connection": maker.one(CONNECTIONS), "url": f"/{behaviour}", "body": maker.value(place)}
        return {"type": "http.request", "with": with_}
    return {"type": "activity", "with": {"name": behaviour, "input": maker.value(place)}}


def prefix(maker: Maker, place: Place) -> Document:
    """A node that runs at once, beside others, and neither reads nor writes what they do."""
    kind = maker.one(("publish", "set"))
    name = maker.fresh(kind)
    own = f"p_{name}"
    if kind == "publish":
        return {"id": name, "type": kind, "with": {"type": "test.happened", "data": maker.value(place)}}
    maker.vars[own] = 0
    return {"id": name, "type": kind, "with": {own: f"{{{{ {maker.number(place)} }}}}"}}


def _request(maker: Maker, place: Place) -> Document:
    behaviour = maker.one([name for name in BEHAVIOURS if name != "odd"])
    return {"connection": maker.one(CONNECTIONS), "url": f"/{behaviour}", "body": maker.value(place)}


def _set(maker: Maker, place: Place) -> Document:
    values: Document = {maker.one(("a", "b")): f"{{{{ {maker.number(place)} }}}}"}
    if maker.one_in(3):
        values["o"] = maker.value(place)
    return values


def _transform(maker: Maker, place: Place) -> Document:
    return {"map": {"v": maker.value(place)}} if maker.pick(2) else {"expression": maker.number(place)}


def _switch(maker: Maker, place: Place) -> Document:
    cases = [{"when": maker.condition(place), "outcome": f"case{count}"} for count in range(1 + maker.pick(2))]
    return {"cases": cases, **({"default": "other"} if maker.pick(2) else {})}


def _wait(maker: Maker, place: Place) -> Document:
    seconds = maker.duration()
    if "calendar" in maker.features and not place.beside and maker.one_in(3):
        if maker.pick(2):
            return {"for": f"{3_600 * (1 + maker.pick(30)) + maker.made}s", "calendar": "office"}
        until = moment(3_600_000 * maker.pick(200) + 1_000 * maker.made).isoformat()
        return {"until": until, "calendar": "office"} if maker.pick(3) else {"until": until}
    if "index" in place.locals:
        return {"for": f"{{{{ index * 7 + {seconds[:-1]} }}}}s"}
    return {"for": seconds}


def _state(maker: Maker, place: Place) -> Document:
    names = maker.one((("go",), ("go", "stop"), ("stop",), ()))
    with_: Document = {"signals": {name: {} for name in names}} if names else {}
    if "events" in maker.features and maker.pick(2):
        with_["events"] = {f"event{maker.made}{letter}": _event(maker, place) for letter in "xy"[: 1 + maker.pick(2)]}
    if not with_ or maker.one_in(3):
        with_["after"] = {"late": maker.duration()}
    return with_


def _event(maker: Maker, place: Place) -> Document:
    """A domain event to wait for: by type alone, by a value that is settled when the node is entered, by what is true when it comes."""
    by_value = f"event.data.k == {'index' if 'index' in place.locals else maker.number(place)}"
    later = f"event.data.n >= {maker.one(('1', '2') if place.beside else ('1', 'vars.a', 'vars.b'))}"
    match = maker.one((by_value, by_value, f"{by_value} && {later}", f"{later} && {by_value}", later, ""))
    return {"event": maker.one(("thing.done", "thing.lost", "thing.*")), **({"match": match} if match else {})}


def _call(maker: Maker, place: Place) -> Document:
    with_: Document = {"workflow": maker.one(maker.children), "input": {"n": f"{{{{ {maker.number(place)} }}}}", "items": [1, 2]}}
    return {**with_, "wait": False} if not place.beside and maker.one_in(5) else with_


def _end(maker: Maker, place: Place) -> Document:
    return maker.one(({}, {"output": {"v": maker.value(place)}}, {"status": "failed"}))


def _compensate(maker: Maker, place: Place) -> Document:
    return {"scope": maker.one(maker.groups)} if maker.groups and maker.pick(2) else {}


def _retry(maker: Maker) -> Document:
    retry: Document = {"attempts": 1 + maker.pick(3), "delay": maker.duration(), "jitter": False}
    if maker.one_in(3):
        retry["deadline"] = maker.duration()
        if maker.pick(2):
            retry["delay"], retry["deadline"] = retry["deadline"], retry["delay"]
    return {**retry, "not_on": ["busy"]} if maker.one_in(5) else retry


def _again(maker: Maker) -> Document:
    """The `retry` of what is tried again as a whole."""
    more: tuple[Document, ...] = ({}, {}, {"jitter": True}, {"factor": 1}, {"on": ["busy", "task_broken"]}, {"not_on": ["timeout"]})
    retry = {"attempts": 2 + maker.pick(2), "delay": maker.duration(), "jitter": False, **maker.one(more)}
    return {**retry, "deadline": maker.duration()} if not retry["jitter"] and maker.one_in(5) else retry


def _group(maker: Maker, place: Place, name: str, resting: bool) -> Document:
    made_ = graph(maker, place.inside(name, beside=place.beside or resting))
    maker.groups.append(name)
    return made_


def _parallel(maker: Maker, place: Place, name: str, resting: bool) -> Document:
    count = 1 + maker.pick(3)
    branches = {f"{name}_{letter}": graph(maker, place.inside(name, beside=True)) for letter in "xyz"[:count] if maker.budget > 0}
    branches = branches or {f"{name}_x": graph(maker, place.inside(name, beside=True))}
    with_: Document = {"branches": branches}
    join = maker.one(("all", "any", 1, 2))
    if join != "all" and (not isinstance(join, int) or join <= len(branches)):
        with_["join"] = join
    return {**with_, "on_error": "wait"} if maker.one_in(3) else with_


def _foreach(maker: Maker, place: Place, name: str, resting: bool) -> Document:
    short: list[Any] = [[7, 8], [7], [7, 8, 9, 10]]
    items = maker.one([*short, [], "{{ input.items }}", "{{ input.n }}"] if not (resting or place.beside) else short)
    concurrency = 1 + maker.pick(3)
    beside = resting or place.beside or concurrency > 1
    word = maker.one(("item", "x"))
    with_: Document = {"items": items, "body": graph(maker, place.inside(name, word, "index", beside=beside))}
    with_ |= {"as": word} if word != "item" else {}
    with_ |= {"concurrency": concurrency} if concurrency > 1 else {}
    # A list that is written out and too long is refused when the definition is saved.
    with_ |= {"max_items": 3} if maker.one_in(5) and isinstance(items, str) else {}
    return {**with_, "on_error": "continue"} if maker.pick(2) else with_


def _loop(maker: Maker, place: Place, name: str, resting: bool) -> Document:
    body = graph(maker, place.inside(name, "iteration", beside=resting or place.beside))
    limit = {"max_iterations": 1 + maker.pick(3)} if maker.pick(2) else {}
    counting = f"iteration {maker.one(('<', '=='))} {1 + maker.pick(3)}"
    reading = limit and maker.pick(2) and not (resting or place.beside)
    condition = maker.condition(place) if reading else counting
    if resting or place.beside or maker.pick(2):
        return {"until": condition if "<" not in condition or limit else "iteration >= 2", "body": body, **limit}
    return {"while": condition, "body": body, **limit}


_LEAVES: dict[str, Callable[[Maker, Place], Document]] = {
    "set": _set,
    "transform": _transform,
    "if": lambda maker, place: {"when": maker.condition(place)},
    "switch": _switch,
    "publish": lambda maker, place: {"type": "test.happened", "data": maker.value(place)},
    "state": _state,
    "compensate": _compensate,
    "activity": lambda maker, place: {"name": maker.one(BEHAVIOURS), "input": maker.value(place)},
    "http.request": _request,
    "wait": _wait,
    "task": task,
    "call": _call,
    "fail": lambda maker, place: {"code": "refused", "message": f"because {{{{ {maker.number(place)} }}}}"},
    "end": _end,
}
_HOLDING: dict[str, Callable[[Maker, Place, str, bool], Document]] = {
    "group": _group,
    "parallel": _parallel,
    "foreach": _foreach,
    "loop": _loop,
}
