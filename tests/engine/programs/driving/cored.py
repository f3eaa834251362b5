"""One execution in the engine's pure core, its journal as PostgreSQL would give it back, and what it did in the shadow's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from weft_contracts import routing
from weft_engine.core import entries as e
from weft_engine.core import items as i
from weft_engine.core import running
from weft_engine.core.apply import Transition, advance, apply
from weft_engine.core.claiming import claim
from weft_engine.core.claims import Claimed, ItemOf, Values
from weft_engine.core.context import Context
from weft_engine.core.entries import Entry, Row, decode, encode, encode_claiming
from weft_engine.core.evolve import blank, evolve, fold
from weft_engine.core.messages import Outgoing, messages
from weft_engine.core.running import MAX_TRANSITION
from weft_engine.core.signals import Answer
from weft_engine.core.starting import refused
from weft_engine.core.state import State
from weft_language.compilation import Program
from weft_language.expressions import compile_calendar

from tests.engine.core.apart import asking
from tests.engine.programs.driving.bounds import bounds
from tests.engine.programs.shadow.office import NAME
from tests.engine.programs.times import moment, since_start

CONTEXT = Context(
    {"id": "acme", "tier": "standard", "settings": {}}, resend_s=45.0, lease_s=60.0, calendars={NAME: compile_calendar({})}
)  # fmt: skip
PARTITIONS = 8
PLAIN = msgspec.json.Encoder()
NAMED = msgspec.json.Encoder(enc_hook=lambda apart: {"apart": [*_named(apart)]})
MEMBERS = attrgetter(*(member.name for member in fields(State)))
REPEATABLE = (i.ActivityAccepted, i.ActivityHeartbeat)
"""Items that renew a lease each time they come."""

OF_CONNECTORS = {"http.request": ("url", "body"), "ai.generate": ("instructions", "input")}
"""Of the requests of connectors' actions, what generated programs write; the rest is of the catalog."""
OF_TASKS = ("title", "outcomes", "due_at", "data", "assignee", "candidates", "reminders", "on_timeout", "separate_from", "excluded")

Effect = tuple[Any, ...]


def _named(apart: Any) -> tuple[Any, ...]:
    if isinstance(apart, ItemOf):
        return (*_named(apart.list), apart.index)
    assert isinstance(apart, Claimed), f"{apart!r} stands in a state"
    return apart.id, apart.size_bytes, apart.same, apart.count


def snapshot(state: State) -> bytes:
    """A state as text that two equal states share, the order of what it holds included."""
    return NAMED.encode([list(value.items()) if isinstance(value, dict) else value for value in MEMBERS(state)])


def _filled(value: Any) -> Any:
    """Without lists of people that name nobody."""
    if isinstance(value, list):
        return [_filled(one) for one in value]
    if isinstance(value, dict):
        return {name: _filled(member) for name, member in value.items() if member != []}
    return value


def _task(data: dict[str, Any]) -> dict[str, Any]:
    """What people are asked, times as milliseconds."""
    found = {name: data[name] if name == "data" else _filled(data[name]) for name in OF_TASKS if data.get(name) is not None}
    return {**found, "due_at": since_start(found["due_at"])} if "due_at" in found else found


@dataclass
class Seen:
    """What one item did. visits: begun, in order.  says: asked of others, in order.  mail: items for other executions, with their types."""

    visits: list[Effect] = field(default_factory=list)
    says: list[Effect] = field(default_factory=list)
    mail: list[tuple[str, Any]] = field(default_factory=list)
    answer: Answer | None = None
    changed: bool = False


