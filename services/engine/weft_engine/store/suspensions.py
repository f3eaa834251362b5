"""Queries on suspensions: what of a tenant is held up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_engine.domain import UNBOUNDED
from weft_engine.tables import admissions, suspensions

Suspension = sa.Row[Any]
"""A row of `suspensions`."""
_GATE: Final = "suspended:"
"""Before a suspension's id, the name of its gate."""


async def add(uow: UnitOfWork, suspension_id: UUID, kind: str, name: str, reason: str | None) -> bool:
    """Hold something up. Returns: False when it is held up already."""
    by = uow.caller.sub if uow.caller else None
    values = {"id": suspension_id, "tenant_id": uow.tenant, "kind": kind, "name": name, "reason": reason, "since": uow.now, "by": by}
    done = await uow.conn.execute(insert(suspensions).values(values).on_conflict_do_nothing().returning(suspensions.c.id))
    return done.scalar_one_or_none() is not None


async def set_job(uow: UnitOfWork, suspension_id: UUID, job_id: UUID) -> None:
    """Remember which job pauses what lives."""
    mine = sa.and_(suspensions.c.tenant_id == uow.tenant, suspensions.c.id == suspension_id)
    await uow.conn.execute(sa.update(suspensions).where(mine).values(pause_job=job_id))


async def get(uow: UnitOfWork, suspension_id: UUID) -> Suspension | None:
    """A suspension, None when there is none with this id."""
    query = sa.select(suspensions).where(suspensions.c.tenant_id == uow.tenant, suspensions.c.id == suspension_id)
    return (await uow.conn.execute(query)).one_or_none()


async def holding(uow: UnitOfWork) -> Sequence[Suspension]:
    """The tenant's suspensions that hold."""
    return (
        await uow.conn.execute(sa.select(suspensions).where(suspensions.c.tenant_id == uow.tenant, suspensions.c.lifted_at.is_(None)))
    ).all()


async def listed(uow: UnitOfWork, after: tuple[Any, ...] | None, limit: int) -> Sequence[Suspension]:
    """Suspensions, those that hold first, then the newest."""
    held = suspensions.c.lifted_at.is_(None)
    query = sa.select(suspensions).where(suspensions.c.tenant_id == uow.tenant)
    if after is not None:
        place = sa.tuple_(held, suspensions.c.since, suspensions.c.id)
        query = query.where(place < sa.tuple_(*map(sa.literal, after)))
    return (await uow.conn.execute(query.order_by(held.desc(), suspensions.c.since.desc(), suspensions.c.id.desc()).limit(limit))).all()


async def lift(uow: UnitOfWork, suspension_id: UUID) -> None:
    """Hold it up no longer: who stands at its gate finds it wide open."""
    by = uow.caller.sub if uow.caller else None
    lifted = sa.update(suspensions).where(suspensions.c.tenant_id == uow.tenant, suspensions.c.id == suspension_id)
    await uow.conn.execute(lifted.values(lifted_at=uow.now, lifted_by=by))
    gate = sa.and_(admissions.c.tenant_id == uow.tenant, admissions.c.gate == f"{_GATE}{suspension_id}")
    await uow.conn.execute(sa.update(admissions).where(gate).values(capacity=UNBOUNDED))


async def lifted(uow: UnitOfWork, gates: Iterable[str]) -> set[str]:
    """Which of these gates are those of suspensions that hold no longer."""
    ids = {UUID(gate.removeprefix(_GATE)) for gate in gates if gate.startswith(_GATE)}
    if not ids:
        return set()
    query = sa.select(suspensions.c.id).where(
        suspensions.c.tenant_id == uow.tenant, suspensions.c.id.in_(ids), suspensions.c.lifted_at.is_not(None)
    )
    return {f"{_GATE}{found}" for found in (await uow.conn.execute(query)).scalars()}
