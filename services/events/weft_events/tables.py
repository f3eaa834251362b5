"""The tables of schema `events`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, JSONB

metadata = sa.MetaData(schema="events")

event = sa.Table(
    "event",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # A UUIDv7, so that ranges of ids are ranges of time: what the table is partitioned by.
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("event_id", sa.Text, nullable=False, comment="the CloudEvents id"),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("time", sa.TIMESTAMP(timezone=True), nullable=False),
    # JSON, not JSONB: nothing looks inside, and numbers stay as they were sent.
    sa.Column("attributes", JSON, nullable=False, comment="all CloudEvents attributes, as sent"),
    sa.Column("data", JSON),
    sa.Column("is_binary", sa.Boolean, nullable=False, comment="data is base64 of bytes"),
    sa.Column("request", JSON, comment="how a webhook was called"),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("started", JSONB, nullable=False, comment="ids of the executions it asked for"),
    sa.Column("considered", JSON, nullable=False, comment="the triggers considered, at most 100, with what came of each"),
    sa.Column("considered_total", sa.Integer, nullable=False),
    sa.Column("duplicates", sa.Integer, nullable=False, server_default="0", comment="how often it came again"),
    sa.Index("event_type", "tenant_id", "type", "id"),
    postgresql_partition_by="RANGE (id)",
)

event_key = sa.Table(
    "event_key",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
    comment="What makes an event the same event; apart from the log, whose partitions could not hold it unique.",
)

verdict = sa.Table(
    "verdict",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True, comment="of the event"),
    sa.Column("execution_id", sa.Uuid, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False, comment="key_taken or rejected"),
    sa.Column("detail", sa.Text, nullable=False),
    comment="What the engine said of a start that did not become an execution.",
)

workflow = sa.Table(
    "workflow",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("active_version", sa.Integer),
    comment="Our copy of the workflows there are.",
)

trigger_set = sa.Table(
    "trigger_set",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("triggers", JSON, nullable=False),
    sa.Column("priority", sa.SmallInteger, comment="settings.priority, null where it is not written"),
    comment="The triggers of every version that was ever active; explanations of old events read them.",
)

tenant = sa.Table(
    "tenant",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("tier", sa.Text, nullable=False, server_default="standard"),
    sa.Column("settings", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
    sa.Column("stamp", sa.Uuid, nullable=False, comment="another one after every change of the tenant or its workflows"),
)

subscription = sa.Table(
    "subscription",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("execution_id", sa.Uuid, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("visit", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True, comment="the outcome waited for; empty: the visit ended before its wait was heard of"),
    sa.Column("place", sa.Integer, nullable=False, comment="among the names of its visit, as listed"),
    sa.Column("position", sa.Integer, nullable=False, comment="in the execution's history; the later word stands"),
    sa.Column("pattern", sa.Text, nullable=False, comment="type of the event, or a glob"),
    sa.Column("path", sa.Text, nullable=False, comment="JSON pointer into the event's data; empty: by type alone"),
    sa.Column("value", sa.Text, nullable=False, comment="key of what stands there"),
    sa.Column("opened_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Index("subscription_lookup", "tenant_id", "pattern", "path", "value"),
    comment="Visits of executions that wait for an event.",
)

listened = sa.Table(
    "listened",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("pattern", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("unmarked_until", sa.Uuid, comment="the newest event that was here before; later ones have their event_value"),
    comment="What the tenant's workflows wait for: the kinds of subscriptions there may be.",
)

event_value = sa.Table(
    "event_value",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("pattern", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True, comment="of the event"),
    comment="What events can be looked up by when a wait begins after they came.",
)

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True, comment="of the event"),
    sa.Column("execution_id", sa.Uuid, primary_key=True),
    comment="Waits that an event ended.",
)

calendar = sa.Table(
    "calendar",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("document", JSONB, nullable=False, comment="{zone, hours, holidays}"),
    comment="Our copies of the business calendars that conditions count by.",
)

connection = sa.Table(
    "connection",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False, server_default="webhook"),
    sa.Column("settings", JSONB, nullable=False),
    sa.Column("sealed", JSONB, nullable=False, comment="secrets by field; empty once it is removed"),
    sa.Column("removed", sa.Boolean, nullable=False, comment="kept, so that what was said before stays without effect"),
    sa.Index("connection_name", "tenant_id", "name"),
    comment="Our copy of the connections that calls and mails come in by.",
)

suspension = sa.Table(
    "suspension",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("connection", sa.Text, nullable=False, comment="its name"),
    sa.Column("since", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("lifted", sa.Boolean, nullable=False, comment="kept, so that what was said before stays without effect"),
    sa.Index("suspension_connection", "tenant_id", "connection", postgresql_where=sa.text("NOT lifted")),
    comment="Our copy of the suspensions of connections.",
)

mail = sa.Table(
    "mail",
    metadata,
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
    sa.Column("next_at", sa.TIMESTAMP(timezone=True), comment="when it is fetched, or looked for again where who fetches it is gone"),
    sa.Column("error", JSONB, comment="{code, message} of the newest attempt that failed"),
    sa.Column("duplicates", sa.Integer, nullable=False, server_default="0", comment="how often it was told of again"),
    sa.Index("mail_email_id", "tenant_id", "connection_id", "email_id", unique=True),
    sa.Index("mail_sameness", "tenant_id", "connection_id", "sameness", unique=True),
    # What is due, for all tenants at once.
    sa.Index("mail_due", "next_at", postgresql_where=sa.text("status = 'waiting'")),
    comment="Mails that a provider told of, which are fetched from it.",
)

schedule = sa.Table(
    "schedule",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True, comment="follows from tenant, workflow and trigger"),
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("trigger", sa.Text, nullable=False, comment="its id among the triggers of the workflow"),
    sa.Column("version", sa.Integer, nullable=False, comment="of the workflow"),
    sa.Column("rule", JSON, nullable=False, comment="cron, every, timezone, catch_up, starts, ends as written"),
    sa.Column("active", sa.Boolean, nullable=False, comment="the workflow is, and the trigger enabled"),
    sa.Column("origin_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="what `every` is counted from"),
    sa.Column("next_at", sa.TIMESTAMP(timezone=True), comment="the first moment that nothing was done about; null where there is none"),
    sa.Column("paused_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("paused_by", sa.Text),
    sa.Column("last_at", sa.TIMESTAMP(timezone=True), comment="the newest moment that was fired"),
    sa.Column("last_event", sa.Uuid, comment="its event in the log"),
    sa.Column("fired", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("missed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="bugs met one after the other"),
    sa.Column("set_aside_until", sa.TIMESTAMP(timezone=True), comment="set by the newest of them"),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.UniqueConstraint("tenant_id", "slug", "trigger", name="schedule_trigger"),
    # What is due, for all tenants at once: rows that are held or have no next moment are not in it.
    sa.Index("schedule_due", "next_at", postgresql_where=sa.text("paused_at IS NULL AND next_at IS NOT NULL")),
    comment="The schedules of workflows, and how far each of them is.",
)

source = sa.Table(
    "source",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("connection", sa.Text, nullable=False, comment="its name"),
    sa.Column("tables", JSONB, nullable=False, comment="[{name, schema, table}]"),
    sa.Column("wake", sa.Text, nullable=False, comment="notify or poll"),
    sa.Column("version", sa.Integer, nullable=False, comment="counts what people change"),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("created_by", sa.Text),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("installed", JSONB, comment="its tables when capture was last put in place"),
    sa.Column("installed_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("removing", sa.Boolean, nullable=False, server_default="false"),
    # By the clock of this database, which all processes share.
    sa.Column("owner", sa.Uuid, comment="the process that reads it"),
    sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0", comment="counts its readers"),
    sa.Column("leased_until", sa.TIMESTAMP(timezone=True)),
    sa.Column("next_try_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="one after the other"),
    sa.Column("error", JSONB(none_as_null=True), comment="{code, message} of the last of them"),
    sa.Column("error_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("looked_at", sa.TIMESTAMP(timezone=True), comment="when its outbox was last read"),
    sa.Column("pending", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lag_s", sa.Float, nullable=False, server_default="0"),
    sa.Column("missing", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb"), comment="tables that are not captured any more"),
    sa.Column("changes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("passed_over", sa.BigInteger, nullable=False, server_default="0", comment="changes that did not count"),
    sa.Column("refused", sa.BigInteger, nullable=False, server_default="0", comment="changes that could not be taken in"),
    sa.Column("last_change_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("last_event", sa.Uuid, comment="its event in the log"),
    sa.Column("capture_version", sa.Integer, comment="of the capture function, as it was last looked at; null before"),
    sa.Column("outbox_bytes", sa.BigInteger, nullable=False, server_default="0", comment="on the disk of its database"),
    sa.UniqueConstraint("tenant_id", "name", name="source_name"),
    sa.Index("source_lease", "leased_until", postgresql_where=sa.text("installed_at IS NOT NULL")),
    comment="Databases of tenants of which tables are watched, and how far the reading of each is.",
)

watched = sa.Table(
    "watched",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True, comment="what triggers call it"),
    sa.Column("source_id", sa.Uuid, nullable=False),
    sa.Index("watched_source", "tenant_id", "source_id"),
    comment="Which source has the table of a name.",
)

table_events = sa.Table(
    "table_events",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("settings", JSONB, nullable=False, comment="enabled, operations, fields, conditions, workflows"),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("updated_by", sa.Text),
    comment="What counts of a table's changes, and for which workflows.",
)

backtest = sa.Table(
    "backtest",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True, comment="of the question"),
    sa.Column("asked", JSON, nullable=False, comment="as it was asked"),
    sa.Column("leased_until", sa.TIMESTAMP(timezone=True), comment="somebody runs it"),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    comment="Backtests that are to be run.",
)
