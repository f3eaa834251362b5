"""The outbox table."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from weft_runtime.database.tenancy import quote
from weft_runtime.pipeline.words import Outgoing


class OutboxRows:
    """Queries on `<schema>.outbox`. The API role may only insert."""

    def __init__(self, schema: str) -> None:
        table = f"{quote(schema)}.outbox"
        self._insert = sa.text(
            f"INSERT INTO {table} (id, exchange, routing_key, item) SELECT * FROM unnest("  # noqa: S608
            "CAST(:ids AS uuid[]), CAST(:exchanges AS text[]), CAST(:keys AS text[]), CAST(:items AS bytea[]))"
        )
        self._delete = sa.text(f"DELETE FROM {table} WHERE id = ANY(CAST(:ids AS uuid[]))")  # noqa: S608
        self._left = sa.text(
            "SELECT id, exchange, routing_key, item, extract(epoch FROM now() - written_at)::float8 AS age_s"  # noqa: S608
            f" FROM {table} WHERE id > :after AND written_at <= now() - make_interval(secs => :older_s)"
            " ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"
        )
        self._backlog = sa.text(
            f"SELECT count(*), coalesce(extract(epoch FROM now() - min(written_at)), 0)::float8 FROM {table}"  # noqa: S608
        )

    async def insert(self, connection: AsyncConnection, rows: Sequence[Outgoing]) -> None:
        """Write rows."""
        await connection.execute(
            self._insert,
            {
                "ids": [row.id for row in rows],
                "exchanges": [row.exchange for row in rows],
                "keys": [row.routing_key for row in rows],
                "items": [row.item for row in rows],
            },
        )

    async def delete(self, connection: AsyncConnection, ids: Sequence[UUID]) -> None:
        """Forget rows."""
        await connection.execute(self._delete, {"ids": list(ids)})

    async def left(self, connection: AsyncConnection, *, older_s: float, after: UUID, limit: int) -> list[tuple[Outgoing, float]]:
        """Locked rows that are older, in order, with their age in seconds; those another process holds are left out."""
        found = await connection.execute(self._left, {"older_s": older_s, "after": after, "limit": limit})
        return [(Outgoing(row.id, row.exchange, row.routing_key, bytes(row.item)), row.age_s) for row in found]

    async def backlog(self, connection: AsyncConnection) -> tuple[int, float]:
        """How many rows there are, and the age of the oldest in seconds."""
        count, oldest_s = (await connection.execute(self._backlog)).one()
        return int(count), float(oldest_s)
