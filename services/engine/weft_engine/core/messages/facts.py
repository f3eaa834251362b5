"""What is told of an execution as a whole: facts for everybody, and its end for the execution that called it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from weft_contracts import routing

from weft_engine.core import entries as e
from weft_engine.core import walking
from weft_engine.core.claims import NOTHING_READ, Values
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import moment
from weft_engine.core.failures import failure
from weft_engine.core.identity import event_named
from weft_engine.core.items import Caller
from weft_engine.core.messages.said import Outgoing, Said, fact, pack
from weft_engine.core.recalling import child_lost
from weft_engine.core.state import Place, State


def _origin(state: State) -> dict[str, Any]:
    trigger = state.trigger
    user = trigger.get("user")
    return {
        "trigger_type": trigger.get("type", "manual"),
        "trigger_id": trigger.get("id"),
        "event_id": event_named(trigger),
        "user": user.get("id") if isinstance(user, dict) else None,
        "key_owner": user.get("owner") if isinstance(user, dict) else None,
        "key": state.key,
        "labels": state.labels,
        "parent": state.parent,
        "priority": state.priority,
    }


def queued(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """An execution waits until it may begin."""
    return [Said(routing.EVENTS, None, "execution.queued", fact(state, position, at, **_origin(state)))]


def started(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """An execution runs."""
    told = Said(routing.EVENTS, None, "execution.started", fact(state, position, at, **_origin(state)))
    return [told, *sla_set(state, entry, position, at)]


def sla_set(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """When it is due is known, or has changed."""
    if "sla" not in entry.data:
        return []
    level = entry.data["sla"] or {}
    moments = {name: level.get(name) for name in ("due_at", "warn_at", "status")}
    return [Said(routing.EVENTS, None, "execution.sla_set", fact(state, position, at, **moments))]


def sla_said(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """Its sla is at risk, or broken."""
    return [Said(routing.EVENTS, None, entry.kind, fact(state, position, at, due_at=entry.data["due_at"]))]


def waiting(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """It rests."""
    told = fact(
        state, position, at, node=entry.node, kind=entry.data["kind"], until=entry.data.get("until"), waits_for=entry.data.get("for")
    )
    return [Said(routing.EVENTS, None, "execution.waiting", told)]


def resumed(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """It goes on."""
    return [Said(routing.EVENTS, None, "execution.resumed", fact(state, position, at))]


def retried(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """It goes on from where it had ended badly."""
    told = fact(state, position, at, by=entry.data.get("by"), retried=True)
    return [Said(routing.EVENTS, None, "execution.resumed", told), *sla_set(state, entry, position, at)]


def ended(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """It has ended; its caller is told, too."""
    data = entry.data
    told = _end(state, position, at, error=data.get("error"), reason=data.get("reason"), cancelled_by=data.get("by"))
    if state.position == position + 1:  # else this is said again, of an execution that has gone on since: what it had come to is not known
        if (walk := walking.plain(state.way, state.walked, state.steps)) is not None:
            told["walk"] = walk
        else:
            told["path"], told["steps"] = state.way, walking.told(state.walked, state.steps)
    return [Said(routing.EVENTS, None, entry.kind, told), *_report(state, entry.kind, entry.data)]


def withdrawn(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """It has ended as it had before a retry was asked for, and at that time; its caller is told, too."""
    kind = f"execution.{entry.data['was']}"
    told = _end(state, position, moment(entry.data["ended_at"]) or at, error=entry.data["error"])
    return [Said(routing.EVENTS, None, kind, told), *_report(state, kind, entry.data)]


def _end(state: State, position: int, at: datetime, **more: Any) -> dict[str, Any]:
    started_at = state.started_at or at
    duration_ms = max(0, round((at - started_at).total_seconds() * 1000))
    return fact(state, position, at, **_origin(state), started_at=started_at, duration_ms=duration_ms, **more)


def _report(state: State, kind: str, data: Mapping[str, Any]) -> list[Said]:
    """What the execution that called this one is told of its end."""
    caller = state.caller
    if caller is None or not caller["wait"]:
        return []
    parent = UUID(str(caller["execution_id"]))
    node, visit = data.get("asked_by") or (caller["node"], caller["visit"])
    step = {"execution_id": parent, "node": node, "visit": visit}
    if kind == e.COMPLETED:
        return [Said(routing.COMMANDS, parent, "step.complete", {**step, "outcome": "done", "output": data.get("output")})]
    error = data.get("error")
    if error is None:
        error = failure("child_cancelled", f"execution {state.id} of {state.workflow} was cancelled", None, permanent=True)
    details = {**(error.get("details") or {}), "execution_id": state.name, "node": error.get("node")}
    return [Said(routing.COMMANDS, parent, "step.fail", {**step, "error": {**error, "details": details}})]


def report_again(state: State, partitions: int, values: Values = NOTHING_READ, asked_by: Place | None = None) -> list[Outgoing]:
    """What an execution that has ended told its caller, once more, with the same ids: the caller asks when it has not heard.

    values: contents of what is kept apart.  asked_by: the visit to tell, the one that waited for it when absent.
    Raises: Wanted, ContentLost.
    """
    kind = f"execution.{state.status}"
    place = asked_by or state.asked_by
    data = {"output": state.output, "error": state.error, "asked_by": place}
    at = state.completed_at or state.started_at
    if at is None:
        return []
    said = _report(state, kind, data)
    end = f"{state.id}:end" if place is None else f"{state.id}:end:{place[0]}:{place[1]}"
    return [pack(state, one, f"{end}:{number}", state.name, at, partitions, values.encoder()) for number, one in enumerate(said)]


def lost(state: State, caller: Caller, why: str, now: datetime, partitions: int) -> Outgoing:
    """What a caller is told that asks a child to go on which cannot: it calls another. The caller asks again when it has not heard."""
    said = Said(routing.COMMANDS, caller.execution_id, "step.fail", child_lost(caller, state.id, why))
    return pack(state, said, f"{state.id}:lost:{caller.node}:{caller.visit}", state.name, now, partitions)


def refused(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """It never began; its caller is told, too."""
    data = {
        "execution_id": state.id,
        "workflow": state.workflow,
        "event_id": state.trigger.get("event_id"),
        "trigger_id": state.trigger.get("id"),
    }
    if entry.kind == e.SKIPPED:
        more = {"key": entry.data["key"], "live_execution_id": entry.data["live_execution_id"], "correlated": "start" in entry.data}
    else:
        more = {"error": entry.data["error"]}
    told = [Said(routing.EVENTS, None, entry.kind, {**data, **more})]
    if entry.kind == e.SKIPPED and position:
        # It was shown as queued before; to who lists executions it is cancelled, as it is here.
        told.append(Said(routing.EVENTS, None, e.CANCELLED, _end(state, position, at, reason="another lives with its key")))
    return [*told, *_report(state, entry.kind, entry.data), *_brought(state, entry)]


def _brought(state: State, entry: Entry) -> list[Said]:
    """An event that found an execution living with its key, for that one: a signal named like the trigger."""
    if "start" not in entry.data:
        return []
    holder, trigger = UUID(entry.data["live_execution_id"]), state.trigger
    signal = {
        "execution_id": holder,
        "signal_id": trigger.get("event_id") or state.name,
        "name": trigger.get("id") or "",
        "payload": trigger.get("payload"),
        "otherwise": entry.data["start"],
    }
    return [Said(routing.COMMANDS, holder, "execution.signal", signal)]


def paused(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """It is paused, with its children. Where somebody paused it too, that it is was said before."""
    if "too" in entry.data:
        return []
    told = fact(state, position, at, by=entry.data.get("by"), reason=entry.data.get("reason"))
    return [Said(routing.EVENTS, None, entry.kind, told), *_to_children(entry, "execution.pause")]


def unpaused(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    """Its pause is over, and that of its children; one that had not begun waits for that again."""
    if entry.data.get("queued"):
        return queued(state, entry, position, at)
    told = fact(state, position, at, paused_at=entry.data.get("since"), by=entry.data.get("by"))
    resumed = Said(routing.EVENTS, None, "execution.resumed", told)
    return [resumed, *sla_set(state, entry, position, at), *_to_children(entry, "execution.resume")]


def _to_children(entry: Entry, type_: str) -> list[Said]:
    return [Said(routing.COMMANDS, UUID(child), type_, {"execution_id": child}) for child in entry.data.get("children", ())]
