"""Why an event started what it started: what was decided when it came, and its conditions evaluated again, part by part. Pure."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weft_contracts.cloudevents import CloudEvent

from weft_events import domain
from weft_events.domain import Candidate, Logged, Received
from weft_events.errors import BrokenTriggers

Versions = Mapping[tuple[str, int], Sequence[Mapping[str, Any]]]
"""Triggers as written, by slug and version."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What came of one trigger for one event.

    reason: as `domain.Considered`, and `key_taken`, `correlated` (brought to who has the
    key) or `rejected` where the engine did not start what matched.
    condition: the tree `{expression, value, error, children}`, None where the trigger has no condition.
    """

    workflow: str
    version: int
    trigger: str
    matched: bool
    reason: str
    detail: str | None
    condition: dict[str, Any] | None
    execution_id: str | None


def explain(
    tenant: str, logged: Logged, versions: Versions, names: Mapping[str, Any], verdicts: Mapping[str, tuple[str, str]]
) -> list[Explained]:
    """Every trigger considered for an event.

    What matched is as it was decided then. The condition's parts are evaluated anew, from the event and the version as they were then
    and the tenant's settings of today (`names`).  verdicts: what the engine said of starts, by execution id.
    """
    read = domain.names_of(Received(logged.id, tenant, event_of(logged), logged.received_at, logged.request), names)
    compiled = {key: _compiled(key, documents) for key, documents in versions.items()}
    return [_explained(one, compiled.get((one["workflow"], one["version"]), {}), read, verdicts) for one in logged.considered]


def event_of(logged: Logged) -> CloudEvent:
    """The event as it came. Its attributes were checked then."""
    attributes = dict(logged.attributes)
    named = {name: attributes.pop(name, None) for name in ("datacontenttype", "dataschema")}
    for name in ("specversion", "id", "source", "type", "subject", "time"):
        attributes.pop(name, None)
    data = b64decode(logged.data) if logged.is_binary else logged.data
    return CloudEvent(
        logged.event_id, logged.source, logged.type, data, subject=logged.subject, time=logged.time, extensions=attributes, **named
    )


def _compiled(key: tuple[str, int], documents: Sequence[Mapping[str, Any]]) -> dict[str, Candidate]:
    try:
        return {one.trigger.id: one for one in domain.candidates(*key, documents)}
    except BrokenTriggers:
        # A version that an older release accepted and this one does not: what was decided is shown all the same.
        return {}


def _explained(
    one: Mapping[str, Any], compiled: Mapping[str, Candidate], names: Mapping[str, Any], verdicts: Mapping[str, tuple[str, str]]
) -> Explained:
    candidate = compiled.get(one["trigger"])
    when = None if candidate is None or one["reason"] == "missed" else candidate.trigger.when
    execution_id = one.get("execution_id")
    reason, detail = verdicts.get(execution_id or "", (one["reason"], one.get("detail")))
    return Explained(
        workflow=one["workflow"],
        version=one["version"],
        trigger=one["trigger"],
        matched=one["matched"],
        reason=reason,
        detail=detail,
        condition=None if when is None else when.explain(names).to_dict(),
        execution_id=execution_id,
    )
