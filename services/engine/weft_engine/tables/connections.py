"""Connections, their sealed secrets, and sign-ins that have begun."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from weft_engine.tables.schema import metadata, moment

connections = sa.Table(
    "connections",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("settings", JSONB, nullable=False, comment="by the type; never a secret"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("created_by", sa.Text),
    sa.Column("updated_at", moment, nullable=False),
    sa.Column("updated_by", sa.Text),
    sa.Index("connections_name", "tenant_id", "name", unique=True),
)

connection_secrets = sa.Table(
    "connection_secrets",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("connection_id", sa.Uuid, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("sealed", sa.Text, nullable=False, comment="for tenant, connection and field; opened in a worker's memory"),
    sa.Column("updated_at", moment, nullable=False),
)

connection_sign_ins = sa.Table(
    "connection_sign_ins",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("connection_id", sa.Uuid, primary_key=True),
    sa.Column("state_hash", sa.Text, nullable=False, comment="of what comes back with the answer; it is not kept itself"),
    sa.Column("browser_hash", sa.Text, nullable=False, comment="of the cookie that the browser has that began it"),
    sa.Column("verifier", sa.Text, nullable=False, comment="of PKCE, sealed"),
    sa.Column("version", sa.Integer, nullable=False, comment="of the connection when it began"),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text),
    sa.Column("expires_at", moment, nullable=False),
)
