"""People sign in by identity providers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA
from weft_runtime.database import tenancy

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCHEMA = "gateway"
_time = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the tables. What they hold is the owner's: who signs in has no tenant yet."""
    op.create_table(
        "identities",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, primary_key=True, comment="an identity provider, as its tokens call it"),
        sa.Column("subject", sa.Text, primary_key=True, comment="a person, as it calls them"),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("created_at", _time, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("identities_user", "identities", ["tenant_id", "user_id"], schema=SCHEMA)
    op.create_table(
        "oidc_sign_ins",
        sa.Column("state_hash", sa.Text, primary_key=True, comment="SHA-256 of the state that the answer brings"),
        sa.Column("browser_hash", sa.Text, nullable=False, comment="SHA-256 of the cookie of the browser that began it"),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("sealed", BYTEA, nullable=False, comment="nonce and AES-256-GCM ciphertext of the nonce and the PKCE verifier"),
        sa.Column("return_to", sa.Text),
        sa.Column("link_tenant", sa.Text, comment="of the person who began it while signed in"),
        sa.Column("link_user", sa.Text),
        sa.Column("expires_at", _time, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("oidc_sign_ins_expires_at", "oidc_sign_ins", ["expires_at"], schema=SCHEMA)
    op.create_table(
        "oidc_handed",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, primary_key=True, comment="SHA-256 of the code that a page exchanges for tokens"),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("expires_at", _time, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("oidc_handed_expires_at", "oidc_handed", ["expires_at"], schema=SCHEMA)
    comment = "of identities, that it was begun by; null: by a password"
    op.add_column("sessions", sa.Column("provider", sa.Text, comment=comment), schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "identities", "oidc_handed", rights="SELECT")


def downgrade() -> None:
    """Drop them."""
    op.drop_column("sessions", "provider", schema=SCHEMA)
    for table in ("oidc_handed", "oidc_sign_ins", "identities"):
        op.drop_table(table, schema=SCHEMA)
