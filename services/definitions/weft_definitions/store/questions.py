"""What other services were asked and what they answered, always of one tenant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_definitions.asking.question import Question
from weft_definitions.tables import question

KEPT: Final = timedelta(days=7)
_FIELDS = ("id", "kind", "slug", "asked", "answer", "problem", "asked_by", "asked_at", "answered_at")


async def add(uow: UnitOfWork, asked: Question) -> None:
    """Remember a question, and forget what the tenant asked long ago."""
    await uow.conn.execute(sa.delete(question).where(question.c.tenant_id == uow.tenant, question.c.asked_at < uow.now - KEPT))
    await uow.conn.execute(sa.insert(question).values(tenant_id=uow.tenant, **{name: getattr(asked, name) for name in _FIELDS}))


async def get(uow: UnitOfWork, id_: UUID) -> Question | None:
    """A question, None where there is none."""
    query = sa.select(*(question.c[name] for name in _FIELDS)).where(question.c.tenant_id == uow.tenant, question.c.id == id_)
    row = (await uow.conn.execute(query)).mappings().one_or_none()
    return None if row is None else Question(**row)


async def open_backtests(uow: UnitOfWork, since: datetime) -> int:
    """How many backtests asked for since then wait for their answer."""
    mine = (question.c.tenant_id == uow.tenant, question.c.asked_at >= since)
    open_ = (question.c.kind == "backtest", question.c.answered_at.is_(None))
    return (await uow.conn.execute(sa.select(sa.func.count()).select_from(question).where(*mine, *open_))).scalar_one()


async def answer(uow: UnitOfWork, id_: UUID, given: dict[str, Any] | None, problem: dict[str, Any] | None) -> None:
    """Keep the answer to a question that is still open: the first one stands."""
    open_ = (question.c.tenant_id == uow.tenant, question.c.id == id_, question.c.answered_at.is_(None))
    await uow.conn.execute(sa.update(question).where(*open_).values(answer=given, problem=problem, answered_at=uow.now))


async def forget(uow: UnitOfWork, id_: UUID) -> None:
    """Forget a question."""
    await uow.conn.execute(sa.delete(question).where(question.c.tenant_id == uow.tenant, question.c.id == id_))
