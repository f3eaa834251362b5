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
from weft_engine.core.causes import causes, delivered
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
    telling = _Telling(execution_id)
    for position, (state, entry, at) in enumerate(unfold(execution_id, entries)):
        # What a signal carried that was taken at once is the output of the visit that it ended, in the entry after.
        carried = entries[position + 1][0].data.get("output") if entry.kind == e.SIGNAL_DELIVERED else entry.data.get("payload")
        telling.hear(entry, at, state, carried)
    return telling.found if telling.owed is None else [*telling.found, telling.owed]


@dataclass(slots=True)
class _Telling:
    """A journal being told, entry by entry.

    found: what has happened so far.  owed: an item that happened by time alone, unless more of its transition is told.
    waiting, held, seen: of the state before the entry.  kept: signals that came early.  taken_up: what a pause held and the transition of
    its end does, and when.  ticked, refused: what has been told at that time already.  rested: whether the last transition is over.
    at_gates: what waited at which gate when some of it was last let in.
    """

    execution_id: UUID
    found: list[Happened] = field(default_factory=list)
    owed: Happened | None = None
    waiting: dict[Place, Pending] = field(default_factory=dict)
    held: Sequence[Mapping[str, Any]] = ()
    seen: Sequence[str] = ()
    kept: set[str] = field(default_factory=set)
    taken_up: tuple[datetime | None, list[i.Happening]] = (None, [])
    ticked: datetime | None = None
    refused: tuple[str, datetime] | None = None
    rested: bool = True
    at_gates: dict[Place, str] = field(default_factory=dict)

    def hear(self, entry: Entry, at: datetime, state: State, carried: Any) -> None:
        """One more entry. state: after it.  carried: by its signal, where it is of one."""
        tenant = tenant_of(state.tenant, state.tenant_seen)
        if self.owed is not None and self.owed.at != at:
            self.found.append(self.owed)
            self.owed = None
        if entry.kind in e.SLA_SAID:  # by whatever happens in this transition, by a tick where nothing else does
            self.owed = Happened(at, i.Tick(self.execution_id), tenant)
        for item in self._items(entry, at, state, carried):
            self._add(Happened(at, item, tenant), (entry.node or "", entry.visit))
        if entry.kind == e.UNPAUSED:
            self.taken_up = at, [i.convert(one["type"], one["item"]) for one in self.held]
        if self.found:
            self.found[-1] = _with_what_it_met(self.found[-1], entry, state)
        self.rested = entry.kind in _SETTLED
        self.waiting, self.held, self.seen = dict(state.pending), state.held, state.seen

    def _add(self, one: Happened, place: Place) -> None:
        """One thing more. place: the visit that tells of it."""
        last = self.found[-1] if self.found and not self.rested and self.found[-1].at == one.at else None
        if isinstance(one.item, i.Admit) and one.item.gates:
            if last is not None and isinstance(last.item, i.Admit) and [self.at_gates.get(place)] == one.item.gates:
                # Whoever is let in at several gates at once is told of all of them by one item.
                gates = dict.fromkeys((*last.item.gates, *one.item.gates))
                self.found[-1] = replace(last, item=i.Admit(self.execution_id, list(gates)))
                return
            self.at_gates = {waits.place: waits.gate for waits in self.waiting.values() if waits.gate is not None}
        if self.owed is not None and isinstance(one.item, i.Retry | i.Migrate | i.UndoMigration):
            self.found.append(self.owed)  # these say nothing of the sla themselves
        self.found.append(one)
        self.owed = None

    def _items(self, entry: Entry, at: datetime, state: State, carried: Any) -> Iterator[i.Happening]:
        """The items that an entry is the first trace of."""
        signal_id = entry.data.get("signal_id", "")
        if entry.kind == e.SIGNAL_DELIVERED and signal_id not in self.kept:
            found = iter([delivered(self.execution_id, entry.data, carried)])
        elif entry.kind == e.SIGNAL_REFUSED and (signal_id, at) != self.refused:
            self.refused = (signal_id, at)  # by every visit that waited for it, in a row
            found = iter([delivered(self.execution_id, entry.data, carried)])
        elif entry.kind == e.SIGNAL_KEPT and signal_id in self.seen:
            found = iter(())  # it came in a time that a retry has gone back behind
        else:
            found = causes(self.execution_id, entry, self.waiting.get((entry.node or "", entry.visit)), state)
        if entry.kind == e.SIGNAL_KEPT:
            self.kept.add(signal_id)
        for item in found:
            if isinstance(item, i.Tick):
                if self.ticked == at:
                    continue
                self.ticked = at
            # The end of a pause lets no retry in: that takes the whole journal.
            lets_back = isinstance(item, i.Admit) and entry.kind in (e.RETRIED, e.RETRY_WITHDRAWN)
            if self.taken_up[0] != at or lets_back or not any(_is_of(one, item) for one in self.taken_up[1]):
                yield item


_SETTLED: Final = frozenset({e.WAITING, e.RESUMED})
"""Kinds of entries that are the last of their transition."""


def _is_of(held: i.Happening, item: i.Happening) -> bool:
    """Whether an item that an entry tells of is one that was held: the end of the pause has done it, and what it met that has met."""
    if isinstance(held, i.Admit) and isinstance(item, i.Admit):
        return set(item.gates) <= set(held.gates) or not held.gates
    # An answer may be told as another one: a result that does not do as a failure.
    named = [[getattr(one, name, None) for name in _NAMING] for one in (held, item)]
    return named[0] == named[1] and (any(named[0]) or type(held) is type(item))


_NAMING: Final = ("signal_id", "event_id", "node", "visit")


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
