"""What the mesh is told of an entry. The journal is the outbox: messages are derived from entries, so both are durable at once.

The same entry always gives the same message with the same id, so sending it again after a crash is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import moment
from weft_engine.core.state import State
from weft_engine.core.turn import key_of

SOURCE: Final = "weft/engine"


class Outgoing(NamedTuple):
    """An item on its way. exchange, key: where to.  size_bytes: about what it takes in a frame."""

    exchange: str
    key: str
    item: Item
    size_bytes: int


class Said(NamedTuple):
    """A word before it is put into its envelope. key None: a fact's own key."""

    exchange: str
    key: str | None
    type: str
    data: dict[str, Any]


def messages(state: State, entries: Iterable[Entry], position: int, at: datetime, reply_queue: str) -> list[Outgoing]:
    """What to send of one transition.

    state: after it, or later: only what never changes after the start is read, and the end.  position: of the first entry.
    at: the time of the transition.  reply_queue: the partition's own, where workers answer.
    """
    out: list[Outgoing] = []
    for place, entry in enumerate(entries, position):
        say = SAYS.get(entry.kind)
        if entry.kind == e.EVENT_PUBLISHED:
            out.append(_domain_event(state, entry, at))
        elif say is not None:
            out.extend(_pack(state, said, f"{state.id}:{place}", at, reply_queue) for said in say(state, entry, place, at))
    return out


def _pack(state: State, said: Said, id_: str, at: datetime, reply_queue: str) -> Outgoing:
    data = _encode(said.data)
    item = Item(
        id=id_,
        source=SOURCE,
        type=said.type,
        time=at,
        subject=str(state.id),
        tenantid=state.tenant,
        traceparent=state.traceparent,
        dataschema=schema_of(said.type, 1),
        replyto=reply_queue if said.exchange == routing.WORK else None,
        data=msgspec.Raw(data),
    )
    key = said.key if said.key is not None else routing.event_key(state.tenant, said.type)
    return Outgoing(said.exchange, key, item, len(data) + _ENVELOPE_BYTES)


_ENVELOPE_BYTES: Final = 400
_encode: Final = msgspec.json.Encoder().encode


def _fact(state: State, position: int, at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "execution_id": state.id,
        "workflow": state.workflow,
        "workflow_version": state.version,
        "position": position,
        "at": at,
        **{name: value for name, value in more.items() if value is not None},
    }


def _origin(state: State) -> dict[str, Any]:
    trigger = state.trigger
    user = trigger.get("user")
    return {
        "trigger_type": trigger.get("type", "manual"),
        "trigger_id": trigger.get("id"),
        "event_id": trigger.get("event_id"),
        "user": user.get("id") if isinstance(user, dict) else None,
        "key": state.key,
        "labels": state.labels,
        "parent": state.parent,
        "priority": state.priority,
    }


def _started(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    return [Said(routing.EVENTS, None, "execution.started", _fact(state, position, at, **_origin(state)))]


def _waiting(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    fact = _fact(state, position, at, node=entry.node, kind=entry.data["kind"], until=entry.data.get("until"))
    return [Said(routing.EVENTS, None, "execution.waiting", fact)]


def _resumed(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    return [Said(routing.EVENTS, None, "execution.resumed", _fact(state, position, at))]


def _ended(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    started_at = state.started_at or at
    fact = _fact(
        state, position, at, **_origin(state), started_at=started_at,
        duration_ms=max(0, round((at - started_at).total_seconds() * 1000)), error=entry.data.get("error"),
        reason=entry.data.get("reason"), cancelled_by=entry.data.get("by"),
    )  # fmt: skip
    return [Said(routing.EVENTS, None, entry.kind, fact)]


def _refused(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    data = {
        "execution_id": state.id,
        "workflow": state.workflow,
        "event_id": state.trigger.get("event_id"),
        "trigger_id": state.trigger.get("id"),
    }
    if entry.kind == e.SKIPPED:
        more = {"key": entry.data["key"], "live_execution_id": entry.data["live_execution_id"]}
    else:
        more = {"error": entry.data["error"]}
    return [Said(routing.EVENTS, None, entry.kind, {**data, **more})]


def _scheduled(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    data = entry.data
    return [_request(state, entry, data, moment(data.get("deadline_at")))]


def _resent(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    pending = state.pending.get(entry.node or "")
    if pending is None or pending.visit != entry.visit or pending.attempt != entry.attempt:
        return []  # answered in the meantime
    return [_request(state, entry, pending.data, pending.deadline_at)]


def _request(state: State, entry: Entry, data: dict[str, Any], deadline: datetime | None) -> Said:
    node = entry.node or ""
    request = {
        "execution_id": state.id,
        "node": node,
        "visit": entry.visit,
        "attempt": entry.attempt,
        "name": data["name"],
        "input": data.get("input"),
        "key": key_of(state.id, node, entry.visit),
        "deadline": deadline,
        "lease_s": data["lease_s"],
    }
    return Said(routing.WORK, routing.work_queue(data["queue"]), "activity.requested", request)


def _rests(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    if entry.data["kind"] != "task":
        return []
    about = {"execution_id": state.id, "workflow": state.workflow, "node": entry.node, "visit": entry.visit}
    return [Said(routing.COMMANDS, routing.inbox_queue("tasks"), "task.create", {**entry.data["task"], **about})]


def _taken_back(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    task_id = entry.data.get("task_id")
    if task_id is None:
        return []
    timed_out = entry.data.get("reason") == "timeout" or entry.data.get("error", {}).get("code") == "timeout"
    data = {"task_id": task_id, "execution_id": state.id, "reason": "timeout" if timed_out else "cancelled"}
    return [Said(routing.COMMANDS, routing.inbox_queue("tasks"), "task.cancel", data)]


SAYS: Final[dict[str, Callable[[State, Entry, int, datetime], list[Said]]]] = {
    e.STARTED: _started,
    e.WAITING: _waiting,
    e.RESUMED: _resumed,
    e.COMPLETED: _ended,
    e.FAILED: _ended,
    e.TIMED_OUT: _ended,
    e.CANCELLED: _ended,
    e.SKIPPED: _refused,
    e.REJECTED: _refused,
    e.STEP_SCHEDULED: _scheduled,
    e.STEP_RESENT: _resent,
    e.STEP_WAITING: _rests,
    e.STEP_FAILED: _taken_back,
    e.STEP_CANCELLED: _taken_back,
}


def _domain_event(state: State, entry: Entry, at: datetime) -> Outgoing:
    """What a `publish` node says: a plain CloudEvent, from the workflow itself."""
    data = _encode(entry.data.get("data"))
    item = Item(
        id=entry.data["event_id"],
        source=f"weft/workflows/{state.workflow}",
        type=entry.data["type"],
        subject=entry.data.get("subject"),
        time=at,
        tenantid=state.tenant,
        traceparent=state.traceparent,
        datacontenttype="application/json",
        data=msgspec.Raw(data),
    )
    return Outgoing(routing.DOMAIN, routing.event_key(state.tenant, item.type), item, len(data) + _ENVELOPE_BYTES)
