"""The tables of schema `definitions`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

metadata = sa.MetaData(schema="definitions")

workflow = sa.Table(
    "workflow",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("labels", JSONB, nullable=False),
    sa.Column("triggers", ARRAY(sa.Text), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("active_version", sa.Integer),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("edit", sa.Integer, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Index("workflow_listed", "tenant_id", "created_at", "slug"),
)

version = sa.Table(
    "version",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    # JSON, not JSONB: the author's order of members is part of the document.
    sa.Column("document", JSON, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("published_by", sa.Text),
    sa.Column("published_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("note", sa.Text),
)

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    comment="Which service has stored its copy of which revision.",
)

connection = sa.Table(
    "connection",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("removed", sa.Boolean, nullable=False, comment="kept, so that what was said before stays without effect"),
    comment="What connections there are: what definitions may name.",
)

live_execution = sa.Table(
    "live_execution",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("execution_id", sa.Uuid, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False),
    sa.Index("live_execution_slug", "tenant_id", "slug"),
    comment="Executions that have started and not ended; what keeps a workflow from being deleted.",
)

template = sa.Table(
    "template",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("labels", JSONB, nullable=False),
    sa.Column("latest", sa.Integer, nullable=False),
    sa.Column("edit", sa.Integer, nullable=False),
    sa.Column("shared_with", ARRAY(sa.Text), nullable=False, comment="tenants that see it, too; * is all"),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
    comment="Definitions with parameters, of which workflows are made. Its tenant's own, and seen by those it is shared with.",
)

template_version = sa.Table(
    "template_version",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    # JSON, not JSONB: the author's order of members is part of the definition.
    sa.Column("content", JSON, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
)

rule = sa.Table(
    "rule",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True, comment="of its workflow, too"),
    sa.Column("document", JSON, nullable=False, comment="as its author wrote it"),
    sa.Column("entity_type", sa.Text, nullable=False),
    sa.Column("edit", sa.Integer, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("updated_by", sa.Text, nullable=False),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Index("rule_listed", "tenant_id", "created_at", "slug"),
    comment="Rules of administrators. How one stands is told by its workflow.",
)

question = sa.Table(
    "question",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False, comment="simulation or backtest"),
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("asked", JSON, nullable=False, comment="what was asked, without the documents"),
    sa.Column("answer", JSON),
    sa.Column("problem", JSON, comment="why there is no answer: code, detail"),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("answered_at", sa.TIMESTAMP(timezone=True)),
    sa.Index("question_asked", "tenant_id", "asked_at"),
    comment="What other services were asked, and what they answered; kept for some days.",
)
