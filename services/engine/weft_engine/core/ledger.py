"""The effects ledger: what an execution has asked of the outside, what came of it, and what of that a retry need not ask again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from weft_engine.core import entries as e
from weft_engine.core.claims import Claimed, hash_of
from weft_engine.core.enhancing import SUFFIX
from weft_engine.core.entries import Entry
from weft_engine.core.evolve.renaming import Rename, followed, reindexed, renamed, renamer
from weft_engine.core.failures import failure
from weft_engine.core.reuse import Done, Path, Reusable, Where, put, take
from weft_engine.core.state import ROOT, Place, scope_key


@dataclass(slots=True)
class Effect:
    """One thing asked of the outside.

    kind: `activity`, `task`, `child`, `event`, `enhancement`.  name: the activity, the task's title, the workflow, the event's type.
    request, receipt: hashes of what was asked and of what it gave.  status: `asked`, `done`, `failed`, `cancelled`, or `reused` for one
    that an earlier effect, completed at position `reused_from`, answered.  undone_at: when a compensation undid it.
    """

    position: int
    at: datetime
    node: str
    visit: int
    scope: str
    kind: str
    name: str
    request: str
    attempts: int = 1
    status: str = "asked"
    outcome: str | None = None
    receipt: str | None = None
    receipt_at: datetime | None = None
    error: dict[str, Any] | None = None
    reused_from: int | None = None
    undone_at: datetime | None = None


def request_hash(kind: str, asked: Mapping[str, Any]) -> str:
    """The hash of what was asked, without what differs at each asking: ids and times."""
    given = {name: _part(asked[name]) for name in _IF_GIVEN if name in asked}
    return hash_of([kind, {name: _part(asked.get(name)) for name in _ASKED[kind]} | given])


def _part(value: Any) -> str:
    """Each part counts by its own hash, so that it is the same whether the value is kept apart or not."""
    return value.same if type(value) is Claimed else hash_of(value)


_ASKED: Final[dict[str, tuple[str, ...]]] = {
    "activity": ("name", "queue", "input"),
    "task": ("title", "description", "form", "ui", "data", "assignee", "candidates", "outcomes"),
    "child": ("workflow", "version", "input"),
    "event": ("type", "subject", "data"),
    "enhancement": ("name", "queue", "input", "apply", "own"),
}
_IF_GIVEN: Final = ("approvals", "excluded")
"""Of a task: what was decided by fewer, or by somebody who may not act any more, does not answer it."""
_NAMES: Final = {"enhancement": "name", "activity": "name", "task": "title", "child": "workflow", "event": "type"}


def asking(entry: Entry) -> tuple[str, Mapping[str, Any]] | None:
    """(kind, what was asked) where an entry is the first asking of an effect."""
    data = entry.data
    if entry.kind == e.STEP_SCHEDULED:
        return ("activity", data) if entry.attempt == 1 else None
    if entry.kind == e.EVENT_PUBLISHED:
        return "event", data
    if entry.kind == e.CHILD_CALLED or (entry.kind == e.STEP_WAITING and data["kind"] == "child"):
        return "child", data
    return ("task", data["task"]) if entry.kind == e.STEP_WAITING and data["kind"] == "task" else None


def effects(entries: Sequence[tuple[Entry, datetime]]) -> list[Effect]:
    """Every effect of a journal in the order of asking, each called as its node was when it was asked."""
    found: list[Effect] = []
    known: dict[Place, Effect] = {}
    before: dict[Place, Effect] = {}
    completed: dict[int, Effect] = {}
    for position, (entry, at) in enumerate(entries):
        known, before = followed(known, before, entry)
        if entry.node is None:
            continue
        place = (entry.node, entry.visit)
        asked = asking(entry)
        if asked is not None:
            kind, data = asked
            node, visit = entry.data.get("asked_as", place)
            name, request = str(data.get(_NAMES[kind], "")), request_hash(kind, data)
            known[place] = Effect(position, at, node, visit, entry.scope, kind, name, request)
            found.append(known[place])
        elif entry.kind == e.STEP_ENHANCING:
            found.append(_enhancement(known, place, position, at, entry))
        elif "ledger" in entry.data:
            first = completed[entry.data["ledger"]]
            reused = Effect(position, at, *place, entry.scope, first.kind, first.name, first.request, 0, "reused", first.outcome)
            reused.reused_from = entry.data["ledger"]
            known[place] = reused
            found.append(reused)
        else:
            if (of_a_model := known.get((f"{entry.node}{SUFFIX}", entry.visit))) is not None:
                _follow_enhancement(of_a_model, entry, at)
            if place in known:
                _follow(known[place], entry, at)
                completed[position] = known[place]
            elif of_a_model is not None:
                completed[position] = of_a_model
    return found


def _enhancement(known: dict[Place, Effect], place: Place, position: int, at: datetime, entry: Entry) -> Effect:
    """The asking of a model; where it comes after the node's work, that is done with what the entry says."""
    data, (node, visit) = entry.data, place
    if place in known and data["apply"] == "output":
        _follow(known[place], Entry(e.STEP_COMPLETED, node, visit, 0, {"output": data["output"], "outcome": data["outcome"]}), at)
    name, number = data["asked_as"]
    asked = Effect(position, at, name, number, entry.scope, "enhancement", str(data["name"]), request_hash("enhancement", data))
    known[f"{node}{SUFFIX}", visit] = asked
    return asked


