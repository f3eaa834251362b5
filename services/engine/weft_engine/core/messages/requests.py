"""What is asked of others because of an entry: work of workers, people and children, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from weft_contracts import routing

from weft_engine.core.entries import Entry
from weft_engine.core.evolve import moment
from weft_engine.core.identity import key_of
from weft_engine.core.messages.said import Said
from weft_engine.core.state import State

ASKED_OF_SERVICES: Final = ("notification.send",)
"""Commands that services of Weft's own do, and answer as a worker does."""


def called(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """A child that is not waited for."""
    return [_call(state, entry, entry.data, at)]


def _call(state: State, entry: Entry, data: Mapping[str, Any], at: datetime) -> Said:
    child = UUID(data["child_id"])
    node, visit = _asked_as(entry, data)
    caller = {"execution_id": state.id, "node": node, "visit": visit, "depth": data["depth"], "wait": data["wait"]}
    if "recalled" in data:
        asked = {"effects": data["recalled"]["effects"], "user": data["recalled"].get("by")}
        return Said(routing.COMMANDS, child, "execution.retry", {"execution_id": child, **asked, "caller": caller})
    trigger = {"type": "call", "payload": data.get("input", {}), "time": at, "user": state.trigger.get("user")}
    start = {
        "execution_id": child,
        "workflow": data["workflow"],
        "workflow_version": data.get("version"),
        "input": data.get("input", {}),
        "trigger": trigger,
        "requested_at": at,
        "caller": caller,
    }
    return Said(routing.COMMANDS, child, "execution.start", start)


def scheduled(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """A first or further attempt of an activity."""
    data = entry.data
    return [_request(state, entry, data, moment(data.get("deadline_at")))]


def enhancing(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """A model's part in a visit. Nobody waits for it beyond its time."""
    return [_request(state, entry, entry.data, moment(entry.data["due_at"]))]


def resent(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """A request that nobody answered, once more."""
    pending = state.pending.get((entry.node or "", entry.visit))
    if pending is None or pending.attempt != entry.attempt:
        return []  # answered in the meantime
    if pending.kind == "child":
        return [_call(state, entry, pending.data, pending.since or at)]
    return [_request(state, entry, pending.data, pending.deadline_at)]


def _request(state: State, entry: Entry, data: dict[str, Any], deadline: datetime | None) -> Said:
    node, visit = _asked_as(entry, data)
    request = {
        "execution_id": state.id,
        "node": node,
        "visit": visit,
        "attempt": entry.attempt,
        "name": data["name"],
        "input": data.get("input"),
        "key": key_of(state.name, node, visit),
        "deadline": deadline,
        "lease_s": data["lease_s"],
        "priority": state.priority,
    }
    if "room" in data and data["name"] in ASKED_OF_SERVICES:
        return Said(routing.COMMANDS, routing.inbox_queue(data["room"]), data["name"], {**request, "workflow": state.workflow})
    return Said(routing.WORK, routing.work_queue(data["queue"]), "activity.requested", request)


def _asked_as(entry: Entry, data: Mapping[str, Any]) -> tuple[str, int]:
    """The visit as whoever answers knows it: a migration that renames a node changes nothing for work that is under way."""
    node, visit = data.get("asked_as", (entry.node or "", entry.visit))
    return node, visit


def rests(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """A task for a person, a child to wait for, or domain events to look out for."""
    if entry.data["kind"] == "child":
        return [_call(state, entry, entry.data, at)]
    if "events" in entry.data:
        return [_subscription(state, entry.node, entry.visit, position, at, entry.data["events"])]
    if entry.data["kind"] != "task":
        return []
    about = {"execution_id": state.id, "workflow": state.workflow, "node": entry.node, "visit": entry.visit, "at": at}
    task = {"priority": state.priority, **entry.data["task"], **about, **_requester(state)}
    return [Said(routing.COMMANDS, routing.inbox_queue("tasks"), "task.create", task)]


def _requester(state: State) -> dict[str, str]:
    """Who started the execution, where somebody did: a person, or whose key it was."""
    user = state.trigger.get("user")
    by = (user.get("owner") or user.get("id")) if isinstance(user, Mapping) else None
    return {"requested_by": by} if isinstance(by, str) and by else {}


def heard(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """A visit that waited for domain events has ended."""
    if "subscribed" not in entry.data:
        return []
    node, visit = _asked_as(entry, entry.data)
    data = {"execution_id": state.id, "node": node, "visit": visit, "position": position}
    if "event_id" in entry.data:
        data["event_id"] = entry.data["event_id"]
    return [Said(routing.COMMANDS, routing.inbox_queue("events"), "subscription.close", data)]


def listening_again(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """Waits for domain events that go on after a retry."""
    kept = entry.data.get("listening", ())
    return [_subscription(state, one["node"], one["visit"], position, at, one["events"]) for one in kept]


def _subscription(state: State, node: str | None, visit: int, position: int, at: datetime, waits: list[dict[str, Any]]) -> Said:
    about = {"execution_id": state.id, "node": node, "visit": visit, "position": position}
    data = {**about, "since": _asked_at(state, at), "waits": waits}
    return Said(routing.COMMANDS, routing.inbox_queue("events"), "subscription.open", data)


def _asked_at(state: State, at: datetime) -> datetime:
    """From when on an event may be meant for an execution: not its own first moment, but that of what asked for it, as far as ids tell.

    An event that comes between the one that starts it and its start is not lost so, and both are told by the clock of the events service.
    """
    started = state.started_at or at
    asked = (_moment_of(state.trigger.get("event_id")), _moment_of(state.id))
    return min(moment for moment in (started, *asked) if moment is not None)


def _moment_of(id_: Any) -> datetime | None:
    try:
        found = UUID(str(id_))
    except ValueError:
        return None
    return datetime.fromtimestamp((found.int >> 80) / 1000, UTC) if found.version == 7 else None


def taken_back(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """What is not needed any more."""
    child = entry.data.get("child_id")
    if child is not None:
        reason = f"the step {entry.node} of execution {state.id} that called it has ended"
        return [Said(routing.COMMANDS, UUID(child), "execution.cancel", {"execution_id": child, "reason": reason})]
    task_id = entry.data.get("task_id")
    if task_id is None:
        return heard(state, entry, position, at)
    timed_out = entry.data.get("reason") == "timeout" or entry.data.get("error", {}).get("code") == "timeout"
    data = {"task_id": task_id, "execution_id": state.id, "reason": "timeout" if timed_out else "cancelled"}
    return [Said(routing.COMMANDS, routing.inbox_queue("tasks"), "task.cancel", data)]
