"""Why an execution is where it is, in sentences: that it rests and since when, each thing it waits for, and until when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from weft_language.compilation import Node, Program, candidates

from weft_engine.core import entries as e
from weft_engine.core.claims import count_of
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import Timed, moment
from weft_engine.core.listening import REFUSED_MOST
from weft_engine.core.starting import PATIENCE
from weft_engine.core.state import OWNERS, ROOT, Pending, State

Called = tuple[str, int | None]
"""A workflow that is called, and the version, None for its active one."""
MANY: Final = ", and of further ones nothing is kept"
MOST: Final = 200
"""Visits that are told of one by one: a foreach may wait for thousands at once."""


def because(
    state: State, entries: Sequence[Timed], program: Program | None, held_up: Mapping[str, str], missing: Collection[Called] = ()
) -> list[str]:
    """A sentence on each thing that keeps it where it is; of very many things alike, on the first of them and their number.

    entries: its journal.  program: that it runs, None where that is not known.  held_up: suspensions by their gate, in words.
    missing: what it calls that was not published.
    """
    if state.ended:
        return list(_ended(*entries[-1]))
    nodes: Mapping[str, Node] = {} if program is None else program.nodes
    leaves = [one for one in state.pending.values() if one.kind not in OWNERS]
    owners = [one for one in state.pending.values() if one.kind in OWNERS]
    return [
        *_paused(state),
        *_retrying(state),
        *(_waits(one, state, nodes.get(one.node), held_up, missing) for one in leaves[:MOST]),
        *_more(leaves[MOST:], "wait"),
        *(sentence for one in owners[:MOST] if (sentence := _goes_through(one, state))),
        *_more(owners[MOST:], "are open"),
        *_whole(state),
    ]


def _more(left_out: Sequence[Pending], do: str) -> Iterator[str]:
    """What is not told one by one, by node."""
    nodes = Counter(one.node for one in left_out)
    if nodes:
        told = ", ".join(f"{node} ({count} times)" for node, count in nodes.items())
        yield f"{len(left_out)} more visits {do}: {told}"


def _ended(entry: Entry, at: datetime) -> Iterator[str]:
    """How it was ended from outside; what ended by itself tells of that by its output or error."""
    data = entry.data
    if entry.kind == e.CANCELLED:
        by = f" by {data['by']}" if data.get("by") else ""
        yield f"was cancelled at {_time(at)}{by}{_reason(data)}"
    elif entry.kind == e.SKIPPED:
        yield f"was skipped at {_time(at)}: execution {data['live_execution_id']} lived with the key {data['key']!r}"
    elif entry.kind == e.RETRY_WITHDRAWN and "live_execution_id" in data:
        yield f"its retry was skipped at {_time(at)}: execution {data['live_execution_id']} lived with the key {data['key']!r}"
    elif entry.kind == e.RETRY_WITHDRAWN:
        by = f" by {data['by']}" if data.get("by") else ""
        yield f"its retry was taken back at {_time(at)}{by}, before it was let in{_reason(data)}"


def _paused(state: State) -> Iterator[str]:
    paused = state.paused
    if paused is None:
        return
    by = f"by {paused['by']}" if "by" in paused else f"with execution {state.parent}, which called it"
    count = len(state.held)
    held = f", and {count} that came {'waits' if count == 1 else 'wait'} for its end" if count else ""
    yield f"is paused since {_time(paused['since'])} {by}{_reason(paused)}; its time stands still{held}"


def _retrying(state: State) -> Iterator[str]:
    if state.begun is not None and state.retrying:
        by = f" by {state.begun['by']}" if state.begun.get("by") else ""
        node = state.begun.get("from") or (state.error or {}).get("node")
        yield f"has {state.begun['was'].replace('_', ' ')}, and is to be retried{f' from {node}' if node else ''}{by} once it is let in"


def _whole(state: State) -> Iterator[str]:
    """What is true of the execution as a whole."""
    if state.failing is not None:
        yield f"ends with {state.failing['error'].get('code')!r} once what it has done is undone"
    if state.kept:
        names = Counter(kept.name for kept in state.kept)
        told = ", ".join(name if count == 1 else f"{name} ({count} times)" for name, count in names.items())
        yield f"keeps what came and nothing takes yet: {told}"
    if state.sla is not None and not state.paused:
        yield f"is due by {_time(state.sla.due_at)} (sla)" + (f"; {state.sla.problem}" if state.sla.problem else "")
    if state.deadline_at is not None and not state.paused:
        yield f"has to end by {_time(state.deadline_at)} (settings.max_duration)"


def _waits(pending: Pending, state: State, node: Node | None, held_up: Mapping[str, str], missing: Collection[Called]) -> str:
    """What a node waits for, since when and until when."""
    if pending.gate is not None:
        before = "is" if pending.kind == "suspended" else f"{_WAITS[pending.kind](pending)},"
        what = f"{before} held up by {held_up.get(pending.gate, pending.gate.replace('suspended:', 'suspension '))}"
    elif pending.kind == "signal":
        what = f"waits for {_signals(pending, node)}"
    elif pending.kind == "child" and called_by(pending.data) in missing:
        what = _not_published(pending)
    else:
        what = _WAITS[pending.kind](pending)
    since = "" if pending.since is None else f" since {_time(pending.since)}"
    end = pending.deadline_at if pending.kind in _WORKED_ON else pending.wake_at
    due_at = due_of(pending, state)
    due = "" if due_at is None or state.paused is not None else f", due by {_time(due_at)}"
    refused = len(pending.data.get("refused", ()))
    told = (
        f"; {refused} {'event' if refused == 1 else 'events'} came that its guards refused{MANY if refused >= REFUSED_MOST else ''}"
        if refused
        else ""
    )
    return f"{_place(pending)} {what}{since}{due}{_until(end, state)}{told}"


def due_of(pending: Pending, state: State) -> datetime | None:
    """When a task that waits is due, None for what never is: put off by every pause since it was asked for, as people see it."""
    due_at = moment(pending.data["task"].get("due_at")) if pending.kind == "task" else None
    if due_at is None or pending.since is None:
        return due_at
    began = pending.since
    return due_at + sum((until - since for since, until in state.rests if since >= began), timedelta())


def called_by(data: Mapping[str, Any]) -> Called:
    """What a call calls. data: of its entry."""
    return data["workflow"], data.get("version")


def _not_published(pending: Pending) -> str:
    """That what it calls is not there, and how long that may come yet."""
    name, version = called_by(pending.data)
    what = f"the workflow {name!r} to be published" if version is None else f"version {version} of the workflow {name!r} to be published"
    end = "" if pending.since is None else f", for which it has time until about {_time(pending.since + PATIENCE)}"
    return f"waits for {what}{end} (then it fails with workflow_not_found)"


def _place(pending: Pending) -> str:
    inside = "" if pending.scope == ROOT else f" in {pending.scope}"
    return f"{pending.node} (visit {pending.visit}{inside})"


def _until(end: datetime | None, state: State) -> str:
    if end is None:
        return ""
    if state.paused is None:
        return f", until {_time(end)}"
    left = end - _moment(state.paused["since"])
    return f", with {max(0, round(left.total_seconds()))} s left"


def _signals(pending: Pending, node: Node | None) -> str:
    """The signals and events that end a wait, each with the guards of its edges where it is not taken in any case."""
    signals = [f"{name}{_guards(node, name)}" for name in pending.data["signals"]]
    events = [
        one["pattern"] + (f" with {one['value']} at {one['path']}" if "path" in one else "") + _guards(node, one["name"])
        for one in pending.data.get("events", ())
    ]
    told = [_one_of("signal", signals), _one_of("event", events)]
    return " or ".join(part for part in told if part) or "its time"


def _one_of(kind: str, names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(f"the {kind} {name}" for name in names)
    return f"one of the {kind}s {', '.join(names)}"


def _guards(node: Node | None, name: str) -> str:
    edges = () if node is None else candidates(node, name)
    guards = [edge.when.text for edge in edges if edge.when is not None]
    return f" (taken only when {' or '.join(guards)})" if guards and len(guards) == len(edges) else ""


def _goes_through(pending: Pending, state: State) -> str:
    """How far a node with scopes of its own has come; nothing for one that has nothing to tell."""
    progress, until = pending.progress, _until(pending.deadline_at, state)
    if pending.kind == "foreach":
        items, is_open = count_of(progress.items), len(progress.open)
        failed = f" ({len(progress.failed)} of them failed)" if progress.failed else ""
        return f"{_place(pending)} goes through {items} items: ended {progress.opened - is_open}{failed}, open {is_open}{until}"
    if pending.kind == "parallel":
        ended = ", ".join(str(name) for name in (*progress.results, *progress.failed)) or "none"
        return f"{_place(pending)} has {len(progress.open)} of {progress.opened} branches open, of the others have ended: {ended}{until}"
    if pending.kind == "loop":
        return f"{_place(pending)} goes round for time {progress.opened}{until}"
    if pending.kind == "compensate":
        left = ", ".join(node for node, _ in progress.queue[:MOST])
        return f"{_place(pending)} undoes {left}{until}" if pending.node and left else ""
    return f"{_place(pending)} has to end{until}" if until else ""


def _reason(data: Mapping[str, Any]) -> str:
    return f": {data['reason']}" if data.get("reason") else ""


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _time(value: Any) -> str:
    return _moment(value).isoformat(timespec="seconds")


_WORKED_ON: Final = frozenset({"activity", "child"})
_OWN: Final = {"replace": "work", "input": "input", "output": "output"}
_WAITS: Final[dict[str, Callable[[Pending], str]]] = {
    "activity": lambda one: (
        f"waits for the service {one.data['room']!r} to answer attempt {one.attempt} of {one.data['name']!r}"
        if "room" in one.data
        else f"waits for a worker of {one.data['queue']!r} to answer attempt {one.attempt} of {one.data['name']!r}"
    ),
    "enhancing": lambda one: f"waits for {one.data['name']!r}, without which its own {_OWN[one.data['apply']]} stands",
    "retry": lambda one: f"waits before attempt {one.attempt + 1} of {one.data['name']!r}",
    "again": lambda one: "waits before it is tried again as a whole",
    "task": lambda one: f"waits for a person to decide {one.data['task']['title']!r}",
    "timer": lambda one: "waits for its time" + (f" by the calendar {one.data['calendar']!r}" if one.data.get("calendar") else ""),
    "child": lambda one: (
        f"waits for execution {one.data['child_id']} of {one.data['workflow']!r}"
        + (", which had failed and goes on with it" if "recalled" in one.data else "")
    ),
}
