"""The AMQP 0-9-1 bytes of what the hot path says and hears most. Coding them here costs a tenth of the general encoder and decoder."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import pamqp.decode
import pamqp.encode
import pamqp.header

_METHOD = struct.Struct(">BHIHH")
_HEADER = struct.Struct(">BHI")
_CONTENT = struct.Struct(">HHQH")
_ACK = struct.Struct(">BHIHHQBB")
_END = b"\xce"
_CONNECTION, _BLOCKED, _UNBLOCKED = 10, 60, 61
_BASIC = 60
_PUBLISH, _ACK_ID, _REJECT_ID, _NACK_ID = 40, 80, 90, 120
_MANDATORY = 0b1
_CONTENT_TYPE, _HEADERS, _DELIVERY_MODE, _MESSAGE_ID = 1 << 15, 1 << 13, 1 << 12, 1 << 7
_PERSISTENT = b"\x02"
FRAME_OVERHEAD_BYTES = 8


def _short(text: str) -> bytes:
    raw = text.encode()
    if len(raw) > 255:
        raise ValueError(f"AMQP names hold at most 255 bytes, not {len(raw)}: {text[:40]!r}…")
    return bytes((len(raw),)) + raw


@lru_cache(maxsize=4096)
def _publish_method(channel: int, exchange: str, key: str) -> bytes:
    arguments = b"\x00\x00" + _short(exchange) + _short(key) + bytes((_MANDATORY,))
    return _METHOD.pack(1, channel, 4 + len(arguments), _BASIC, _PUBLISH) + arguments + _END


def publish(
    channel: int, frame_max: int, *, exchange: str, key: str, body: bytes, content_type: str, headers: Mapping[str, Any], message_id: str
) -> list[bytes]:
    """One persistent, mandatory message. frame_max: the connection's, in bytes. Raises: ValueError for a name over 255 bytes."""
    flags, properties = _CONTENT_TYPE | _DELIVERY_MODE | _MESSAGE_ID, _short(content_type)
    if headers:
        flags, properties = flags | _HEADERS, properties + pamqp.encode.field_table(dict(headers))
    properties += _PERSISTENT + _short(message_id)
    parts = [
        _publish_method(channel, exchange, key),
        _HEADER.pack(2, channel, _CONTENT.size + len(properties)),
        _CONTENT.pack(_BASIC, 0, len(body), flags),
        properties,
        _END,
    ]
    room = frame_max - FRAME_OVERHEAD_BYTES
    for start in range(0, len(body), room):
        piece = body if len(body) <= room else body[start : start + room]
        parts += (_HEADER.pack(3, channel, len(piece)), piece, _END)
    return parts


def ack(channel: int, tag: int, *, multiple: bool) -> bytes:
    """Done for good, alone or with all before it on the channel."""
    return _ACK.pack(1, channel, 13, _BASIC, _ACK_ID, tag, multiple, 0xCE)


def acks(channel: int, tags: Sequence[int]) -> bytes:
    """Each done for good, and nothing else."""
    return b"".join([ack(channel, tag, multiple=False) for tag in tags])


def reject(channel: int, tag: int) -> bytes:
    """To the dead letters."""
    return _ACK.pack(1, channel, 13, _BASIC, _REJECT_ID, tag, 0, 0xCE)


def requeue(channel: int, tag: int) -> bytes:
    """Back to the queue."""
    return _ACK.pack(1, channel, 13, _BASIC, _REJECT_ID, tag, 1, 0xCE)


METHOD: Final = 1
HEADER: Final = 2
BODY: Final = 3
NO_FRAME: Final = 0x41
"""The "A" of "AMQP": a broker that does not speak our version answers so instead of with a frame."""

_HEAD = struct.Struct(">BHI")
_CLASS_METHOD = struct.Struct(">HH")
_CONFIRM = struct.Struct(">QB")
_TAG = struct.Struct(">QB")
_RETURN_ID, _DELIVER = 50, 60
_KNOWN = _CONTENT_TYPE | _HEADERS | _DELIVERY_MODE | _MESSAGE_ID


class Confirm(NamedTuple):
    """The broker has a message, or all up to it, on disk (kept) or could not take it."""

    tag: int
    multiple: bool
    kept: bool


class Deliver(NamedTuple):
    """The beginning of a message given to a consumer."""

    tag: int
    redelivered: bool
    exchange: str
    routing_key: str


class Return(NamedTuple):
    """The beginning of a message that no queue was bound for."""

    reply_code: int


class Header(NamedTuple):
    """What stands before a message's body."""

    size_bytes: int
    content_type: str | None
    headers: dict[str, Any]
    message_id: str


def frame_head(data: bytes, start: int) -> tuple[int, int, int]:
    """(kind, channel, size of its payload in bytes) of the frame that begins at `start`; 7 bytes must be there."""
    return _HEAD.unpack_from(data, start)


def hot_method(data: bytes, start: int) -> Confirm | Deliver | Return | None:
    """The method in a payload, None for one that is not hot."""
    class_id, method_id = _CLASS_METHOD.unpack_from(data, start)
    if class_id != _BASIC:
        return None
    if method_id in (_ACK_ID, _NACK_ID):
        tag, bits = _CONFIRM.unpack_from(data, start + 4)
        return Confirm(tag, bool(bits & 1), method_id == _ACK_ID)
    if method_id == _DELIVER:
        place = start + 5 + data[start + 4]
        tag, bits = _TAG.unpack_from(data, place)
        exchange, place = _text(data, place + 9)
        key, _ = _text(data, place)
        return Deliver(tag, bool(bits & 1), exchange, key)
    if method_id == _RETURN_ID:
        return Return(int.from_bytes(data[start + 4 : start + 6]))
    return None


def blocked(data: bytes, start: int, before: bool) -> bool:
    """Whether the broker takes no messages of this connection after the method in a payload. before: whether it took none before it."""
    class_id, method_id = _CLASS_METHOD.unpack_from(data, start)
    return before if class_id != _CONNECTION or method_id not in (_BLOCKED, _UNBLOCKED) else method_id == _BLOCKED


def header(data: bytes, start: int, end: int) -> Header:
    """The content header in a payload. One whose properties cannot be read has none: its body is judged."""
    _, _, size, flags = _CONTENT.unpack_from(data, start)
    try:
        return _known(data, start, end, size, flags) if not flags & ~_KNOWN else _general(data[start:end], size)
    except (ValueError, IndexError, struct.error):
        return Header(size, None, {}, "")


def _general(payload: bytes, size: int) -> Header:
    general = pamqp.header.ContentHeader()
    general.unmarshal(payload)
    properties = general.properties
    return Header(size, properties.content_type, properties.headers or {}, properties.message_id or "")


def _known(data: bytes, start: int, end: int, size: int, flags: int) -> Header:
    place = start + _CONTENT.size
    content_type: str | None = None
    headers: dict[str, Any] = {}
    message_id = ""
    if flags & _CONTENT_TYPE:
        content_type, place = _text(data, place)
    if flags & _HEADERS:
        used, headers = pamqp.decode.field_table(data[place:end])
        place += used
    if flags & _DELIVERY_MODE:
        place += 1
    if flags & _MESSAGE_ID:
        message_id, _ = _text(data, place)
    return Header(size, content_type, headers, message_id)


def _text(data: bytes, place: int) -> tuple[str, int]:
    after = place + 1 + data[place]
    return data[place + 1 : after].decode(errors="replace"), after
