"""Who reads which source, and how far: for all tenants at once, each row with its tenant. Time is this database's."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_events.errors import SourceTaken
from weft_events.records import Failure, Held, Look, Taken, Watched
from weft_events.tables import source


async def claim(uow: UnitOfWork, owner: UUID, lease_s: float, limit: int) -> list[Held]:
    """Take sources that nobody reads and that may be tried, at most so many, those that waited longest first."""
    rows = await uow.conn.execute(_CLAIM, {"owner": owner, "lease_s": lease_s, "most": limit})
    return [
        Held(row.tenant_id, row.id, row.name, row.connection, row.wake, tuple(Watched(**one) for one in row.installed), row.epoch)
        for row in rows
    ]


async def renew(uow: UnitOfWork, owner: UUID, lease_s: float, held: Collection[Held]) -> set[tuple[str, UUID, int]]:
    """Go on reading sources. Returns: tenant, id and epoch of those that are still held; of others somebody else decided."""
    columns = {"tenants": [one.tenant for one in held], "ids": [one.id for one in held], "epochs": [one.epoch for one in held]}
    rows = await uow.conn.execute(_RENEW, {"owner": owner, "lease_s": lease_s, **columns})
    return {(row.tenant_id, row.id, row.epoch) for row in rows}


async def release(uow: UnitOfWork, held: Collection[Held]) -> None:
    """Read sources no more, so that another need not wait for it."""
    columns = {"tenants": [one.tenant for one in held], "ids": [one.id for one in held], "epochs": [one.epoch for one in held]}
    await uow.conn.execute(_RELEASE, columns)


async def end(uow: UnitOfWork, connection: str) -> None:
    """End the reading of the tenant's sources that go by a connection: another epoch lets who reads them take nothing in any more."""
    row = {"owner": None, "leased_until": None, "epoch": source.c.epoch + 1}
    await uow.conn.execute(sa.update(source).where(source.c.tenant_id == uow.tenant, source.c.connection == connection).values(row))


async def took(uow: UnitOfWork, held: Held, taken: Taken) -> None:
    """Write what became of some changes, in the transaction that has them. Raises: SourceTaken, where somebody else reads it now."""
    row: dict[str, Any] = {
        "changes": source.c.changes + taken.events,
        "passed_over": source.c.passed_over + taken.passed_over,
        "last_change_at": sa.func.greatest(source.c.last_change_at, taken.newest),
    }
    if taken.event is not None:
        row["last_event"] = taken.event
    await _write(uow, held, row)


async def looked(uow: UnitOfWork, held: Held, look: Look) -> None:
    """Write how a source stands that was read. Raises: SourceTaken."""
    row: dict[str, Any] = {
        "looked_at": uow.now,
        "pending": look.pending,
        "lag_s": look.lag_s,
        "failures": 0,
        "error": None,
        "error_at": None,
    }
    if look.outbox_bytes is not None:
        row["outbox_bytes"] = look.outbox_bytes
    if look.checked is not None:
        row |= {"missing": list(look.checked.missing), "capture_version": look.checked.version}
    await _write(uow, held, row)


async def refused(uow: UnitOfWork, held: Held) -> None:
    """Count a change that could not be taken in. Raises: SourceTaken."""
    await _write(uow, held, {"refused": source.c.refused + 1})


async def failures(uow: UnitOfWork, held: Held) -> int:
    """How often it failed, one after the other. Raises: SourceTaken."""
    query = sa.select(source.c.failures).where(*_mine(held)).with_for_update()
    found = (await uow.conn.execute(query)).scalar_one_or_none()
    if found is None:
        raise _taken(held)
    return int(found)


async def failed(uow: UnitOfWork, held: Held, times: int, wait_s: float, why: Failure) -> None:
    """Write why a source cannot be read, for how long it is left alone, and let it go. Raises: SourceTaken."""
    row = {
        "failures": times,
        "error": {"code": why.code, "message": why.message},
        "error_at": uow.now,
        "next_try_at": _NOW + sa.func.make_interval(0, 0, 0, 0, 0, 0, wait_s),
        "owner": None,
        "leased_until": None,
    }
    await _write(uow, held, row)


async def _write(uow: UnitOfWork, held: Held, row: dict[str, Any]) -> None:
    found = await uow.conn.execute(sa.update(source).where(*_mine(held)).values(row).returning(source.c.epoch))
    if found.first() is None:
        raise _taken(held)


def _mine(held: Held) -> tuple[sa.ColumnElement[bool], ...]:
    """The source, for as long as this is its reader: the epoch says so."""
    return source.c.tenant_id == held.tenant, source.c.id == held.id, source.c.epoch == held.epoch


def _taken(held: Held) -> SourceTaken:
    return SourceTaken(f"the source {held.name!r} is read by another process, or not any more")


_NOW: sa.ColumnElement[datetime] = sa.literal_column("now()", sa.TIMESTAMP(timezone=True))
"""By the clock that all processes share."""
_LEASE = "now() + make_interval(secs => CAST(:lease_s AS float8))"
_CLAIM = sa.text(
    f"UPDATE events.source AS s SET owner = :owner, epoch = s.epoch + 1, leased_until = {_LEASE} FROM ("  # noqa: S608
    "SELECT tenant_id, id FROM events.source WHERE installed_at IS NOT NULL AND NOT removing "
    "AND NOT EXISTS (SELECT FROM events.suspension AS held WHERE held.tenant_id = source.tenant_id "
    "AND held.connection = source.connection AND NOT held.lifted) "
    "AND (leased_until IS NULL OR leased_until < now()) AND (next_try_at IS NULL OR next_try_at <= now()) "
    "ORDER BY coalesce(leased_until, next_try_at) NULLS FIRST, id LIMIT :most FOR UPDATE SKIP LOCKED) AS free "
    "WHERE s.tenant_id = free.tenant_id AND s.id = free.id "
    "RETURNING s.tenant_id, s.id, s.name, s.connection, s.wake, s.installed, s.epoch"
).columns(id=sa.Uuid, installed=source.c.installed.type)
_GIVEN = "unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[]), CAST(:epochs AS bigint[])) AS given (tenant, id, epoch)"
_SAME = "s.tenant_id = given.tenant AND s.id = given.id AND s.epoch = given.epoch"
_RENEW = sa.text(
    f"UPDATE events.source AS s SET leased_until = {_LEASE} FROM {_GIVEN} "  # noqa: S608
    f"WHERE {_SAME} AND s.owner = :owner RETURNING s.tenant_id, s.id, s.epoch"
)
_RELEASE = sa.text(f"UPDATE events.source AS s SET owner = NULL, leased_until = NULL FROM {_GIVEN} WHERE {_SAME}")  # noqa: S608
