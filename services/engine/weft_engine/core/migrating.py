"""Migrating: a live execution goes on by another version of its workflow, and back as long as nothing has happened since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from weft_language.compilation import Node, Program, StateWork, TaskWork, WaitWork
from weft_language.expressions import ExpressionError
from weft_language.findings import pointer_of

from weft_engine.core import entries as e
from weft_engine.core.business import waking
from weft_engine.core.context import Context
from weft_engine.core.entries import Entry, Row
from weft_engine.core.evolve import evolve, flat, fold, rewound
from weft_engine.core.items import Migrate, UndoMigration
from weft_engine.core.mapping import MappingUnusable
from weft_engine.core.running import run, settle
from weft_engine.core.signals import Answer, redeliver
from weft_engine.core.sla import renewed
from weft_engine.core.state import Pending, State
from weft_engine.core.turn import Turn
from weft_engine.core.verdicts import BLOCKED, OK_UNCHANGED, Reason, Verdict, Versions, verdict

_CHANGING_NOTHING: Final = e.SLA_SAID | {e.SIGNAL_REFUSED}
"""Kinds of entries that move nothing: a migration can be undone after them."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a migration or its undoing gives: the new state with the entries that led to it, or only the answer."""

    answer: Answer
    state: State | None = None
    entries: Sequence[Entry] = ()


def migrate(state: State, item: Migrate, now: datetime, old: Program, new: Program, context: Context) -> Moved:
    """Go on by `new`. `state` itself is left as it is.

    old: the version that the execution runs.  now: UTC. Asked once more, or only to tell (`item.dry_run`), it changes nothing.
    """
    if state.version == new.version and not state.ended:
        return Moved(_answer(Verdict(OK_UNCHANGED), "repeated"))
    if item.from_version is not None and item.from_version != state.version:
        detail = f"execution {state.id} runs version {state.version}, not {item.from_version}"
        return Moved(_answer(Verdict(BLOCKED, (Reason("other_version", None, detail),)), "blocked", dry=item.dry_run))
    try:
        versions = Versions.pair(old, new, item.mapping)
    except MappingUnusable as unusable:
        errors = [
            {"pointer": pointer_of("mapping", node), "code": "mapping_unusable", "detail": detail} for node, detail in unusable.reasons
        ]
        return Moved(Answer(422, "mapping_unusable", str(unusable), {"errors": errors}))
    found = verdict(state, versions)
    if found.kind == BLOCKED:
        return Moved(_answer(found, "blocked", dry=item.dry_run))
    try:
        entry = _entry(state, item, now, versions, context)
    except ExpressionError as error:
        reason = Reason("not_rendered", None, f"what version {new.version} begins with cannot be rendered: {error.message}")
        return Moved(_answer(Verdict(BLOCKED, (reason,)), "blocked", dry=item.dry_run))
    if item.dry_run:
        return Moved(_answer(found, "dry_run"))
    turn = Turn(state.draft(), new, now, context)
    turn.write(entry)
    if turn.state.paused is None:
        redeliver(turn, ())
        run(turn)
        settle(turn)
    return Moved(_answer(found, "migrated"), turn.state, turn.entries)


def _answer(found: Verdict, status: str, *, dry: bool = False) -> Answer:
    body = {"status": status, **found.to_dict()}
    if status != "blocked" or dry:
        return Answer(200, body=body)
    return Answer(409, "migration_blocked", "; ".join(reason.detail for reason in found.reasons), body)


def _entry(state: State, item: Migrate, now: datetime, versions: Versions, context: Context) -> Entry:
    """The entry, with everything in it that only the programs know. Raises: ExpressionError."""
    new = versions.new
    data: dict[str, Any] = {"version": new.version, "from": state.version, "timers": item.timers}
    if versions.renamed:
        data["mapping"] = versions.renamed
    if versions.gone:
        data["gone"] = versions.gone
    if item.user is not None:
        data["by"] = item.user
    there = state.draft()
    evolve(there, Entry(e.MIGRATED, data=data), now)
    base = now if state.paused is None else state.paused["since"]
    turn = Turn(there, new, base if isinstance(base, datetime) else datetime.fromisoformat(base), context)
    values = {name: template.render(turn.names()) for name, template in new.vars.items() if name not in there.vars}
    if values:
        data["vars"] = values
    if item.timers == "reset":
        limit = new.settings.max_duration_s
        data["deadline_at"] = None if limit is None else turn.now + timedelta(seconds=limit)
    level = renewed(there.sla, new.sla, there.started_at, there.rests, context.calendars, turn.now)
    if level != there.sla:
        data["sla"] = None if level is None else level.told()
    waits = [[pending.node, pending.visit, changes] for pending, changes in _waits(turn, reset=item.timers == "reset") if changes]
    if waits:
        data["waits"] = waits
    return Entry(e.MIGRATED, data=data)


