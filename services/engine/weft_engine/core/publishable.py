"""Whether a domain event that a `publish` node says can be taken: it is told before it is said, since nobody answers afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from weft_contracts.cloudevents import CloudEvent, CloudEventError, read_structured, write_structured

from weft_engine.core.failures import failure
from weft_engine.core.messages.said import source_of
from weft_engine.core.state import State

MAX_EVENT_BYTES: Final = 256 * 1024
"""What an event may take as JSON. Source: architecture, section 4."""
MAX_ATTRIBUTE_CHARS: Final = 1024
"""What the log of events finds events by is no longer."""


def fault(state: State, node: str, event_id: str, event: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
    """The error of an event that would be refused, None for one that will be taken. event: `{type, subject, data}`, as far as given."""
    extensions = {"tenantid": state.tenant, **({} if state.traceparent is None else {"traceparent": state.traceparent})}
    subject = event.get("subject")
    said = CloudEvent(event_id, source_of(state), event["type"], event.get("data"), subject, now, "application/json", None, extensions)
    for name, value in (("type", said.type), ("subject", subject or "")):
        if len(value) > MAX_ATTRIBUTE_CHARS:
            message = f"the {name} of an event has {MAX_ATTRIBUTE_CHARS} characters at most, this one {len(value)}"
            return failure("event_invalid", message, node, 1, permanent=True)
    document = write_structured(said)
    if len(document) > MAX_EVENT_BYTES:
        message = f"an event has {MAX_EVENT_BYTES} bytes at most as JSON, this one {len(document)}; publish a reference to the data"
        return failure("event_too_large", message, node, 1, permanent=True)
    try:
        read_structured(document)
    except CloudEventError as error:
        message = "; ".join(f"{problem.pointer} {problem.detail}".strip() for problem in error.problems[:3])
        return failure("event_invalid", f"nobody would take this event: {message}", node, 1, permanent=True)
    return None
