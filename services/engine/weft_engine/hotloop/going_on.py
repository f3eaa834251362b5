"""Items by which an execution goes on otherwise: back to an earlier moment, or by another version. Each reads what that takes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from weft_engine.core import items as words
from weft_engine.core.claims import ContentLost
from weft_engine.core.migrating import migrate, undo
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

log = structlog.get_logger(__name__)


class Goer:
    """Decides such items of one lane."""

    def __init__(self, programs: Programs, settings: Settings) -> None:
        self._programs = programs
        self._settings = settings

    async def go_back(self, journal: Journal, reading: Reading, turnout: Turnout, piece: Piece, held: Held, now: datetime) -> None:
        """Let an execution go on that ended badly: with its journal, its key where that is free, and the version asked for.

        The key is taken last: who is refused must not hold it.
        """
        state, item = held.state, piece.happening
        if not isinstance(item, words.Retry):
            return
        version = item.workflow_version
        program = await self._programs.get(journal, state.tenant, state.workflow, version or state.version)
        if program is None:
            turnout.answer(piece, Answer(404, "version_not_found", f"version {version or state.version} of {state.workflow!r} is not here"))
            return
        await journal.keep(state.id, now + RETRY_WITHIN)
        rows = [*(await journal.load([state.id])).get(state.id, []), *turnout.written(piece, now)]
        if not rows:
            turnout.answer(piece, Answer(404, "execution_not_found", f"execution {state.id} was kept as long as asked, and is forgotten"))
            return
        context = await self._programs.context(journal, state.tenant, program, self._settings, reading.values)
        try:
            retried = await reading.given(state.tenant, lambda _: retry(state.id, rows, item, now, program, context))
        except ContentLost as lost:
            turnout.park(piece, "content_lost", str(lost))
            return
        except BUGS as error:  # the state was not touched: it is folded anew
            log.exception("item_failed", execution=str(piece.execution_id), word=type(item).__name__)
            turnout.park(piece, "engine_bug", f"{type(error).__name__}: {error}")
            return
        if retried.state is not None and state.ended and state.key is not None:
            holders = await journal.take_keys([KeyRow(state.tenant, state.workflow, state.key, state.id)])
            holder = holders.get((state.tenant, state.workflow, state.key))
            if holder is not None and holder != state.id:
                reason = f"execution {holder} lives with the key {state.key!r} now; wait for its end, or cancel it"
                turnout.answer(piece, Answer(409, "key_taken", reason))
                return
        turnout.retry(piece, held, retried, kept_days(context.tenant, program.settings.retention_days))

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
