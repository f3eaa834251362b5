"""Queries on the live feed: facts kept a while for the tenants somebody watches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_gateway.feed import FeedItem
from weft_gateway.tables import feed, watchers

ROWS_MAX: Final = 200_000
"""Items kept at most, about 100 MB; somebody who missed more reads everything anew."""

# Any constant does; it only has to be the same in every gateway.
_ORDER_LOCK = 0x57_45_46_54_46_45_45_44


@dataclass(frozen=True, slots=True)
class Kept:
    """An item with its place in the feed. at: when it was heard."""

    id: int
    at: datetime
    item: FeedItem


async def watched(uow: UnitOfWork, tenants: Iterable[str], seen_after: datetime) -> set[str]:
    """Those of these tenants whose feed is watched, or was a moment ago."""
    query = sa.select(watchers.c.tenant_id).where(watchers.c.tenant_id.in_(sorted(set(tenants))), watchers.c.seen_at > seen_after)
    return set((await uow.conn.execute(query)).scalars())


async def add(uow: UnitOfWork, items: Sequence[FeedItem]) -> None:
    """Write items, in order."""
    # Held until the commit, so that a reader who saw an id can never see a lower one appear.
    await uow.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_ORDER_LOCK)))
    rows = [
        {
            "tenant_id": item.tenant,
            "kind": item.kind,
            "about": item.about,
            "execution_id": item.execution_id,
            "type": item.type,
            "data": item.data,
            "at": uow.now,
        }
        for item in items
    ]
    await uow.conn.execute(sa.insert(feed), rows)


async def watch(uow: UnitOfWork, tenants: Iterable[str], kept: timedelta) -> None:
    """Note that these tenants are watched now; where nobody watched for `kept`, their feed begins anew."""
    rows = [{"tenant_id": tenant, "seen_at": uow.now, "since": uow.now} for tenant in sorted(set(tenants))]
    if not rows:
        return
    statement = insert(watchers).values(rows)
    gap = watchers.c.seen_at <= uow.now - kept
    renewed = {"seen_at": statement.excluded.seen_at, "since": sa.case((gap, statement.excluded.since), else_=watchers.c.since)}
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=[watchers.c.tenant_id], set_=renewed))


async def since(uow: UnitOfWork, tenant: str) -> datetime:
    """Since when the feed of a watched tenant has no gap; now where it is not watched."""
    found = (await uow.conn.execute(sa.select(watchers.c.since).where(watchers.c.tenant_id == tenant))).scalar_one_or_none()
    return found or uow.now


async def newest(uow: UnitOfWork) -> int:
    """The id of the newest item of any tenant, 0 where there is none."""
    highest: int = (await uow.conn.execute(sa.select(sa.func.coalesce(sa.func.max(feed.c.id), 0)))).scalar_one()
    return highest


async def after(uow: UnitOfWork, last: int, *, limit: int, tenant: str | None = None, upto: int | None = None) -> list[Kept]:
    """Items after `last` in order. tenant: of one, of all when None.  upto: the last id to give."""
    query = sa.select(feed).where(feed.c.id > last)
    if tenant is not None:
        query = query.where(feed.c.tenant_id == tenant)
    if upto is not None:
        query = query.where(feed.c.id <= upto)
    rows = await uow.conn.execute(query.order_by(feed.c.id).limit(limit))
    return [Kept(row.id, row.at, FeedItem(row.tenant_id, row.kind, row.about, row.execution_id, row.type, row.data)) for row in rows]


async def oldest(uow: UnitOfWork) -> int:
    """The id of the oldest item of any tenant, 0 where there is none."""
    lowest: int = (await uow.conn.execute(sa.select(sa.func.coalesce(sa.func.min(feed.c.id), 0)))).scalar_one()
    return lowest


async def forget(uow: UnitOfWork, before: datetime) -> None:
    """Delete what was heard before, and the oldest of what is too much."""
    surplus = await newest(uow) - ROWS_MAX
    await uow.conn.execute(sa.delete(feed).where((feed.c.at < before) | (feed.c.id <= surplus)))
