"""Who did what: a chain of rows for each tenant."""

from __future__ import annotations

import sqlalchemy as sa

from weft_analytics.tables.schema import metadata, moment

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False, comment="from 1, without a gap"),
    sa.Column("fact", sa.Text, nullable=False, comment="what it was heard by; the same once only"),
    sa.Column("at", moment, nullable=False),
    sa.Column("actor", sa.Text, comment="a user's or key's id; null where it was not told"),
    sa.Column("via", sa.Text, comment="the API key they did it with"),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("resource_type", sa.Text, nullable=False),
    sa.Column("resource_id", sa.Text, nullable=False),
    sa.Column("before", sa.Text, comment="JSON as it was hashed"),
    sa.Column("after", sa.Text, comment="JSON as it was hashed"),
    sa.Column("prev_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, comment="SHA-256 of the row and of the hash before"),
    sa.Column("details", sa.Text, comment="JSON as it was hashed: what is no state of the resource"),
    sa.Column("origin", sa.Text, comment="JSON as it was hashed: from where"),
    sa.Index("audit_fact", "tenant_id", "fact", unique=True),
    sa.Index("audit_resource", "tenant_id", "resource_type", "resource_id", "seq"),
    sa.Index("audit_actor", "tenant_id", "actor", "seq"),
)

audit_heads = sa.Table(
    "audit_heads",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False, comment="of the newest row"),
    sa.Column("hash", sa.Text, nullable=False),
)
