"""Backtests that are to be run, and the events that they look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.questions import BacktestTriggers
from weft_runtime.uow import UnitOfWork

from weft_events.domain import Logged
from weft_events.listening import first_id
from weft_events.tables import backtest, event

SKEW: Final = timedelta(minutes=5)
"""By so much, at most, the time in an event's id and the one at which it was received differ."""
_NOW: Final[sa.ColumnElement[datetime]] = sa.literal_column("now()", sa.TIMESTAMP(timezone=True))
"""By the clock that all processes share."""
_READ: Final = (
    *("id", "received_at", "event_id", "source", "type", "subject", "time", "attributes"),
    *("status", "started", "considered_total", "duplicates", "is_binary", "data", "request"),
)


async def add(uow: UnitOfWork, asked: BacktestTriggers) -> None:
    """Keep a backtest until it is run."""
    row = {"tenant_id": uow.tenant, "id": asked.question_id, "asked": asked.model_dump(mode="json")}
    await uow.conn.execute(insert(backtest).values(row).on_conflict_do_nothing())


async def claim(uow: UnitOfWork, lease_s: float) -> tuple[str, BacktestTriggers, int] | None:
    """Take a backtest that nobody runs, the one asked for first, for a while.

    Returns: its tenant, what was asked, and how often it was taken, this time counted.
    """
    row = (await uow.conn.execute(_CLAIM, {"lease_s": lease_s})).one_or_none()
    return None if row is None else (row.tenant_id, BacktestTriggers.model_validate(row.asked), row.tries)


async def renew(uow: UnitOfWork, id_: UUID, lease_s: float) -> None:
    """Go on running one."""
    until = _NOW + sa.func.make_interval(0, 0, 0, 0, 0, 0, lease_s)
    await uow.conn.execute(sa.update(backtest).where(backtest.c.tenant_id == uow.tenant, backtest.c.id == id_).values(leased_until=until))


async def remove(uow: UnitOfWork, id_: UUID) -> bool:
    """Forget one that was run. Returns: whether it was there: another may have run it meanwhile."""
    statement = sa.delete(backtest).where(backtest.c.tenant_id == uow.tenant, backtest.c.id == id_)
    return (await uow.conn.execute(statement.returning(backtest.c.id))).first() is not None


async def page(
    uow: UnitOfWork, types: Sequence[str], globs: Sequence[str], since: datetime, until: datetime, after: UUID | None, limit: int
) -> list[Logged]:
    """Events with their data, oldest first. types: exact.  globs: with `*` and `?`.  until: excluded.  after: the last one seen."""
    query = sa.select(*(event.c[name] for name in _READ)).where(event.c.tenant_id == uow.tenant)
    query = query.where(event.c.received_at >= since, event.c.received_at < until)
    query = query.where(event.c.id >= first_id(since - SKEW), event.c.id < first_id(until + SKEW))
    wanted: list[sa.ColumnElement[bool]] = [event.c.type.in_(list(types))]
    wanted += [event.c.type.like(_like(glob), escape="\\") for glob in globs]
    query = query.where(sa.or_(*wanted))
    if after is not None:
        query = query.where(event.c.id > after)
    rows = (await uow.conn.execute(query.order_by(event.c.id).limit(limit))).mappings()
    return [Logged(**row) for row in rows]


def _like(glob: str) -> str:
    return glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%").replace("?", "_")


_CLAIM: Final[Any] = sa.text(
    "UPDATE events.backtest AS b SET tries = b.tries + 1, leased_until = now() + make_interval(secs => CAST(:lease_s AS float8)) FROM ("
    "SELECT tenant_id, id FROM events.backtest WHERE leased_until IS NULL OR leased_until < now() "
    "ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) AS free "
    "WHERE b.tenant_id = free.tenant_id AND b.id = free.id RETURNING b.tenant_id, b.asked, b.tries"
).columns(asked=backtest.c.asked.type)
