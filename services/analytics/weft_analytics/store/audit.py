"""The chains of who did what, written by both doors and read always of one tenant."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from weft_runtime.uow import UnitOfWork

from weft_analytics.audit import FIRST, Row
from weft_analytics.tables import audit, audit_heads

_ROW: Final = tuple(one.name for one in fields(Row))


async def head(uow: UnitOfWork, tenant: str, *, lock: bool = False) -> tuple[int, str]:
    """Seq and hash of a tenant's newest row; 0 and `FIRST` where there is none. lock: nobody else adds one while the transaction lasts."""
    if lock:
        first = insert(audit_heads).values(tenant_id=tenant, seq=0, hash=FIRST)
        await uow.conn.execute(first.on_conflict_do_nothing())
    query = sa.select(audit_heads.c.seq, audit_heads.c.hash).where(audit_heads.c.tenant_id == tenant)
    found = (await uow.conn.execute(query.with_for_update() if lock else query)).one_or_none()
    return (0, FIRST) if found is None else (found.seq, found.hash)


async def known(uow: UnitOfWork, tenant: str, facts: Collection[str]) -> set[str]:
    """Those of these facts that are in a tenant's chain."""
    query = sa.select(audit.c.fact).where(audit.c.tenant_id == tenant, audit.c.fact.in_(facts))
    return set((await uow.conn.execute(query)).scalars())


async def newest(uow: UnitOfWork, tenant: str, resources: Collection[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
    """What the newest row of each of these (type, id) that tells a state of it has made of it."""
    about = sa.tuple_(audit.c.resource_type, audit.c.resource_id)
    query = sa.select(audit.c.resource_type, audit.c.resource_id, audit.c.after).where(
        audit.c.tenant_id == tenant, about.in_(list(resources)), sa.or_(audit.c.details.is_(None), audit.c.after.is_not(None))
    )
    query = query.ext(distinct_on(audit.c.resource_type, audit.c.resource_id))
    ordered = query.order_by(audit.c.resource_type, audit.c.resource_id, audit.c.seq.desc())
    return {(row.resource_type, row.resource_id): row.after for row in await uow.conn.execute(ordered)}


async def add(uow: UnitOfWork, tenant: str, rows: Sequence[Row]) -> None:
    """Add rows to the end of a tenant's chain, whose head is locked."""
    await uow.conn.execute(sa.insert(audit), [{"tenant_id": tenant, **asdict(row)} for row in rows])
    moved = sa.update(audit_heads).where(audit_heads.c.tenant_id == tenant)
    await uow.conn.execute(moved.values(seq=rows[-1].seq, hash=rows[-1].hash))


async def listed(
    uow: UnitOfWork,
    equal: dict[str, str | None],
    since: datetime | None,
    until: datetime | None,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
) -> list[Row]:
    """Rows, the newest first. equal: values by column, None for any.  after: (seq,) of the last one seen."""
    where = [audit.c.tenant_id == uow.tenant, *(audit.c[name] == value for name, value in equal.items() if value is not None)]
    if since is not None:
        where.append(audit.c.at >= since)
    if until is not None:
        where.append(audit.c.at < until)
    if after is not None:
        where.append(audit.c.seq < int(after[0]))
    return await _rows(uow, sa.select(audit).where(*where).order_by(audit.c.seq.desc()).limit(limit))


async def following(uow: UnitOfWork, seq: int, limit: int) -> list[Row]:
    """Rows after one, in order."""
    query = sa.select(audit).where(audit.c.tenant_id == uow.tenant, audit.c.seq > seq)
    return await _rows(uow, query.order_by(audit.c.seq).limit(limit))


async def one(uow: UnitOfWork, seq: int) -> Row | None:
    """One row, None where it is not there."""
    found = await _rows(uow, sa.select(audit).where(audit.c.tenant_id == uow.tenant, audit.c.seq == seq))
    return found[0] if found else None


async def _rows(uow: UnitOfWork, query: sa.Select[Any]) -> list[Row]:
    return [Row(**{name: getattr(row, name) for name in _ROW}) for row in await uow.conn.execute(query)]
