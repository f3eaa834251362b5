"""The live feed's rules: which facts are shown, under which topics, and what one looks like. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from weft_contracts.alerts import AlertRaised, AlertResolved
from weft_contracts.executions import ExecutionSkipped, StartRejected
from weft_contracts.message import Message
from weft_contracts.service_levels import ExecutionSlaBreached, ExecutionSlaSet, ExecutionSlaWarned
from weft_runtime.errors import Invalid

KINDS: Final = ("executions", "tasks", "alerts")
"""What can be watched as a whole; `<kind>/<id>` watches one."""
SILENT: Final = ("notifications", "queues")
"""Topics of the API of which nothing is said yet: who asks for them is let in and hears nothing of them."""
TOPICS_MAX: Final = 20
"""Topics of one connection at most."""
_OF_SLAS: Final = (ExecutionSlaSet, ExecutionSlaWarned, ExecutionSlaBreached)


class UnknownTopic(Invalid):
    """A topic nobody publishes."""

    code = "unknown_topic"


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One fact as the feed keeps it. kind: `executions`, `tasks` or `alerts`; about: the id of the thing.

    execution_id: that it belongs to; of an alert its own id.
    """

    tenant: str
    kind: str
    about: UUID
    execution_id: UUID
    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Topics:
    """What a connection watches: whole kinds, and single things by (kind, id)."""

    kinds: frozenset[str]
    things: frozenset[tuple[str, UUID]]

    def want(self, item: FeedItem) -> bool:
        """Whether `item` is to be shown. A watched execution shows its tasks too."""
        return (
            item.kind in self.kinds
            or (item.kind, item.about) in self.things
            or (item.kind == "tasks" and ("executions", item.execution_id) in self.things)
        )

    @property
    def watched_kinds(self) -> frozenset[str]:
        """Every kind that is watched, wholly or in part."""
        return self.kinds | {kind for kind, _ in self.things}


def topics(text: str | None) -> Topics:
    """What `?topics=` asks for, comma-separated; nothing asks for everything. Raises: UnknownTopic."""
    names = [name.strip() for name in (text or ",".join(KINDS)).split(",") if name.strip()]
    if len(names) > TOPICS_MAX:
        raise UnknownTopic(f"{len(names)} topics; a connection carries at most {TOPICS_MAX}, so open another one")
    kinds: set[str] = set()
    things: set[tuple[str, UUID]] = set()
    for name in names:
        kind, slash, id_ = name.partition("/")
        if name in SILENT:
            continue
        try:
            if kind not in KINDS:
                raise ValueError(kind)
            if slash:
                things.add((kind, UUID(id_)))
            else:
                kinds.add(kind)
        except ValueError as error:
            raise UnknownTopic(
                f"topic {name!r} is not known; use {', '.join((*KINDS, *SILENT))}, or one of the first three followed by /<id>"
            ) from error
    return Topics(frozenset(kinds), frozenset(things))


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
