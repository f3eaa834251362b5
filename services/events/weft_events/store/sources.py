"""Sources: what people make and change of them. How far their reading is, is in `store.reading`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_events.errors import SourceNotFound
from weft_events.records import CAPTURE, Failure, Source, Watched
from weft_events.store.suspensions import since_of_source
from weft_events.tables import source, watched

_SAME = [
    name
    for name in Source.__dataclass_fields__
    if name not in ("tenant", "tables", "installed", "error", "missing", "owned", "suspended_since")
]
_COLUMNS = (
    source.c.tenant_id.label("tenant"),
    *(source.c[name] for name in _SAME),
    *(source.c[name] for name in ("tables", "installed", "error", "missing")),
    sa.and_(source.c.owner.is_not(None), source.c.leased_until >= sa.literal_column("now()")).label("owned"),
    since_of_source().label("suspended_since"),
)


async def find(uow: UnitOfWork, id_: UUID, *, hold: bool = False) -> Source:
    """One source. hold: until the transaction ends nobody else changes it.  Raises: SourceNotFound."""
    query = sa.select(*_COLUMNS).where(source.c.tenant_id == uow.tenant, source.c.id == id_)
    row = (await uow.conn.execute(query.with_for_update() if hold else query)).mappings().one_or_none()
    if row is None:
        raise SourceNotFound(f"there is no source {id_}; GET /api/v1/sources lists those there are")
    return _source(row)


async def listed(uow: UnitOfWork, *, after: str | None, limit: int) -> list[Source]:
    """Sources by name. after: that of the last one seen."""
    query = sa.select(*_COLUMNS).where(source.c.tenant_id == uow.tenant)
    if after is not None:
        query = query.where(source.c.name > after)
    return [_source(row) for row in (await uow.conn.execute(query.order_by(source.c.name).limit(limit))).mappings()]


async def count(uow: UnitOfWork) -> int:
    """How many sources the tenant has."""
    return int(
        (await uow.conn.execute(sa.select(sa.func.count()).select_from(source).where(source.c.tenant_id == uow.tenant))).scalar_one()
    )


async def named(uow: UnitOfWork, name: str) -> bool:
    """Whether the tenant has a source of this name."""
    query = sa.select(source.c.id).where(source.c.tenant_id == uow.tenant, source.c.name == name)
    return (await uow.conn.execute(query)).first() is not None


async def add(uow: UnitOfWork, made: Source) -> None:
    """Write a new source; its tables are claimed apart."""
    row = {
        name: getattr(made, name)
        for name in ("id", "name", "kind", "connection", "wake", "version", "created_at", "created_by", "updated_at")
    }
    await uow.conn.execute(sa.insert(source).values(tenant_id=uow.tenant, tables=_documents(made.tables), **row))


async def change(uow: UnitOfWork, made: Source, *, elsewhere: bool) -> None:
    """Write what people may change of a source that is held. elsewhere: it goes by another connection, by which its reading begins anew."""
    row: dict[str, Any] = {"tables": _documents(made.tables), "connection": made.connection, "wake": made.wake, "version": made.version}
    if elsewhere:
        row |= {"leased_until": None, "owner": None, "epoch": source.c.epoch + 1}
    mine = (source.c.tenant_id == uow.tenant, source.c.id == made.id)
    await uow.conn.execute(sa.update(source).where(*mine).values(**row, updated_at=made.updated_at))


async def installed(uow: UnitOfWork, id_: UUID, tables: Sequence[Watched]) -> None:
    """Remember that these tables are captured: whoever reads it begins anew, now."""
    row = {
        "installed": _documents(tables),
        "installed_at": uow.now,
        "missing": [],
        "capture_version": CAPTURE,
        "refused": 0,
        "failures": 0,
        "error": None,
        "error_at": None,
    }
    # Another epoch ends the reading by who does not know of it.
    row |= {"next_try_at": None, "leased_until": None, "owner": None, "epoch": source.c.epoch + 1}
    await uow.conn.execute(sa.update(source).where(source.c.tenant_id == uow.tenant, source.c.id == id_).values(row))


async def begin_removal(uow: UnitOfWork, id_: UUID) -> None:
    """Let a source be read no more."""
    row = {"removing": True, "leased_until": None, "owner": None, "epoch": source.c.epoch + 1}
    await uow.conn.execute(sa.update(source).where(source.c.tenant_id == uow.tenant, source.c.id == id_).values(row))


async def remove(uow: UnitOfWork, id_: UUID) -> None:
    """Forget a source and which tables it had."""
    await uow.conn.execute(sa.delete(watched).where(watched.c.tenant_id == uow.tenant, watched.c.source_id == id_))
    await uow.conn.execute(sa.delete(source).where(source.c.tenant_id == uow.tenant, source.c.id == id_))


async def taken_names(uow: UnitOfWork, names: Sequence[str], but: UUID) -> dict[str, UUID]:
    """Which tables of these names the tenant's other sources have. but: one whose do not count."""
    query = sa.select(watched.c.name, watched.c.source_id).where(watched.c.tenant_id == uow.tenant, watched.c.name.in_(list(names)))
    return {row.name: row.source_id for row in await uow.conn.execute(query.where(watched.c.source_id != but))}


async def claim_names(uow: UnitOfWork, id_: UUID, names: Sequence[str]) -> None:
    """Let a source have tables of these names and no others."""
    await uow.conn.execute(sa.delete(watched).where(watched.c.tenant_id == uow.tenant, watched.c.source_id == id_))
    await uow.conn.execute(sa.insert(watched), [{"tenant_id": uow.tenant, "name": name, "source_id": id_} for name in names])


async def of_table(uow: UnitOfWork, name: str) -> Source | None:
    """The source that has the table of a name, None where none has."""
    query = sa.select(watched.c.source_id).where(watched.c.tenant_id == uow.tenant, watched.c.name == name)
    found = (await uow.conn.execute(query)).scalar_one_or_none()
    return None if found is None else await find(uow, found)


async def mended(uow: UnitOfWork, connection: str) -> None:
    """Let sources that go by a connection be tried again at once: it is another one now."""
    mine = (source.c.tenant_id == uow.tenant, source.c.connection == connection, source.c.next_try_at.is_not(None))
    await uow.conn.execute(sa.update(source).where(*mine).values(next_try_at=None))


def _documents(tables: Sequence[Watched]) -> list[dict[str, str]]:
    return [one.document() for one in tables]


def _source(row: sa.RowMapping) -> Source:
    given = {name: row[name] for name in _SAME}
    installed_ = None if row["installed"] is None else _tables(row["installed"])
    error = None if row["error"] is None else Failure(**row["error"])
    return Source(
        tenant=row["tenant"], owned=bool(row["owned"]), tables=_tables(row["tables"]), installed=installed_, error=error,
        missing=tuple(row["missing"]), suspended_since=row["suspended_since"], **given,
    )  # fmt: skip


def _tables(documents: Sequence[Mapping[str, str]]) -> tuple[Watched, ...]:
    return tuple(Watched(**one) for one in documents)