class Cored:
    """The execution. restart: whether its memory is thrown away before every item and folded anew from its rows.

    apart_over: bytes from which values are kept apart, so that the core has only what it asks for; None for never.
    suspended, tenant: as of `Context`.  gates: that it has to pass to begin.  yielded: how often a transition was too long.
    """

    def __init__(self, id_: UUID, program: Program, *, restart: bool, apart_over: int | None = None) -> None:
        self.id, self.program, self.restart, self.apart_over = id_, program, restart, apart_over
        self.contents: dict[str, bytes] = {}
        self.suspended: dict[str, str] = {}
        self.tenant: Mapping[str, Any] = CONTEXT.tenant
        self.gates: list[dict[str, Any]] = []
        self.yielded = 0
        self.state = State(id_, "acme", program.slug, program.version)
        self.rows: list[Row] = []
        self.facts: list[str] = []
        self._sent: list[tuple[Row, list[Outgoing]]] = []
        self._visits: set[tuple[str, int]] = set()
        self._requests: dict[tuple[str, int, int], bytes] = {}
        self._tasks: dict[str, tuple[str, int]] = {}
        self._children: dict[str, tuple[str, int]] = {}

    def give(self, item: i.Happening, now: int, *, whole: bool = False) -> Seen:
        """Apply an item, with everything that holds of every item: what is told of the state is the state, twice equals once.

        Where it takes longer than a transition may, it goes on in the next ones, unless it is to be one whole.
        """
        if whole:
            with bounds(transition=MAX_TRANSITION):
                return self.step(item, now)
        seen = self.step(item, now)
        while self._is_cut(item, now):
            self.yielded += 1
            self._give(i.Tick(self.id), now, seen)
        return seen

    def step(self, item: i.Happening, now: int) -> Seen:
        """Apply an item, in one transition however short."""
        seen = Seen()
        self._give(item, now, seen)
        return seen

    def _give(self, item: i.Happening, now: int, seen: Seen) -> None:
        before = snapshot(self.state)
        transition = self._refolded(item, now, before) if self.restart else self._in_memory(item, now, before)
        old, self.state = self.state, transition.state
        seen.answer, seen.changed = seen.answer or transition.answer, seen.changed or bool(transition.entries)
        if transition.entries:
            self.keep(transition.entries, now, seen, old)
        else:
            assert snapshot(self.state) == before, "the state moved without an entry"
        if not isinstance(item, REPEATABLE) and not self._goes_on_by(item, now):
            again = self._with_values(lambda context: apply(self.state, item, moment(now), self.program, context))
            assert not again.entries, f"the same item again changed something: {again.entries}"

    def refuse(self, item: i.Start, holder: UUID, now: int) -> Seen:
        """It never begins: another lives with its key."""
        entry = refused(item, "acme", e.SKIPPED, {"key": item.key, "live_execution_id": str(holder)})
        seen, old = Seen(changed=True), self.state
        self.state = blank(self.id, entry)
        evolve(self.state, entry, moment(now))
        self.keep([entry], now, seen, old)
        return seen

    def _goes_on_by(self, item: i.Happening, now: int) -> bool:
        """Whether the same item again takes it further: a tick what is left, being let in what has come to a gate since."""
        at_gate = any(pending.kind == "suspended" for pending in self.state.pending.values())
        return (isinstance(item, i.Tick) and self._is_cut(item, now)) or (isinstance(item, i.Admit) and at_gate)

    def _is_cut(self, item: i.Happening, now: int) -> bool:
        """Whether the last transition has left something to the next: what is ready, or of much that is due at once the rest."""
        long = isinstance(item, i.Tick) and bool(self.rows) and len(self.rows[-1].entries) >= running.MAX_TRANSITION
        due = long and self.state.wake_at is not None and self.state.wake_at <= moment(now)
        return self.state.paused is None and (bool(self.state.ready) or due)

    def _in_memory(self, item: i.Happening, now: int, before: bytes) -> Transition:
        transition = self._with_values(lambda context: apply(self.state, item, moment(now), self.program, context))
        assert snapshot(self.state) == before, "the core changed the state that it was given"
        return transition

    def _refolded(self, item: i.Happening, now: int, before: bytes) -> Transition:
        """All memory is gone: the state is what the rows tell, and it is changed in place, as an owner does."""

        def refolded(context: Context) -> Transition:
            state = fold(self.id, self.rows) or State(self.id, "acme", self.program.slug, self.program.version)
            assert snapshot(state) == before, "the journal tells another state than the one in memory"
            return advance(state, item, moment(now), self.program, context)

        return self._with_values(refolded)

    def _with_values(self, act: Callable[[Context], Transition]) -> Transition:
        """What comes of acting with nothing but the values that it asks for."""
        return asking(self.contents, replace(CONTEXT, suspended=self.suspended, tenant=self.tenant), act)[0]

    def value(self, value: Any) -> Any:
        """A value of the state, put together again."""
        return Values(self.contents).opened(value)

    def keep(self, entries: list[Entry], now: int, seen: Seen, before: State) -> None:
        """Write down what led from one state to the one that it is in. seen: to be told of it."""
        position = self.state.position - len(entries)
        values = Values(self.contents)
        said = messages(self.state, entries, position, moment(now), PARTITIONS, values)
        row = Row(position, moment(now), self._stored(entries, now, before))
        again = messages(self.state, row.entries, position, row.at, PARTITIONS, values)
        assert PLAIN.encode(said) == PLAIN.encode(again), "the stored entries say something else than the fresh ones"
        self.rows.append(row)
        self._sent.append((row, said))
        self._note_visits(entries, seen)
        published = [(entry.node, entry.visit) for entry in entries if entry.kind == e.EVENT_PUBLISHED]
        for out in said:
            place = out.item.id.split(":")[1:2]
            kind = entries[int(place[0]) - position].kind if place else ""
            self._note(out, published, seen, again=kind == e.STEP_RESENT)

    def _stored(self, entries: list[Entry], now: int, before: State) -> list[Entry]:
        """What the journal holds of entries. Where values leave them, the state is the one that the rest leads to, as in the hot loop."""
        if self.apart_over is None:
            return decode(encode(entries))
        kept = claim(entries, self.apart_over)
        self.contents |= kept.contents
        if not self.restart:
            self.state = before.draft()
            for entry in kept.entries:
                evolve(self.state, entry, moment(now))
        stored = decode(encode_claiming(kept.entries))
        if self.restart:
            rows = [*self.rows, Row(before.position, moment(now), stored)]
            self.state = fold(self.id, rows) or self.state
        return stored

    def _note_visits(self, entries: list[Entry], seen: Seen) -> None:
        for entry in entries:
            if entry.kind == e.QUEUED:
                self.gates = entry.data["gates"]
            if entry.node is None or entry.visit < 1 or entry.node.endswith(".compensate"):
                continue
            if (entry.node, entry.visit) not in self._visits:
                self._visits.add((entry.node, entry.visit))
                seen.visits.append(("visit", entry.node, entry.visit))

    def _note(self, out: Outgoing, published: list[tuple[str | None, int]], seen: Seen, *, again: bool) -> None:
        data = msgspec.json.decode(out.item.data)
        if out.exchange == routing.DOMAIN:
            seen.says.append(("publish", *published.pop(0), out.item.type, data))
        elif out.exchange == routing.EVENTS:
            self.facts.append(out.item.type)
            if out.item.type in (e.SLA_WARNED, e.SLA_BREACHED):
                seen.says.append(("sla", out.item.type.removeprefix("execution.sla_")))
        elif out.item.type == "activity.requested":
            self._note_request(data, seen, again=again)
        elif out.item.type == "task.create":
            self._tasks[data["task_id"]] = (data["node"], data["visit"])
            seen.says.append(("task.create", data["node"], data["visit"], _task(data)))
        elif out.item.type == "task.cancel":
            task = self._tasks.pop(data["task_id"], None)
            if task is not None:
                seen.says.append(("task.cancel", *task))
        elif out.item.type == "subscription.open":
            waits = [[one[key] for key in ("name", "pattern", "path", "value") if key in one] for one in data["waits"]]
            seen.says.append(("look out", data["node"], data["visit"], waits))
        elif out.item.type == "subscription.close":
            seen.says.append(("no more", data["node"], data["visit"], data.get("event_id")))
        else:
            self._note_mail(out.item.type, data, seen, again=again)

    def _note_request(self, data: dict[str, Any], seen: Seen, *, again: bool) -> None:
        place = (data["node"], data["visit"], data["attempt"])
        assert data["key"] == f"{self.id}:{data['node']}:{data['visit']}", "an effect has another key than its step"
        told = PLAIN.encode([data["name"], data["input"]])
        if not again:
            asked = data["input"]
            if data["name"] in OF_CONNECTORS:
                asked = {member: asked[member] for member in OF_CONNECTORS[data["name"]] if asked.get(member) is not None}
            seen.says.append(("activity", *place, data["name"], asked))
        assert self._requests.setdefault(place, told) == told, f"the request of {place} went out again with another content"

    def _note_mail(self, type_: str, data: dict[str, Any], seen: Seen, *, again: bool) -> None:
        item = i.decode(type_, PLAIN.encode(data))
        child = str(data["execution_id"])
        if type_ == "execution.start":
            caller = data["caller"]
            if again:
                return
            self._children[child] = (caller["node"], caller["visit"])
            seen.says.append(("call", caller["node"], caller["visit"], data["workflow"], data["input"]))
        elif type_.startswith("execution."):
            if child not in self._children:
                return
            seen.says.append((type_.replace("execution.", "child."), *self._children[child]))
        seen.mail.append((type_, item))

    def over(self, node: str, visit: int) -> None:
        """A task or child has ended by itself; taking it back afterwards is harmless and not told."""
        self._tasks = {id_: task for id_, task in self._tasks.items() if task != (node, visit)}
        self._children = {id_: step for id_, step in self._children.items() if step != (node, visit)}

    def check_outbox(self) -> None:
        """What was said is said again, word for word, when it is derived from the journal at the end."""
        for row, said in self._sent:
            resent = {entry.kind for entry in row.entries} & {e.STEP_RESENT}
            again = messages(self.state, row.entries, row.position, row.at, PARTITIONS, Values(self.contents))
            assert resent or PLAIN.encode(said) == PLAIN.encode(again), f"said again from the journal, {said} became {again}"
        ends = [fact for fact in self.facts if fact in e.ENDS]
        refused = self.facts == [e.SKIPPED]
        assert len(ends) == int(self.state.ended and not refused), f"the end was told {len(ends)} times: {self.facts}"
        began = sum(entry.kind == e.STARTED for row in self.rows for entry in row.entries)
        assert self.facts.count("execution.started") == began <= 1, f"the start was told more or less than once: {self.facts}"
