"""From where people sign in, so that guesses from elsewhere do not shut them out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WAS = {"kind": "account or address", "name": "SHA-256 of the e-mail address or of the network address"}
_IS = {"kind": "account, address, or pair of both", "name": "SHA-256 of the e-mail address, of the network address, or of both"}


def upgrade() -> None:
    """Create the table. Counts go on; those of accounts in shorter windows end by themselves."""
    op.create_table(
        "sign_in_places",
        sa.Column("name", BYTEA, primary_key=True, comment="SHA-256 of a network address and the e-mail address that signed in from it"),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="when it is known no more"),
        schema="gateway",
    )
    op.create_index("sign_in_places_ends_at", "sign_in_places", ["ends_at"], schema="gateway")
    for column, comment in _IS.items():
        op.alter_column("sign_in_failures", column, comment=comment, schema="gateway")


def downgrade() -> None:
    """Drop it."""
    for column, comment in _WAS.items():
        op.alter_column("sign_in_failures", column, comment=comment, schema="gateway")
    op.drop_table("sign_in_places", schema="gateway")
