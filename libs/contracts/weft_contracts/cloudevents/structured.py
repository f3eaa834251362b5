"""Structured and batch mode: events as JSON documents. Source: CloudEvents JSON event format 1.0.2."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from weft_contracts.cloudevents.content import CloudEventError, Problem, decode, decode_json, in_charset, is_json, is_text
from weft_contracts.cloudevents.event import RESERVED, CloudEvent, build

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"

_SHOWN_PROBLEMS = 50


def read_structured(body: bytes) -> CloudEvent:
    """The event of a JSON document. Raises: CloudEventError."""
    return from_document(decode_json(body))


def read_batch(body: bytes) -> list[CloudEvent]:
    """The events of a JSON array; one that is wrong makes the whole batch wrong. Raises: CloudEventError, pointers from the array."""
    documents = decode_json(body)
    if not isinstance(documents, list):
        raise CloudEventError(Problem("", "not_a_cloudevent", "a batch is a JSON array of CloudEvents"))
    events: list[CloudEvent] = []
    problems: list[Problem] = []
    for position, document in enumerate(documents):
        try:
            events.append(from_document(document))
        except CloudEventError as error:
            problems.extend(error.under(f"/{position}").problems)
    if problems:
        raise CloudEventError(*problems[:_SHOWN_PROBLEMS])
    return events


def write_structured(event: CloudEvent) -> bytes:
    """The JSON document of an event."""
    return msgspec.json.encode(to_document(event))


def write_batch(events: Sequence[CloudEvent]) -> bytes:
    """The JSON array of some events."""
    return msgspec.json.encode([to_document(event) for event in events])


def from_document(document: Any) -> CloudEvent:
    """The event of a decoded JSON document. Raises: CloudEventError."""
    if not isinstance(document, dict):
        raise CloudEventError(Problem("", "not_a_cloudevent", "a CloudEvent is a JSON object"))
    attributes = {name: value for name, value in document.items() if name not in RESERVED}
    event = build(attributes, None)
    data = _data(document, event.datacontenttype)
    return event if data is None else replace(event, data=data)


def to_document(event: CloudEvent) -> dict[str, Any]:
    """The JSON object of an event."""
    document: dict[str, Any] = dict(event.attributes())
    if isinstance(event.data, bytes):
        document["data_base64"] = b64encode(event.data).decode()
    elif event.data is not None:
        document["data"] = event.data
    return document


def _data(document: dict[str, Any], media_type: str | None) -> Any:
    data, encoded = document.get("data"), document.get("data_base64")
    if encoded is None:
        return _written(data, media_type)
    if data is not None:
        raise CloudEventError(Problem("/data_base64", "bad_data", "an event has data or data_base64, not both"))
    if not isinstance(encoded, str):
        raise CloudEventError(Problem("/data_base64", "bad_data", "data_base64 is a text in base64"))
    try:
        content = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CloudEventError(Problem("/data_base64", "bad_data", f"data_base64 is not base64: {error}")) from error
    # Without a media type bytes are bytes: only `data` is JSON when nothing is said.
    return (content or None) if media_type is None else decode(content, media_type, "/data_base64")


def _written(data: Any, media_type: str | None) -> Any:
    """`data` as its media type says; text of a type that is neither JSON nor UTF-8 text stands for its bytes."""
    if data is None or is_json(media_type):
        return data
    if not isinstance(data, str):
        raise CloudEventError(
            Problem("/data", "bad_data", f"data of {media_type} is a text or data_base64, and JSON only where the type is JSON")
        )
    return (data or None) if is_text(media_type) else in_charset(data, media_type, "/data") or None
