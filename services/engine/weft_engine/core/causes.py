"""What caused an entry of a journal: the item that it is the first trace of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from weft_engine.core import entries as e
from weft_engine.core import items as i
from weft_engine.core.entries import Entry
from weft_engine.core.state import Pending, Place, State


def delivered(execution_id: UUID, data: dict[str, Any], payload: Any) -> i.Happening:
    """The signal or event that an entry tells of. data: of the entry."""
    if "event" in data:
        return i.DomainEvent(execution_id, data["signal_id"], data["name"], {**data["event"], "data": payload})
    return i.Signal(execution_id, data["signal_id"], data["name"], payload, data.get("user"))


def causes(execution_id: UUID, entry: Entry, waited: Pending | None, state: State) -> Iterator[i.Happening]:
    """The item that an entry is the first trace of, where it is one. waited: what the visit waited for before the entry."""
    data = entry.data
    if entry.kind in (e.QUEUED, e.REJECTED) or (entry.kind == e.STARTED and "trigger" in data):
        yield i.Start(
            execution_id, data["workflow"], data.get("version"), data.get("input", {}), data.get("trigger", {}), data.get("key"),
            data.get("labels", {}), data.get("priority"), caller=_caller(data), passed=data.get("passed", []),
        )  # fmt: skip
    elif entry.kind == e.STARTED:
        yield i.Admit(execution_id)
    elif entry.kind == e.SKIPPED and state.gates:
        yield i.Skip(execution_id, UUID(data["live_execution_id"]))
    elif entry.kind == e.CANCELLED:
        yield i.Cancel(execution_id, data.get("reason"), data.get("by"))
    elif entry.kind == e.PAUSED:
        yield i.Pause(execution_id, data.get("reason"), data.get("by"))
    elif entry.kind == e.UNPAUSED:
        yield i.Resume(execution_id, data.get("by"))
    elif entry.kind == e.ITEM_HELD:
        yield i.convert(data["type"], data["item"])
    elif entry.kind in _RETRIES:
        yield _retrying(execution_id, entry, state)
    elif entry.kind == e.MIGRATED:
        told: dict[str, str | None] = {**data.get("mapping", {}), **dict.fromkeys(data.get("gone", ()))}
        yield i.Migrate(execution_id, data["version"], data["from"], told, data["timers"], user=data.get("by"))
    elif entry.kind == e.MIGRATION_UNDONE:
        yield i.UndoMigration(execution_id, user=data.get("by"))
    elif entry.kind in _BY_TIME or (entry.kind in _TIMED_OUT and (data["error"]["code"], data["error"]["node"]) == ("max_duration", None)):
        yield i.Tick(execution_id)
    else:
        yield from _answers(execution_id, entry, waited)


_RETRIES: Final = frozenset({e.RETRY_QUEUED, e.RETRY_WITHDRAWN, e.RETRIED, e.CALLED_AGAIN})


def _retrying(execution_id: UUID, entry: Entry, state: State) -> i.Happening:
    """What asked for a retry, let one in that waited, or made it not be."""
    data = entry.data
    if "let_in" in data or "refused" in data:
        return i.Admit(execution_id)
    if "live_execution_id" in data:
        return i.Skip(execution_id, UUID(data["live_execution_id"]))
    if entry.kind == e.RETRY_WITHDRAWN:
        return i.Cancel(execution_id, data.get("reason"), data.get("by"))
    answer_id = UUID(data["answer_id"]) if "answer_id" in data else None
    asked = data.get("from"), data.get("input"), data.get("version"), data.get("effects", "skip"), data.get("by"), answer_id
    caller = None
    if "asked_by" in data and state.caller is not None:
        node, visit = data["asked_by"]
        caller = i.Caller(UUID(str(state.caller["execution_id"])), node, visit, state.caller["depth"])
    return i.Retry(execution_id, *asked, caller)


_TIMED_OUT: Final = frozenset({e.TIMED_OUT, e.COMPENSATING})
"""By `max_duration`. Where what was done is undone first, that it timed out is written only after that."""
_BY_TIME: Final = frozenset({e.CONTINUED, e.STEP_RESENT})
_ELSEWHERE: Final = frozenset({"task", "child"})
_LATE: Final = frozenset({"timeout", "lease_expired"})


def _answers(execution_id: UUID, entry: Entry, waited: Pending | None) -> Iterator[i.Happening]:
    data, kind = entry.data, entry.kind
    if kind == e.SIGNAL_KEPT:
        # What it would have started is no more: here it tells only that it is an event, which is kept in any case.
        brought = i.Start(execution_id, "") if data.get("brought") else None
        yield i.Signal(execution_id, data["signal_id"], data["name"], data.get("payload"), data.get("user"), otherwise=brought)
    elif waited is None:
        return
    elif waited.kind == "enhancing":
        yield from _of_a_model(execution_id, entry, waited)
    elif kind == e.STEP_ENHANCING:
        yield from _completions(execution_id, entry, waited)
    elif kind == e.STEP_ACCEPTED:
        yield i.ActivityAccepted(execution_id, *_asked_as(waited), waited.attempt)
    elif kind == e.STEP_RETRYING and "queue" not in waited.data:
        # No activity. Where it waited for its scopes, what failed in them tells of it.
        if waited.data.keys() & {"task", "child_id"}:
            yield i.FailStep(execution_id, *_asked_as(waited), data["error"])
    elif kind == e.STEP_FAILED and waited.kind in _ELSEWHERE and not data.keys() & {"task_id", "child_id"}:
        # Not taken back, so it is who does it that ended it, even where the code says that time did.
        yield i.FailStep(execution_id, *_asked_as(waited), data["error"])
    elif "again" in data or (kind in (e.STEP_RETRYING, e.STEP_FAILED) and _is_late(entry)):
        yield i.Tick(execution_id)
    elif kind == e.STEP_RETRYING or (kind == e.STEP_FAILED and waited.kind == "activity"):
        yield i.ActivityFailed(execution_id, *_asked_as(waited), waited.attempt, data["error"])
    elif kind == e.STEP_COMPLETED:
        yield from _completions(execution_id, entry, waited)
    else:
        yield from _goings_on(execution_id, entry, waited)


def _is_late(entry: Entry) -> bool:
    """Whether time ended what an entry is about. What only holds the node that was late, such as its group, ends by the same error."""
    error = entry.data["error"]
    return error["code"] in _LATE and error.get("node") == entry.node


def _of_a_model(execution_id: UUID, entry: Entry, waited: Pending) -> Iterator[i.Happening]:
    """What came of an enhancement."""
    said = entry.data.get("enhancement")
    if said is None:
        # It was taken back, or with all the visits that it tries again its time was over.
        yield from [i.Tick(execution_id)] if entry.kind == e.STEP_FAILED else []
        return
    if said["applied"]:
        output = {"result": entry.data.get("output"), "usage": said.get("usage")}
        yield i.ActivityCompleted(execution_id, *_asked_as(waited), 1, "done", output)
    elif "code" not in said:
        yield i.Tick(execution_id)
    else:
        details = {"usage": said["usage"]} if "usage" in said else None
        error = {"code": said["code"], "message": said["message"], "permanent": True, "details": details}
        yield i.ActivityFailed(execution_id, *_asked_as(waited), 1, error)


def _goings_on(execution_id: UUID, entry: Entry, waited: Pending) -> Iterator[i.Happening]:
    """What lets go on what waited for its next attempt, or for the end of a suspension."""
    if waited.gate is not None:
        if "gate" in entry.data:
            yield i.Admit(execution_id, [waited.gate])
    elif entry.kind in (e.STEP_SCHEDULED, e.STEP_HELD) and waited.kind == "retry":
        yield i.Tick(execution_id)


def _completions(execution_id: UUID, entry: Entry, waited: Pending) -> Iterator[i.Happening]:
    outcome, output = entry.data.get("outcome", "done"), entry.data.get("output")
    if waited.kind == "activity":
        yield i.ActivityCompleted(execution_id, *_asked_as(waited), waited.attempt, outcome, output)
    elif waited.kind in ("task", "child"):
        yield i.CompleteStep(execution_id, *_asked_as(waited), outcome, output)
    elif waited.kind == "timer" or (waited.kind == "signal" and outcome in [name for name, _ in waited.data["after"]]):
        yield i.Tick(execution_id)


def _asked_as(waited: Pending) -> Place:
    """The visit as it was asked for: a migration may have renamed its node since."""
    node, visit = waited.data.get("asked_as", waited.place)
    return node, visit


def _caller(data: dict[str, Any]) -> i.Caller | None:
    caller = data.get("caller")
    if caller is None:
        return None
    return i.Caller(UUID(str(caller["execution_id"])), caller["node"], caller["visit"], caller["depth"], caller.get("wait", True))
