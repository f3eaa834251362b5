"""Templates: the tenant's own, and those that are shared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from weft_runtime.uow import UnitOfWork

from weft_definitions.errors import TemplateNotFound, TemplateTaken
from weft_definitions.tables import template, template_version
from weft_definitions.templates import EVERYBODY, Content, Listed, Point, Source, Template

_MOST_SHARED = 2_000


async def own(uow: UnitOfWork) -> list[Listed]:
    """The tenant's own, by slug."""
    return await _list(uow, sa.select(template).where(template.c.tenant_id == uow.tenant).order_by(template.c.slug), "own")


async def shared(uow: UnitOfWork) -> list[Listed]:
    """Those that others share with the tenant, the oldest first."""
    query = sa.select(template).where(*_shared(uow)).order_by(template.c.created_at, template.c.tenant_id).limit(_MOST_SHARED)
    return await _list(uow, query, "shared")


async def find(uow: UnitOfWork, slug: str, number: int | None) -> Template | None:
    """The tenant's own template, else the oldest that is shared with it, else None.

    number: the version wanted, the newest when None; where there is no such one, the newest is given.
    """
    for whose, source in (((template.c.tenant_id == uow.tenant,), "own"), (_shared(uow), "shared")):
        query = _joined().where(*whose, template.c.slug == slug).order_by(template.c.created_at, template.c.tenant_id)
        query = query.order_by((template_version.c.number == number).desc(), template_version.c.number.desc()).limit(1)
        found = await _read(uow, query, "own" if source == "own" else "shared")
        if found:
            return found[0]
    return None


async def get_own(uow: UnitOfWork, slug: str) -> Template:
    """A template of the tenant's own with its newest version, held until the transaction ends. Raises: TemplateNotFound."""
    mine = (template.c.tenant_id == uow.tenant, template.c.slug == slug)
    await uow.conn.execute(sa.select(template.c.slug).where(*mine).with_for_update())
    found = await _read(uow, _joined().where(*mine, template.c.latest == template_version.c.number), "own")
    if not found:
        raise TemplateNotFound(f"the tenant has no template {slug[:100]!r} of its own; those that are shared or built in cannot be changed")
    return found[0]


async def count(uow: UnitOfWork) -> int:
    """How many templates the tenant has."""
    mine = sa.select(sa.func.count()).select_from(template).where(template.c.tenant_id == uow.tenant)
    return int((await uow.conn.execute(mine)).scalar_one())


async def versions(uow: UnitOfWork, slug: str, *, after: int | None, limit: int) -> list[Mapping[Any, Any]]:
    """Versions of a template of the tenant's own, the newest first. after: the number of the last one seen."""
    columns = (template_version.c.number, template_version.c.note, template_version.c.created_by, template_version.c.created_at)
    query = sa.select(*columns).where(template_version.c.tenant_id == uow.tenant, template_version.c.slug == slug)
    if after is not None:
        query = query.where(template_version.c.number < after)
    return list((await uow.conn.execute(query.order_by(template_version.c.number.desc()).limit(limit))).mappings())


async def add(uow: UnitOfWork, made: Template, *, taken: bool) -> None:
    """Write a new template. taken: one that comes with the release has its slug. Raises: TemplateTaken."""
    row = _row(made) | {"tenant_id": uow.tenant, "slug": made.slug, "created_by": made.created_by, "created_at": made.created_at}
    statement = insert(template).values(row).on_conflict_do_nothing().returning(template.c.slug)
    if taken or (await uow.conn.execute(statement)).first() is None:
        raise TemplateTaken(
            f"there is already a template {made.slug!r}; give another `slug`, or PUT /api/v1/templates/{made.slug} a new version"
        )
    await _add_version(uow, made, made.created_by)


async def save(uow: UnitOfWork, was: Template, changed: Template, by: str) -> None:
    """Write a template that was read by `get_own`, and its new version where it has one. by: whose the version is."""
    if changed == was:
        return
    mine = (template.c.tenant_id == uow.tenant, template.c.slug == changed.slug)
    await uow.conn.execute(sa.update(template).where(*mine).values(_row(changed)))
    if changed.latest != was.latest:
        await _add_version(uow, changed, by)


async def remove(uow: UnitOfWork, slug: str) -> None:
    """Delete a template of the tenant's own with all its versions."""
    for table in (template_version, template):
        await uow.conn.execute(sa.delete(table).where(table.c.tenant_id == uow.tenant, table.c.slug == slug))


async def _add_version(uow: UnitOfWork, made: Template, by: str) -> None:
    row = {"slug": made.slug, "number": made.version, "content": asdict(made.content), "note": made.note, "created_by": by}
    await uow.conn.execute(insert(template_version).values(tenant_id=uow.tenant, created_at=made.updated_at, **row))


def _row(saved: Template) -> dict[str, Any]:
    """What changes of a template, with what its newest version says of itself."""
    content = saved.content
    return {
        "name": content.name,
        "description": content.description,
        "category": content.category,
        "labels": dict(content.labels),
        "latest": saved.latest,
        "edit": saved.edit,
        "shared_with": list(saved.shared_with),
        "updated_at": saved.updated_at,
    }


def _joined() -> sa.Select[Any]:
    both = sa.and_(template.c.tenant_id == template_version.c.tenant_id, template.c.slug == template_version.c.slug)
    more = (template_version.c.number, template_version.c.content, template_version.c.note)
    return sa.select(template, *more).select_from(template.join(template_version, both))


def _shared(uow: UnitOfWork) -> tuple[sa.ColumnElement[bool], ...]:
    """Which templates others share with the tenant; row-level security says the same."""
    with_it = template.c.shared_with.overlap(sa.cast([EVERYBODY, uow.tenant], ARRAY(sa.Text)))
    return template.c.tenant_id != uow.tenant, with_it


async def _list(uow: UnitOfWork, query: sa.Select[Any], source: Source) -> list[Listed]:
    return [
        Listed(
            **{name: row[name] for name in ("slug", "name", "description", "category", "labels", "created_at", "updated_at")},
            source=source,
            version=row["latest"],
            created_by=row["created_by"] if source == "own" else "",
        )
        for row in (await uow.conn.execute(query)).mappings()
    ]


async def _read(uow: UnitOfWork, query: sa.Select[Any], source: Source) -> list[Template]:
    return [
        Template(
            content=_content(row["content"]),
            source=source,
            version=row["number"],
            latest=row["latest"],
            edit=row["edit"],
            shared_with=tuple(row["shared_with"]),
            note=row["note"],
            created_by=row["created_by"] if source == "own" else "",
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )
        for row in (await uow.conn.execute(query)).mappings()
    ]


def _content(kept: Mapping[str, Any]) -> Content:
    points = tuple(Point(**point) for point in kept["points"])
    return Content(**{**kept, "points": points})