def _waits(turn: Turn, *, reset: bool) -> Iterator[tuple[Pending, dict[str, Any]]]:
    """What each node that waits, waits for otherwise now."""
    for pending in turn.state.pending.values():
        if not pending.node or "by" in pending.data or pending.kind in ("suspended", "enhancing"):
            continue
        node = turn.program.nodes[pending.node]
        changes: dict[str, Any] = {}
        if reset:
            changes["deadline_at"] = _deadline(turn, node, pending)
        if isinstance(node.work, WaitWork) and reset:
            changes["due_at"], calendar = waking(node.work, turn.names(pending.scope), turn.now)
            if calendar != pending.data.get("calendar"):
                changes["calendar"] = calendar
        elif isinstance(node.work, StateWork):
            changes |= _state(turn, node.work, pending, reset=reset)
        yield pending, changes


def _deadline(turn: Turn, node: Node, pending: Pending) -> datetime | None:
    work = node.work
    if isinstance(work, TaskWork) and work.due is not None and work.expires_at_due:
        return work.due.at(turn.names(pending.scope), turn.now)
    return turn.deadline(node)


def _state(turn: Turn, work: StateWork, pending: Pending, *, reset: bool) -> dict[str, Any]:
    """Signals are those of the new node. An `after` that both have goes on; one that is new begins now."""
    changes: dict[str, Any] = {}
    signals = sorted(work.signals)
    if signals != pending.data["signals"]:
        changes["signals"] = signals
    running = {} if reset else dict(pending.data["after"])
    if reset or set(running) != {name for name, _ in work.after}:
        names = turn.names(pending.scope)
        after = [[name, running.get(name) or turn.now + timedelta(seconds=delay.seconds(names))] for name, delay in work.after]
        after.sort(key=_moment)
        changes |= {"after": after, "due_at": after[0][1] if after else None}
    return changes


def _moment(after: Sequence[Any]) -> datetime:
    at = after[1]
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)


def undo(execution_id: UUID, rows: Iterable[Row], item: UndoMigration, now: datetime) -> Moved:
    """Restore the state before the last migration, exactly. rows: the whole journal.

    It is refused once anything has happened since: then it would have to be forgotten.
    """
    journal = list(rows)
    entries = flat(journal)
    state = fold(execution_id, journal)
    if state is None or not entries:
        return Moved(Answer(404, "execution_not_found", f"no execution {execution_id} has begun here"))
    told = [(entry, at) for entry, at in entries if entry.kind not in _CHANGING_NOTHING]
    if told[-1][0].kind == e.MIGRATION_UNDONE:
        return Moved(Answer(200, body={"status": "repeated"}))
    to = next((place for place in range(len(entries) - 1, -1, -1) if entries[place][0].kind in (e.MIGRATED, e.MIGRATION_UNDONE)), None)
    if to is None or entries[to][0].kind != e.MIGRATED:
        return Moved(Answer(409, "not_migrated", f"execution {execution_id} has no migration that could be undone"))
    version = entries[to][0].data["version"]
    if item.workflow_version is not None and item.workflow_version != version:
        return Moved(Answer(409, "not_migrated", f"the last migration of execution {execution_id} led to version {version}"))
    if since := [timed for timed in entries[to + 1 :] if timed[0].kind not in _CHANGING_NOTHING]:
        first = since[0][0]
        what = first.kind if first.node is None else f"{first.kind} of {first.node}"
        detail = f"{len(since)} entries have come since execution {execution_id} was migrated, the first {what}; migrate it forward instead"
        return Moved(Answer(409, "happened_since", detail, {"position": to + 1, "entries": len(since)}))
    data: dict[str, Any] = {"to": to, **({"by": item.user} if item.user is not None else {})}
    entry = Entry(e.MIGRATION_UNDONE, data=data)
    back = rewound(state, entries, entry)
    if back.sla != state.sla:
        entry = Entry(e.MIGRATION_UNDONE, data={**data, "sla": None if back.sla is None else back.sla.told()})
    evolve(back, entry, now)
    return Moved(Answer(200, body={"status": "undone", "version": back.version}), back, [entry])
