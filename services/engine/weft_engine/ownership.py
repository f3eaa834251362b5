"""The rows that say who owns what: nodes and partitions, and the session lock that tells a living node from a dead one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg
import structlog

log = structlog.get_logger(__name__)

_LIVING: Final = """
SELECT n.id FROM engine.nodes n
JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND (l.classid::bigint << 32) | l.objid::bigint = n.lock_key
WHERE n.seen_at > clock_timestamp() - make_interval(secs => $1)
"""

_TAKE: Final = """
UPDATE engine.partitions SET epoch = epoch + 1, owner = $2
WHERE partition = $1 AND (owner IS NULL OR owner = $2 OR NOT owner = ANY($3::uuid[]))
RETURNING epoch, published
"""


class Ownership:
    """One node's seat among the nodes: its connection holds the lock, so losing the one loses the other.

    lease_s: seconds without a sign of life after which a node is dead. No answer is waited for any longer.
    """

    def __init__(self, connection: asyncpg.Connection, node: UUID, lease_s: float) -> None:
        self._connection = connection
        self._node = node
        # An answer that takes longer is of no use: the others take this node for dead by then.
        self._lease_s = lease_s
        # A key of this connection's own: PostgreSQL may not know for hours that the last one is dead, and gives its lock to nobody.
        self._lock_key = secrets.randbits(62)

    @property
    def closed(self) -> bool:
        """Whether the seat is lost."""
        return bool(self._connection.is_closed())

    async def enter(self, partitions: int) -> None:
        """Take the seat. partitions: how many the mesh has."""
        await self._connection.execute("SELECT pg_advisory_lock($1)", self._lock_key, timeout=self._lease_s)
        await self._connection.execute(
            "INSERT INTO engine.nodes (id, lock_key, seen_at) VALUES ($1, $2, clock_timestamp())"
            " ON CONFLICT (id) DO UPDATE SET lock_key = excluded.lock_key, seen_at = excluded.seen_at",
            self._node, self._lock_key,
        )  # fmt: skip
        await self._connection.execute(
            "INSERT INTO engine.partitions (partition) SELECT generate_series(0, $1::int - 1) ON CONFLICT DO NOTHING", partitions
        )

    async def make_months(self, months: Sequence[tuple[str, str]]) -> None:
        """Make the journal's parts that do not exist yet, one process at a time. months: names with their statements."""
        for name, statement in months:
            if await self._connection.fetchval("SELECT to_regclass('engine.' || $1)", name) is None:
                await self._make_month(name, statement)

    async def _make_month(self, name: str, statement: str) -> None:
        try:
            async with self._connection.transaction():
                await self._connection.execute("SELECT pg_advisory_xact_lock(hashtext('weft journal months'))")
                await self._connection.execute(statement)
        except asyncpg.CheckViolationError:
            # Rows of that month are in the default part: it goes on taking them, which costs tidiness and nothing else.
            log.warning("journal_month_not_made", part=name)

    async def living(self) -> list[UUID]:
        """Say that we live, and hear who does."""
        seen = "UPDATE engine.nodes SET seen_at = clock_timestamp() WHERE id = $1"
        await self._connection.execute(seen, self._node, timeout=self._lease_s)
        return [record["id"] for record in await self._connection.fetch(_LIVING, self._lease_s, timeout=self._lease_s)]

    async def take(self, partition: int, living: Sequence[UUID]) -> tuple[int, int] | None:
        """Own a partition that nobody living owns. Returns: its new epoch and what was published, None when it is taken."""
        others = [node for node in living if node != self._node]
        record = await self._connection.fetchrow(_TAKE, partition, self._node, others, timeout=self._lease_s)
        return None if record is None else (record["epoch"], record["published"])

    async def held(self) -> set[int]:
        """The partitions that are ours by the rows. What we serve beyond these, another took while we slept."""
        ours = "SELECT partition FROM engine.partitions WHERE owner = $1"
        records = await self._connection.fetch(ours, self._node, timeout=self._lease_s)
        return {record["partition"] for record in records}

    async def keep(self, partitions: Sequence[int]) -> None:
        """Own only these from now on: what we had claimed when the last connection broke, and do not serve, is free again."""
        await self._connection.execute(
            "UPDATE engine.partitions SET owner = NULL WHERE owner = $1 AND NOT partition = ANY($2::smallint[])",
            self._node, partitions, timeout=self._lease_s,
        )  # fmt: skip

    def abandon(self) -> None:
        """Close the connection without a word, and with it let go of the lock."""
        self._connection.terminate()

    async def give_up(self, partition: int) -> None:
        """Own a partition no longer, so that the next owner need not wait."""
        await self._connection.execute(
            "UPDATE engine.partitions SET owner = NULL WHERE partition = $1 AND owner = $2", partition, self._node, timeout=self._lease_s
        )

    async def leave(self) -> None:
        """Give the seat and every partition back."""
        await self._connection.execute("UPDATE engine.partitions SET owner = NULL WHERE owner = $1", self._node, timeout=self._lease_s)
        await self._connection.execute("DELETE FROM engine.nodes WHERE id = $1", self._node, timeout=self._lease_s)
        await self._connection.close()
