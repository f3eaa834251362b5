"""Queries on what was decided by links."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_tasks.tables import decision_receipts


async def of_link(uow: UnitOfWork, link_id: UUID) -> Any:
    """The receipt of a link, None where it was not used."""
    query = sa.select(decision_receipts).where(decision_receipts.c.tenant_id == uow.tenant, decision_receipts.c.link_id == link_id)
    return (await uow.conn.execute(query)).one_or_none()


async def add(uow: UnitOfWork, values: dict[str, Any]) -> Any:
    """Keep a receipt. Returns: its row."""
    row = insert(decision_receipts).values(tenant_id=uow.tenant, **values).returning(decision_receipts)
    return (await uow.conn.execute(row)).one()
