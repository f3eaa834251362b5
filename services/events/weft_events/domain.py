"""Which triggers an event is one for, what each starts, and why the others start nothing. Pure; time and ids are arguments."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec
from pydantic import TypeAdapter, ValidationError
from weft_contracts.cloudevents import CloudEvent
from weft_contracts.executions import StartExecution, TriggerInfo
from weft_language import InvalidSchema, compile_triggers
from weft_language.compilation import Trigger, Verdict, glob_matches
from weft_language.compilation import consider as verdict_on
from weft_language.expressions import CALENDARS, Calendar, ExpressionError
from weft_language.model import AnyTrigger

from weft_events.errors import BrokenTriggers
from weft_events.machine import LEGAL, EventStatus

MAX_EVENT_BYTES: Final = 256 * 1024
MAX_CONSIDERED: Final = 100
"""Triggers whose consideration is kept for an event; more are matched all the same."""
REMEMBERED_TYPES: Final = 1000
"""Event types whose triggers an index remembers."""
MAX_KEPT_DAYS: Final = 36_500
MAX_DETAIL: Final = 500

SCHEDULES: Final = "weft/schedules/"
"""What the sources of a schedule's events begin with: `weft/schedules/<workflow>/<trigger>`. Nobody else may send from there."""
FIRED: Final = "weft.schedule.fired"
MISSED: Final = "weft.schedule.missed"
"""Types of what schedules write into the log. Each is for its own trigger alone: no other is considered, no `state` waits for it."""
HOOKS: Final = "weft/hooks/"
"""What the sources of calls of webhooks begin with, the path behind it. Nobody else may send from there either."""
CALLED: Final = "weft.webhook.called"
"""The type of a call of a webhook. It is for the triggers of its path alone."""
RECORDS: Final = "weft/records/"
"""What the sources of changes of rows begin with, the name of their source behind it: theirs alone as well."""
MAILS: Final = "weft/mail/"
"""What the sources of mails begin with, the door they came by behind it. Nobody else may send from there either."""
MAILED: Final = "weft.mail.received"
"""The type of a mail. It is for the triggers on its addresses alone."""

_KINDS: Final = {SCHEDULES: "schedule", HOOKS: "webhook", RECORDS: "record", MAILS: "email"}
"""What `trigger.type` is by what the source of the event begins with."""
_EXECUTIONS: Final = UUID("6d0a4b7e-3f0c-5a51-9d5e-0c1c3f8a7e21")
"""The namespace of execution ids that follow from an event and a trigger; any constant does, for ever the same."""
_triggers = TypeAdapter(tuple[AnyTrigger, ...])


@dataclass(frozen=True, slots=True)
class Received:
    """An event that was taken in.

    id: ours, a UUIDv7.  event: as its sender described it, with a time.  request: of a webhook, how it was called.
    """

    id: UUID
    tenant: str
    event: CloudEvent
    at: datetime
    request: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """An event in the log. attributes: all of CloudEvents.  considered: as stored; data, considered and request are empty in lists."""

    id: UUID
    received_at: datetime
    event_id: str
    source: str
    type: str
    subject: str | None
    time: datetime
    attributes: dict[str, Any]
    status: str
    started: list[str]
    considered_total: int
    duplicates: int
    is_binary: bool
    data: Any = None
    considered: tuple[dict[str, Any], ...] = ()
    request: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One trigger of an active workflow, compiled.

    place: among the triggers of its workflow.  priority: of what it starts, 0..9.  rule: of a schedule, what is written of its times.
    """

    workflow: str
    version: int
    place: int
    trigger: Trigger
    priority: int | None = None
    rule: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Considered:
    """What came of one trigger for one event.

    reason: `matched`; `disabled`, `source`, `condition` where it did not match; `error` where its condition, input or key cannot be
    evaluated; `missed` of moments of a schedule for which nothing was started; `method`, `signature` of calls of a webhook that are not
    for a trigger of its path; `operation`, `changed`, `workflow` of changes of rows that are not for a trigger of their table;
    `address` of a mail that is for none of them.
    detail: for a person.  start: what it says, where it matched.
    """

    workflow: str
    version: int
    trigger: str
    matched: bool
    reason: str
    detail: str | None = None
    start: StartExecution | None = None


class TriggerIndex:
    """The event triggers of one tenant's active workflows, found by the type of an event."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        """Index them. Those of equal priority keep the order of their workflows' slugs."""
        ordered = sorted(candidates, key=lambda one: (one.trigger.priority, one.workflow, one.place))
        self._exact: dict[str, list[tuple[int, Candidate]]] = {}
        self._globs: list[tuple[int, Candidate]] = []
        for rank, one in enumerate(ordered):
            if one.trigger.pattern is None:
                continue
            if one.trigger.exact:
                self._exact.setdefault(one.trigger.pattern, []).append((rank, one))
            else:
                self._globs.append((rank, one))
        self._found: dict[str, list[Candidate]] = {}

    def of(self, event_type: str) -> Sequence[Candidate]:
        """The triggers for events of this type, in the order they are to be considered."""
        found = self._found.get(event_type)
        if found is None:
            found = self._search(event_type)
            # A tenant has few types of event; whoever makes them up endlessly pays for the search and no memory.
            if len(self._found) < REMEMBERED_TYPES:
                self._found[event_type] = found
        return found

    def patterns(self) -> tuple[list[str], list[str]]:
        """What types its triggers are for: exact ones, and globs."""
        return list(self._exact), sorted({str(one.trigger.pattern) for _, one in self._globs})

    def _search(self, event_type: str) -> list[Candidate]:
        found = list(self._exact.get(event_type, ()))
        found += [(rank, one) for rank, one in self._globs if glob_matches(str(one.trigger.pattern), event_type)]
        found.sort(key=lambda ranked: ranked[0])
        return [one for _, one in found]


@dataclass(frozen=True, slots=True)
class Matching:
    """What a tenant's events are matched with. tenant: what expressions read of it, `tenant_names`."""

    index: TriggerIndex
    tenant: Mapping[str, Any] = field(default_factory=lambda: tenant_names(""))


