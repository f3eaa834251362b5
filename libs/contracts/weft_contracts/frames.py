"""A frame: a batch of items in one AMQP message. In Python an AMQP message costs 40 times what an item costs, so items travel together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from weft_contracts.envelope import Item

BATCH = "application/cloudevents-batch+json"
SINGLE = "application/cloudevents+json"

MAX_FRAME_ITEMS = 500
MAX_FRAME_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 128
"""Levels of an item's data. What comes by HTTP has at most 64, what an expression gives at most 96, each with an envelope around it."""

_encoder = msgspec.json.Encoder()
_batch_decoder = msgspec.json.Decoder(list[Item])
_single_decoder = msgspec.json.Decoder(Item)


class FrameError(ValueError):
    """The bytes are no frame of CloudEvents. `code` is stable: `not_a_frame`, `not_a_cloudevent`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def encode_frame(items: Sequence[Item]) -> bytes:
    """One frame's bytes, a JSON array of structured CloudEvents."""
    return _encoder.encode(items)


def decode_frame(body: bytes) -> list[Item]:
    """The items of a frame, batch or single. Raises: FrameError for anything else, naming what is wrong and where."""
    try:
        items = [_single_decoder.decode(body)] if body.lstrip()[:1] == b"{" else _batch_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        code = "not_a_cloudevent" if isinstance(error, msgspec.ValidationError) else "not_a_frame"
        raise FrameError(code, f"the message is no frame of CloudEvents: {error}") from error
    except RecursionError as error:
        raise FrameError("not_a_frame", "the message is no frame of CloudEvents: it is nested without end") from error
    if body.count(b'"specversion"') < len(items):  # the decoder takes a missing tag for the only one it knows
        raise FrameError("not_a_cloudevent", "an item has no specversion; CloudEvents 1.0 requires it")
    for position, item in enumerate(items):
        if not (item.id and item.source and item.type):
            raise FrameError("not_a_cloudevent", f"item {position} has an empty id, source or type")
    return items


def shallow(data: msgspec.Raw) -> msgspec.Raw:
    """An item's data, which whoever reads, copies or writes it goes down as deep as it is nested.

    Raises: ValueError where that is beyond `MAX_DEPTH`, or where it is no JSON.
    """
    raw = bytes(data)
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _deeper(raw):
        raise ValueError(f"the data is nested deeper than {MAX_DEPTH} levels")
    return data


def _deeper(raw: bytes) -> bool:
    try:
        level: list[Any] = [msgspec.json.decode(raw)]
    except RecursionError:
        return True
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for value in level:
            if type(value) is dict:
                below.extend(value.values())
            elif type(value) is list:
                below.extend(value)
        level = below
    return bool(level)


def split(items: Iterable[tuple[Item, int]], *, max_items: int = MAX_FRAME_ITEMS, max_bytes: int = MAX_FRAME_BYTES) -> Iterator[list[Item]]:
    """Cut (item, size in bytes) pairs, in order, into lists that each fit one frame."""
    frame: list[Item] = []
    size = 0
    for item, item_bytes in items:
        if frame and (len(frame) >= max_items or size + item_bytes > max_bytes):
            yield frame
            frame, size = [], 0
        frame.append(item)
        size += item_bytes
    if frame:
        yield frame
