"""Items by which an execution goes on otherwise: back to an earlier moment, or by another version. Each reads what that takes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from weft_engine.core import items as words
from weft_engine.core.claims import ContentLost
from weft_engine.core.messages import lost, report_again
from weft_engine.core.migrating import migrate, undo
from weft_engine.core.queued import is_asked_again, key_in, place_taken
from weft_engine.core.recalling import Standing, standing
from weft_engine.core.retention import kept_days
from weft_engine.core.rewinding import retry
from weft_engine.core.signals import Answer
from weft_engine.core.state import State
from weft_engine.hotloop.arrivals import Piece
from weft_engine.hotloop.contents import Reading
from weft_engine.hotloop.deciding import Turnout
from weft_engine.hotloop.folding import BUGS
from weft_engine.hotloop.owned import Held
from weft_engine.hotloop.programs import Programs
from weft_engine.journal import Journal, KeyRow
from weft_engine.settings import Settings

RETRY_WITHIN: Final = timedelta(hours=1)
"""So long at most takes a turn that lets an ended execution go on: until then it is not forgotten."""

_GOES_ON: Final = frozenset({Standing.RETRY, Standing.LIVES})

log = structlog.get_logger(__name__)


class Goer:
    """Decides such items of one lane."""

    def __init__(self, programs: Programs, settings: Settings) -> None:
        self._programs = programs
        self._settings = settings

    async def go_back(
        self, journal: Journal, reading: Reading, turnout: Turnout, piece: Piece, held: Held, state: State, now: datetime
    ) -> None:
        """Let an execution go on that ended badly: with its journal, its key where that is free, and the version asked for."""
        item = piece.happening
        if isinstance(item, words.Admit):
            if await journal.let_in(state.id):  # else it is of an earlier retry, and came once more
                await self._retry(journal, reading, turnout, piece, held, state, item, now)
            return
        if not isinstance(item, words.Retry) or is_asked_again(state, item):
            return  # one that waits is answered when it is let in
        if item.caller is not None and (how := standing(state, item.caller)) not in _GOES_ON:
            await self._tell(reading, turnout, state, item.caller, how, now)
            return
        refusal = await self._retry(journal, reading, turnout, piece, held, state, item, now)
        if refusal is not None:
            turnout.answer(piece, refusal)
            if state.ended:
                turnout.free_key(state)
            if item.caller is not None:
                turnout.outgoing.append(lost(state, item.caller, str(refusal.detail), now, self._settings.partitions))

    async def _retry(
        self, journal: Journal, reading: Reading, turnout: Turnout, piece: Piece, held: Held, state: State,
        item: words.Retry | words.Admit, now: datetime,
    ) -> Answer | None:  # fmt: skip
        """Do it. The key is taken last: who is refused must not hold it. One that waits to be let in holds it already.

        Returns: why not, where it is refused.
        """
        version = (item.workflow_version if isinstance(item, words.Retry) else (state.begun or {}).get("version")) or state.version
        program = await self._programs.get(journal, state.tenant, state.workflow, version)
        if program is None:
            return Answer(404, "version_not_found", f"version {version} of {state.workflow!r} is not here")
        await journal.keep(state.id, now + RETRY_WITHIN)
        rows = [*(await journal.load([state.id])).get(state.id, []), *turnout.written(piece, now)]
        if not rows:
            return Answer(404, "execution_not_found", f"execution {state.id} was kept as long as asked, and is forgotten")
        context = await self._programs.context(journal, state.tenant, program, self._settings, reading.values)
        try:
            retried = await reading.given(state.tenant, lambda _: retry(state.id, rows, item, now, program, context))
        except ContentLost as gone:
            turnout.park(piece, "content_lost", str(gone))
            return None
        except BUGS as error:  # the state was not touched: it is folded anew
            log.exception("item_failed", execution=str(piece.execution_id), word=type(item).__name__)
            turnout.park(piece, "engine_bug", f"{type(error).__name__}: {error}")
            return None
        if retried.state is None:
            return retried.answer
        if state.ended and (refusal := await self._kept_out(journal, state, retried.state)) is not None:
            return refusal
        turnout.retry(piece, held, retried, kept_days(context.tenant, program.settings.retention_days))
        if isinstance(item, words.Retry) and item.caller is not None and retried.state.ended and state.retrying:
            turnout.undecided.append(piece)  # it is given up, and has to leave its line before it is retried for its caller
        return None

    async def _kept_out(self, journal: Journal, state: State, retried: State) -> Answer | None:
        """Why an execution that has ended may not go on: it would wait only to be skipped, or another has its key."""
        for gate in () if retried.begun is None else retried.begun["gates"]:
            if gate["on_conflict"] == "skip":
                holders = await journal.behind_gate(state.tenant, gate["name"], gate["limit"])
                if len(holders) >= gate["limit"]:
                    return place_taken(key_in([gate["name"]]), str(holders[0]))
        if state.key is None:
            return None
        holders_of = await journal.take_keys([KeyRow(state.tenant, state.workflow, state.key, state.id)])
        holder = holders_of.get((state.tenant, state.workflow, state.key))
        if holder is None or holder == state.id:
            return None
        reason = f"execution {holder} lives with the key {state.key!r} now; wait for its end, or cancel it"
        return Answer(409, "key_taken", reason, {"execution_id": str(holder)})

    async def _tell(self, reading: Reading, turnout: Turnout, state: State, caller: words.Caller, how: Standing, now: datetime) -> None:
        """Tell a caller what its child has come to already, or that it cannot go on. It asks again when it has not heard."""
        partitions = self._settings.partitions
        if how == Standing.LOST:
            turnout.outgoing.append(lost(state, caller, f"it is {state.status}", now, partitions))
        elif how == Standing.DONE or (how == Standing.REPEATED and state.ended):
            place = (caller.node, caller.visit)
            try:
                said = await reading.given(state.tenant, lambda values: report_again(state, partitions, values, place))
            except ContentLost as gone:
                log.error("not_said", execution=str(state.id), reason=str(gone))
                return
            turnout.outgoing.extend(said)

    async def move(
        self, journal: Journal, reading: Reading, turnout: Turnout, piece: Piece, held: Held, current: State, now: datetime
    ) -> None:
        """Let an execution go on by another version, or back by the one before."""
        item = piece.happening
        try:
            if isinstance(item, words.UndoMigration):
                rows = (await journal.load([current.id])).get(current.id, [])
                turnout.migrate(piece, held, undo(current.id, [*rows, *turnout.written(piece, now)], item, now))
            elif isinstance(item, words.Migrate):
                old = await self._programs.get(journal, current.tenant, current.workflow, current.version)
                new = await self._programs.get(journal, current.tenant, current.workflow, item.workflow_version)
                if old is None or new is None:
                    missing = current.version if old is None else item.workflow_version
                    reason = f"version {missing} of {current.workflow!r} is not here"
                    turnout.answer(piece, Answer(404, "version_not_found", reason))
                    return
                context = await self._programs.context(journal, current.tenant, new, self._settings, reading.values)
                moved = await reading.given(current.tenant, lambda _: migrate(current, item, now, old, new, context))
                turnout.migrate(piece, held, moved)
        except BUGS as error:  # the state was not touched: both decide on a copy
            log.exception("item_failed", execution=str(piece.execution_id), word=type(item).__name__)
            turnout.park(piece, "engine_bug", f"{type(error).__name__}: {error}")
