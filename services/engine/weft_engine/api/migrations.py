"""Going on by another version: one execution at once, or many by a plan that is looked at, applied and undone."""

from __future__ import annotations

from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Query
from weft_contracts.migrations import MigrateExecution, UndoMigration
from weft_runtime.auth import Permission
from weft_runtime.clock import new_id
from weft_runtime.http import Context, Listing, Page, Reply, Uow
from weft_runtime.http.parameters import MAX_LIMIT

from weft_engine import usecases
from weft_engine.api.answers import answered
from weft_engine.api.routes import door
from weft_engine.moving import jobs, schemas
from weft_engine.moving.running import MigrationWake
from weft_engine.moving.schemas import (
    ItemQuery,
    ItemView,
    MigrateBody,
    MigratedView,
    MigrationBody,
    MigrationSummary,
    MigrationView,
    MigrationWithVerdicts,
)
from weft_engine.programs import ProgramCache
from weft_engine.settings import Settings
from weft_engine.store import migrations as store


@door.post("/executions/{execution_id}/migrate", may=Permission.EXECUTIONS_OPERATE)
async def migrate(execution_id: UUID, body: MigrateBody, uow: Uow, context: Context) -> Reply[MigratedView]:
    """Let a live execution go on by another version, or with `dry_run` only tell whether it could; answered when that is durable."""
    found = await usecases.find_execution(execution_id, uow)
    await usecases.program_of(uow, context.part(ProgramCache), found.workflow, body.version)
    command = MigrateExecution(
        execution_id=execution_id,
        workflow_version=body.version,
        mapping=body.mapping,
        timers=body.timers,
        dry_run=body.dry_run,
        user=uow.caller.sub if uow.caller else None,
        answer_id=new_id(),
    )
    return await _act(command, uow, context)


@door.post("/executions/{execution_id}/undo-migration", may=Permission.EXECUTIONS_OPERATE)
async def undo_migration(execution_id: UUID, uow: Uow, context: Context) -> Reply[MigratedView]:
    """Restore the state before the last migration, exactly, unless anything has happened since; answered when that is durable."""
    command = UndoMigration(execution_id=execution_id, user=uow.caller.sub if uow.caller else None, answer_id=new_id())
    return await _act(command, uow, context)


async def _act(command: MigrateExecution | UndoMigration, uow: Uow, context: Context) -> Reply[MigratedView]:
    await usecases.ask_execution(command, uow)
    tenant = uow.tenant

    async def told() -> Reply[Any] | None:
        answer = await answered(context, tenant, command.answer_id) if command.answer_id is not None else None
        if answer is None:
            return None
        found = answer.get("body") or {}
        shown = {name: found[name] for name in ("status", "verdict", "reasons", "warnings") if name in found}
        return Reply(MigratedView.model_validate({"execution_id": command.execution_id, **shown}))

    return Reply(MigratedView(execution_id=command.execution_id, status="accepted"), status=202, then=told)


@door.post("/workflows/{slug}/migrations", may=Permission.EXECUTIONS_OPERATE, status=201)
async def plan_migration(slug: str, body: MigrationBody, uow: Uow, context: Context) -> Reply[MigrationView]:
    """Plan to move the live executions of a version to another. Each gets a verdict; nothing moves until the plan is applied."""
    most = cast(Settings, context.settings).bulk_most
    migration = await jobs.plan(slug, body, context.part(ProgramCache), most, uow)
    view = await jobs.show(migration.id, uow)
    return _woken(view, context, status=201, headers={"Location": f"/api/v1/migrations/{migration.id}"})


@door.get("/workflows/{slug}/migrations", may=Permission.EXECUTIONS_READ)
async def list_migrations(slug: str, page: Page, uow: Uow) -> Listing[MigrationSummary]:
    """Migrations of a workflow, the newest first."""
    await usecases.require_workflow(slug, uow)
    rows = await store.listed(uow, slug, after=page.after, limit=page.limit + 1)
    return page.listing(rows, view=schemas.summary, key=lambda one: (one.created_at, one.id))


@door.get("/migrations/{migration_id}", may=Permission.EXECUTIONS_READ)
async def get_migration(migration_id: UUID, uow: Uow) -> MigrationWithVerdicts:
    """A migration: its mapping and what suggests it, what stands in the way, how far it is, and the first 200 verdicts."""
    shown = await jobs.show(migration_id, uow)
    rows = await store.listed_items(uow, migration_id, status=(), verdict=None, after=0, limit=MAX_LIMIT)
    return MigrationWithVerdicts.model_construct(**dict(shown), verdicts=[schemas.item_view(row) for row in rows])


@door.get("/migrations/{migration_id}/items", may=Permission.EXECUTIONS_READ)
async def list_migration_items(migration_id: UUID, query: Annotated[ItemQuery, Query()], page: Page, uow: Uow) -> Listing[ItemView]:
    """Each execution with its verdict, and what became of it."""
    await jobs.get(migration_id, uow)
    after = int(page.after[0]) if page.after is not None else 0
    rows = await store.listed_items(uow, migration_id, status=query.status, verdict=query.verdict, after=after, limit=page.limit + 1)
    return page.listing(rows, view=schemas.item_view, key=lambda item: (item.number,))


@door.post("/migrations/{migration_id}/apply", may=Permission.EXECUTIONS_OPERATE, status=202)
async def apply_migration(migration_id: UUID, uow: Uow, context: Context) -> Reply[MigrationView]:
    """Begin, with the canary where there is one; after a halt, go on."""
    await jobs.apply(migration_id, uow)
    return _woken(await jobs.show(migration_id, uow), context, status=202)


@door.post("/migrations/{migration_id}/undo", may=Permission.EXECUTIONS_OPERATE, status=202)
async def undo_many(migration_id: UUID, uow: Uow, context: Context) -> Reply[MigrationView]:
    """Move back what was moved and has not gone on since; what has, stays, with the reason."""
    await jobs.undo(migration_id, uow)
    return _woken(await jobs.show(migration_id, uow), context, status=202)


def _woken(view: MigrationView, context: Context, *, status: int, headers: dict[str, str] | None = None) -> Reply[MigrationView]:
    """The runner is woken once the transaction has been committed."""

    async def wake() -> None:
        context.part(MigrationWake).call()

    return Reply(view, status=status, headers=headers, then=wake)
