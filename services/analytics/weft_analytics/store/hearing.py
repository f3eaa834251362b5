"""What the message door reads and writes: many rows a statement, of many tenants at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.definitions import WorkflowChanged
from weft_runtime.database.engine import to_json
from weft_runtime.uow import UnitOfWork

from weft_analytics.domain import Execution
from weft_analytics.rollups import COLUMNS, MINUTE, Counted, Deltas
from weft_analytics.tables import durations, executions, rollups, workflows
from weft_analytics.tasks import TaskState
from weft_analytics.walks import Heard

_LOCK: Final = "weft analytics"
_TYPES: Final = {
    "tenant_id": "text",
    "id": "uuid",
    "workflow": "text",
    "version": "int4",
    "status": "text",
    "position": "int8",
    "begun": "bool",
    "key": "text",
    "labels": "text",
    "trigger_type": "text",
    "trigger_id": "text",
    "event_id": "text",
    "user": "text",
    "parent": "uuid",
    "priority": "int2",
    "started_at": "timestamptz",
    "completed_at": "timestamptz",
    "duration_ms": "int8",
    "error_code": "text",
    "error_message": "text",
    "error_node": "text",
    "waiting_node": "text",
    "waiting_kind": "text",
    "waiting_until": "timestamptz",
    "waiting_for": "text",
    "heard_of_at": "timestamptz",
    "retried": "bool",
}
_UNSHOWN: Final = ("heard_of_at", "retried")
"""What lists do not read."""
_FIELDS: Final = tuple(name for name in _TYPES if name not in ("tenant_id", "labels"))
_SHOWN: Final = tuple(name for name in _FIELDS if name not in _UNSHOWN)
_fields = attrgetter(*_FIELDS)


def _upsert_executions() -> sa.TextClause:
    names = ", ".join(f'"{name}"' for name in _TYPES)
    arrays = ", ".join(f"CAST(:{name} AS {type_}[])" for name, type_ in _TYPES.items())
    values = ", ".join('"labels"::jsonb' if name == "labels" else f'"{name}"' for name in _TYPES)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in _TYPES if name not in ("tenant_id", "id"))
    # In the same statement what ends told of their ways: a round trip less for each batch.
    walked = (
        "WITH walked AS (INSERT INTO analytics.walks_heard (tenant_id, body)"
        " SELECT * FROM unnest(CAST(:walked_tenant AS text[]), CAST(:walked_body AS text[])))"
    )
    return sa.text(
        f"{walked} INSERT INTO analytics.executions AS kept ({names}) SELECT {values} FROM unnest({arrays}) AS new({names})"  # noqa: S608
        f" ON CONFLICT (id) DO UPDATE SET {changes} WHERE kept.tenant_id = excluded.tenant_id"
    )


def _upsert_rollups() -> sa.TextClause:
    names = ", ".join(COLUMNS)
    arrays = ", ".join(f"CAST(:{name} AS int8[])" for name in COLUMNS)
    sums = ", ".join(f"{name} = kept.{name} + excluded.{name}" for name in COLUMNS)
    return sa.text(
        f"INSERT INTO analytics.rollups AS kept (tenant_id, workflow, grain, at, {names})"  # noqa: S608
        " SELECT * FROM unnest(CAST(:tenant_id AS text[]), CAST(:workflow AS text[]), CAST(:grain AS int4[]), CAST(:at AS int8[]),"
        f" {arrays})"
        f" ON CONFLICT (tenant_id, workflow, grain, at) DO UPDATE SET {sums}"
    )


_met = sa.text(
    "SELECT id, position, tenant_id, workflow, started_at, status, completed_at, duration_ms, coalesce(retried, false)"
    " FROM analytics.executions"
    " WHERE id = ANY(CAST(:ids AS uuid[]))"
)
_executions_upsert = _upsert_executions()
_rollups_upsert = _upsert_rollups()
_durations_upsert = sa.text(
    "INSERT INTO analytics.durations AS kept (tenant_id, workflow, grain, at, bucket, count) SELECT * FROM unnest("
    "CAST(:tenant_id AS text[]), CAST(:workflow AS text[]), CAST(:grain AS int4[]), CAST(:at AS int8[]),"
    " CAST(:bucket AS int2[]), CAST(:count AS int8[]))"
    " ON CONFLICT (tenant_id, workflow, grain, at, bucket) DO UPDATE SET count = kept.count + excluded.count"
)
_tasks_upsert = sa.text(
    "INSERT INTO analytics.tasks AS kept (tenant_id, id, workflow, status, version, created_at, completed_at) SELECT * FROM unnest("
    "CAST(:tenant_id AS text[]), CAST(:id AS uuid[]), CAST(:workflow AS text[]), CAST(:status AS text[]), CAST(:version AS int4[]),"
    " CAST(:created_at AS timestamptz[]), CAST(:completed_at AS timestamptz[])) ON CONFLICT (id) DO UPDATE SET"
    " created_at = least(kept.created_at, excluded.created_at),"
    " status = CASE WHEN excluded.version >= kept.version THEN excluded.status ELSE kept.status END,"
    " completed_at = CASE WHEN excluded.version >= kept.version THEN excluded.completed_at ELSE kept.completed_at END,"
    " version = greatest(kept.version, excluded.version) WHERE kept.tenant_id = excluded.tenant_id"
)


async def lock(uow: UnitOfWork) -> None:
    """Be the only one who counts until the transaction ends: what is read here cannot change before it is written."""
    await uow.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(_LOCK))))


@dataclass(slots=True)
class Met:
    """What counts about an execution that is here, and the position of the newest fact heard."""

    position: int
    counted: Counted


async def met(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, Met]:
    """Those of these executions that are here, of whatever tenant, as far as they count."""
    rows = await uow.conn.execute(_met, {"ids": list(ids)})
    return {id_: Met(position, Counted(*counts)) for id_, position, *counts in rows}


async def known(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, Execution]:
    """Those of these executions that are here, of whatever tenant."""
    rows = await uow.conn.execute(sa.select(executions).where(executions.c.id == sa.any_(sa.cast(list(ids), sa.ARRAY(sa.Uuid)))))
    return {row.id: execution(row) for row in rows}


async def save(uow: UnitOfWork, changed: Sequence[Execution], walks: Mapping[str, Heard]) -> None:
    """Write executions as they are now, and put down what ends told of their ways, a row for each tenant: `walks.fold` adds it up."""
    values = zip(*map(_fields, changed), strict=True)
    # Of a column that is empty all the way down nothing is sent: the shorter of several arrays is filled up with nulls, and the driver
    # looks at each null in an array for longer than this does.
    columns: dict[str, list[Any]] = {
        name: list(column) if any(value is not None for value in column) else [] for name, column in zip(_FIELDS, values, strict=True)
    }
    columns["tenant_id"] = [one.tenant for one in changed]
    columns["labels"] = [to_json(one.labels) if one.labels else "{}" for one in changed]
    columns["walked_tenant"], columns["walked_body"] = list(walks), [to_json(heard.told()) for heard in walks.values()]
    await uow.conn.execute(_executions_upsert, columns)


async def count(uow: UnitOfWork, deltas: Deltas) -> None:
    """Add changes to the numbers."""
    counts = [(slot, values) for slot, values in sorted(deltas.counts.items()) if any(values)]
    if counts:
        slots = _columns([slot for slot, _ in counts])
        await uow.conn.execute(_rollups_upsert, slots | {name: [values[i] for _, values in counts] for i, name in enumerate(COLUMNS)})
    times = [(key, value) for key, value in sorted(deltas.durations.items()) if value]
    if times:
        slots = _columns([slot for (slot, _), _ in times])
        buckets = {"bucket": [bucket for (_, bucket), _ in times], "count": [value for _, value in times]}
        await uow.conn.execute(_durations_upsert, slots | buckets)


async def save_tasks(uow: UnitOfWork, states: Iterable[TaskState]) -> None:
    """Write what is newest about tasks; an older state changes nothing but when a task was made."""
    rows = list(states)
    columns = {name: [getattr(one, name) for one in rows] for name in ("id", "workflow", "status", "version", "created_at", "completed_at")}
    await uow.conn.execute(_tasks_upsert, {"tenant_id": [one.tenant for one in rows], **columns})


async def save_workflow(uow: UnitOfWork, fact: WorkflowChanged) -> None:
    """Keep the newest name and status of a workflow."""
    values = {"name": fact.name, "status": fact.status, "revision": fact.revision}
    statement = insert(workflows).values(tenant_id=uow.tenant, slug=fact.slug, **values)
    newer = workflows.c.revision < fact.revision
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "slug"], set_=values, where=newer))


async def forget_executions(uow: UnitOfWork, ids: Sequence[UUID]) -> None:
    """Delete executions of the tenant; what they have added to the numbers stays."""
    await uow.conn.execute(sa.delete(executions).where(executions.c.tenant_id == uow.tenant, executions.c.id.in_(ids)))


async def forget_minutes(uow: UnitOfWork, before: int) -> None:
    """Delete numbers by the minute of slots that began before, in seconds since 1970, for every tenant_id."""
    for table in (rollups, durations):
        await uow.conn.execute(sa.delete(table).where(table.c.grain == MINUTE, table.c.at < before))


def execution(row: sa.Row[Any]) -> Execution:
    """An execution from its row."""
    unshown: dict[str, Any] = {"heard_of_at": getattr(row, "heard_of_at", None), "retried": bool(getattr(row, "retried", None))}
    return Execution(tenant=row.tenant_id, labels=row.labels, **unshown, **{name: getattr(row, name) for name in _SHOWN})


def _columns(slots: Sequence[Any]) -> dict[str, list[Any]]:
    return {
        "tenant_id": [slot.tenant for slot in slots],
        "workflow": [slot.workflow for slot in slots],
        "grain": [slot.grain for slot in slots],
        "at": [slot.at for slot in slots],
    }
