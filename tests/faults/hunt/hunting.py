"""One hunt: programs side by side, faults all the while, and at the end the verdict."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg
from weft_engine.core import entries as e

from tests.faults.hunt import judging
from tests.faults.hunt.hunted import Hunted, hunted_of
from tests.faults.hunt.journals import Journals
from tests.faults.hunt.killing import Killing, Server
from tests.faults.hunt.outside import Outside
from tests.faults.hunt.programs import Program

CALM_S = 150.0
"""When so long nothing was written in any journal, what has not ended is stuck. Longer than the patience of the outside."""
SETTLED_WITHIN_S = 60.0
LOOK_S, SETTLING_S = 0.2, 1.0
EVERYTHING = ("engine", "worker", "events", "tasks", "analytics")


@dataclass(frozen=True)
class Faults:
    """What is done to the mesh. kinds: of processes that are killed.  stops: whether some are stopped instead.

    servers: that lose power.
    """

    kinds: tuple[str, ...] = EVERYTHING
    stops: bool = True
    servers: dict[str, Server] = field(default_factory=dict)


@dataclass
class Report:
    """wrong: programs and executions with what is wrong with them.  unsettled: what is wrong with no execution of its own."""

    programs: int = 0
    executions: int = 0
    took_s: float = 0.0
    wrong: list[tuple[Program, UUID, str]] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    outside: Counter[str] = field(default_factory=Counter)
    effects: int = 0
    repeats: int = 0
    resent: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong and not self.unsettled

    def numbers(self) -> dict[str, object]:
        """What to write down of it."""
        return {
            "programs": self.programs, "executions": self.executions, "took_s": round(self.took_s, 1), "ends": dict(self.ends),
            "faults": dict(sorted(self.faults.items())), "outside": dict(sorted(self.outside.items())), "effects": self.effects,
            "effects_repeated": self.repeats, "requests_sent_again_by_timer": self.resent, "wrong": len(self.wrong),
            "unsettled": self.unsettled[:10],
        }  # fmt: skip


@dataclass
class Hunt:
    """A fresh mesh on which programs are hunted."""

    hunted: Hunted
    rng: random.Random

    async def run(self, programs: Sequence[Program], faults: Faults, *, in_flight: int) -> Report:
        """Run these programs under these faults. Returns: what came of them."""
        began = time.monotonic()
        journals = Journals(self.hunted.mesh.database_url)
        outside = Outside(self.hunted, journals, random.Random(self.rng.random()))
        killing = Killing(self.hunted, random.Random(self.rng.random()), faults.servers, faults.kinds, faults.stops)
        beside = [asyncio.create_task(journals.follow()), asyncio.create_task(outside.follow())]
        striking = asyncio.create_task(killing.run())
        try:
            await self._drive(programs, outside, in_flight, (*beside, striking))
            killing.end()
            await striking
            return await self._verdict(programs, outside, killing, began)
        finally:
            for task in (*beside, striking, *outside.doing):
                task.cancel()
            await asyncio.gather(*beside, striking, *outside.doing, return_exceptions=True)

    async def _drive(self, programs: Sequence[Program], outside: Outside, in_flight: int, beside: Sequence[asyncio.Task[None]]) -> None:
        """Start them, a bounded number open at any time; returns when all have ended, or nothing moves any more."""
        journals, left = outside.journals, list(programs)
        moved, rows = time.monotonic(), 0
        while True:
            for task in beside:
                if task.done():
                    task.result()
            lives = sum(id_ not in journals.all or journals.all[id_].ended is None for id_ in outside.roots)
            starting = len(programs) - len(left) - len(outside.roots)
            for _ in range(min(len(left), in_flight - lives - starting)):
                outside.later(outside.start(left.pop(0)))
            if journals.rows != rows:
                moved, rows = time.monotonic(), journals.rows
            ended = all(journal.ended is not None for journal in journals.all.values())
            if (not outside.busy() and not left and not lives and ended) or time.monotonic() - moved > CALM_S:
                return
            await asyncio.sleep(LOOK_S)

    async def _judged(self, outside: Outside) -> tuple[Journals, list[str], dict[UUID, str]]:
        """The journals anew, what is unsettled and what is wrong, after everybody has had the time to hear of everything."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        journals = Journals(self.hunted.mesh.database_url)
        connection = await asyncpg.connect(self.hunted.mesh.database_url)
        try:
            while True:
                left = await judging.unsettled(connection)
                await journals.look(connection)
                wrong = {} if left else await judging.wrong(connection, journals.all, outside.roots, self.hunted.mesh.ledger)
                if not (left or wrong) or time.monotonic() > deadline:
                    break
                await asyncio.sleep(SETTLING_S)
            wrong = wrong or await judging.wrong(connection, journals.all, outside.roots, self.hunted.mesh.ledger)
        finally:
            await connection.close()
        return journals, left, wrong

    async def _verdict(self, programs: Sequence[Program], outside: Outside, killing: Killing, began: float) -> Report:
        ledger = self.hunted.mesh.ledger
        journals, left, wrong = await self._judged(outside)
        # Of a child that is waited for long its caller asks again, too; what is asked of workers twice is to be looked at.
        again = {id_ for id_, journal in journals.all.items() if any(entry.kind == e.STEP_RESENT for entry, _ in journal.entries)}
        for id_ in (wrong.keys() & journals.all.keys()) | again:
            shown = "\n".join(f"{at.isoformat()} {entry}" for entry, at in journals.all[id_].entries)
            (self.hunted.mesh.directory / f"{id_}.journal").write_text(shown)
        by_slug = {slug: program for program in outside.roots.values() for slug in program.documents}
        some = next(iter(outside.roots.values()))
        entries = [entry for journal in journals.all.values() for entry, _ in journal.entries]
        return Report(
            programs=len(programs),
            executions=len(journals.all),
            took_s=time.monotonic() - began,
            wrong=[
                (by_slug.get(journals.all[id_].workflow, some) if id_ in journals.all else some, id_, what) for id_, what in wrong.items()
            ],
            unsettled=left,
            ends=Counter(journal.ended or "live" for journal in journals.all.values()),
            faults=killing.did,
            outside=outside.did,
            effects=len(ledger.calls),
            repeats=ledger.repeats,
            resent=sum(entry.kind == e.STEP_RESENT for entry in entries),
        )


async def hunt(
    programs: Sequence[Program], faults: Faults, *, seed: int, in_flight: int, database_url: str, broker_url: str, directory: Path
) -> Report:
    """A mesh of its own for these programs. Returns: what came of them."""
    async with hunted_of(database_url, broker_url, directory) as hunted:
        return await Hunt(hunted, random.Random(seed)).run(programs, faults, in_flight=in_flight)
