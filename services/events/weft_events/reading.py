"""From what came in to events with their tenants: both doors, all three modes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from weft_contracts.cloudevents import CloudEvent, CloudEventError, read_amqp, read_http, write_structured
from weft_runtime.errors import Detail, Invalid
from weft_runtime.http.strict_json import refuse_repeated_names

from weft_events.domain import HOOKS, MAILS, MAX_EVENT_BYTES, RECORDS, SCHEDULES, is_ours
from weft_events.errors import EventTooLarge, ForeignTenant, InvalidEvent, MalformedEvent, TooManyEvents, UnknownTenant, UnsupportedFormat

if TYPE_CHECKING:
    from weft_runtime.pipeline import RawEvent

TENANT: Final = "tenantid"
MAX_ATTRIBUTE: Final = 1024
"""Characters of an attribute that events are found by."""

_MALFORMED: Final = frozenset({"not_json", "not_utf8", "nul_character"})
_TENANT_ID: Final = re.compile(r"[a-z0-9](-?[a-z0-9])*")


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event for a tenant. It has a time."""

    tenant: str
    event: CloudEvent


def from_http(tenant: str, headers: Mapping[str, str], body: bytes, now: datetime, *, most: int) -> list[Arrived]:
    """The events of a request. headers: names in lower case.  now: the time of events that name none.  most: events in a batch.

    Raises: Malformed, MalformedEvent, UnsupportedFormat, InvalidEvent, TooManyEvents, EventTooLarge, ForeignTenant.
    """
    try:
        events, batch = read_http(headers, body)
    except CloudEventError as error:
        raise _refused(error) from error
    if _is_json(headers.get("content-type", "")):
        refuse_repeated_names(body)
    if len(events) > most:
        raise TooManyEvents(f"the batch holds {len(events)} events; send at most {most} at once")
    pointers = [f"/{place}" if batch else "" for place in range(len(events))]
    foreign = [at for at, event in zip(pointers, events, strict=True) if event.extensions.get(TENANT, tenant) != tenant]
    if foreign:
        detail = f"leave {TENANT} out, or make it {tenant!r}, the tenant of your token"
        raise ForeignTenant(
            "an event names another tenant than your token does",
            details=[Detail(f"{at}/{TENANT}", "foreign_tenant", detail) for at in foreign],
        )
    return _arrived([(tenant, event) for event in events], pointers, now)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower().endswith(("/json", "+json"))


def from_exchange(content_type: str, headers: Mapping[str, Any], body: bytes, routing_key: str, now: datetime) -> list[Arrived]:
    """The events of a message from `weft.domain`. Their tenant is `tenantid`, else the first word of the routing key `<tenant>.<type>`.

    Raises: MalformedEvent, InvalidEvent, EventTooLarge, UnknownTenant, ForeignTenant.
    """
    try:
        events = read_amqp(content_type or None, headers, body)
    except CloudEventError as error:
        raise _refused(error) from error
    tenants = [_tenant(event, routing_key) for event in events]
    return _arrived(list(zip(tenants, events, strict=True)), [f"/{place}" for place in range(len(events))], now)


def from_messages(heard: Sequence[RawEvent], now: datetime) -> list[Arrived]:
    """The events of messages from `weft.domain`, in order. Raises: as `from_exchange`."""
    return [one for raw in heard for one in from_exchange(raw.content_type, raw.headers, raw.body, raw.routing_key, now)]


def _tenant(event: CloudEvent, routing_key: str) -> str:
    first, dot, rest = routing_key.partition(".")
    keyed = first if dot and is_tenant(first) else None
    named = event.extensions.get(TENANT)
    if named is None:
        if keyed is None:
            raise UnknownTenant(f"event {event.id[:100]!r} names no tenant: set {TENANT}, or use the routing key <tenant>.<type>")
        return keyed
    if not isinstance(named, str) or not is_tenant(named):
        raise UnknownTenant(f"{TENANT} of event {event.id[:100]!r} is no tenant id: {str(named)[:80]!r}")
    if keyed is not None and rest == event.type and keyed != named:
        raise ForeignTenant(f"event {event.id[:100]!r} names the tenant {named!r} and its routing key {keyed!r}; make them the same")
    return named


def _arrived(given: Sequence[tuple[str, CloudEvent]], pointers: Sequence[str], now: datetime) -> list[Arrived]:
    details = [detail for (_, event), at in zip(given, pointers, strict=True) for detail in _too_long(event, at)]
    if details:
        raise InvalidEvent("an attribute is too long", details=details)
    ours = [f"{at}/source" for (_, event), at in zip(given, pointers, strict=True) if is_ours(event.source)]
    if ours:
        detail = (
            f"sources that begin with {SCHEDULES!r}, {HOOKS!r}, {RECORDS!r} or {MAILS!r} are those of schedules, webhooks, watched tables "
            "and mails; choose another"
        )
        raise InvalidEvent(
            "an event pretends to be a schedule's, a webhook's, a watched table's or a mail",
            details=[Detail(at, "reserved_source", detail) for at in ours],
        )
    for (_, event), at in zip(given, pointers, strict=True):
        size = len(write_structured(event))
        if size > MAX_EVENT_BYTES:
            where = f" (the one at {at})" if at else ""
            raise EventTooLarge(
                f"event {event.id[:100]!r}{where} has {size} bytes as JSON, the most is {MAX_EVENT_BYTES}; "
                "store the large part elsewhere and send its address"
            )
    return [Arrived(tenant, event if event.time is not None else replace(event, time=now)) for tenant, event in given]


def _too_long(event: CloudEvent, at: str) -> list[Detail]:
    named = {"id": event.id, "source": event.source, "type": event.type, "subject": event.subject or ""}
    return [
        Detail(f"{at}/{name}", "too_long", f"{name} has {len(value)} characters; at most {MAX_ATTRIBUTE} are kept")
        for name, value in named.items()
        if len(value) > MAX_ATTRIBUTE
    ]


def _refused(error: CloudEventError) -> Invalid:
    details = [Detail(problem.pointer, problem.code, problem.detail) for problem in error.problems]
    if error.code in _MALFORMED:
        return MalformedEvent("the body cannot be read as CloudEvents", code=error.code, details=details)
    if error.code == "unsupported_format":
        return UnsupportedFormat(error.problems[0].detail)
    return InvalidEvent("this is no CloudEvent; `errors` says what is wrong", details=details)


def is_tenant(text: str) -> bool:
    """Whether a text may be the id of a tenant."""
    return len(text) <= 63 and _TENANT_ID.fullmatch(text) is not None