def candidates(workflow: str, version: int, documents: Sequence[Mapping[str, Any]], priority: int | None = None) -> list[Candidate]:
    """The compiled triggers of a version. documents, priority: its `triggers`, `settings.priority`, as written. Raises: BrokenTriggers."""
    try:
        compiled = compile_triggers(_triggers.validate_python(tuple(documents)))
    except (ValidationError, ExpressionError, InvalidSchema) as error:
        raise BrokenTriggers(f"the triggers of {workflow} version {version} cannot be compiled: {error}") from error
    rules = [_rule(document) for document in documents]
    return [
        Candidate(workflow, version, place, trigger, priority, rules[place] if place < len(rules) else {})
        for place, trigger in enumerate(compiled)
    ]


def consider(received: Received, matching: Matching) -> Iterator[Considered]:
    """Every trigger that is for events of this type, in order, with what comes of it."""
    found = matching.index.of(received.event.type)
    if found:
        names = names_of(received, matching.tenant)
        for one in found:
            yield _considered(received, one, names)


def consider_alone(received: Received, one: Candidate, tenant: Mapping[str, Any]) -> Considered:
    """What comes of one trigger for an event that is meant for it. tenant: what expressions read of it, `tenant_names`."""
    return _considered(received, one, names_of(received, tenant))


def status_of(considered: Sequence[Considered]) -> EventStatus:
    """Where an event stands when all its triggers were considered."""
    return LEGAL[EventStatus.RECEIVED, "match" if any(one.matched for one in considered) else "pass_over"]


def names_of(received: Received, tenant: Mapping[str, Any]) -> dict[str, Any]:
    """What a trigger's expressions read: `trigger`, `now`, the time the event was received, and of the tenant `tenant_names`."""
    event = received.event
    trigger = {
        "type": _kind_of(event.source),
        "payload": payload_of(event),
        "event": event.attributes(),
        "time": event.attributes().get("time"),
        "user": None,
        "request": received.request,
    }
    return {"trigger": trigger, "now": received.at, **tenant}


def is_ours(source: str) -> bool:
    """Whether events of this source are written by schedules, webhooks, watched tables and mails alone."""
    return source.startswith((SCHEDULES, HOOKS, RECORDS, MAILS))


def tenant_names(
    tenant: str, tier: str | None = None, settings: Mapping[str, Any] | None = None, calendars: Mapping[str, Calendar] | None = None
) -> dict[str, Any]:
    """What expressions read of a tenant: `tenant`, of the standard tier where it is not heard of yet, and its calendars by name."""
    return {"tenant": {"id": tenant, "tier": tier or "standard", "settings": dict(settings or {})}, CALENDARS: calendars or {}}


def kept_days(retention: object, usual: int) -> int:
    """How many days a tenant's events are kept, 0 for ever. retention: of its settings, `{events_days}`. usual: else."""
    days = retention.get("events_days") if isinstance(retention, Mapping) else None
    return days if isinstance(days, int) and not isinstance(days, bool) and 0 <= days <= MAX_KEPT_DAYS else usual


def payload_of(event: CloudEvent) -> Any:
    """The event's data as JSON: bytes as base64 text."""
    return b64encode(event.data).decode() if isinstance(event.data, bytes) else event.data


def execution_id(received: Received, workflow: str, trigger: str) -> UUID:
    """The execution that an event starts by a trigger: the same for the same event, so that a repeat collapses on it."""
    event = received.event
    return uuid5(_EXECUTIONS, msgspec.json.encode([received.tenant, event.source, event.id, workflow, trigger]).decode())


def _considered(received: Received, one: Candidate, names: Mapping[str, Any]) -> Considered:
    verdict = verdict_on(one.trigger, received.event.source, names)
    if not verdict.matched:
        return Considered(one.workflow, one.version, one.trigger.id, False, verdict.reason, (verdict.detail or "")[:MAX_DETAIL])
    return Considered(one.workflow, one.version, one.trigger.id, True, verdict.reason, None, _start(received, one, names, verdict))


def _kind_of(source: str) -> str:
    return next((kind for prefix, kind in _KINDS.items() if source.startswith(prefix)), "event")


def _rule(document: Mapping[str, Any]) -> dict[str, Any]:
    if document.get("on") != "schedule":
        return {}
    return {name: document[name] for name in ("cron", "every", "timezone", "catch_up", "starts", "ends") if document.get(name) is not None}


def _start(received: Received, one: Candidate, names: Mapping[str, Any], verdict: Verdict) -> StartExecution:
    trigger, event = one.trigger, received.event
    return StartExecution(
        execution_id=execution_id(received, one.workflow, trigger.id),
        workflow=one.workflow,
        workflow_version=one.version,
        input=verdict.input,
        trigger=TriggerInfo(
            type=names["trigger"]["type"],
            id=trigger.id,
            event_id=str(received.id),
            payload=names["trigger"]["payload"],
            event=names["trigger"]["event"],
            time=event.time,
            request=names["trigger"]["request"],
        ),
        key=verdict.key,
        priority=one.priority,
        correlated=trigger.correlates,
        requested_at=received.at,
    )
