"""The nodes that hold no graph: values, choices, waiting, people, other workflows, outside work, undoing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from tests.engine.programs.shadow.events import awaited
from tests.engine.programs.shadow.expressions import evaluate, render
from tests.engine.programs.shadow.fibers import RANG, Failed, Fiber, Stopped, Wait
from tests.engine.programs.shadow.frames import Document, Frame, Visit
from tests.engine.programs.shadow.office import after, next_open
from tests.engine.programs.shadow.tasks import task
from tests.engine.programs.shadow.trying import milliseconds, pause_before
from tests.engine.programs.shadow.walking import Arrived, Walk, edges_on
from tests.engine.programs.times import moment, since_start

DEFAULT_RETRY = {"attempts": 5}
LEASE_MS = 60_000
MAX_DEPTH = 20


Taken = tuple[str, Mapping[str, Any], str | None]
"""What a `state` was left by: name, payload, and the id of the event where it is one."""


@dataclass
class Kept:
    """A signal that came before a node waited for it. until: milliseconds."""

    id: str
    name: str
    payload: Mapping[str, Any]
    until: int


@dataclass
class Leaves:
    """Runs the leaves of one execution. depth: executions above it that call one another.  kept: its signals that came early."""

    id: UUID
    depth: int = 0
    kept: list[Kept] = field(default_factory=list)

    async def __call__(self, walk: Walk, node: Document, visit: Visit, frame: Frame, fiber: Fiber) -> tuple[Any, Any]:
        """Run one to its outcome. Raises: Failed, Stopped."""
        names, with_ = walk.names(frame), node.get("with", {})
        match node["type"]:
            case "state":
                return await self._state(walk, node, visit, frame)
            case "task":
                leaves_late = bool(edges_on(walk.layout.graphs[node["id"]], node, "timeout"))
                return await task(walk, node, visit, names, leaves_late=leaves_late)
            case "call":
                return await self._call(walk, with_, visit, names)
            case "wait":
                due = waking(with_, walk.now, names)
                if due > walk.now:
                    await Wait("timer", visit.node, visit.number, earliest=due, latest=due, about={"calendar": with_.get("calendar")})
                return "done", {"woke_at": moment(walk.now).isoformat()}
            case "activity" | "http.request":
                request = request_of(node["type"], render(with_, names))
                return await attempts(walk, visit.node, visit.number, request, node.get("retry", DEFAULT_RETRY))
            case "compensate":
                return await _compensate(walk, with_.get("scope"))
        return self._at_once(walk, node, visit, names)

    def _at_once(self, walk: Walk, node: Document, visit: Visit, names: Mapping[str, Any]) -> tuple[str, Any]:
        """The leaves that need nobody."""
        with_ = node.get("with", {})
        match node["type"]:
            case "set":
                values = {name: render(value, names) for name, value in with_.items()}
                return "done", values  # written when the visit ends
            case "transform":
                return "done", evaluate(with_["expression"], names) if "expression" in with_ else render(with_["map"], names)
            case "if":
                value = evaluate(with_["when"], names)
                return ("true" if value else "false"), value
            case "switch":
                chosen = next((case["outcome"] for case in with_["cases"] if evaluate(case["when"], names)), with_.get("default", "done"))
                return chosen, chosen
            case "publish":
                walk.did("publish", visit.node, visit.number, with_["type"], render(with_.get("data"), names))
                return "done", {"event_id": str(uuid5(self.id, f"event:{visit.node}:{visit.number}"))}
            case "fail":
                raise Failed(render(with_["code"], names), node["id"], message=render(with_["message"], names), permanent=True)
            case "end":
                visit.ended = True
                raise Stopped(node["id"], with_.get("status", "completed"), render(with_.get("output"), names))
        raise AssertionError(f"the shadow does not know {node['type']}")

    async def _state(self, walk: Walk, node: Document, visit: Visit, frame: Frame) -> tuple[Any, Any]:
        with_, names = node["with"], walk.names(frame)
        walk.fibers.quiet = 0  # It rests, if only for the moment that it takes to find a signal that came early.
        wait = Wait("state", visit.node, visit.number)
        wait.about = {"node": node, "frame": frame, "signals": sorted(with_.get("signals", {})), "events": awaited(node, names)}
        if wait.about["events"]:
            walk.did("look out", visit.node, visit.number, [one.told for one in wait.about["events"]])
        after = sorted((walk.now + milliseconds(text), name) for name, text in with_.get("after", {}).items())
        if after:
            wait.earliest = wait.latest = after[0][0]
        got = self._take_kept(walk, wait) or await wait
        if wait.about["events"]:
            walk.did("no more", visit.node, visit.number, None if got == RANG else got[2])
        if got == RANG:
            return after[0][1], None
        name, payload, _ = got
        return Arrived(name, {**payload, "user": None}), payload

    def _take_kept(self, walk: Walk, wait: Wait) -> Taken | None:
        """The first signal that came early and that a wait takes."""
        for kept in list(self.kept):
            if kept.until <= walk.now:
                self.kept.remove(kept)
            elif kept.name in wait.about["signals"] and takes(walk, wait, kept.name, kept.payload):
                self.kept.remove(kept)
                return kept.name, kept.payload, None
        return None

    async def _call(self, walk: Walk, with_: Document, visit: Visit, names: Mapping[str, Any]) -> tuple[str, Any]:
        if self.depth >= MAX_DEPTH:
            raise Failed("call_too_deep", visit.node, permanent=True)
        walk.did("call", visit.node, visit.number, with_["workflow"], render(with_.get("input"), names))
        if with_.get("wait", True) is False:
            return "done", {"execution_id": str(uuid5(self.id, f"call:{visit.node}:{visit.number}"))}
        return "done", await Wait("child", visit.node, visit.number)


def waking(with_: Document, now: int, names: Mapping[str, Any]) -> int:
    """When a `wait` that begins now is over: by `office`, a duration is of working time and a time the first working moment from it on."""
    if "for" in with_:
        length = milliseconds(render(with_["for"], names))
        return after(now, length) if "calendar" in with_ else now + length
    until = since_start(with_["until"])
    return next_open(until) if "calendar" in with_ else until


def takes(walk: Walk, wait: Wait, name: str, payload: Mapping[str, Any]) -> bool:
    """Whether a `state` takes what it waits for: one of its edges does not refuse it."""
    node, frame = wait.about["node"], wait.about["frame"]
    graph = walk.layout.graphs[node["id"]]
    names = walk.names(frame, {"signal": {**payload, "user": None}})
    return not edges_on(graph, node, name) or walk.follow(graph, node, name, names) is not None


@dataclass(frozen=True)
class Request:
    """What a worker is asked. behaviour: what it does then.  connection: that it goes by, None for none."""

    name: str
    input: Any
    behaviour: str
    connection: str | None = None


def request_of(type_: str, with_: Document) -> Request:
    """What outside work of a type asks for. with_: as rendered."""
    if type_ == "activity":
        return Request(with_["name"], with_.get("input"), with_["name"])
    return Request(
        type_, {name: with_[name] for name in ("url", "body") if with_.get(name) is not None}, with_["url"][1:], with_["connection"]
    )


async def attempts(walk: Walk, node: str, visit: int, request: Request, retry: Document) -> tuple[str, Any]:
    """Ask for outside work until it is done or given up; while its connection is held up, wait. Raises: Failed."""
    began, attempt = walk.awake, 1
    while True:
        await walk.may_begin(node)
        while (gate := walk.gate_of(None, request.connection)) is not None:
            await Wait("gate", node, visit, attempt, about={"gate": gate})
        walk.did("activity", node, visit, attempt, request.name, request.input)
        got: Any = ("accepted",)
        accepted = False
        while got[0] == "accepted":
            due = walk.now + LEASE_MS if accepted else None
            wait = Wait("activity", node, visit, attempt, earliest=due, latest=due, about={"name": request.behaviour, "accepted": accepted})
            got = await wait
            accepted = True
            if got == RANG:
                got = ("failed", "lease_expired", False)
        if got[0] == "completed":
            return got[1], got[2]
        _, code, permanent = got
        pause = pause_before(retry, attempt, code, permanent, walk.awake - began)
        if pause is None:
            raise Failed(code, node, permanent=permanent)
        await Wait("retry", node, visit, attempt, earliest=walk.now + pause[0], latest=walk.now + pause[1])
        attempt += 1


async def undo(walk: Walk, scope: str | None) -> tuple[list[str], list[str]]:
    """Undo what is done by now, newest first, one at a time. What another compensation is undoing is left to it, and waited for.

    Returns: the nodes undone here, and those that could not be.
    """
    done: list[str] = []
    failed: list[str] = []
    queue = [one for one in reversed(walk.undoable) if scope is None or scope in walk.layout.around[one.node]]
    while queue := [one for one in queue if one in walk.undoable]:
        one = next((one for one in queue if not one.running), None)
        if one is None:
            await Wait("undo", queue[0].node)
            continue
        one.running = True
        try:
            await attempts(walk, f"{one.node}.compensate", one.visit, request_of(one.type, one.with_), DEFAULT_RETRY)
        except Failed:
            failed.append(one.node)
            walk.undoable.remove(one)
        except GeneratorExit:  # It was interrupted: who knows whether it was done, so it is still to be undone.
            one.running = False
            raise
        else:
            done.append(one.node)
            walk.undoable.remove(one)
        finally:
            walk.fibers.quiet += 1
            walk.fibers.wake_last("undo")
    return done, failed


async def _compensate(walk: Walk, scope: str | None) -> tuple[str, Any]:
    done, failed = await undo(walk, scope)
    if failed:
        raise Failed("compensation_failed", None, permanent=True)  # Several that wait for one undoing may end in any order.
    return "done", {"compensated": done, "failed": failed}
