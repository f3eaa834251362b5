import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import blobs as runtime_blobs

metadata = sa.MetaData(schema="sample")

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("data", JSONB, nullable=False),
    sa.Column("stars", sa.Integer, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
)

blobs = runtime_blobs.table(metadata)
