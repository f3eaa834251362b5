"""Claim check: payloads too large for a row or a message, kept apart and named by what they hold. Source: Hohpe and Woolf, "Claim Check".

A service that wants it names `table(metadata)` in its `tables` and calls `create` in a migration. Blobs belong to a tenant, and
row-level security holds the API role to its own. Equal content of a tenant is kept once, for as long as its latest keeper asked.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from weft_runtime.database import tenancy
from weft_runtime.errors import Invalid, NotFound

INLINE_BYTES: Final = 64 * 1024
"""What is larger is worth a blob. Source: architecture, section 4."""
MAX_BYTES: Final = 1024 * 1024
"""What a blob holds at most, before it is compressed."""
_LEVEL: Final = 1
"""JSON shrinks nearly as well at the fastest level, at a third of the time."""
SWEEP_AT_ONCE: Final = 500


class BlobTooLarge(Invalid):
    """More than a blob may hold."""

    code = "blob_too_large"


class BlobMissing(NotFound):
    """No such blob of this tenant, or its time is over."""

    code = "blob_missing"


@dataclass(frozen=True, slots=True)
class Claim:
    """What stands in the place of a payload. id: `sha256:<hex>` of its content.  size_bytes: of its content."""

    id: str
    size_bytes: int


def table(metadata: sa.MetaData) -> sa.Table:
    """The table of blobs in a service's own metadata."""
    return sa.Table(
        "blobs",
        metadata,
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True, comment="sha256:<hex> of the content"),
        sa.Column("size_bytes", sa.Integer, nullable=False, comment="of the content, before it is compressed"),
        sa.Column("content", BYTEA, nullable=False, comment="zlib"),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Index("blobs_expires_at", "expires_at"),
    )


def create(op: tenancy.Operations, schema: str) -> None:
    """Create the table in a migration; the API role may read its tenant's blobs and add to them."""
    blobs = table(sa.MetaData(schema=schema))
    blobs.create(op.get_bind(), checkfirst=False)
    # It is compressed already; PostgreSQL would try again in vain.
    op.execute(f"ALTER TABLE {tenancy.quote(schema)}.blobs ALTER COLUMN content SET STORAGE EXTERNAL")
    tenancy.enable(op, schema, "blobs", rights="SELECT, INSERT, UPDATE (expires_at)")


def drop(op: tenancy.Operations, schema: str) -> None:
    """Drop the table in a migration."""
    table(sa.MetaData(schema=schema)).drop(op.get_bind(), checkfirst=False)


class Blobs:
    """Blobs of one schema. schema: the service's, which has the table."""

    def __init__(self, schema: str) -> None:
        self._table = table(sa.MetaData(schema=schema))

    async def store(self, connection: AsyncConnection, tenant: str, content: bytes, *, now: datetime, until: datetime) -> Claim:
        """Keep content at least until then, in the caller's transaction. The same content again keeps it longer, never shorter.

        Raises: BlobTooLarge.
        """
        claim = claim_of(content)
        statement = insert(self._table).values(
            tenant_id=tenant,
            id=claim.id,
            size_bytes=claim.size_bytes,
            content=packed(content),
            created_at=now,
            expires_at=until,
        )
        longer = sa.func.greatest(self._table.c.expires_at, statement.excluded.expires_at)
        await connection.execute(
            statement.on_conflict_do_update(index_elements=[self._table.c.tenant_id, self._table.c.id], set_={"expires_at": longer})
        )
        return claim

    async def load(self, connection: AsyncConnection, tenant: str, ids: list[str]) -> dict[str, bytes]:
        """The contents by id. Raises: BlobMissing for one that is not there."""
        rows = await connection.execute(
            sa.select(self._table.c.id, self._table.c.size_bytes, self._table.c.content).where(
                self._table.c.tenant_id == tenant, self._table.c.id.in_(sorted(set(ids)))
            )
        )
        found = {row.id: unpacked(row.content, row.size_bytes) for row in rows}
        missing = sorted(set(ids) - found.keys())
        if missing:
            raise BlobMissing(f"{missing[0]} is not kept for this tenant; its time may be over")
        return found

    async def sweep(self, connection: AsyncConnection, now: datetime, limit: int = SWEEP_AT_ONCE) -> int:
        """Delete blobs of every tenant whose time is over, the oldest first. Returns: how many, at most `limit`."""
        blobs = self._table
        over = sa.select(blobs.c.tenant_id, blobs.c.id).where(blobs.c.expires_at <= now).order_by(blobs.c.expires_at).limit(limit)
        # Locked, so that one that is kept longer at this moment is left alone.
        chosen = over.with_for_update(skip_locked=True).cte("over")
        gone = sa.delete(blobs).where(blobs.c.tenant_id == chosen.c.tenant_id, blobs.c.id == chosen.c.id)
        return (await connection.execute(gone)).rowcount


def packed(content: bytes) -> bytes:
    """Content as the table holds it."""
    return zlib.compress(content, _LEVEL)


def unpacked(content: bytes, size_bytes: int) -> bytes:
    """What was packed. size_bytes: of it."""
    return zlib.decompress(bytes(content), bufsize=size_bytes)


def claim_of(content: bytes) -> Claim:
    """The claim on content, without keeping it. Raises: BlobTooLarge."""
    if len(content) > MAX_BYTES:
        raise BlobTooLarge(f"{len(content)} bytes are more than the {MAX_BYTES} that one payload may have; send a reference to the data")
    return Claim(f"sha256:{hashlib.sha256(content).hexdigest()}", len(content))
