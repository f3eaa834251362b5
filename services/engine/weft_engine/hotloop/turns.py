"""A turn with its reads: what the items need is loaded in one query each, then everything is decided in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import msgspec
import structlog
from weft_language.compilation import Program
from weft_language.expressions import Meter

from weft_engine.core import entries as e
from weft_engine.core import items as words
from weft_engine.core.apply import too_late
from weft_engine.core.claims import ContentLost, Values
from weft_engine.core.messages import Outgoing, lost, messages, report_again
from weft_engine.core.messages.said import SOURCE
from weft_engine.core.queued import goes_back
from weft_engine.core.retention import kept_days
from weft_engine.core.signals import Answer, has_come
from weft_engine.core.starting import PATIENCE
from weft_engine.core.state import State
from weft_engine.hotloop.arrivals import Piece
from weft_engine.hotloop.contents import Reading, Recent, blob_rows
from weft_engine.hotloop.deciding import Turnout, not_started
from weft_engine.hotloop.folding import BUGS, folded
from weft_engine.hotloop.going_on import Goer
from weft_engine.hotloop.owned import Held, Owned
from weft_engine.hotloop.programs import Contexts, Programs
from weft_engine.hotloop.tracing import decide_traced, sampled
from weft_engine.journal import Journal, KeyRow
from weft_engine.settings import Settings

ORDINARY_PATIENCE: Final = timedelta(seconds=5)
"""How long an item is held whose execution may still be on the way; a start itself is for `PATIENCE`."""
ACCEPTED_PATIENCE: Final = timedelta(minutes=5)
"""The same where the start was accepted: it stands in an outbox, or in the journal of its caller, and is said within seconds."""
REST_STEPS: Final = 50_000
"""Of evaluation, about, after which a turn lets others of its process have theirs."""
READ_AT_ONCE_BYTES: Final = 16 * 1024 * 1024
"""Large values that a turn holds for its next item, at most."""

log = structlog.get_logger(__name__)


def _start_of(piece: Piece, undecided: Iterable[Piece]) -> bool:
    """Whether the start of what an item is about is among those that could not be decided."""
    return any(one.execution_id == piece.execution_id and isinstance(one.happening, words.Start) for one in undecided)


def _likely_new(piece: Piece) -> bool:
    """Whether only a repeat could have made it known. What has a key takes it before the commit; what is asked for by hand is shown."""
    start = piece.happening
    return isinstance(start, words.Start) and start.key is None and start.trigger.get("type") != "manual"


def _by_caller(piece: Piece) -> bool:
    """Whether an item tells an execution what becomes of its caller, which has asked for its start: the two may overtake each other."""
    told = isinstance(piece.happening, words.Cancel | words.Pause | words.Resume) and _asked(piece) is None
    return told and piece.item is not None and piece.item.source == SOURCE


def _asked(piece: Piece) -> UUID | None:
    """Where an item wants its answer, None where nobody waits for one."""
    return getattr(piece.happening, "answer_id", None)


class Turns:
    """Decides the turns of one lane."""

    def __init__(self, programs: Programs, settings: Settings) -> None:
        self._programs = programs
        self._settings = settings
        self._recent = Recent(settings.recent_bytes)
        self._goer = Goer(programs, settings)

    async def turn(self, journal: Journal, pieces: Sequence[Piece], now: datetime, *, look: bool) -> Turnout:
        """Decide these items, in order. Nothing is changed until the turnout's batch is durable. Raises: asyncpg's errors.

        look: whether to look for executions that are only asked to start; else they are believed to be new, and the commit tells if not.
        """
        turnout = Turnout(self._settings.partitions)
        states = await self._load(journal, turnout, pieces, look)
        holders = await self._keys(journal, pieces, states)
        asked = [answer_id for piece in pieces if (answer_id := _asked(piece)) is not None]
        turnout.answered = await journal.answered(asked) if asked else set()
        reading = Reading(journal, self._recent, READ_AT_ONCE_BYTES)
        contexts = Contexts(self._programs, journal, self._settings)
        with Meter() as meter:
            for piece in pieces:
                await self._one(journal, reading, contexts, turnout, piece, states.get(piece.execution_id), holders, now)
                reading.trim()
                if meter.spent > REST_STEPS:
                    meter.spent = 0
                    await asyncio.sleep(0)
        for touched in turnout.large():
            touched.said = await self._said(reading, touched.state, partial(turnout.messages, touched, now))
            reading.trim()
        turnout.close(now, reading.values)
        if turnout.contents:
            turnout.batch.blobs = await asyncio.to_thread(blob_rows, turnout.contents)
        return turnout

    def remember(self, turnout: Turnout) -> None:
        """Have the large values of a turn at hand that is durable now: the next step often reads them."""
        for (_, id_), content in turnout.contents.items():
            self._recent.put(id_, content)

    async def _said(self, reading: Reading, state: State, say: Callable[[Values], list[Outgoing]]) -> list[Outgoing]:
        """What is said of an execution that may hold large values; nothing when one of them is lost, so that nothing wrong is."""
        try:
            return await reading.given(state.tenant, say)
        except ContentLost as lost:
            log.error("not_said", execution=str(state.id), reason=str(lost))
            return []

    async def _load(self, journal: Journal, turnout: Turnout, pieces: Sequence[Piece], look: bool) -> dict[UUID, Held]:
        states: dict[UUID, Held] = {}
        unknown: list[UUID] = []
        for piece in pieces:
            held = piece.owned.get(piece.execution_id)
            if held is not None:
                states[held.state.id] = held
            elif look or not _likely_new(piece):
                unknown.append(piece.execution_id)
        heads = await journal.heads(unknown) if unknown else {}
        turnout.shown.update(heads)
        if heads:
            for execution_id, rows in (await journal.load(list(heads))).items():
                state = folded(execution_id, rows)
                if state is not None:
                    states[execution_id] = Held(state, *heads[execution_id])
                elif rows:
                    turnout.unreadable.add(execution_id)
        return states

    async def _keys(self, journal: Journal, pieces: Iterable[Piece], states: dict[UUID, Held]) -> dict[tuple[str, str, str], UUID]:
        wanted = [
            KeyRow(piece.tenant, start.workflow, start.key, start.execution_id)
            for piece in pieces
            if isinstance(start := piece.happening, words.Start) and start.key is not None and start.execution_id not in states
        ]
        return await journal.take_keys(wanted) if wanted else {}

    async def _one(
        self, journal: Journal, reading: Reading, contexts: Contexts, turnout: Turnout, piece: Piece, held: Held | None,
        holders: dict[tuple[str, str, str], UUID], now: datetime,
    ) -> None:  # fmt: skip
        happening = piece.happening
        current = turnout.current(piece, held)
        if _asked(piece) in turnout.answered:
            return  # it came once more: what was refused then might be done now, and what was done and taken back since be done again
        if piece.execution_id in turnout.unreadable:
            turnout.park(piece, "journal_not_understood", f"the journal of {piece.execution_id} tells no state; the log says why")
            return
        if current is None and not isinstance(happening, words.Start):
            self._unknown(turnout, piece, now)
            return
        if current is not None and piece.item is not None and current.tenant != piece.tenant:
            turnout.park(piece, "foreign_tenant", f"execution {piece.execution_id} belongs to another tenant")
            return
        if current is not None and held is not None and goes_back(happening, current):
            await self._goer.go_back(journal, reading, turnout, piece, held, current, now)
            return
        if current is not None and current.ended:
            await self._late(reading, turnout, piece, current)
            return
        if isinstance(happening, words.Migrate | words.UndoMigration) and current is not None:
            await self._goer.move(journal, reading, turnout, piece, held or Held(current), current, now)
            return
        program = await self._program(journal, piece, current)
        if program is None:
            await self._no_program(journal, turnout, piece, now)
            return
        tenant = current.tenant if current is not None else piece.tenant
        if current is None and not await self._may_start(journal, turnout, piece, program, holders, now):
            return
        context = await contexts.get(tenant, program, reading.values)
        decide = decide_traced if sampled(piece) else Turnout.decide
        try:
            while wanted := decide(turnout, piece, held, program, context, now):
                await reading.read(tenant, wanted)
        except BUGS as error:
            log.exception("item_failed", execution=str(piece.execution_id), word=type(happening).__name__)
            turnout.park(piece, "engine_bug", f"{type(error).__name__}: {error}")
            rows = await journal.load([piece.execution_id])
            turnout.restore(piece, rows.get(piece.execution_id, []), now)

    async def _may_start(
        self, journal: Journal, turnout: Turnout, piece: Piece, program: Program, holders: dict[tuple[str, str, str], UUID], now: datetime
    ) -> bool:
        """Whether a start is to be decided now. One whose key is taken is refused; one that may lack a calendar only for now is held."""
        start = piece.happening
        if not isinstance(start, words.Start):
            return True
        holder = None if start.key is None else holders.get((piece.tenant, start.workflow, start.key))
        if holder is not None and holder != start.execution_id:
            brought = {"start": msgspec.to_builtins(start)} if start.correlated else {}
            kept = kept_days(await self._programs.tenant(journal, piece.tenant), program.settings.retention_days)
            turnout.refuse(piece, e.SKIPPED, {"key": start.key, "live_execution_id": str(holder), **brought}, now, kept)
            return False
        if await self._programs.awaits_calendar(journal, piece.tenant, program, now):
            turnout.undecided.append(piece)
            return False
        return True

    async def _late(self, reading: Reading, turnout: Turnout, piece: Piece, ended: State) -> None:
        """What comes to an execution that has ended: who asked is told, and an event that was brought to it starts another."""
        happening = piece.happening
        turnout.answer(piece, too_late(ended, happening))
        if isinstance(happening, words.Start) and happening.caller is not None:
            turnout.outgoing.extend(await self._said(reading, ended, partial(report_again, ended, self._settings.partitions)))
        elif isinstance(happening, words.Signal) and happening.otherwise is not None and not has_come(ended, happening):
            turnout.start_anew(piece, happening)

    async def _program(self, journal: Journal, piece: Piece, current: State | None) -> Program | None:
        if current is not None:
            return await self._programs.get(journal, current.tenant, current.workflow, current.version)
        start = piece.happening
        if not isinstance(start, words.Start):
            return None
        return await self._programs.get(journal, piece.tenant, start.workflow, start.workflow_version)

    def _unknown(self, turnout: Turnout, piece: Piece, now: datetime) -> None:
        if piece.item is None:
            return
        happening = piece.happening
        brought = isinstance(happening, words.Signal) and happening.otherwise is not None
        # What waits in line behind its own start, which has a longer patience, is no stray, nor what is about a start that was accepted by
        # hand and is still in the outbox of an engine that died, nor what a caller says that has not been able to say its start yet:
        # a cancel that was set aside would be lost to an execution that begins.
        # Guarded by tests/services/engine/test_parked.py.
        accepted = piece.execution_id in turnout.shown or _by_caller(piece)
        patience = ACCEPTED_PATIENCE if accepted else PATIENCE if brought else ORDINARY_PATIENCE
        if now - piece.since(now) < patience or _start_of(piece, turnout.undecided):
            turnout.undecided.append(piece)
            return
        reason = f"no execution {piece.execution_id} is known; it was never started here"
        if isinstance(happening, words.Retry) and happening.caller is not None:
            child = State(piece.execution_id, piece.tenant, "", 0)
            turnout.outgoing.append(lost(child, happening.caller, "it is not known any more", now, self._settings.partitions))
            return
        turnout.answer(piece, Answer(404, "execution_not_found", reason))
        turnout.park(piece, "execution_not_found", reason)

    async def _no_program(self, journal: Journal, turnout: Turnout, piece: Piece, now: datetime) -> None:
        start = piece.happening
        if not isinstance(start, words.Start):
            turnout.park(piece, "definition_missing", f"the definition that execution {piece.execution_id} runs is not here")
        elif now - piece.since(now) < PATIENCE:
            turnout.undecided.append(piece)
        else:
            reason = f"no workflow {start.workflow!r} was published here in this version within {PATIENCE.seconds} s"
            kept = kept_days(await self._programs.tenant(journal, piece.tenant), None)
            turnout.refuse(piece, e.REJECTED, not_started(start.workflow, "workflow_not_found", reason), now, kept)

    async def unsaid(self, journal: Journal, owned: Owned, after: int, limit: int = 500) -> list[tuple[int, list[Outgoing]]]:
        """What was committed to a partition after a seq and may not have been said: (seq of the last row, messages), in order."""
        found: list[tuple[int, list[Outgoing]]] = []
        reading = Reading(journal, self._recent, READ_AT_ONCE_BYTES)
        while rows := await journal.unpublished(owned.partition, after, limit):
            histories = await journal.load(list({execution_id for _, execution_id, _ in rows}))
            states = {execution_id: folded(execution_id, history) for execution_id, history in histories.items()}
            outgoing: list[Outgoing] = []
            for _, execution_id, row in rows:
                state = states[execution_id]
                if state is not None:
                    say = partial(messages, state, row.entries, row.position, row.at, self._settings.partitions)
                    outgoing.extend(await self._said(reading, state, say))
                    reading.trim()
            after = rows[-1][0]
            found.append((after, outgoing))
        return found
