"""The live feed's rules: which facts are shown, under which topics, and what one looks like. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

from weft_contracts.alerts import AlertRaised, AlertResolved
from weft_contracts.executions import ExecutionSkipped, StartRejected
from weft_contracts.message import Message
from weft_contracts.notifications import NotificationCreated, NotificationsRead
from weft_contracts.service_levels import ExecutionSlaBreached, ExecutionSlaSet, ExecutionSlaWarned
from weft_runtime.auth import Caller, Permission
from weft_runtime.errors import Forbidden, Invalid

NOTIFICATIONS: Final = "notifications"
"""What each watches of their own only."""
KINDS: Final = ("executions", "tasks", "alerts", NOTIFICATIONS)
"""What can be watched as a whole; `<kind>/<id>` watches one."""
QUEUES: Final = "queues"
TOPICS: Final = {
    "executions": Permission.EXECUTIONS_READ,
    "tasks": Permission.TASKS_READ,
    NOTIFICATIONS: Permission.SELF_READ,
    QUEUES: Permission.ANALYTICS_READ,
    "alerts": Permission.ANALYTICS_READ,
}
"""Every topic, and what whoever watches it has to be allowed: as to read the same by its route."""
TOPICS_MAX: Final = 20
"""Topics of one connection at most."""
_OF_SLAS: Final = (ExecutionSlaSet, ExecutionSlaWarned, ExecutionSlaBreached)


class UnknownTopic(Invalid):
    """A topic nobody publishes."""

    code = "unknown_topic"


class TopicRefused(Forbidden):
    """A topic that whoever asks may not read."""

    code = "topic_refused"


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One fact as the feed keeps it. kind: `executions`, `tasks`, `alerts` or `notifications`; about: the id of the thing.

    execution_id: that it belongs to; of an alert or a notification its own id.
    """

    tenant: str
    kind: str
    about: UUID
    execution_id: UUID
    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Topics:
    """What a connection watches: whole kinds, and single things by (kind, id).

    called: what whoever watches is called by, in lower case: of notifications they are shown those whose `user` is one of these.
    """

    kinds: frozenset[str]
    things: frozenset[tuple[str, UUID]]
    called: frozenset[str] = frozenset()

    def want(self, item: FeedItem) -> bool:
        """Whether `item` is to be shown. A watched execution shows its tasks too."""
        if item.kind == NOTIFICATIONS and str(item.data.get("user", "")).lower() not in self.called:
            return False
        return (
            item.kind in self.kinds
            or (item.kind, item.about) in self.things
            or (item.kind == "tasks" and ("executions", item.execution_id) in self.things)
        )

    @property
    def names(self) -> list[str]:
        """The topics as they are asked for, in order."""
        return sorted([*self.kinds, *(f"{kind}/{id_}" for kind, id_ in self.things)])

    def refused_to(self, caller: Caller) -> list[str]:
        """Those that `caller` may not read; of an execution its tasks are shown, too, to whoever may read that."""
        return [name for name in self.names if not caller.may(TOPICS[name.partition("/")[0]])]

    def plus(self, others: Topics) -> Topics:
        """These and others. Raises: UnknownTopic where they are more than a connection carries."""
        return _bounded(replace(self, kinds=self.kinds | others.kinds, things=self.things | others.things))

    def minus(self, others: Topics) -> Topics:
        """These without others."""
        return replace(self, kinds=self.kinds - others.kinds, things=self.things - others.things)


def topics(names: Iterable[str], caller: Caller) -> Topics:
    """The topics of these names, each as it stands in a query (`executions`, `tasks/<id>`).

    None: every one that `caller` may read but `queues`, which is measured for those who ask for it.

    Raises: UnknownTopic, TopicRefused.
    """
    asked = [name.strip() for name in names if name.strip()]
    called = frozenset(one.lower() for one in (caller.owner or caller.sub, caller.email) if one)
    if not asked:
        return Topics(frozenset(name for name, right in TOPICS.items() if name != QUEUES and caller.may(right)), frozenset(), called)
    wanted = replace(read_topics(asked), called=called)
    if refused := wanted.refused_to(caller):
        raise TopicRefused(f"you may not read {', '.join(refused)}; ask an administrator of your tenant for a role that may")
    return wanted


def read_topics(names: Iterable[str]) -> Topics:
    """The topics of these names, whoever may read them. Raises: UnknownTopic."""
    kinds: set[str] = set()
    things: set[tuple[str, UUID]] = set()
    for name in names:
        kind, slash, id_ = name.partition("/")
        try:
            if kind not in (KINDS if slash else TOPICS):
                raise ValueError(kind)
            if slash:
                things.add((kind, UUID(id_)))
            else:
                kinds.add(kind)
        except ValueError as error:
            raise UnknownTopic(
                f"topic {name[:100]!r} is not known; use {', '.join(TOPICS)}, or one of {', '.join(KINDS)} followed by /<id>"
            ) from error
    return _bounded(Topics(frozenset(kinds), frozenset(things)))


def _bounded(wanted: Topics) -> Topics:
    if len(wanted.kinds) + len(wanted.things) > TOPICS_MAX:
        raise UnknownTopic(f"more than {TOPICS_MAX} topics, the most that a connection carries; open another one")
    return wanted


def items(facts: Iterable[tuple[str, Message]]) -> list[FeedItem]:
    """The feed items of (tenant, fact) pairs, in order; of several facts about one thing in a batch only the last counts.

    How an execution stands and how its sla does are two things.
    """
    latest: dict[tuple[str, str, UUID, bool], FeedItem] = {}
    for tenant, fact in facts:
        item = _item(tenant, fact)
        key = (tenant, item.kind, item.about, isinstance(fact, _OF_SLAS))
        latest.pop(key, None)
        latest[key] = item
    return list(latest.values())


_FOR_ANALYTICS = {"walk", "path", "steps", "origin"}
"""What facts tell for analytics alone."""


def _item(tenant: str, fact: Message) -> FeedItem:
    data = fact.model_dump(mode="json", exclude_none=True, exclude=_FOR_ANALYTICS)
    if isinstance(fact, AlertRaised | AlertResolved):
        return FeedItem(tenant, "alerts", fact.alert_id, fact.alert_id, fact.type, {"id": str(fact.alert_id), **data})
    if isinstance(fact, NotificationCreated | NotificationsRead):
        # Where all of somebody's were read it is about no one of them.
        about = fact.notification_id or uuid5(NAMESPACE_OID, f"{tenant}/{fact.user}")
        return FeedItem(tenant, NOTIFICATIONS, about, about, fact.type, {"id": data.get("notification_id"), **data})
    execution_id: UUID = fact.execution_id  # type: ignore[attr-defined]  # every fact of these two owners has one
    task_id: UUID | None = getattr(fact, "task_id", None)
    if task_id is not None:
        return FeedItem(tenant, "tasks", task_id, execution_id, fact.type, {"id": str(task_id), **data})
    status = fact.type.partition(".")[2]
    if isinstance(fact, _OF_SLAS):
        # `status` is an execution's own in every other item.
        data["sla"] = data.pop("status", status.removeprefix("sla_")) if "due_at" in data else None
    elif not isinstance(fact, ExecutionSkipped | StartRejected):
        data["status"] = {"started": "running", "resumed": "running"}.get(status, status)
    return FeedItem(tenant, "executions", execution_id, execution_id, fact.type, {"id": str(execution_id), **data})
