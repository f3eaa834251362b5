"""Mails that a provider told of, and by which connection."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = "events"
COMMENTS = ("Our copy of the connections of types webhook and postgres.", "Our copy of the connections that calls and mails come in by.")


def upgrade() -> None:
    """Create the table."""
    op.create_table_comment("connection", COMMENTS[1], existing_comment=COMMENTS[0], schema=SCHEMA)
    op.create_table(
        "mail",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True, comment="of its event, too, once that is there"),
        sa.Column("connection_id", sa.Uuid, nullable=False),
        sa.Column("connection", sa.Text, nullable=False, comment="its name, which stays"),
        sa.Column("email_id", sa.Text, nullable=False, comment="the provider's"),
        sa.Column("sameness", sa.Text, comment="what two deliveries of one mail have alike"),
        sa.Column("notice", JSONB, nullable=False, comment="{sender, recipients, subject, message_id}, as the provider told of it"),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("status", sa.Text, nullable=False, comment="waiting, taken or failed"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0", comment="since it came, or was asked for again"),
        sa.Column(
            "next_at", sa.TIMESTAMP(timezone=True), comment="when it is fetched, or looked for again where who fetches it is gone"
        ),
        sa.Column("error", JSONB, comment="{code, message} of the newest attempt that failed"),
        sa.Column("duplicates", sa.Integer, nullable=False, server_default="0", comment="how often it was told of again"),
        schema=SCHEMA,
        comment="Mails that a provider told of, which are fetched from it.",
    )
    op.create_index("mail_email_id", "mail", ["tenant_id", "connection_id", "email_id"], unique=True, schema=SCHEMA)
    op.create_index("mail_sameness", "mail", ["tenant_id", "connection_id", "sameness"], unique=True, schema=SCHEMA)
    op.create_index("mail_due", "mail", ["next_at"], postgresql_where=sa.text("status = 'waiting'"), schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "mail", rights="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("mail", schema=SCHEMA)
    op.create_table_comment("connection", COMMENTS[0], existing_comment=COMMENTS[1], schema=SCHEMA)
