"""What happened to an execution of the mesh, told to the shadow: in the order in which its journal says that it happened.

So the shadow predicts the end also of programs whose end depends on the order. What the journal was read into is the engine's own work
(`happenings`, on which recorded executions are replayed); what comes of it the shadow finds by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from weft_engine.core import entries as e
from weft_engine.core import items as i
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import Timed
from weft_engine.core.recording import replayed
from weft_engine.core.replaying import Happened, happenings

from tests.engine.programs.driving.comparing import in_order, same
from tests.engine.programs.generating.maker import Document
from tests.engine.programs.shadow.events import Event
from tests.engine.programs.shadow.execution import Execution
from tests.engine.programs.shadow.fibers import Failed, Wait
from tests.engine.programs.shadow.tasks import Expired
from tests.engine.programs.times import START

BY_HAND = frozenset({e.RETRIED, e.CALLED_AGAIN})
TOLD = ("visit", "activity", "publish", "task.create", "call")
"""Effects of the shadow that a journal tells of, too."""


@dataclass(frozen=True)
class Told:
    """A journal. entries: all of it, in order, with their times."""

    id: UUID
    entries: Sequence[Timed]

    @property
    def ended(self) -> Entry | None:
        """The entry of its end; None while it lives, or lives again."""
        last = next((entry for entry, _ in reversed(self.entries) if entry.kind in e.ENDS or entry.kind in BY_HAND), None)
        return last if last is not None and last.kind in e.ENDS else None

    @property
    def retried(self) -> bool:
        """Whether somebody went back in it, which the shadow does not know."""
        return any(entry.kind in BY_HAND for entry, _ in self.entries)


def since_start(at: datetime) -> int:
    """Whole milliseconds from the start of the shadow's clock."""
    return (at - START) // timedelta(milliseconds=1)


def retold(told: Told, document: Document) -> Execution:
    """The shadow after all of it."""
    shadow = Execution(told.id, document)
    for one in happenings(told.id, told.entries):
        shadow.walk.around.held_up = dict(one.suspended)
        if one.tenant is not None:
            shadow.walk.around.tier = one.tenant["tier"]
        if isinstance(one.item, i.Tick):
            shadow.tick(since_start(one.at), partial(_rang, [entry for entry, at in told.entries if at == one.at]))
        else:
            _tell(shadow, one)
    return shadow


def _rang(entries: Sequence[Entry], alarm: Wait | None) -> int:
    """Where these entries, of one moment, tell that an alarm rang; behind all that did where it did not. None: that of `max_duration`.

    Which of several rings first that ring at one moment the language leaves open.
    """
    return next((number for number, entry in enumerate(entries) if _tells_of(entry, alarm)), len(entries))


def _tells_of(entry: Entry, alarm: Wait | None) -> bool:
    if alarm is None:
        return entry.kind in (e.TIMED_OUT, e.COMPENSATING)
    if entry.kind == e.STEP_CANCELLED or (entry.node, entry.visit) != (alarm.node.removesuffix(".enhance"), alarm.visit):
        return False
    return (entry.kind == e.STEP_FAILED and entry.data["error"]["code"] == "timeout") == (alarm.kind == "children")


def _tell(shadow: Execution, one: Happened) -> None:
    item, now = one.item, since_start(one.at)
    if isinstance(item, i.Start):
        shadow.start(item.input, now)
    elif isinstance(item, i.Signal):
        shadow.signal(item.signal_id, item.name, item.payload, now)
    elif isinstance(item, i.DomainEvent):
        shadow.event(Event(item.event_id, item.event["type"], item.event["data"]), item.name, now)
    elif isinstance(item, (i.CompleteStep, i.FailStep)):
        _elsewhere(shadow, item, now)
    elif isinstance(item, (i.ActivityCompleted, i.ActivityFailed, i.ActivityAccepted)):
        kind = "enhance" if item.node.endswith(".enhance") else "activity"
        shadow.answer(kind, item.node, item.visit, item.attempt, now, _of_worker(item))
    elif isinstance(item, i.Admit):
        shadow.admit(now, item.gates)
    elif isinstance(item, i.Pause):
        shadow.pause(now, item.user)
    elif isinstance(item, i.Resume):
        shadow.resume(now, item.user)
    else:
        verbs: dict[type[Any], Callable[[int], None]] = {i.Skip: shadow.skip, i.Cancel: shadow.cancel}
        verbs[type(item)](now)


