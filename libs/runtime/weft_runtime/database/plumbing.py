"""The tables the runtime needs in every service's schema: inbox, outbox, parked, idempotency, rates.

One definition for queries and migrations.
"""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

from weft_runtime.database import tenancy

FIRST = ("inbox", "outbox", "parked", "idempotency")
"""The plumbing tables of a schema's first version; `add_rates` came later."""
TENANT_TABLES = ("parked", "idempotency")
"""The plumbing tables whose rows belong to a tenant; inbox and outbox are the message door's alone."""


@cache
def metadata(schema: str) -> sa.MetaData:
    """The plumbing tables of one schema.

    inbox: what was handled, by the item's source and id, so that a redelivery is skipped.
    outbox: what is to be said, written with the change it tells of, deleted when the broker has confirmed it.
    parked: what could not be handled, whole, with the reason: tried again by itself while `retrying`, else kept until a person
        replays or discards it.
    idempotency: the answers given to requests with an `Idempotency-Key`.
    rates: how many requests a caller made, told by each process of the service now and then. Unlogged: after a crash counting begins anew.
    """
    tables = sa.MetaData(schema=schema)
    sa.Table(
        "inbox",
        tables,
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("seen_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Index("inbox_seen_at", "seen_at"),
    )
    sa.Table(
        "outbox",
        tables,
        sa.Column("id", sa.Uuid, primary_key=True, comment="UUIDv7, made by the writer: rows are said in its order"),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("routing_key", sa.Text, nullable=False),
        sa.Column("item", BYTEA, nullable=False, comment="one CloudEvents item, JSON"),
        sa.Column("written_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    sa.Table(
        "parked",
        tables,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Text, nullable=False, comment="empty where the message names none"),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False, server_default=""),
        sa.Column("routing_key", sa.Text, nullable=False, server_default=""),
        sa.Column("type", sa.Text, nullable=False, server_default=""),
        sa.Column("message_id", sa.Text, nullable=False, server_default=""),
        sa.Column("content_type", sa.Text, nullable=False, server_default=""),
        sa.Column("headers", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
        sa.Column("body", BYTEA, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),
        sa.Column("traceparent", sa.Text),
        sa.Column("status", sa.Text, nullable=False, server_default="parked", comment="retrying, parked, replayed or discarded"),
        sa.Column("next_at", sa.TIMESTAMP(timezone=True), comment="when a retrying one is tried again"),
        sa.Column("parked_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("settled_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("settled_by", sa.Text),
        sa.Index("parked_open", "tenant_id", "parked_at", "id", postgresql_where=sa.text("status IN ('parked', 'retrying')")),
        sa.Index("parked_due", "next_at", postgresql_where=sa.text("status = 'retrying'")),
    )
    sa.Table(
        "idempotency",
        tables,
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_hash", BYTEA, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("body", BYTEA, nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Index("idempotency_created_at", "created_at"),
    )
    sa.Table(
        "rates",
        tables,
        sa.Column("who", BYTEA, primary_key=True, comment="digest of the quota and the caller"),
        sa.Column("slot", sa.BigInteger, primary_key=True, comment="a sixtieth of the quota's window, counted since 1970"),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="when it counts no more"),
        sa.Index("rates_ends_at", "ends_at"),
        prefixes=["UNLOGGED"],
    )
    return tables


def table(schema: str, name: str) -> sa.Table:
    """One plumbing table: name is `inbox`, `outbox`, `parked`, `idempotency` or `rates`."""
    return metadata(schema).tables[f"{schema}.{name}"]


def create(op: tenancy.Operations, schema: str) -> None:
    """Create the first plumbing tables in a migration, with their rights and policies for the API role."""
    metadata(schema).create_all(op.get_bind(), tables=[table(schema, name) for name in FIRST], checkfirst=False)
    tenancy.enable(op, schema, *TENANT_TABLES)
    tenancy.grant_insert(op, schema, "outbox")


def drop(op: tenancy.Operations, schema: str) -> None:
    """Drop the first plumbing tables in a migration."""
    metadata(schema).drop_all(op.get_bind(), tables=[table(schema, name) for name in FIRST], checkfirst=False)


def add_rates(op: tenancy.Operations, schema: str) -> None:
    """Create the table of rates in a migration; the API role has no right on it."""
    table(schema, "rates").create(op.get_bind(), checkfirst=False)


def drop_rates(op: tenancy.Operations, schema: str) -> None:
    """Drop the table of rates in a migration."""
    table(schema, "rates").drop(op.get_bind(), checkfirst=False)