def _follow_enhancement(effect: Effect, entry: Entry, at: datetime) -> None:
    if effect.status != "asked":
        return
    if entry.kind == e.STEP_CANCELLED:
        effect.status, effect.receipt_at = "cancelled", at
    elif "enhancement" in entry.data:
        said = entry.data["enhancement"]
        effect.status, effect.receipt_at = ("done" if said["applied"] else "failed"), at
        if said["applied"]:
            effect.outcome, effect.receipt = "done", hash_of(entry.data.get("output"))
        else:
            effect.error = failure(said.get("code", said["reason"]), said.get("message", said["reason"]), effect.node)


def _follow(effect: Effect, entry: Entry, at: datetime) -> None:
    if entry.kind == e.STEP_SCHEDULED:
        effect.attempts = entry.attempt
    elif entry.kind == e.STEP_COMPLETED and effect.status == "asked":
        effect.status, effect.outcome = "done", entry.data.get("outcome", "done")
        effect.receipt, effect.receipt_at = hash_of(entry.data.get("output")), at
    elif entry.kind == e.STEP_FAILED:
        effect.status, effect.error, effect.receipt_at = "failed", entry.data["error"], at
    elif entry.kind == e.STEP_CANCELLED:
        effect.status, effect.receipt_at = "cancelled", at
    elif entry.kind == e.STEP_COMPENSATED and "error" not in entry.data:
        effect.undone_at = at


def done_since(entries: Sequence[tuple[Entry, datetime]], since: int, left: Reusable) -> Reusable:
    """Effects that were completed from a position on, with what they gave, each by what its place was called at that position.

    left: those of a time before, that nothing had taken up yet at that position. What was undone is not done any more.
    """
    known = _Known()
    before = known
    for position, (entry, _) in enumerate(entries):
        if position == since:
            known.found = dict(left)
        if entry.kind == e.MIGRATED:
            before, known = known, known.called(entry) if position < since else known.called_then(entry)
        elif entry.kind == e.MIGRATION_UNDONE:
            known = before
        elif entry.node is not None:
            known.follow(position, (entry.node, entry.visit), entry, wanted=position >= since)
    return known.found


@dataclass(slots=True)
class _Known:
    """What is known of effects so far. asked: kind and request by visit.  given: where each visit was, and the position of what it gave.

    enhanced: what a model was asked by visit, for its work or its input.
    paths: of the scopes that were opened, by key.  then: how things were called at the position, for entries of after a migration since.
    """

    asked: dict[Place, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    given: dict[Place, tuple[Where, int]] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=lambda: {ROOT: ()})
    found: Reusable = field(default_factory=dict)
    then: tuple[Rename, ...] = ()
    enhanced: dict[Place, Mapping[str, Any]] = field(default_factory=dict)

    def _asked(self, place: Place, data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """What a visit that has ended was asked. What a model made of a request is taken where the model would be asked the same."""
        if place in self.asked:
            yield self.asked[place]
        if place in self.enhanced and (place in self.asked or data.get("enhancement", {}).get("applied")):
            yield "enhancement", self.enhanced[place]

    def called_then(self, entry: Entry) -> _Known:
        """The same, for entries of after a migration that is gone back behind."""
        inverse = Rename({new: old for old, new in renamer(entry).mapping.items()})
        return _Known(dict(self.asked), dict(self.given), dict(self.paths), dict(self.found), (inverse, *self.then), dict(self.enhanced))

    def called(self, entry: Entry) -> _Known:
        """The same by the names that a migration gives."""
        rename = renamer(entry)
        paths = {rename.key(key): tuple(map(rename.key, path)) for key, path in self.paths.items()}
        given = {
            place: ((rename.node(node), tuple(map(rename.key, path))), position)
            for place, ((node, path), position) in reindexed(self.given, entry).items()
        }
        return _Known(reindexed(self.asked, entry), given, paths, renamed(self.found, entry), enhanced=reindexed(self.enhanced, entry))

    def follow(self, position: int, place: Place, entry: Entry, *, wanted: bool) -> None:
        """Take an entry into account. wanted: whether what it gives may be used again."""
        data, scope, owner = entry.data, entry.scope, place[0]
        for rename in self.then:
            place, scope = (rename.node(place[0]), place[1]), rename.key(scope)
        path = self.paths.get(scope, ())
        begun = asking(entry)
        if begun is not None:
            self.asked[place] = begun
        elif entry.kind == e.STEP_ENHANCING and data["apply"] != "output":
            self.enhanced[place] = data
        elif entry.kind == e.STEP_ENHANCED and not data["enhancement"]["applied"]:
            self.enhanced.pop(place, None)
        elif entry.kind == e.SCOPE_OPENED or (entry.kind == e.SCOPE_ENTERED and data["kind"] == "group"):
            label = data.get("label")
            opened, inside = scope_key(owner, place[1], label), scope_key(owner, 1, label)
            for rename in self.then:
                opened, inside = rename.key(opened), rename.key(inside)
            self.paths[opened] = (*path, inside)
        elif entry.kind == e.STEP_COMPLETED:
            self.given[place] = ((place[0], path), data.get("ledger", position))
            for asked in self._asked(place, data) if wanted else ():
                request = request_hash(*asked)
                put(self.found, (place[0], path), Done(position, place[1], request, data.get("outcome", "done"), data.get("output")))
        elif entry.kind == e.STEP_COMPENSATED and "error" not in data and place in self.given:
            take(self.found, *self.given[place])
