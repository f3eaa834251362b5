"""Queries on failed sign-ins: one row an account, an address and both together, exact whatever number of gateways there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_gateway.attempts import KNOWN_FOR, LIMITS, TOLD_WINDOW, Failures, Kind
from weft_gateway.tables import sign_in_failures as table
from weft_gateway.tables import sign_in_places as places

_REFUSED: Final = "refused"
"""The kind of row that counts what the audit may be told of; it holds nobody up."""


async def count(uow: UnitOfWork, account: str, address: str) -> list[Failures]:
    """Count a try as failed against all three. Returns: how each stands with it."""
    # In one order everywhere, so that two gateways cannot wait for each other.
    rows = [
        {"kind": kind, "name": name, "failures": 1, "ends_at": uow.now + LIMITS[kind].window}
        for kind, name in _names(account, address).items()
    ]
    return [Failures(cast(Kind, row.kind), row.failures, row.ends_at) for row in await _one_more(uow, rows)]


async def refuse(uow: UnitOfWork, account: str) -> int:
    """Count a try as refused. Returns: how many were, of this account within the window."""
    row = {"kind": _REFUSED, "name": _digest(account), "failures": 1, "ends_at": uow.now + TOLD_WINDOW}
    return int((await _one_more(uow, [row]))[0].failures)


async def _one_more(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> Sequence[sa.Row[Any]]:
    statement = insert(table).values(rows)
    over = table.c.ends_at <= uow.now
    counted = statement.on_conflict_do_update(
        index_elements=[table.c.kind, table.c.name],
        set_={
            "failures": sa.case((over, 1), else_=table.c.failures + 1),
            "ends_at": sa.case((over, statement.excluded.ends_at), else_=table.c.ends_at),
        },
    ).returning(table.c.kind, table.c.failures, table.c.ends_at)
    return (await uow.conn.execute(counted)).all()


async def forgive(uow: UnitOfWork, account: str, address: str) -> None:
    """Forget the failures of an account at an address from which its person came in; the others keep theirs but for this try."""
    names = _names(account, address)
    # In the order of `count`, which somebody may be doing who signs in there as the same person.
    for kind in ("account", "address"):
        one_less = sa.update(table).where(table.c.kind == kind, table.c.name == names[kind], table.c.failures > 0)
        await uow.conn.execute(one_less.values(failures=table.c.failures - 1))
    await uow.conn.execute(sa.delete(table).where(table.c.kind == "pair", table.c.name == names["pair"]))


async def known(uow: UnitOfWork, account: str, address: str) -> bool:
    """Whether the person of an account has signed in from an address lately."""
    query = sa.select(places.c.name).where(places.c.name == _names(account, address)["pair"], places.c.ends_at > uow.now)
    return (await uow.conn.execute(query)).first() is not None


async def remember(uow: UnitOfWork, account: str, address: str) -> None:
    """Know an address as one where the person of an account signs in."""
    statement = insert(places).values(name=_names(account, address)["pair"], ends_at=uow.now + KNOWN_FOR)
    later = {"ends_at": statement.excluded.ends_at}
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=[places.c.name], set_=later))


async def forget(uow: UnitOfWork, before: datetime) -> None:
    """Delete what has ended before."""
    for one in (table, places):
        await uow.conn.execute(sa.delete(one).where(one.c.ends_at < before))


def _names(account: str, address: str) -> dict[Kind, bytes]:
    # No address holds a NUL, so no two pairs look alike.
    return {"account": _digest(account), "address": _digest(address), "pair": _digest(f"{address}\x00{account}")}


def _digest(name: str) -> bytes:
    return sha256(name.encode()).digest()
