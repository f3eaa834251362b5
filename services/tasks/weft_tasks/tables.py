"""The tables of tasks: the tasks and what happened to each, pauses, people, stand-ins, calendars, and what people are told."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = sa.MetaData(schema="tasks")

_time = sa.TIMESTAMP(timezone=True)
_live = sa.text("status IN ('open', 'claimed')")
_overdue = sa.text("due_at IS NOT NULL AND NOT overdue_told AND paused_since IS NULL AND status IN ('open', 'claimed')")

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("execution_id", sa.Uuid, nullable=False),
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("visit", sa.Integer, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("form", JSONB(none_as_null=True)),
    sa.Column("ui", JSONB(none_as_null=True)),
    sa.Column("data", JSONB(none_as_null=True)),
    sa.Column("reserved_for", sa.Text, comment="whom the workflow or an assigner named"),
    sa.Column("assignee", sa.Text, comment="who has it now: a user's id or e-mail address"),
    sa.Column("candidates", JSONB, nullable=False),
    sa.Column("openers", ARRAY(sa.Text), nullable=False, comment="whom it is for, derived, to be found by"),
    sa.Column("outcomes", ARRAY(sa.Text), nullable=False),
    sa.Column("due_at", _time),
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("result", JSONB(none_as_null=True)),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
    sa.Column("completed_at", _time),
    sa.Column("completed_by", sa.Text),
    sa.Column("completed_via", sa.Text, comment="the key that completed_by decided with"),
    sa.Column("asked_at", _time, comment="when the engine asked for it, where it said"),
    sa.Column("paused_since", _time, comment="set while its execution is paused"),
    sa.Column("paused_by", sa.Text),
    sa.Column("approvals", JSONB(none_as_null=True), comment="where it takes several decisions"),
    sa.Column("decisions", JSONB, nullable=False, server_default="[]", comment="of several, those so far"),
    sa.Column("deciders", ARRAY(sa.Text), nullable=False, server_default="{}", comment="who decided it or had a part in that, derived"),
    sa.Column("separate_from", ARRAY(sa.Text), nullable=False, server_default="{}", comment="nodes whose deciders may not act on it"),
    sa.Column(
        "excluded", JSONB, nullable=False, server_default="{}", comment="users who may not act on it, with the node, as the engine knew"
    ),
    sa.Column("rounds", sa.Text, nullable=False, server_default="", comment="the iterations around it"),
    sa.Column("agenda", JSONB, nullable=False, server_default="[]", comment="what time does to it, in order"),
    sa.Column("passed", sa.Integer, nullable=False, server_default="0", comment="how many steps of the agenda are over"),
    sa.Column("clock_from", _time, comment="from when on its time counts: when it was asked for, put off by pauses"),
    sa.Column("next_at", _time, comment="when the next step of the agenda comes, derived; null where none does"),
    sa.Column("requested_by", sa.Text, comment="who started the execution, where somebody did"),
    sa.Column("delegators", ARRAY(sa.Text), nullable=False, server_default="{}", comment="who handed it on, whose it was first"),
    sa.Column("standing_for", sa.Text, comment="for whom the assignee took it as a stand-in"),
    sa.Column("on_behalf_of", sa.Text, comment="whose it was to decide, where completed_by is another"),
    sa.Column("represented", ARRAY(sa.Text), nullable=False, server_default="{}", comment="of each decision for whom it was; '' for none"),
    sa.Column("snoozed_until", _time, comment="until when the assignee does not want to see it"),
    sa.Column("snoozed_by", sa.Text),
    sa.Column("overdue_told", sa.Boolean, nullable=False, server_default="false", comment="that it is overdue was told, or need not be"),
    sa.Index("tasks_page", "tenant_id", "created_at", "id"),
    sa.Index("tasks_live", "tenant_id", "created_at", "id", postgresql_where=_live),
    sa.Index("tasks_assignee", "tenant_id", "assignee", "created_at", "id"),
    sa.Index("tasks_openers", "openers", postgresql_using="gin", postgresql_where=_live),
    sa.Index("tasks_execution", "tenant_id", "execution_id"),
    sa.Index("tasks_next", "next_at", postgresql_where=sa.text("next_at IS NOT NULL AND paused_since IS NULL")),
    sa.Index("tasks_overdue", "due_at", postgresql_where=_overdue),
)

history = sa.Table(
    "history",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("task_id", sa.Uuid, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("data", JSONB, nullable=False),
    sa.Index("history_task", "tenant_id", "task_id", "position"),
)

delegations = sa.Table(
    "delegations",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("absent", sa.Text, nullable=False, comment="who is away: a user's id, or an e-mail address where nobody is known"),
    sa.Column("stand_in", sa.Text, nullable=False, comment="likewise"),
    sa.Column("starts_at", _time, nullable=False),
    sa.Column("ends_at", _time, nullable=False),
    sa.Column("workflows", ARRAY(sa.Text), comment="null for all"),
    sa.Column("reason", sa.Text),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("revoked_at", _time),
    sa.Column("revoked_by", sa.Text),
    sa.Index("delegations_page", "tenant_id", "created_at", "id"),
    sa.Index("delegations_stand_in", "tenant_id", "stand_in", "ends_at"),
    sa.Index("delegations_absent", "tenant_id", "absent", "ends_at"),
    comment="Who stands in for whom, from when to when.",
)

decision_receipts = sa.Table(
    "decision_receipts",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("link_id", sa.Uuid, nullable=False, comment="of the link; it is used once"),
    sa.Column("task_id", sa.Uuid, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("answer_hash", sa.Text, nullable=False, comment="SHA-256 of outcome and form, to know the same answer again"),
    sa.Column("shown_hash", sa.Text, nullable=False, comment="SHA-256 of what the link showed"),
    sa.Column("shown", JSONB, nullable=False, comment="what the link showed, without data and form where they are large"),
    sa.Column("ip", sa.Text, nullable=False),
    sa.Column("user_agent", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False, comment="who made the link"),
    sa.Column("link_expires_at", _time, nullable=False),
    sa.UniqueConstraint("tenant_id", "link_id", name="decision_receipts_link"),
    sa.Index("decision_receipts_task", "tenant_id", "task_id"),
    comment="What was decided by links: by whom, when, from where, and what they were shown.",
)

calendars = sa.Table(
    "calendars",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("document", JSONB, nullable=False, comment="{zone, hours, holidays}"),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("created_by", sa.Text),
    sa.Column("updated_at", _time, nullable=False),
    sa.Column("updated_by", sa.Text),
)

calendar_versions = sa.Table(
    "calendar_versions",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("by", sa.Text),
)

taken_back = sa.Table(
    "taken_back",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("task_id", sa.Uuid, primary_key=True),
    sa.Column("at", _time, nullable=False),
    sa.Index("taken_back_at", "at"),
    comment="Tasks that were cancelled before they were created: a late creation does not open them.",
)

pauses = sa.Table(
    "pauses",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("execution_id", sa.Uuid, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True, comment="in the execution's journal"),
    sa.Column("at", _time, nullable=False),
    sa.Column("since", _time, comment="when the pause began that ends here; null where one begins"),
    sa.Column("by", sa.Text),
    sa.Column("heard_at", _time, nullable=False),
    sa.Index("pauses_heard_at", "heard_at"),
    comment="Where pauses of executions begin and end, each heard once.",
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("roles", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("groups", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Index("people_email", "tenant_id", "email"),
)

workflow_owners = sa.Table(
    "workflow_owners",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("workflow", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.Text, comment="who answers for it: its label `owner`, else who changed it last; null where nobody is known"),
    comment="Whose a workflow is.",
)

notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("id", sa.Uuid, primary_key=True, comment="of tenant, user and cause: what is told twice is one"),
    sa.Column("user_id", sa.Text, nullable=False, comment="whom it is for: an id; as tasks name them where nobody of the tenant is known"),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text),
    sa.Column("link", sa.Text),
    sa.Column("about", JSONB, nullable=False, comment="ids of what it is about"),
    sa.Column("execution_id", sa.Uuid, comment="that it is about, with which it is forgotten"),
    sa.Column("in_app", sa.Boolean, nullable=False, comment="shown in their inbox"),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("read_at", _time),
    sa.Index("notifications_page", "tenant_id", "user_id", "created_at", "id"),
    sa.Index("notifications_unread", "tenant_id", "user_id", "created_at", "id", postgresql_where=sa.text("read_at IS NULL AND in_app")),
    sa.Index("notifications_execution", "tenant_id", "execution_id"),
    sa.Index("notifications_created_at", "created_at"),
    comment="What people were told.",
)

preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("document", JSONB, nullable=False, comment="as it was written"),
    sa.Column("updated_at", _time, nullable=False),
    comment="By which ways, and when, people want to be told.",
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("notification_id", sa.Uuid, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("due_at", _time, nullable=False, comment="when it is sent: not in quiet hours, and with the digest where there is one"),
    sa.Column("message_id", sa.Uuid, comment="in which it is sent; null while it waits"),
    sa.Index("deliveries_due", "due_at", postgresql_where=sa.text("message_id IS NULL")),
    sa.Index("deliveries_message", "tenant_id", "message_id"),
    comment="By which ways beside the inbox a notification is sent.",
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("made_at", _time, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("next_at", _time, comment="when it is asked for again; null once it has ended"),
    sa.Column("ended_at", _time),
    sa.Column("receipt", JSONB(none_as_null=True)),
    sa.Column("error", JSONB(none_as_null=True)),
    sa.Column("sealed", sa.LargeBinary, comment="what is sent, sealed, since it may hold decision links; null once it has ended"),
    sa.Index("messages_next", "next_at", postgresql_where=sa.text("next_at IS NOT NULL")),
    sa.Index("messages_made_at", "made_at"),
    comment="What is sent to people by mail and by Slack, by a worker.",
)

connections = sa.Table(
    "connections",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("removed", sa.Boolean, nullable=False),
    comment="The tenant's connections by which notifications are sent, without secrets.",
)

suspensions = sa.Table(
    "suspensions",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("lifted", sa.Boolean, nullable=False),
    comment="Which of them are held up.",
)
