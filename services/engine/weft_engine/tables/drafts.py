"""Copies of drafts, which are simulated and never run."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from weft_engine.tables.schema import metadata

drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False, comment="the number that it has when it is published"),
    sa.Column("edit", sa.Integer, nullable=False, comment="of the workflow; the higher one is the truth"),
    sa.Column("document", JSONB, nullable=False),
)
