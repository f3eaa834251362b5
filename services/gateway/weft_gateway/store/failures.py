"""Queries on failed sign-ins: one row an account or address, exact whatever number of gateways there are."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_gateway.attempts import WINDOW, Failures, Kind
from weft_gateway.tables import sign_in_failures as table


async def count(uow: UnitOfWork, account: str, address: str) -> list[Failures]:
    """Count a try as failed against both. Returns: how both stand with it."""
    # In one order everywhere, so that two gateways cannot wait for each other.
    rows = [{"kind": kind, "name": _digest(name), "failures": 1, "ends_at": uow.now + WINDOW} for kind, name in _both(account, address)]
    statement = insert(table).values(rows)
    over = table.c.ends_at <= uow.now
    counted = statement.on_conflict_do_update(
        index_elements=[table.c.kind, table.c.name],
        set_={
            "failures": sa.case((over, 1), else_=table.c.failures + 1),
            "ends_at": sa.case((over, statement.excluded.ends_at), else_=table.c.ends_at),
        },
    ).returning(table.c.kind, table.c.failures, table.c.ends_at)
    return [Failures(cast(Kind, row.kind), row.failures, row.ends_at) for row in await uow.conn.execute(counted)]


async def forgive(uow: UnitOfWork, account: str, address: str) -> None:
    """Forget the failures of an account whose person came in; the address keeps its own but for this try."""
    (_, account), (_, address) = _both(account, address)
    await uow.conn.execute(sa.delete(table).where(table.c.kind == "account", table.c.name == _digest(account)))
    one_less = sa.update(table).where(table.c.kind == "address", table.c.name == _digest(address), table.c.failures > 0)
    await uow.conn.execute(one_less.values(failures=table.c.failures - 1))


async def forget(uow: UnitOfWork, before: datetime) -> None:
    """Delete what has ended before."""
    await uow.conn.execute(sa.delete(table).where(table.c.ends_at < before))


def _both(account: str, address: str) -> list[tuple[Kind, str]]:
    return [("account", account), ("address", address)]


def _digest(name: str) -> bytes:
    return sha256(name.encode()).digest()
