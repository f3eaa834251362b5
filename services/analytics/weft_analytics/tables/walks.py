"""What nodes took, and which ways executions went, by the hour in which they started: `at` is where it begins, seconds since 1970."""

from __future__ import annotations

import sqlalchemy as sa

from weft_analytics.tables.schema import metadata

walks_heard = sa.Table(
    "walks_heard",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False, comment="JSON, to be added to the numbers"),
)

step_counts = sa.Table(
    "step_counts",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("workflow", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("completed", sa.BigInteger, nullable=False),
    sa.Column("failed", sa.BigInteger, nullable=False),
    sa.Column("cancelled", sa.BigInteger, nullable=False),
    sa.Column("retries", sa.BigInteger, nullable=False),
    sa.Index("step_counts_old", "at"),
)

step_times = sa.Table(
    "step_times",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("workflow", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("waits", sa.Boolean, primary_key=True, comment="whether it is the time of waiting, else of running"),
    sa.Column("bucket", sa.SmallInteger, primary_key=True, comment="of the logarithmic histogram"),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Index("step_times_old", "at"),
)

ways = sa.Table(
    "ways",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("workflow", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("path", sa.Text, nullable=False, comment="ids of nodes, a space between"),
)

way_counts = sa.Table(
    "way_counts",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("workflow", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("way", sa.Uuid, primary_key=True, comment="zeros for those that are not told apart"),
    sa.Column("status", sa.Text, primary_key=True, comment="how they ended"),
    sa.Column("bucket", sa.SmallInteger, primary_key=True, comment="of the whole duration"),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Index("way_counts_old", "at"),
)
