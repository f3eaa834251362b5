"""Queries on copies of drafts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.definitions import WorkflowDrafted
from weft_runtime.uow import UnitOfWork

from weft_engine.tables import drafts


async def keep(uow: UnitOfWork, said: WorkflowDrafted) -> None:
    """Keep the draft of a workflow; one that is older than ours changes nothing."""
    values = {"version": said.draft_version, "edit": said.edit, "document": said.definition}
    statement = insert(drafts).values(tenant_id=uow.tenant, slug=said.slug, **values)
    newer = drafts.c.edit < statement.excluded.edit
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "slug"], set_=values, where=newer))


async def find(uow: UnitOfWork, slug: str) -> tuple[int, dict[str, Any]] | None:
    """The newest draft of a workflow with its version, published since or not; None where there was none."""
    query = sa.select(drafts.c.version, drafts.c.document).where(drafts.c.tenant_id == uow.tenant, drafts.c.slug == slug)
    found = (await uow.conn.execute(query)).one_or_none()
    return None if found is None else (found.version, found.document)


async def forget(uow: UnitOfWork, slug: str) -> None:
    """Drop the draft of a workflow that is deleted."""
    await uow.conn.execute(sa.delete(drafts).where(drafts.c.tenant_id == uow.tenant, drafts.c.slug == slug))
