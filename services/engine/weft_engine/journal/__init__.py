"""The journal and what goes with it into one transaction: one statement a batch, fenced by the epochs of its partitions.

This is the hot path, so it speaks to PostgreSQL with asyncpg directly and in arrays: a row costs 70 µs alone and 8 µs among a hundred.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from weft_runtime.database import driver_url
from weft_runtime.database.blobs import unpacked

from weft_engine.core import entries as core_entries
from weft_engine.core.entries import Row
from weft_engine.journal import statements as sql
from weft_engine.journal.rows import (
    AdmissionRow,
    AnswerRow,
    Batch,
    BlobRow,
    Fence,
    HeadRow,
    JournalRow,
    KeyRow,
    LeavingRow,
    UseRow,
    WordRow,
)

__all__ = [
    "DATABASE_ERRORS",
    "AdmissionRow",
    "AlreadyThere",
    "AnswerRow",
    "Batch",
    "BlobRow",
    "Connect",
    "DataError",
    "Fence",
    "Fenced",
    "HeadRow",
    "Journal",
    "JournalRow",
    "KeyRow",
    "LeavingRow",
    "UseRow",
    "WordRow",
    "connector",
    "months_from",
    "prune_answers",
]

Connection = asyncpg.Connection
Connect = Callable[[], Awaitable[Connection]]
"""Opens a connection to the engine's schema. Raises: one of `DATABASE_ERRORS`."""
DataError = asyncpg.DataError
"""A value that PostgreSQL refuses: it spoils only the item it came with."""
AlreadyThere = asyncpg.UniqueViolationError
"""What a batch says that has an execution born which is there already."""
DATABASE_ERRORS: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a database that is away, slow or restarted raises. Whether the last commit was done is not known then."""


class Fenced(Exception):
    """Another node owns a partition of this batch now; nothing of it was written."""


def connector(url: str) -> Connect:
    """How the hot loop opens connections of its own. url: of any `postgresql` driver, as the owner of the schema."""
    return partial(_connect, driver_url(url))


async def _connect(url: str) -> Connection:
    return await asyncpg.connect(
        url,
        timeout=5,
        command_timeout=30,
        server_settings={"application_name": "weft-engine-lane", "timezone": "UTC", "jit": "off", "search_path": "engine"},
    )


async def forget_blobs(connection: Connection, limit: int = 500) -> int:
    """Delete large values that no journal names any more, among those whose time to be looked at has come, the earliest first.

    Returns: how many were looked at, at most `limit`; at none there is nothing left to do for now.
    """
    return int(await connection.fetchval(sql.FORGET_BLOBS, limit))


async def prune_answers(connection: Connection) -> None:
    """Forget answers that nobody waits for any more."""
    await connection.execute("DELETE FROM engine.answers WHERE answered_at < clock_timestamp() - interval '1 hour'")


class Journal:
    """The engine's own door to its schema, for one lane: one connection, one batch at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def closed(self) -> bool:
        """Whether the connection is gone; a new one is needed then."""
        return bool(self._connection.is_closed())

    async def commit(self, batch: Batch) -> None:
        """Write a batch, all or nothing, durable when this returns. Raises: Fenced, AlreadyThere, asyncpg's errors."""
        # In one order, so that two lanes that keep the same values at once do not wait for each other.
        batch.blobs.sort()
        batch.uses[:] = sorted(set(batch.uses))
        parts = tuple([part for part in sql.PARTS if getattr(batch, part.name)])
        columns = [
            list(column) for rows in (batch.fences, *(getattr(batch, part.name) for part in parts)) for column in zip(*rows, strict=True)
        ]
        if await self._connection.fetchval(sql.commit(parts), *columns) != 1:
            raise Fenced

    async def renew(self, fences: Sequence[Fence]) -> dict[int, int]:
        """Raise the epochs of partitions that are still ours: a batch of ours still on its way then writes nothing, or is waited for.

        Returns: the new epoch by partition; one that another node has taken is left out.
        """
        records = await self._connection.fetch(sql.RENEW, *_columns(fences, 3)[:2])
        return {record["partition"]: record["epoch"] for record in records}

    def abandon(self) -> None:
        """Close the connection without a word."""
        self._connection.terminate()

    async def load(self, ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
        """The journals of these executions, each in order; one without a journal is left out."""
        rows: dict[UUID, list[Row]] = {}
        for record in await self._connection.fetch(sql.LOAD, ids):
            rows.setdefault(record["execution_id"], []).append(
                Row(record["position"], record["at"], core_entries.decode(record["entries"]))
            )
        return rows

    async def blobs(self, tenant: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Large values of a tenant, JSON by id; one that is not kept is left out."""
        return {
            record["id"]: unpacked(record["content"], record["size_bytes"])
            for record in await self._connection.fetch(sql.BLOBS, tenant, ids)
        }

    async def heads(self, ids: Sequence[UUID]) -> dict[UUID, tuple[str, datetime | None]]:
        """(status, wake_at) as stored of these executions; one that is unknown is left out."""
        return {record["id"]: (record["status"], record["wake_at"]) for record in await self._connection.fetch(sql.HEADS, ids)}

    async def unpublished(self, partition: int, after: int, limit: int) -> list[tuple[int, UUID, Row]]:
        """Rows whose messages the broker has not confirmed, by seq: what the last owner may have left unsaid."""
        return [
            (record["seq"], record["execution_id"], Row(record["position"], record["at"], core_entries.decode(record["entries"])))
            for record in await self._connection.fetch(sql.UNPUBLISHED, partition, after, limit)
        ]

    async def due(self, partition: int, before: datetime, limit: int) -> list[tuple[UUID, datetime]]:
        """Executions that time will move before that moment, the earliest first."""
        return [(record["id"], record["wake_at"]) for record in await self._connection.fetch(sql.DUE, partition, before, limit)]

    async def last_seq(self, partition: int) -> int:
        """The highest seq that the partition ever gave a row, 0 where it gave none."""
        return int(await self._connection.fetchval(sql.LAST_SEQ, partition) or 0)

    async def keep(self, execution_id: UUID, until: datetime) -> None:
        """See to it that an execution that has ended is not forgotten before that moment."""
        await self._connection.execute(sql.KEEP, execution_id, until)

    async def answered(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those of these answers that are given."""
        return {record["id"] for record in await self._connection.fetch(sql.ANSWERED, ids)}

    async def let_in(self, execution_id: UUID) -> bool:
        """Whether an execution stands behind all of its gates, and there is one; what this turn has yet to write does not count."""
        return bool(await self._connection.fetchval(sql.LET_IN, execution_id))

    async def behind_gate(self, tenant: str, gate: str, most: int) -> list[UUID]:
        """Who lives behind a gate, the oldest first, at most so many."""
        return [record["execution_id"] for record in await self._connection.fetch(sql.BEHIND_GATE, tenant, gate, most)]

    async def take_keys(self, wanted: Sequence[KeyRow]) -> dict[tuple[str, str, str], UUID]:
        """Take these keys where they are free. Returns: who holds each now. A key is given back by the commit that ends its execution."""
        columns = _columns(wanted, 4)
        await self._connection.execute(sql.TAKE_KEYS, *columns)
        records = await self._connection.fetch(sql.KEY_HOLDERS, *columns[:3])
        return {(record["tenant_id"], record["workflow"], record["key"]): record["execution_id"] for record in records}

    async def definition(self, tenant: str, slug: str, version: int | None) -> tuple[int, dict[str, Any]] | None:
        """(version, document) of a version, the active one for None; None when it is not here."""
        record = await self._connection.fetchrow(
            "SELECT d.version, d.document FROM engine.workflows w JOIN engine.definitions d"
            " ON d.tenant_id = w.tenant_id AND d.slug = w.slug AND d.version = coalesce($3::int, w.active_version)"
            " WHERE w.tenant_id = $1 AND w.slug = $2",
            tenant, slug, version,
        )  # fmt: skip
        return None if record is None else (record["version"], msgspec.json.decode(record["document"]))

    async def suspended(self, tenant: str) -> dict[str, str]:
        """What of a tenant is held up: gates by `tenant`, `workflow:<slug>`, `node_type:<type>`."""
        records = await self._connection.fetch(sql.SUSPENDED, tenant)
        return {":".join(filter(None, (one["kind"], one["name"]))): f"suspended:{one['id']}" for one in records}

    async def tenant(self, tenant: str) -> dict[str, Any] | None:
        """A tenant as expressions read it, `{id, tier, settings}`; None when it is not here."""
        record = await self._connection.fetchrow("SELECT tier, settings FROM engine.tenants WHERE tenant_id = $1", tenant)
        return None if record is None else {"id": tenant, "tier": record["tier"], "settings": msgspec.json.decode(record["settings"])}

    async def tenants(self) -> frozenset[str]:
        """The ids of all tenants that were heard of."""
        return frozenset(record["tenant_id"] for record in await self._connection.fetch("SELECT tenant_id FROM engine.tenants"))

    async def calendars(self, tenant: str) -> list[tuple[str, int, str]]:
        """(name, revision, document as JSON) of the business calendars of a tenant."""
        records = await self._connection.fetch("SELECT name, revision, document FROM engine.calendars WHERE tenant_id = $1", tenant)
        return [(record["name"], record["revision"], record["document"]) for record in records]


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    if not rows:
        return [[] for _ in range(width)]
    return [list(column) for column in zip(*rows, strict=True)]


def months_from(moment: datetime, count: int = 2) -> list[tuple[str, str]]:
    """(name, statement that makes it) of the journal's monthly parts, from the month of `moment` on."""
    first = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    made = []
    for _ in range(count):
        following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        name = f"journal_{first:%Y%m}"
        statement = (
            f"CREATE TABLE IF NOT EXISTS engine.{name} PARTITION OF engine.journal"
            f" FOR VALUES FROM ('{first:%Y-%m-%d} 00:00+00') TO ('{following:%Y-%m-%d} 00:00+00')"
        )
        made.append((name, statement))
        first = following
    return made
