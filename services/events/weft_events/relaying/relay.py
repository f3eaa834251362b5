"""Which sources this process reads: as many as it may, each by a reader of its own, for as long as its lease is renewed."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final, cast

from weft_runtime.clock import new_id
from weft_runtime.context import ServiceContext
from weft_runtime.errors import StaleWrite, Unavailable
from weft_runtime.waking import Wake

from weft_events import usecases
from weft_events.records import Held, Key
from weft_events.relaying.metrics import RecordMetrics
from weft_events.relaying.reader import Reader
from weft_events.settings import Settings

LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Reading:
    held: Held
    task: asyncio.Task[None]


class Relay:
    """The sources of this process. wake: called where a source was installed or is to be read no more."""

    def __init__(self, context: ServiceContext) -> None:
        self.wake = Wake()
        self._context = context
        self._settings = cast(Settings, context.settings)
        self._owner = new_id()
        self._reading: dict[Key, _Reading] = {}
        self._reader = Reader(context)

    async def run(self) -> None:
        """Read sources, until cancelled; then leave them to others."""
        try:
            while True:
                with contextlib.suppress(Unavailable, StaleWrite):  # the database is away, which others report; nothing was done
                    await self.look()
                await self.wake.wait(LOOK_EVERY_S)
        finally:
            await self._leave()

    async def look(self) -> None:
        """Renew what is read, end what is not any more, begin with what nobody reads. Raises: Unavailable, StaleWrite."""
        held = [one.held for one in self._reading.values()]
        if held:
            await self._renew(held)
        room = self._settings.record_sources_at_once - len(self._reading)
        if room > 0:
            async with self._context.owner_transaction() as uow:
                found = await usecases.claim_sources(self._owner, self._settings.record_lease_s, room, uow)
            for one in found:
                self._reading[one.key] = _Reading(one, asyncio.create_task(self._reader.read(one), name=f"source {one.id}"))
        self._context.part(RecordMetrics).reading.set(len(self._reading))

    async def _renew(self, held: list[Held]) -> None:
        async with self._context.owner_transaction() as uow:
            still = await usecases.renew_sources(self._owner, self._settings.record_lease_s, held, uow)
            ended = [one.held for one in self._reading.values() if one.task.done()]
            # What a reader gave up by itself is free at once.
            await usecases.release_sources(ended, uow)
        gone = {one.key for one in held if (one.tenant, one.id, one.epoch) not in still} | {one.key for one in ended}
        await self._end([self._reading.pop(key).task for key in gone])

    async def _leave(self) -> None:
        held = [one.held for one in self._reading.values()]
        await self._end([one.task for one in self._reading.values()])
        self._reading.clear()
        if held:
            with contextlib.suppress(Unavailable, StaleWrite):  # leases end by themselves
                async with self._context.owner_transaction() as uow:
                    await usecases.release_sources(held, uow)

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
