"""The journals of all executions as they grow: what the outside can know of them, and what the verdict is about."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any
from uuid import UUID

import asyncpg
from weft_contracts.routing import DEFAULT_PARTITIONS
from weft_engine.core import entries as e
from weft_engine.core.entries import Entry, decode
from weft_engine.core.evolve import Timed, unfold

from tests.engine.programs.meshed.retelling import BY_HAND

LOOK_S = 0.1
_NEW = """
SELECT j.partition, j.seq, j.at, j.execution_id, j.position, j.entries FROM engine.journal j
JOIN unnest($1::int[], $2::bigint[]) AS known (partition, seq) ON j.partition = known.partition AND j.seq > known.seq
ORDER BY j.partition, j.seq
"""
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)


@dataclass
class Journal:
    """One execution. open: its visits that wait for a person or a signal, with what their entry tells."""

    id: UUID
    workflow: str = ""
    entries: list[Timed] = field(default_factory=list)
    open: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    ended: str | None = None
    paused: bool = False
    retries: int = 0

    def reopen(self) -> None:
        """What is open in an execution in which somebody went back: what waited then waits again, without an entry."""
        *_, (state, _, _) = unfold(self.id, self.entries)
        waits = [one for one in state.pending.values() if one.kind in ("task", "signal")]
        self.open = {one.place: {"kind": one.kind, **one.data} for one in waits}

    def add(self, entry: Entry, at: Any) -> None:
        """One more entry."""
        self.entries.append((entry, at))
        place = (entry.node or "", entry.visit)
        if "workflow" in entry.data and not self.workflow:
            self.workflow = entry.data["workflow"]
        if entry.kind in e.ENDS:
            self.ended = entry.kind
            self.open.clear()
        elif entry.kind in BY_HAND:
            self.ended = None
            self.retries += 1
        elif entry.kind in (e.PAUSED, e.UNPAUSED):
            self.paused = entry.kind == e.PAUSED
        elif entry.kind == e.STEP_WAITING and entry.data.get("kind") in ("task", "signal"):
            self.open[place] = entry.data
        elif entry.kind.startswith("step."):
            self.open.pop(place, None)


@dataclass
class Journals:
    """All of them, by execution. changed: set whenever there was something new.  workflows: that the engine has heard of."""

    database_url: str
    all: dict[UUID, Journal] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    rows: int = 0
    workflows: set[str] = field(default_factory=set)
    _seqs: list[int] = field(default_factory=lambda: [0] * DEFAULT_PARTITIONS)

    async def follow(self) -> None:
        """Read on and on, over a database that may be away, until cancelled."""
        while True:
            with suppress(*AWAY):
                connection = await asyncpg.connect(self.database_url, timeout=5)
                try:
                    while True:
                        await self.look(connection)
                        await asyncio.sleep(LOOK_S)
                finally:
                    with suppress(*AWAY):
                        await connection.close(timeout=1)
            await asyncio.sleep(LOOK_S)

    async def look(self, connection: asyncpg.Connection) -> None:
        """Read what is new."""
        self.workflows = {row["slug"] for row in await connection.fetch("SELECT slug FROM engine.definitions", timeout=10)}
        found = await connection.fetch(_NEW, list(range(len(self._seqs))), self._seqs, timeout=10)
        for row in found:
            self._seqs[row["partition"]] = row["seq"]
            journal = self.all.setdefault(row["execution_id"], Journal(row["execution_id"]))
            assert row["position"] == len(journal.entries), f"execution {journal.id} has a gap or a doubling at {row['position']}"
            for entry in decode(row["entries"]):
                journal.add(entry, row["at"].astimezone(UTC))
        for journal in {row["execution_id"]: self.all[row["execution_id"]] for row in found}.values():
            if journal.retries and journal.ended is None:
                journal.reopen()
        if found:
            self.rows += len(found)
            self.changed.set()
