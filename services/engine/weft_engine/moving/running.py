"""How a migration goes on, by its status: it judges, sends, watches, stops and takes back, a few executions at a time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final

from weft_contracts.migrations import MigrateExecution, UndoMigration
from weft_runtime.context import ServiceContext
from weft_runtime.uow import UnitOfWork
from weft_runtime.waking import Wake

from weft_engine import usecases
from weft_engine.campaigns import IN_FLIGHT, Kind, results
from weft_engine.core.verdicts import Versions
from weft_engine.machine import MIGRATION_MOVES, MigrationStatus
from weft_engine.moving.judging import answer_id, canary_size, errors_of, judged, read
from weft_engine.programs import ProgramCache
from weft_engine.store import campaigns
from weft_engine.store import migrations as store
from weft_engine.store.migrations import KEPT, Migration

JUDGED_AT_ONCE: Final = 100
"""Executions whose journals are read by one look."""
LOOK_S: Final = 0.05
WATCH_LOOK_S: Final = 0.5
"""Between two looks at a canary that is watched."""


class MigrationWake(Wake):
    """How the door tells the runner of this process that a migration goes on."""


async def go_on(migration: Migration, uow: UnitOfWork, context: ServiceContext) -> None:
    """One step of a migration."""
    if migration.status == MigrationStatus.PLANNING:
        await _judge(migration, context.part(ProgramCache), uow)
    else:
        await _STEPS[migration.status](migration, uow)


MIGRATIONS: Final = Kind(store, go_on, MigrationWake)


async def _judge(migration: Migration, programs: ProgramCache, uow: UnitOfWork) -> None:
    waiting = await store.to_judge(uow, migration.id, migration.judged, JUDGED_AT_ONCE)
    if waiting:
        old = await usecases.program_of(uow, programs, migration.workflow, migration.from_version)
        new = await usecases.program_of(uow, programs, migration.workflow, migration.to_version)
        journals = await store.journals(uow, [item.execution_id for item in waiting])
        versions = Versions.pair(old, new, migration.mapping)
        await store.judge(uow, migration.id, judged(waiting, journals, versions))
        await store.change(uow, migration.id, pause_s=0.0, judged=waiting[-1].number)
        return
    counts = await store.counts(uow, migration.id)
    first = canary_size(migration.canary, counts.get("planned", 0))
    if first:
        await store.make_canary(uow, migration.id, first)
    await _move(migration, "plan", uow, pause_s=None, canary_total=first)


async def _try_out(migration: Migration, uow: UnitOfWork) -> None:
    open_, counts = await _gather(migration, uow)
    if await _halt(migration, counts, uow):
        return
    open_ += await _send(migration, IN_FLIGHT - open_, uow, canary=True)
    if open_:
        await store.change(uow, migration.id, pause_s=LOOK_S)
    else:
        await _move(migration, "watch", uow, pause_s=LOOK_S, watch_until=uow.now + timedelta(seconds=migration.watch_s))


async def _watch(migration: Migration, uow: UnitOfWork) -> None:
    counts = await store.counts(uow, migration.id)
    if await _halt(migration, counts, uow):
        return
    if uow.now >= migration.watch_until:
        await _move(migration, "apply", uow, pause_s=0.0)
    else:
        await store.change(uow, migration.id, pause_s=WATCH_LOOK_S)


async def _apply(migration: Migration, uow: UnitOfWork) -> None:
    open_, counts = await _gather(migration, uow)
    if await _halt(migration, counts, uow):
        return
    open_ += await _send(migration, IN_FLIGHT - open_, uow)
    if open_:
        await store.change(uow, migration.id, pause_s=LOOK_S)
    else:
        await _move(migration, "complete", uow, pause_s=None)


async def _rest(migration: Migration, uow: UnitOfWork) -> None:
    """Nothing more is sent; what is on its way is still answered."""
    open_, _ = await _gather(migration, uow)
    await store.change(uow, migration.id, pause_s=LOOK_S if open_ else None)


async def _undo(migration: Migration, uow: UnitOfWork) -> None:
    """What is still on its way there is waited for, and then taken back with the others."""
    open_, _ = await _gather(migration, uow)
    chosen = await store.next_items(uow, migration.id, "migrated", IN_FLIGHT - open_)
    for item in chosen:
        uow.say(
            UndoMigration(
                execution_id=item.execution_id,
                workflow_version=migration.to_version,
                user=migration.caller.get("id"),
                answer_id=answer_id(migration.id, item.execution_id, "undoing"),
            )
        )
    if chosen:
        await store.mark(uow, migration.id, [item.number for item in chosen], "undoing")
    if open_ or chosen:
        await store.change(uow, migration.id, pause_s=LOOK_S)
    else:
        await _move(migration, "end", uow, pause_s=None)


_STEPS: Final[dict[str, Callable[[Migration, UnitOfWork], Coroutine[Any, Any, None]]]] = {
    MigrationStatus.CANARY: _try_out,
    MigrationStatus.WATCHING: _watch,
    MigrationStatus.APPLYING: _apply,
    MigrationStatus.HALTED: _rest,
    MigrationStatus.UNDOING: _undo,
}


async def _gather(migration: Migration, uow: UnitOfWork) -> tuple[int, dict[str, int]]:
    """Take up answers. Returns: how many are still out, and the items by status."""
    open_ = await campaigns.open_items(uow, KEPT, migration.id, "sent", "undoing")
    reading = read(migration.id)
    answers = await campaigns.answers_of(uow, [reading.address(item) for item in open_])
    found = results(reading, open_, answers, uow.now)
    await campaigns.settle(uow, KEPT, migration.id, found)
    return len(open_) - len(found), await store.counts(uow, migration.id)


async def _send(migration: Migration, room: int, uow: UnitOfWork, *, canary: bool = False) -> int:
    """Say the commands of the next items. Returns: how many."""
    chosen = await store.next_items(uow, migration.id, "planned", room, canary=canary) if room > 0 else ()
    for item in chosen:
        uow.say(
            MigrateExecution(
                execution_id=item.execution_id,
                workflow_version=migration.to_version,
                from_version=migration.from_version,
                mapping=migration.mapping,
                timers=migration.timers,
                user=migration.caller.get("id"),
                answer_id=answer_id(migration.id, item.execution_id, "sent"),
            )
        )
    if chosen:
        await store.mark(uow, migration.id, [item.number for item in chosen], "sent")
    return len(chosen)


async def _halt(migration: Migration, counts: dict[str, int], uow: UnitOfWork) -> bool:
    """Stop where too much has gone wrong."""
    found = errors_of(migration, counts)
    if found.errors <= 0 or found.rate < migration.stop_at_error_rate:
        return False
    halted = {"errors": found.errors, "of": found.of, "rate": round(found.rate, 4)}
    await _move(migration, "halt", uow, pause_s=LOOK_S, halted=halted)
    return True


async def _move(migration: Migration, move: str, uow: UnitOfWork, *, pause_s: float | None, **values: Any) -> None:
    await store.change(uow, migration.id, pause_s=pause_s, status=MIGRATION_MOVES[migration.status, move], **values)
