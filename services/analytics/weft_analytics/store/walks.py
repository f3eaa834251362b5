"""The ways that executions took: what `hearing` put down is added to the numbers now and then; read always of one tenant."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_analytics.tables.walks import step_counts, step_times, walks_heard, way_counts, ways
from weft_analytics.walks import OTHER_WAYS, WAYS_MOST, Hour, Numbers, Walks, way_id
from weft_analytics.window import Window

AT_ONCE: Final = 500
"""Rows of what was heard that are added in one transaction."""
_LOCK: Final = "weft analytics walks"
_SLOT: Final = {"workflow": "text", "version": "int4", "at": "int8"}
_NODES: Final = {**_SLOT, "node": "text", "completed": "int8", "failed": "int8", "cancelled": "int8", "retries": "int8"}
_TIMES: Final = {**_SLOT, "node": "text", "waits": "bool", "bucket": "int2", "count": "int8"}
_WAYS: Final = {**_SLOT, "way": "uuid", "status": "text", "bucket": "int2", "count": "int8"}


def _add(table: sa.Table, types: Mapping[str, str]) -> sa.TextClause:
    types = {"tenant_id": "text", **types}
    key = [column.name for column in table.primary_key.columns]
    sums = ", ".join(f'"{name}" = kept."{name}" + excluded."{name}"' for name in types if name not in key)
    names, arrays = ", ".join(f'"{name}"' for name in types), ", ".join(f"CAST(:{name} AS {type_}[])" for name, type_ in types.items())
    return sa.text(
        f"INSERT INTO {table.fullname} AS kept ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sums}"
    )


_add_nodes, _add_times, _add_ways = _add(step_counts, _NODES), _add(step_times, _TIMES), _add(way_counts, _WAYS)
_name = sa.text(
    "INSERT INTO analytics.ways (tenant_id, workflow, id, path) SELECT * FROM unnest("
    "CAST(:tenant_id AS text[]), CAST(:workflow AS text[]), CAST(:id AS uuid[]), CAST(:path AS text[]))"
)


async def fold(uow: UnitOfWork) -> int:
    """Add some of what was put down to the numbers, of every tenant_id. Returns: how many rows; 0 also where another process is at it."""
    if not (await uow.conn.execute(sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtext(_LOCK))))).scalar_one():
        return 0
    oldest = sa.select(walks_heard.c.id).order_by(walks_heard.c.id).limit(AT_ONCE)
    rows = (
        await uow.conn.execute(
            sa.delete(walks_heard).where(walks_heard.c.id.in_(oldest)).returning(walks_heard.c.tenant_id, walks_heard.c.body)
        )
    ).all()
    if not rows:
        return 0
    walks: dict[str, Walks] = {}
    for tenant, body in rows:
        walks.setdefault(tenant, Walks()).take(msgspec.json.decode(body))
    every = [(tenant, hour, numbers) for tenant, one in walks.items() for hour, numbers in one.hours.items()]
    nodes = [(tenant, *hour, node, *counts) for tenant, hour, numbers in every for node, counts in numbers.nodes.items()]
    times = [(tenant, *hour, *key, count) for tenant, hour, numbers in every for key, count in numbers.times.items()]
    for statement, types, values in (
        (_add_nodes, _NODES, nodes), (_add_times, _TIMES, times), (_add_ways, _WAYS, await _told_apart(uow, every)),
    ):  # fmt: skip
        if values:
            await uow.conn.execute(statement, _columns(("tenant_id", *types), values))
    return len(rows)


async def _told_apart(uow: UnitOfWork, every: Sequence[tuple[str, Hour, Numbers]]) -> list[tuple[Any, ...]]:
    """Rows of `way_counts`, each of a tenant. Ways that are new are given a row of their own while their workflow has few enough."""
    met: dict[tuple[str, str], set[str]] = {}
    for tenant, hour, numbers in every:
        met.setdefault((tenant, hour.workflow), set()).update(path for path, _, _ in numbers.ways)
    known = await _known(uow, met)
    new: list[tuple[Any, ...]] = []
    for (tenant, workflow), paths in met.items():
        mine = known[tenant, workflow]
        for path in sorted(paths):
            if (id_ := way_id(path)) not in mine and len(mine) < WAYS_MOST:
                mine.add(id_)
                new.append((tenant, workflow, id_, path))
    if new:
        await uow.conn.execute(_name, _columns(("tenant_id", "workflow", "id", "path"), new))
    counts: dict[tuple[Any, ...], int] = {}
    for tenant, hour, numbers in every:
        for (path, status, bucket), count in numbers.ways.items():
            id_ = way_id(path)
            key = (tenant, *hour, id_ if id_ in known[tenant, hour.workflow] else OTHER_WAYS, status, bucket)
            counts[key] = counts.get(key, 0) + count
    return [(*key, count) for key, count in counts.items()]


async def _known(uow: UnitOfWork, of: Collection[tuple[str, str]]) -> dict[tuple[str, str], set[UUID]]:
    """The ids of the ways of these workflows, each of a tenant_id."""
    found: dict[tuple[str, str], set[UUID]] = {key: set() for key in of}
    workflows = sa.tuple_(ways.c.tenant_id, ways.c.workflow).in_(list(of))
    for tenant, workflow, id_ in await uow.conn.execute(sa.select(ways.c.tenant_id, ways.c.workflow, ways.c.id).where(workflows)):
        found[tenant, workflow].add(id_)
    return found


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


async def nodes(uow: UnitOfWork, window: Window, workflow: str, version: int | None) -> Sequence[Any]:
    """Per node of executions that started in the span: node, completed, failed, cancelled, retries."""
    columns = [
        sa.cast(sa.func.sum(step_counts.c[name]), sa.BigInteger).label(name) for name in ("completed", "failed", "cancelled", "retries")
    ]
    query = sa.select(step_counts.c.node, *columns).where(*_of(step_counts, uow, window, workflow, version))
    return (await uow.conn.execute(query.group_by(step_counts.c.node).order_by(step_counts.c.node))).all()


async def times(uow: UnitOfWork, window: Window, workflow: str, version: int | None) -> dict[tuple[str, bool], dict[int, int]]:
    """By node, and whether they are of waiting: counts of visits by bucket of duration."""
    by = (step_times.c.node, step_times.c.waits, step_times.c.bucket)
    query = sa.select(*by, sa.cast(sa.func.sum(step_times.c.count), sa.BigInteger).label("n"))
    found: dict[tuple[str, bool], dict[int, int]] = {}
    for row in await uow.conn.execute(query.where(*_of(step_times, uow, window, workflow, version)).group_by(*by)):
        found.setdefault((row.node, row.waits), {})[row.bucket] = row.n
    return found


async def paths(uow: UnitOfWork, window: Window, workflow: str, version: int | None) -> Sequence[Any]:
    """Ends of executions that started in the span: way, status, bucket, n."""
    by = (way_counts.c.way, way_counts.c.status, way_counts.c.bucket)
    query = sa.select(*by, sa.cast(sa.func.sum(way_counts.c.count), sa.BigInteger).label("n"))
    return (await uow.conn.execute(query.where(*_of(way_counts, uow, window, workflow, version)).group_by(*by))).all()


async def named(uow: UnitOfWork, workflow: str, ids: Collection[UUID]) -> dict[UUID, str]:
    """The paths of ways."""
    query = sa.select(ways.c.id, ways.c.path).where(ways.c.tenant_id == uow.tenant, ways.c.workflow == workflow, ways.c.id.in_(ids))
    return {row.id: row.path for row in await uow.conn.execute(query)}


async def forget(uow: UnitOfWork, before: int) -> None:
    """Delete numbers of hours that began before, in seconds since 1970, for every tenant_id, and ways of which nothing is counted then."""
    for table in (step_counts, step_times, way_counts):
        await uow.conn.execute(sa.delete(table).where(table.c.at < before))
    same = sa.and_(way_counts.c.tenant_id == ways.c.tenant_id, way_counts.c.workflow == ways.c.workflow, way_counts.c.way == ways.c.id)
    await uow.conn.execute(sa.delete(ways).where(~sa.exists().where(same)))


def _of(table: sa.Table, uow: UnitOfWork, window: Window, workflow: str, version: int | None) -> list[sa.ColumnElement[bool]]:
    conditions = [table.c.tenant_id == uow.tenant, table.c.workflow == workflow, table.c.at >= window.start, table.c.at < window.end]
    return conditions if version is None else [*conditions, table.c.version == version]
