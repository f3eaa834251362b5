"""CloudEvents over AMQP: the same three modes, attributes as `cloudEvents:` headers. Source: CloudEvents AMQP binding 1.0.2.

The binding is written for AMQP 1.0; over 0.9.1, as RabbitMQ speaks it, application properties are headers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from weft_contracts.cloudevents.content import JSON, CloudEventError, Problem, encode, essence
from weft_contracts.cloudevents.event import CloudEvent, write_time
from weft_contracts.cloudevents.http import binary_event
from weft_contracts.cloudevents.structured import BATCH, STRUCTURED, read_batch, read_structured, write_batch, write_structured

PREFIX: Final = "cloudEvents:"
OTHER_PREFIX: Final = "cloudEvents_"
"""For brokers and clients that cannot name a header with a colon; read, never written."""


def read_amqp(content_type: str | None, headers: Mapping[str, Any], body: bytes) -> list[CloudEvent]:
    """The events of an AMQP message in any mode. Raises: CloudEventError."""
    kind = essence(content_type)
    if kind == BATCH:
        return read_batch(body)
    if kind == STRUCTURED:
        return [read_structured(body)]
    attributes = {
        name[len(PREFIX) :]: _value(name[len(PREFIX) :], value)
        for name, value in headers.items()
        if name.startswith((PREFIX, OTHER_PREFIX))
    }
    if not attributes:
        said = kind or "not said"
        detail = f"this is no CloudEvent: its content type is {said}, neither {STRUCTURED} nor {BATCH}, and it has no {PREFIX} headers"
        raise CloudEventError(Problem("", "not_a_cloudevent", detail))
    return [binary_event(attributes, content_type or None, body)]


def write_amqp(events: CloudEvent | Sequence[CloudEvent], *, binary: bool = False) -> tuple[str | None, dict[str, Any], bytes]:
    """Content type, headers and body of a message. One event is written structured or binary; a sequence is a batch."""
    if not isinstance(events, CloudEvent):
        return BATCH, {}, write_batch(events)
    if not binary:
        return STRUCTURED, {}, write_structured(events)
    attributes = events.attributes()
    media_type = attributes.pop("datacontenttype", None)
    if media_type is None and events.data is not None and not isinstance(events.data, bytes):
        media_type = JSON
    headers = {PREFIX + name: value for name, value in attributes.items()}
    return None if media_type is None else str(media_type), headers, encode(events.data, events.datacontenttype)


def _value(name: str, value: Any) -> Any:
    """An AMQP header as a value of CloudEvents: texts may come as bytes, times as timestamps."""
    if isinstance(value, datetime):
        return write_time(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise CloudEventError(Problem(f"/{name}", "bad_attribute", f"{name} is not UTF-8: {error}")) from error
    return value
