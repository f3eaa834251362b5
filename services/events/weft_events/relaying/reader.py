"""Reading one source: from the outbox into our log, then out of the outbox; for as long as it goes well."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, cast

from weft_runtime.context import ServiceContext
from weft_runtime.database.outside import Outside, OutsideError
from weft_runtime.errors import Conflict, Invalid, StaleWrite, Unavailable
from weft_runtime.waking import Wake

from weft_events import records, usecases
from weft_events.reaching import Reaching
from weft_events.records import Change, Checked, Failure, Held, Look, Taken
from weft_events.registry import REGISTRY
from weft_events.relaying.metrics import RecordMetrics
from weft_events.relaying.standings import RecordStandings
from weft_events.settings import Settings
from weft_events.store import capture, outbox
from weft_events.store.outbox import Names

STAND_EVERY_S: Final = 5.0
"""How often it is written how a source stands that is busy."""
CHECK_EVERY_S: Final = 60.0
"""How often it is looked whether capture is still in place: who drops a table and makes it anew drops that too."""
AT_A_TIME: Final = 3
"""Readers that have a transaction of ours at a time: the others' connections are for those who call us."""
_BUG: Final = "a bug of this release, which the service's log tells of"


class Reader:
    """Reads sources of this process."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._settings = cast(Settings, context.settings)
        self._turn = asyncio.Semaphore(AT_A_TIME)

    async def read(self, held: Held) -> None:
        """Read a source until it fails, somebody else reads it, or it is cancelled. What it failed of is remembered with the source."""
        why = Failure("internal", f"it cannot be read because of {_BUG}")
        with (
            self._forgotten(held),
            contextlib.suppress(Unavailable, StaleWrite),
        ):  # ours is away, or it is not this process's any more: another begins anew
            with self._context.sparing("reading of a source", but=(StaleWrite,), tenant=held.tenant, source=str(held.id)):
                try:
                    await self._session(held)
                except OutsideError as error:
                    why = Failure(error.code, error.message)
            await self._failed(held, why)

    @contextlib.contextmanager
    def _forgotten(self, held: Held) -> Iterator[None]:
        """How it stood is told no more once it is not read any more."""
        try:
            yield
        finally:
            self._context.part(RecordStandings).forget(held)

    async def _failed(self, held: Held, why: Failure) -> None:
        async with self._turn, self._context.owner_transaction(held.tenant) as uow:
            wait_s = await usecases.note_failure(held, why, uow)
        self._context.part(RecordMetrics).failed.labels(why.code).inc()
        about = {"tenant": held.tenant, "source": held.name, "code": why.code, "reason": why.message}
        self._context.log.warning("source cannot be read", again_in_s=wait_s, **about)

    async def _session(self, held: Held) -> None:
        reaching = self._context.part(Reaching)
        async with self._turn, self._context.owner_transaction(held.tenant) as uow:
            connection = await usecases.connection_of(held, uow)
        place = await reaching.place(held.tenant, held.connection, connection)
        async with reaching.open(place, held.name) as database:
            wake = Wake()
            if held.wake == "notify":
                await database.listen(Names(held.id).trigger, wake.call)
            await self._reading(held, database, wake)

    async def _reading(self, held: Held, database: Outside, wake: Wake) -> None:
        time = asyncio.get_running_loop().time
        stood_at = checked_at = float("-inf")
        while True:
            rows, more = await outbox.read(database, held.id)
            if rows:
                await self._take(held, database, [records.read_change(row) for row in rows])
            if not more or time() - stood_at > STAND_EVERY_S:
                checked = await _checked(held, database) if time() - checked_at > CHECK_EVERY_S else None
                checked_at = checked_at if checked is None else time()
                await self._stand(held, database, checked, more=more)
                stood_at = time()
            if not more:
                await wake.wait(self._settings.record_poll_s)
            if database.lost:
                raise OutsideError("unreachable", "the database closed the connection")

    async def _stand(self, held: Held, database: Outside, checked: Checked | None, *, more: bool) -> None:
        look = await outbox.look(database, held.id) if more or checked is not None else Look()
        look = replace(look, checked=checked)
        async with self._turn, self._context.owner_transaction(held.tenant) as uow:
            await usecases.note_look(held, look, uow)
        self._context.part(RecordStandings).note(held, look)

    async def _take(self, held: Held, database: Outside, changes: Sequence[Change]) -> None:
        """Take changes into the log and out of the outbox; one that cannot be taken in holds up no other."""
        why = await self._tried(held, changes)
        if why is None:
            await outbox.forget(database, held.id, [one.number for one in changes])
            return
        for one in changes:
            why = await self._tried(held, [one])
            if why is None:
                await outbox.forget(database, held.id, [one.number])
                continue
            await outbox.refuse(database, held.id, one.number, why)
            async with self._turn, self._context.owner_transaction(held.tenant) as uow:
                await usecases.note_refused(held, uow)
            self._context.part(RecordMetrics).refused.inc()
            about = {"tenant": held.tenant, "source": held.name, "change": str(one.event), "reason": why}
            self._context.log.error("change refused", **about)

    async def _tried(self, held: Held, changes: Sequence[Change]) -> str | None:
        """Take changes into the log, all of them or none. Returns: why that cannot be done, None where it is done.

        Raises: StaleWrite, Unavailable.
        """
        why: str | None = _BUG
        with self._context.sparing("taking changes of rows in", but=(StaleWrite,), tenant=held.tenant, source=str(held.id)):
            try:
                async with self._turn, self._context.owner_transaction(held.tenant) as uow:
                    taken, now = await usecases.take_changes(held, changes, REGISTRY, uow), uow.now
                self._count(taken, changes, now.timestamp())
                why = None
            except StaleWrite:
                raise
            except (Invalid, Conflict) as error:
                why = f"{error.code}: {error.message}"
        return why

    def _count(self, taken: Taken, changes: Sequence[Change], now: float) -> None:
        counted = self._context.part(RecordMetrics)
        counted.taken.inc(taken.events)
        counted.again.inc(taken.again)
        counted.passed_over.inc(taken.passed_over)
        for one in changes:
            counted.late.observe(max(0.0, now - one.at.timestamp()))


async def _checked(held: Held, database: Outside) -> Checked:
    """What captures changes there: which tables are not captured as they should be, and by which version. Raises: OutsideError."""
    seen = await capture.survey(database, held.id, held.expected)
    missing = tuple(one.watched.name for one in seen.tables if not one.captured or seen.body is None)
    return Checked(missing, seen.captured_by)
