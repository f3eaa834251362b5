"""Queries, always of one tenant."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.connections import ConnectionRemoved, ConnectionSaved
from weft_runtime.uow import UnitOfWork

from weft_definitions.domain import Change, Version, Workflow
from weft_definitions.errors import SlugTaken, VersionNotFound, WorkflowNotFound
from weft_definitions.machine import WorkflowStatus
from weft_definitions.tables import connection, installation, live_execution, version, workflow

_PROPOSED: Final = 2_000


async def get(uow: UnitOfWork, slug: str, *, lock: bool = False) -> Workflow:
    """A workflow. lock: hold it until the transaction ends, so that changes happen one after the other. Raises: WorkflowNotFound."""
    query = sa.select(workflow).where(workflow.c.tenant_id == uow.tenant, workflow.c.slug == slug)
    row = (await uow.conn.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    if row is None:
        raise WorkflowNotFound(f"there is no workflow {slug!r}; GET /api/v1/workflows lists those there are")
    return workflow_of(row)


async def exists(uow: UnitOfWork, slug: str) -> bool:
    """Whether a workflow has this slug, archived or not."""
    query = sa.select(sa.literal(1)).where(workflow.c.tenant_id == uow.tenant, workflow.c.slug == slug)
    return (await uow.conn.execute(query)).first() is not None


async def get_version(uow: UnitOfWork, slug: str, number: int) -> Version:
    """One version of a workflow. Raises: VersionNotFound."""
    query = sa.select(version).where(version.c.tenant_id == uow.tenant, version.c.slug == slug, version.c.number == number)
    row = (await uow.conn.execute(query)).mappings().one_or_none()
    if row is None:
        raise VersionNotFound(f"workflow {slug!r} has no version {number}; GET /api/v1/workflows/{slug}/versions lists those there are")
    return _version(row)


async def active_version(uow: UnitOfWork, found: Workflow) -> Version | None:
    """The version that new executions run, None when it was never published."""
    return None if found.active_version is None else await get_version(uow, found.slug, found.active_version)


async def add(uow: UnitOfWork, change: Change) -> None:
    """Write a new workflow. Raises: SlugTaken."""
    row = _workflow_row(uow.tenant, change.workflow)
    statement = insert(workflow).values(row).on_conflict_do_nothing().returning(workflow.c.slug)
    if (await uow.conn.execute(statement)).first() is None:
        slug = change.workflow.slug
        raise SlugTaken(
            f"there is already a workflow {slug!r} (an archived one keeps its slug, for its history); "
            f"give another `slug`, or change the one there is with PUT /api/v1/workflows/{slug}"
        )
    await _save_version(uow, change)


async def save(uow: UnitOfWork, change: Change) -> None:
    """Write a workflow that was read under its lock, and the version that changed with it."""
    if not change.changed:
        return
    row = _workflow_row(uow.tenant, change.workflow)
    of_it = (workflow.c.tenant_id == uow.tenant, workflow.c.slug == change.workflow.slug)
    await uow.conn.execute(sa.update(workflow).where(*of_it).values(row))
    await _save_version(uow, change)


async def _save_version(uow: UnitOfWork, change: Change) -> None:
    if change.version is None:
        return
    row = {"tenant_id": uow.tenant, "slug": change.workflow.slug} | {name: getattr(change.version, name) for name in _VERSION_FIELDS}
    statement = insert(version).values(row)
    key = (version.c.tenant_id, version.c.slug, version.c.number)
    await uow.conn.execute(
        statement.on_conflict_do_update(index_elements=key, set_={name: statement.excluded[name] for name in _VERSION_FIELDS})
    )


async def list_workflows(
    uow: UnitOfWork,
    *,
    status: Sequence[WorkflowStatus],
    labels: Mapping[str, str | None],
    text: str | None,
    trigger: str | None,
    after: tuple[Any, ...] | None,
    limit: int,
) -> list[Workflow]:
    """Workflows, newest first; archived ones only where `status` asks for them.

    labels: each a name and its value, or None for any value.  text: in slug, name or description.  trigger: the kind of one of them.
    after: the (created_at, slug) of the last one seen.
    """
    query = sa.select(workflow).where(workflow.c.tenant_id == uow.tenant)
    query = query.where(workflow.c.status.in_(status) if status else workflow.c.status != WorkflowStatus.ARCHIVED.value)
    for name, value in labels.items():
        query = query.where(workflow.c.labels.has_key(name) if value is None else workflow.c.labels.contains({name: value}))
    if text:
        query = query.where(
            sa.or_(*(column.icontains(text, autoescape=True) for column in (workflow.c.slug, workflow.c.name, workflow.c.description)))
        )
    if trigger:
        query = query.where(workflow.c.triggers.contains([trigger]))
    if after is not None:
        query = query.where(sa.tuple_(workflow.c.created_at, workflow.c.slug) < sa.tuple_(*map(sa.literal, after)))
    query = query.order_by(workflow.c.created_at.desc(), workflow.c.slug.desc()).limit(limit)
    return [workflow_of(row) for row in (await uow.conn.execute(query)).mappings()]


async def list_versions(uow: UnitOfWork, slug: str, *, after: int | None, limit: int) -> list[Version]:
    """Versions of a workflow without their documents, newest first. after: the number of the last one seen."""
    columns = [version.c[name] for name in _VERSION_FIELDS if name != "document"]
    query = sa.select(*columns).where(version.c.tenant_id == uow.tenant, version.c.slug == slug)
    if after is not None:
        query = query.where(version.c.number < after)
    rows = (await uow.conn.execute(query.order_by(version.c.number.desc()).limit(limit))).mappings()
    return [Version(**row, document={}) for row in rows]


async def installed(uow: UnitOfWork, slug: str) -> dict[str, int]:
    """The revision of a workflow that each service has stored."""
    query = sa.select(installation.c.service, installation.c.revision).where(
        installation.c.tenant_id == uow.tenant, installation.c.slug == slug
    )
    return {row.service: row.revision for row in await uow.conn.execute(query)}


async def note_installed(uow: UnitOfWork, slug: str, service: str, revision: int) -> None:
    """Remember that a service has stored a revision; an older one changes nothing."""
    statement = insert(installation).values(tenant_id=uow.tenant, slug=slug, service=service, revision=revision)
    newer = {"revision": sa.func.greatest(installation.c.revision, statement.excluded.revision)}
    key = (installation.c.tenant_id, installation.c.slug, installation.c.service)
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=key, set_=newer))


async def count_live(uow: UnitOfWork, slug: str) -> int:
    """How many executions of a workflow have started and not ended."""
    of_it = (live_execution.c.tenant_id == uow.tenant, live_execution.c.slug == slug)
    return (await uow.conn.execute(sa.select(sa.func.count()).select_from(live_execution).where(*of_it))).scalar_one()


async def add_live(uow: UnitOfWork, rows: Sequence[tuple[str, UUID, str]]) -> None:
    """Note executions that started: (tenant, execution, slug). One noted before changes nothing."""
    if rows:
        tenants, executions, slugs = map(list, zip(*rows, strict=True))
        await uow.conn.execute(_ADD_LIVE, {"tenants": tenants, "executions": executions, "slugs": slugs})


async def remove_live(uow: UnitOfWork, ended: Sequence[tuple[str, UUID]]) -> None:
    """Forget executions that ended: (tenant, execution)."""
    if ended:
        tenants, executions = map(list, zip(*ended, strict=True))
        await uow.conn.execute(_REMOVE_LIVE, {"tenants": tenants, "executions": executions})


async def connection_types(uow: UnitOfWork) -> dict[str, str]:
    """The type of each connection of the tenant, by name."""
    query = sa.select(connection.c.name, connection.c.type).where(connection.c.tenant_id == uow.tenant, sa.not_(connection.c.removed))
    # Of two with one name the one with the higher id is the truth: the removal of the other is on its way.
    return {row.name: row.type for row in await uow.conn.execute(query.order_by(connection.c.id))}


async def published(uow: UnitOfWork, slugs: Collection[str]) -> dict[str, frozenset[int]]:
    """The published versions of workflows, of those of these that are there; archived ones can still be called."""
    mine = (workflow.c.tenant_id == uow.tenant, workflow.c.slug.in_(sorted(slugs)))
    found = dict.fromkeys((await uow.conn.execute(sa.select(workflow.c.slug).where(*mine))).scalars(), frozenset[int]())
    of_them = (version.c.tenant_id == uow.tenant, version.c.slug.in_(list(found)), version.c.published_at.is_not(None))
    grouped = sa.select(version.c.slug, sa.func.array_agg(version.c.number).label("numbers")).where(*of_them).group_by(version.c.slug)
    return found | {row.slug: frozenset(row.numbers) for row in await uow.conn.execute(grouped)}


async def slugs(uow: UnitOfWork) -> list[str]:
    """The slugs of workflows that are not archived, the newest; as many as proposals are looked for among."""
    mine = (workflow.c.tenant_id == uow.tenant, workflow.c.status != WorkflowStatus.ARCHIVED)
    return list(
        (await uow.conn.execute(sa.select(workflow.c.slug).where(*mine).order_by(workflow.c.created_at.desc()).limit(_PROPOSED))).scalars()
    )


async def keep_connection(uow: UnitOfWork, said: ConnectionSaved) -> None:
    """Keep a connection as it is now; an older word changes nothing."""
    await _put_connection(uow, said, removed=False)


async def remove_connection(uow: UnitOfWork, said: ConnectionRemoved) -> None:
    """Forget a connection, but not that it was."""
    await _put_connection(uow, said, removed=True)


async def _put_connection(uow: UnitOfWork, said: ConnectionSaved | ConnectionRemoved, *, removed: bool) -> None:
    row = {"revision": said.revision, "name": said.name, "type": said.connection_type, "removed": removed}
    statement = insert(connection).values(tenant_id=uow.tenant, id=said.connection_id, **row)
    newer = statement.on_conflict_do_update(
        index_elements=(connection.c.tenant_id, connection.c.id),
        set_={name: statement.excluded[name] for name in row},
        where=connection.c.revision < statement.excluded.revision,
    )
    await uow.conn.execute(newer)


_ADD_LIVE = sa.text(
    "INSERT INTO definitions.live_execution (tenant_id, execution_id, slug) "
    "SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:executions AS uuid[]), CAST(:slugs AS text[])) ON CONFLICT DO NOTHING"
)
_REMOVE_LIVE = sa.text(
    "DELETE FROM definitions.live_execution AS live "
    "USING unnest(CAST(:tenants AS text[]), CAST(:executions AS uuid[])) AS ended (tenant, execution) "
    "WHERE live.tenant_id = ended.tenant AND live.execution_id = ended.execution"
)
_VERSION_FIELDS = ("number", "document", "created_by", "created_at", "published_by", "published_at", "note")


def _version(row: Mapping[Any, Any]) -> Version:
    return Version(**{name: row[name] for name in _VERSION_FIELDS})


def workflow_of(row: Mapping[Any, Any]) -> Workflow:
    """The workflow in a row of its table."""
    fields = {str(name): value for name, value in row.items() if name != "tenant_id"}
    return Workflow(**fields | {"status": WorkflowStatus(fields["status"]), "triggers": tuple(fields["triggers"])})


def _workflow_row(tenant: str, saved: Workflow) -> dict[str, Any]:
    return {
        "tenant_id": tenant,
        "slug": saved.slug,
        "name": saved.name,
        "description": saved.description,
        "labels": dict(saved.labels),
        "triggers": list(saved.triggers),
        "status": saved.status.value,
        "version": saved.version,
        "active_version": saved.active_version,
        "revision": saved.revision,
        "edit": saved.edit,
        "created_by": saved.created_by,
        "created_at": saved.created_at,
        "updated_at": saved.updated_at,
    }
