"""Answers of models that stand for a while, always of one tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_engine.tables import ai_answers

MOST: Final = 2_000
"""Answers of a tenant; the oldest go first."""


async def get(uow: UnitOfWork, key: str) -> str | None:
    """The answer under a key, None where none stands."""
    query = sa.select(ai_answers.c.body).where(
        ai_answers.c.tenant_id == uow.tenant, ai_answers.c.key == key, ai_answers.c.expires_at > uow.now
    )
    return (await uow.conn.execute(query)).scalar_one_or_none()


async def put(uow: UnitOfWork, key: str, body: str, expires_at: datetime) -> None:
    """Keep an answer, and no more of the tenant than `MOST`."""
    values = {"body": body, "kept_at": uow.now, "expires_at": expires_at}
    statement = insert(ai_answers).values(tenant_id=uow.tenant, key=key, **values)
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=values))
    newest = ai_answers.c.kept_at.desc(), ai_answers.c.key
    beyond = sa.select(ai_answers.c.key).where(ai_answers.c.tenant_id == uow.tenant).order_by(*newest).offset(MOST)
    await uow.conn.execute(sa.delete(ai_answers).where(ai_answers.c.tenant_id == uow.tenant, ai_answers.c.key.in_(beyond)))


async def forget(uow: UnitOfWork) -> None:
    """Delete those that stand no more, of every tenant_id."""
    await uow.conn.execute(sa.delete(ai_answers).where(ai_answers.c.expires_at <= uow.now))
