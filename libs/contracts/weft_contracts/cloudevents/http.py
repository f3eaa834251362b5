"""CloudEvents over HTTP: which of the three modes a message is in, and each both ways. Source: CloudEvents HTTP binding 1.0.2."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from weft_contracts.cloudevents.content import JSON, CloudEventError, Problem, decode, encode, essence
from weft_contracts.cloudevents.event import CloudEvent, Extension, build
from weft_contracts.cloudevents.structured import BATCH, STRUCTURED, read_batch, read_structured, write_batch, write_structured

_PREFIX = "ce-"
_FAMILY = "application/cloudevents"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_AS_IS = "!#$&'()*+,/:;<=>?@[\\]^`{|}"
"""Printable ASCII that stands for itself; space, double quote, percent and all else is percent-encoded."""


def read_http(headers: Mapping[str, str], body: bytes) -> tuple[list[CloudEvent], bool]:
    """The events of an HTTP message, and whether it was a batch.

    headers: names in lower case.  A document of type application/json without `ce-` headers is read as a structured event.
    Raises: CloudEventError.
    """
    media_type = headers.get("content-type")
    kind = essence(media_type)
    if kind == BATCH:
        return read_batch(body), True
    if kind == STRUCTURED:
        return [read_structured(body)], False
    if kind.startswith(_FAMILY):
        raise CloudEventError(Problem("", "unsupported_format", f"events are read as JSON ({STRUCTURED} or {BATCH}), not as {kind}"))
    given = {name.removeprefix(_PREFIX): value for name, value in headers.items() if name.startswith(_PREFIX)}
    if given:
        return [_binary(given, media_type, body)], False
    if kind == JSON:
        return [read_structured(body)], False
    detail = f"this is no CloudEvent: send {STRUCTURED}, {BATCH}, or attributes as ce- headers (ce-id, ce-source, ce-type, ce-specversion)"
    raise CloudEventError(Problem("", "not_a_cloudevent", detail))


def write_http(events: CloudEvent | Sequence[CloudEvent], *, binary: bool = False) -> tuple[dict[str, str], bytes]:
    """Headers and body of a message. One event is written structured or binary; a sequence is a batch."""
    if not isinstance(events, CloudEvent):
        return {"content-type": BATCH}, write_batch(events)
    if not binary:
        return {"content-type": STRUCTURED}, write_structured(events)
    attributes = events.attributes()
    media_type = attributes.pop("datacontenttype", None)
    headers = {_PREFIX + name: quote(text_of(value), safe=_AS_IS) for name, value in attributes.items()}
    if media_type is not None or (events.data is not None and not isinstance(events.data, bytes)):
        headers["content-type"] = str(media_type or JSON)
    return headers, encode(events.data, events.datacontenttype)


def text_of(value: Extension) -> str:
    """The canonical text of an attribute's value. Source: CloudEvents 1.0.2, section 3.1."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def binary_event(attributes: Mapping[str, Any], media_type: str | None, body: bytes) -> CloudEvent:
    """The event of a binary message: attributes beside, data as the body. Raises: CloudEventError."""
    if "datacontenttype" in attributes:
        raise CloudEventError(Problem("/datacontenttype", "bad_attribute", "in binary mode the content type is in the Content-Type header"))
    named = dict(attributes) | ({} if media_type is None else {"datacontenttype": media_type})
    event = build(named, None)
    # Without a media type bytes are bytes: only a JSON document has a type by default.
    data = (body or None) if media_type is None else decode(body, media_type, "/data")
    return event if data is None else replace(event, data=data)


def _binary(given: Mapping[str, str], media_type: str | None, body: bytes) -> CloudEvent:
    attributes: dict[str, str] = {}
    for name, value in given.items():
        try:
            attributes[name] = _plain(value)
        except UnicodeError as error:
            detail = f"{_PREFIX}{name} is not percent-encoded UTF-8: {error}"
            raise CloudEventError(Problem(f"/{name}", "bad_attribute", detail)) from error
    return binary_event(attributes, media_type, body)


def _plain(value: str) -> str:
    """The text of a header: unquoted, percent-decoded once, as UTF-8. Servers give header bytes as Latin-1."""
    quoted = _QUOTED.fullmatch(value)
    inner = re.sub(r"\\(.)", r"\1", quoted.group(1)) if quoted else value
    try:
        raw = inner.encode("latin-1")
    except UnicodeEncodeError:
        raw = inner.encode()
    return unquote_to_bytes(raw).decode()
