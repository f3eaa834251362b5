"""Tenants, people, passwords, sessions, keys, the live feed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from weft_runtime.database import plumbing, tenancy

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "gateway"
_time = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("settings", JSONB, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("created_at", _time, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "users",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.Text, nullable=False, comment="lower case"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("groups", ARRAY(sa.Text), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("updated_at", _time, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("users_email", "users", ["email"], unique=True, schema=SCHEMA)
    op.create_index("users_page", "users", ["tenant_id", "created_at", "id"], schema=SCHEMA)
    op.create_table(
        "passwords",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("phc", sa.Text, nullable=False, comment="argon2id, PHC string format"),
        sa.Column("changed_at", _time, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "sessions",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("expires_at", _time, nullable=False),
        sa.Column("ended_at", _time),
        schema=SCHEMA,
    )
    op.create_index("sessions_user", "sessions", ["tenant_id", "user_id"], schema=SCHEMA)
    op.create_index("sessions_expires_at", "sessions", ["expires_at"], schema=SCHEMA)
    op.create_index("sessions_ended_at", "sessions", ["ended_at"], schema=SCHEMA, postgresql_where=sa.text("ended_at IS NOT NULL"))
    op.create_table(
        "refresh_tokens",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("hash", BYTEA, primary_key=True, comment="SHA-256 of the token"),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("access_id", sa.Text, nullable=False, comment="jti of the access token given with it"),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("used_at", _time),
        schema=SCHEMA,
    )
    op.create_index("refresh_tokens_session", "refresh_tokens", ["session_id"], schema=SCHEMA)
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("public", JSONB, nullable=False, comment="JWK without its private half"),
        sa.Column("sealed", BYTEA, nullable=False, comment="nonce and AES-256-GCM ciphertext of the private half's PEM"),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("publish_until", _time, nullable=False),
        sa.Column("retired_at", _time),
        schema=SCHEMA,
    )
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True, comment="the token's jti"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("expires_at", _time, nullable=False),
        sa.Column("revoked_at", _time),
        sa.Column("revoked_by", sa.Text),
        schema=SCHEMA,
    )
    op.create_index("api_keys_page", "api_keys", ["tenant_id", "created_at", "id"], schema=SCHEMA)
    op.create_index("api_keys_revoked", "api_keys", ["expires_at"], schema=SCHEMA, postgresql_where=sa.text("revoked_at IS NOT NULL"))
    op.create_table(
        "feed",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("about", sa.Uuid, nullable=False),
        sa.Column("execution_id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.Column("at", _time, nullable=False),
        schema=SCHEMA,
        prefixes=["UNLOGGED"],
    )
    op.create_index("feed_tenant", "feed", ["tenant_id", "id"], schema=SCHEMA)
    op.create_index("feed_at", "feed", ["at"], schema=SCHEMA)
    op.create_table(
        "watchers",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("seen_at", _time, nullable=False, comment="when somebody of the tenant last watched the feed"),
        sa.Column("since", _time, nullable=False, comment="since when the feed of the tenant is kept without a gap"),
        schema=SCHEMA,
        prefixes=["UNLOGGED"],
    )
    tenancy.enable(op, SCHEMA, "tenants", "sessions", "passwords", rights="SELECT")
    tenancy.enable(op, SCHEMA, "refresh_tokens", rights="SELECT")
    tenancy.enable(op, SCHEMA, "feed", "watchers", rights="SELECT")
    tenancy.enable(op, SCHEMA, "users", "api_keys", rights="SELECT, INSERT, UPDATE")
    op.execute('GRANT INSERT, UPDATE ON gateway.passwords, gateway.sessions TO "gateway_api"')
    plumbing.create(op, SCHEMA)


def downgrade() -> None:
    plumbing.drop(op, SCHEMA)
    for table in ("watchers", "feed", "api_keys", "signing_keys", "refresh_tokens", "sessions", "passwords", "users", "tenants"):
        op.drop_table(table, schema=SCHEMA)
