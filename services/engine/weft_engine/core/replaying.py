"""Replaying: what happened to an execution, told by its journal as the items that caused it, can happen again in a test.

Every answer of the outside comes from the journal, so nothing outside is asked; the core is pure, so the same items give the same end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weft_language.compilation import Program

from weft_engine.core import entries as e
from weft_engine.core import items as i
from weft_engine.core.apply import advance
from weft_engine.core.asking import NOT_ALLOWED, owner_of
from weft_engine.core.context import Context
from weft_engine.core.entries import Entry, Row
from weft_engine.core.evolve import Timed, unfold
from weft_engine.core.migrating import Moved, migrate, undo
from weft_engine.core.queued import goes_back
from weft_engine.core.rewinding import retry
from weft_engine.core.seeing import tenant_of
from weft_engine.core.state import Pending, Place, State


@dataclass(frozen=True, slots=True)
class Happened:
    """An item with the time of its transition. tenant: what that saw of it, None where it was not written down.

    suspended: what it was held up by, as `Context.suspended`.  others: tenants whose queues it was refused.
    """

    at: datetime
    item: i.Happening
    tenant: Mapping[str, Any] | None = None
    suspended: Mapping[str, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()


def happenings(execution_id: UUID, entries: Sequence[Timed]) -> list[Happened]:
    """What happened to an execution, in order."""
    found: list[Happened] = []
    waiting: dict[Place, Pending] = {}
    ticked: datetime | None = None
    kept: set[str] = set()
    refused: tuple[str, datetime] | None = None
    owed: Happened | None = None
    for position, (state, entry, at) in enumerate(unfold(execution_id, entries)):
        place = (entry.node or "", entry.visit)
        signal_id = entry.data.get("signal_id", "")
        tenant = tenant_of(state.tenant, state.tenant_seen)
        if owed is not None and owed.at != at:
            found.append(owed)
            owed = None
        if entry.kind in e.SLA_SAID:
            owed = Happened(at, i.Tick(execution_id), tenant)  # by whatever happens in this transition, by a tick where nothing else does
        if entry.kind == e.SIGNAL_DELIVERED and signal_id not in kept:
            # What a signal carried that was taken at once is the output of the visit that it ended, in the entry after.
            payload = entries[position + 1][0].data.get("output")
            found.append(Happened(at, _delivered(execution_id, entry.data, payload), tenant))
            owed = None
        elif entry.kind == e.SIGNAL_KEPT:
            kept.add(signal_id)
        elif entry.kind == e.SIGNAL_REFUSED and (signal_id, at) != refused:
            refused = (signal_id, at)  # by every visit that waited for it, in a row
            found.append(Happened(at, _delivered(execution_id, entry.data, entry.data.get("payload")), tenant))
            owed = None
        for item in _causes(execution_id, entry, waiting.get(place), state):
            if isinstance(item, i.Tick):
                if ticked == at:
                    continue
                ticked = at
            if owed is not None and isinstance(item, i.Retry | i.Migrate | i.UndoMigration):
                found.append(owed)  # these say nothing of the sla themselves
            found.append(Happened(at, item, tenant))
            owed = None
        if found:
            found[-1] = _with_what_it_met(found[-1], entry, state)
        waiting = dict(state.pending)
    return found if owed is None else [*found, owed]


def _with_what_it_met(happened: Happened, entry: Entry, state: State) -> Happened:
    held, refused = _held_up(entry, state), _refused(entry)
    if not held and not refused:
        return happened
    return replace(happened, suspended={**happened.suspended, **held}, others=happened.others | refused)


def _held_up(entry: Entry, state: State) -> dict[str, str]:
    """What the transition of an entry met that was held up."""
    data = entry.data
    if (said := data.get("enhancement")) is not None and "held_by" in said:
        return {said["held_by"]: said["gate"]}
    if entry.kind in (e.QUEUED, e.RETRY_QUEUED):
        names = [gate["name"] for gate in data["gates"] if gate["name"].startswith("suspended:")]
        return dict(zip(("tenant", f"workflow:{state.workflow}")[-len(names) :], names, strict=True)) if names else {}
    waits = entry.kind == e.STEP_HELD or (entry.kind == e.STEP_WAITING and data["kind"] == "suspended")
    return {data["held_by"]: data["gate"]} if waits and "held_by" in data else {}


def _refused(entry: Entry) -> frozenset[str]:
    """Whose queue an activity of this entry, or what undoes it, was not let go to; nobody where none was refused."""
    data, request = entry.data, entry.data.get("request")
    error = data.get("error") or (request.get("error") if isinstance(request, Mapping) else None)
    details = error.get("details") if isinstance(error, Mapping) and error.get("code") == NOT_ALLOWED else None
    queue = details.get("queue") if isinstance(details, Mapping) else None
    return frozenset({owner_of(queue)}) if isinstance(queue, str) else frozenset()


def _delivered(execution_id: UUID, data: dict[str, Any], payload: Any) -> i.Happening:
    if "event" in data:
        return i.DomainEvent(execution_id, data["signal_id"], data["name"], {**data["event"], "data": payload})
    return i.Signal(execution_id, data["signal_id"], data["name"], payload, data.get("user"))


def _causes(execution_id: UUID, entry: Entry, waited: Pending | None, state: State) -> Iterator[i.Happening]:
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
    elif (kind in (e.STEP_RETRYING, e.STEP_FAILED) and data["error"]["code"] in _LATE) or "again" in data:
        yield i.Tick(execution_id)
    elif kind == e.STEP_RETRYING or (kind == e.STEP_FAILED and waited.kind == "activity"):
        yield i.ActivityFailed(execution_id, *_asked_as(waited), waited.attempt, data["error"])
    elif kind == e.STEP_COMPLETED:
        yield from _completions(execution_id, entry, waited)
    else:
        yield from _goings_on(execution_id, entry, waited)


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


def replay(
    state: State, happened: Sequence[Happened], program: Program, context: Context, others: Mapping[int, Program] | None = None
) -> list[Row]:
    """Let it all happen again to a state before its start, which is changed in place. Returns: the journal that comes of it.

    others: programs by version, where it was migrated to others or retried by them. Raises: LookupError where one of those is missing.
    """
    programs = {program.version: program, **(others or {})}
    rows: list[Row] = []
    for one in happened:
        position = state.position
        tenant = context.tenant if one.tenant is None else one.tenant
        context = replace(context, tenant=tenant, suspended=one.suspended, tenants=one.others)
        if isinstance(one.item, i.Retry | i.Admit) and goes_back(one.item, state):
            asked = one.item.workflow_version if isinstance(one.item, i.Retry) else (state.begun or {}).get("version")
            retried = retry(state.id, rows, one.item, one.at, programs.get(asked or state.version, program), context)
            written: Sequence[Entry] = retried.entries
            state = retried.state or state
        elif isinstance(one.item, i.Migrate | i.UndoMigration):
            moved = _moved(state, rows, one, programs, context)
            written = moved.entries
            state = moved.state or state
        else:
            written = advance(state, one.item, one.at, programs.get(state.version, program), context).entries
        if written:
            rows.append(Row(position, one.at, list(written)))
    return rows


def _moved(state: State, rows: Sequence[Row], one: Happened, programs: Mapping[int, Program], context: Context) -> Moved:
    item = one.item
    if isinstance(item, i.UndoMigration):
        return undo(state.id, rows, item, one.at)
    if not isinstance(item, i.Migrate) or item.workflow_version not in programs:
        raise LookupError(f"execution {state.id} was migrated, and the version it went on by is not here; give it among `others`")
    return migrate(state, item, one.at, programs[state.version], programs[item.workflow_version], context)
