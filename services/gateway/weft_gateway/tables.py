"""The gateway's tables: tenants, people, how they sign in, their keys, and the live feed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

metadata = sa.MetaData(schema="gateway")

_time = sa.TIMESTAMP(timezone=True)

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("settings", JSONB, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("created_at", _time, nullable=False),
)

users = sa.Table(
    "users",
    metadata,
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
    sa.Column(
        "reduced_revision",
        sa.BigInteger,
        nullable=False,
        server_default="0",
        comment="the newest revision that took a role or a group from them; 0 for none",
    ),
    sa.Index("users_reduced", "updated_at", postgresql_where=sa.text("reduced_revision > 0")),
    sa.Index("users_email", "email", unique=True),
    sa.Index("users_page", "tenant_id", "created_at", "id"),
    sa.Index("users_groups", "groups", postgresql_using="gin"),
)

groups = sa.Table(
    "groups",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, comment="what the groups of people, workflows and tokens call it"),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
    sa.Index("groups_name", "tenant_id", "name", unique=True),
)

passwords = sa.Table(
    "passwords",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("phc", sa.Text, nullable=False, comment="argon2id, PHC string format"),
    sa.Column("changed_at", _time, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("expires_at", _time, nullable=False),
    sa.Column("ended_at", _time),
    sa.Column("provider", sa.Text, comment="of identities, that it was begun by; null: by a password"),
    sa.Index("sessions_user", "tenant_id", "user_id"),
    sa.Index("sessions_expires_at", "expires_at"),
    sa.Index("sessions_ended_at", "ended_at", postgresql_where=sa.text("ended_at IS NOT NULL")),
)

refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("hash", BYTEA, primary_key=True, comment="SHA-256 of the token"),
    sa.Column("session_id", sa.Uuid, nullable=False),
    sa.Column("access_id", sa.Text, nullable=False, comment="jti of the access token given with it"),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("used_at", _time),
    sa.Column("revision", sa.BigInteger, comment="of the person, as the access token tells them"),
    sa.Index("refresh_tokens_session", "session_id"),
)

signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("kid", sa.Text, primary_key=True),
    sa.Column("public", JSONB, nullable=False, comment="JWK without its private half"),
    sa.Column("sealed", BYTEA, nullable=False, comment="nonce and AES-256-GCM ciphertext of the private half's PEM"),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("publish_until", _time, nullable=False),
    sa.Column("retired_at", _time),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("id", sa.Uuid, primary_key=True, comment="the token's jti"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("roles", ARRAY(sa.Text), nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("expires_at", _time, nullable=False),
    sa.Column("revoked_at", _time),
    sa.Column("revoked_by", sa.Text),
    sa.Column("owner", sa.Text, nullable=False, server_default="", comment="the id of the person who made it"),
    sa.Column("service", sa.Boolean, nullable=False, server_default=sa.false(), comment="the tenant's: it outlives its maker"),
    sa.Column("suspended_at", _time, comment="set while its owner is not active"),
    sa.Column("lowered_to", ARRAY(sa.Text), comment="what its owner may, by roles, where that is less than its own allow"),
    sa.Index("api_keys_page", "tenant_id", "created_at", "id"),
    sa.Index("api_keys_lowered", "expires_at", postgresql_where=sa.text("lowered_to IS NOT NULL")),
    sa.Index("api_keys_refused", "expires_at", postgresql_where=sa.text("revoked_at IS NOT NULL OR suspended_at IS NOT NULL")),
)

# Unlogged: it costs no write-ahead log at thousands of facts a second, and a reader that finds it empty after a crash is told to read anew.
feed = sa.Table(
    "feed",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("about", sa.Uuid, nullable=False),
    sa.Column("execution_id", sa.Uuid, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("data", JSONB, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Index("feed_tenant", "tenant_id", "id"),
    sa.Index("feed_at", "at"),
    prefixes=["UNLOGGED"],
)

watchers = sa.Table(
    "watchers",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("seen_at", _time, nullable=False, comment="when somebody of the tenant last watched the feed"),
    sa.Column("since", _time, nullable=False, comment="since when the feed of the tenant is kept without a gap"),
    prefixes=["UNLOGGED"],
)

# Unlogged: a ticket is good for a minute, and whoever lost it in a crash gets another.
live_tickets = sa.Table(
    "live_tickets",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("hash", BYTEA, primary_key=True, comment="SHA-256 of the ticket"),
    sa.Column("person", sa.Text, nullable=False, comment="the id of whom it is for, or of their key"),
    sa.Column("topics", ARRAY(sa.Text), nullable=False),
    sa.Column("sealed", BYTEA, nullable=False, comment="nonce and AES-256-GCM ciphertext of the token it was had by"),
    sa.Column("expires_at", _time, nullable=False),
    sa.Index("live_tickets_person", "tenant_id", "person"),
    sa.Index("live_tickets_expires_at", "expires_at"),
    prefixes=["UNLOGGED"],
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, primary_key=True, comment="an identity provider, as its tokens call it"),
    sa.Column("subject", sa.Text, primary_key=True, comment="a person, as it calls them"),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Index("identities_user", "tenant_id", "user_id"),
)

# Of no tenant: who begins to sign in has none yet.
oidc_sign_ins = sa.Table(
    "oidc_sign_ins",
    metadata,
    sa.Column("state_hash", sa.Text, primary_key=True, comment="SHA-256 of the state that the answer brings"),
    sa.Column("browser_hash", sa.Text, nullable=False, comment="SHA-256 of the cookie of the browser that began it"),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("sealed", BYTEA, nullable=False, comment="nonce and AES-256-GCM ciphertext of the nonce and the PKCE verifier"),
    sa.Column("return_to", sa.Text),
    sa.Column("link_tenant", sa.Text, comment="of the person who began it while signed in"),
    sa.Column("link_user", sa.Text),
    sa.Column("expires_at", _time, nullable=False),
    sa.Index("oidc_sign_ins_expires_at", "expires_at"),
)

oidc_handed = sa.Table(
    "oidc_handed",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, primary_key=True, comment="SHA-256 of the code that a page exchanges for tokens"),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("expires_at", _time, nullable=False),
    sa.Index("oidc_handed_expires_at", "expires_at"),
)

# Of no tenant: who fails to sign in may be nobody's.
sign_in_failures = sa.Table(
    "sign_in_failures",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True, comment="account, address, or pair of both"),
    sa.Column("name", BYTEA, primary_key=True, comment="SHA-256 of the e-mail address, of the network address, or of both"),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("ends_at", _time, nullable=False),
    sa.Index("sign_in_failures_ends_at", "ends_at"),
)

sign_in_places = sa.Table(
    "sign_in_places",
    metadata,
    sa.Column("name", BYTEA, primary_key=True, comment="SHA-256 of a network address and the e-mail address that signed in from it"),
    sa.Column("ends_at", _time, nullable=False, comment="when it is known no more"),
    sa.Index("sign_in_places_ends_at", "ends_at"),
)
