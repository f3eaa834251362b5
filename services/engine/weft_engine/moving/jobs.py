"""The verbs on migrations: plan one, read it, apply it, undo it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from weft_language.compilation import Program
from weft_language.findings import pointer_of
from weft_runtime.clock import new_id
from weft_runtime.errors import Detail
from weft_runtime.uow import UnitOfWork

from weft_engine import auditing, usecases
from weft_engine import store as doors
from weft_engine.core.mapping import MappingUnusable, NodeMapping, completed, proposal
from weft_engine.errors import MappingRefused, MigrationCannot, MigrationNotFound, MigrationUnusable, WorkflowNotFound
from weft_engine.machine import MIGRATION_MOVES, MigrationStatus
from weft_engine.moving.judging import sent_of, wrong
from weft_engine.moving.schemas import MigrationBody, MigrationView, utc, view
from weft_engine.programs import ProgramCache
from weft_engine.store import campaigns
from weft_engine.store import migrations as store
from weft_engine.store.campaigns import Selection
from weft_engine.store.migrations import KEPT, Migration


async def plan(slug: str, asked: MigrationBody, programs: ProgramCache, most: int, uow: UnitOfWork) -> Migration:
    """Choose executions for good, and begin to judge them. Raises: WorkflowNotFound, VersionNotFound, MappingRefused, MigrationUnusable."""
    if await doors.workflow(uow, slug) is None:
        raise WorkflowNotFound(slug)
    if asked.from_ == asked.to:
        detail = Detail("/to", "same_version", "a migration leads to another version than it comes from")
        raise MigrationUnusable(detail.detail, details=[detail])
    old = await usecases.program_of(uow, programs, slug, asked.from_)
    new = await usecases.program_of(uow, programs, slug, asked.to)
    mapping = mapped(old, new, asked.mapping)
    migration_id, caller = new_id(), uow.caller
    total = await campaigns.choose(uow, KEPT, migration_id, _selected(slug, asked), after=0, limit=most + 1)
    if total > most:
        detail = Detail("/filter", "too_many", f"more than {most} executions fit, the most one migration takes; narrow the filter")
        raise MigrationUnusable(detail.detail, details=[detail])
    row: dict[str, Any] = {
        "id": migration_id,
        "workflow": slug,
        "from_version": asked.from_,
        "to_version": asked.to,
        "mapping": {node: becomes for node, becomes in mapping.items() if node != becomes},
        "proposed": [{"from": one.old, "to": one.new, "confidence": one.confidence, "reason": one.reason} for one in proposal(old, new)],
        "timers": asked.timers,
        "filter": asked.filter.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "canary": {} if asked.canary is None else asked.canary.model_dump(exclude_none=True),
        "stop_at_error_rate": asked.stop_at_error_rate,
        "watch_s": asked.watch_s,
        "status": MigrationStatus.PLANNING.value,
        "total": total,
        "caller": {"id": caller.sub, "email": caller.email, "roles": list(caller.roles)} if caller else {},
    }
    await store.add(uow, row)
    told = ("workflow", "from_version", "to_version", "mapping", "timers", "filter", "canary", "total")
    uow.say(auditing.migration("planned", migration_id, None, {name: row[name] for name in told}))
    return await get(migration_id, uow)


def mapped(old: Program, new: Program, told: NodeMapping | None) -> Mapping[str, str | None]:
    """The mapping of every node. Raises: MappingRefused."""
    try:
        return completed(old, new, told)
    except MappingUnusable as unusable:
        details = [Detail(pointer_of("mapping", node), "mapping_unusable", detail) for node, detail in unusable.reasons]
        raise MappingRefused(str(unusable), details=details) from unusable


def _selected(slug: str, asked: MigrationBody) -> Selection:
    chosen = asked.filter
    return Selection(
        workflow=slug,
        statuses=chosen.statuses,
        live=True,
        version=asked.from_,
        key=chosen.key,
        labels=chosen.label,
        since=utc(chosen.since),
        until=utc(chosen.until),
        ids=chosen.ids,
    )


async def get(migration_id: UUID, uow: UnitOfWork) -> Migration:
    """A migration. Raises: MigrationNotFound."""
    migration = await store.get(uow, migration_id)
    if migration is None:
        raise MigrationNotFound(migration_id)
    return migration


async def show(migration_id: UUID, uow: UnitOfWork) -> MigrationView:
    """A migration with what its items come to. Raises: MigrationNotFound."""
    migration = await get(migration_id, uow)
    reasons = await store.reasons(uow, migration_id, "reasons")
    warnings = await store.reasons(uow, migration_id, "warnings")
    return view(migration, await store.counts(uow, migration_id), reasons, warnings)


async def apply(migration_id: UUID, uow: UnitOfWork) -> None:
    """Begin, with the canary where there is one; or go on after a halt, or before the watch is over.

    Told twice, it is begun once. What went wrong before a halt does not count again. Raises: MigrationNotFound, MigrationCannot.
    """
    migration = await _locked(migration_id, uow)
    if migration.status in (MigrationStatus.CANARY, MigrationStatus.APPLYING):
        return
    if (migration.status, "apply") not in MIGRATION_MOVES:
        raise MigrationCannot(migration_id, "be applied", migration.status)
    values: dict[str, Any] = {}
    if migration.status == MigrationStatus.HALTED:
        counts = await store.counts(uow, migration_id)
        values = {"forgiven": wrong(counts), "forgiven_of": sent_of(counts), "halted": None}
    tries = migration.status == MigrationStatus.READY and migration.canary_total > 0
    status = MIGRATION_MOVES[migration.status, "try_out" if tries else "apply"]
    await store.change(uow, migration_id, pause_s=0.0, status=status, **values)
    uow.say(auditing.migration("applied", migration_id, {"status": migration.status}, {"status": status}))


async def undo(migration_id: UUID, uow: UnitOfWork) -> None:
    """Move back whatever was moved and has not gone on since. Raises: MigrationNotFound, MigrationCannot."""
    migration = await _locked(migration_id, uow)
    if migration.status in (MigrationStatus.UNDOING, MigrationStatus.UNDONE):
        return
    if (migration.status, "undo") not in MIGRATION_MOVES:
        raise MigrationCannot(migration_id, "be undone", migration.status)
    status = MIGRATION_MOVES[migration.status, "undo"]
    await store.change(uow, migration_id, pause_s=0.0, status=status)
    uow.say(auditing.migration("undone", migration_id, {"status": migration.status}, {"status": status}))


async def _locked(migration_id: UUID, uow: UnitOfWork) -> Migration:
    migration = await store.get(uow, migration_id, lock=True)
    if migration is None:
        raise MigrationNotFound(migration_id)
    return migration