def _elsewhere(shadow: Execution, item: i.CompleteStep | i.FailStep, now: int) -> None:
    """What a person or another execution came to."""
    kind = "task" if shadow.walk.layout.nodes[item.node]["type"] == "task" else "child"
    value: Any
    if isinstance(item, i.FailStep):
        code, permanent = item.error["code"], item.error.get("permanent", False)
        late = kind == "task" and code == "timeout"
        value = Expired(item.node) if late else Failed(code, item.node, message=item.error.get("message"), permanent=permanent)
    else:
        value = (item.outcome, item.output) if kind == "task" else item.output
    shadow.answer(kind, item.node, item.visit, 0, now, value)


def _of_worker(item: i.ActivityCompleted | i.ActivityFailed | i.ActivityAccepted) -> tuple[Any, ...]:
    if isinstance(item, i.ActivityCompleted):
        return ("completed", item.outcome, item.output)
    if isinstance(item, i.ActivityFailed):
        return ("failed", item.error["code"], item.error.get("permanent", False))
    return ("accepted",)


def compare(told: Told, shadow: Execution) -> None:
    """Hold a journal against the shadow to which it was told. Raises: AssertionError."""
    end = told.ended
    status = "live" if end is None else end.kind.removeprefix("execution.")
    assert status == shadow.status, f"expected {shadow.status} ({shadow.error}), got {status}: {end}"
    if end is not None and status == "completed":
        assert end.data.get("output") == shadow.output, f"expected output {shadow.output}, got {end.data.get('output')}"
    if end is not None and shadow.error is not None:
        code = end.data["error"]["code"]
        assert code == shadow.error.code, f"expected error {shadow.error.code}, got {code}"
    placed = [(path, _plain(effect)) for path, effect in shadow.walk.effects if effect[0] in TOLD]
    journal = list(_effects(told.entries))
    same("journalled", (effect for _, effect in placed), journal)
    in_order([one for one in placed if one[1][0] == "visit"], [one for one in journal if one[0] == "visit"])
    in_order([one for one in placed if one[1][0] != "visit"], [one for one in journal if one[0] != "visit"])


def compare_replayed(told: Told, workflow: str, document: Document) -> None:
    """What the pure core does when the same happens to it is, word for word, what the mesh has written. Raises: AssertionError."""
    shown = [
        {"kind": entry.kind, "node": entry.node, "visit": entry.visit, "attempt": entry.attempt, "data": entry.data, "scope": entry.scope}
        | {"at": at.isoformat()}
        for entry, at in told.entries
    ]
    tenant = {"id": "acme", "tier": "standard", "settings": {}}
    recorded = {"execution_id": str(told.id), "workflow": workflow, "version": 1, "tenant": tenant, "definition": document}
    found = replayed({**recorded, "journal": shown})
    assert found.differs_at is None, (
        f"replayed, it differs from position {found.differs_at}: {shown[found.differs_at : found.differs_at + 1]}"
    )


def _plain(effect: tuple[Any, ...]) -> tuple[Any, ...]:
    """An effect by what it is of: kind, node, visit, and the attempt of an activity."""
    return effect[:4] if effect[0] == "activity" else effect[:3]


def _effects(entries: Sequence[Timed]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    begun: set[tuple[str, int]] = set()
    for entry, _ in entries:
        node, visit = entry.node or "", entry.visit
        if node and visit and not node.endswith(".compensate") and (node, visit) not in begun:
            begun.add((node, visit))
            found.append(("visit", node, visit))
        waits_for = entry.data.get("kind") if entry.kind == e.STEP_WAITING else None
        if entry.kind == e.STEP_SCHEDULED:
            found.append(("activity", node, visit, entry.attempt))
        elif entry.kind == e.STEP_ENHANCING:
            found.append(("activity", f"{node}.enhance", visit, 1))
        elif entry.kind == e.EVENT_PUBLISHED:
            found.append(("publish", node, visit))
        elif waits_for == "task":
            found.append(("task.create", node, visit))
        elif waits_for == "child" or entry.kind == e.CHILD_CALLED:
            found.append(("call", node, visit))
    return found
