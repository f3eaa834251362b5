"""Parked messages on their second way: edited by a person, and those that a room does not read itself sent back to who does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from weft_contracts import catalog, routing
from weft_contracts.envelope import Item
from weft_contracts.frames import FrameError, decode_frame, encode_frame
from weft_contracts.message import PartitionCommand, PartitionReply

from weft_runtime.clock import new_id
from weft_runtime.errors import Invalid
from weft_runtime.pipeline.parking import Parked
from weft_runtime.pipeline.verdicts import Verdict, clean
from weft_runtime.pipeline.words import Outgoing


class NotEditable(Invalid):
    """A parked message that is no readable item of ours, or an edit that would make it another tenant's."""

    code = "parked_not_editable"


def edited(body: bytes, data: dict[str, Any], tenant: str) -> bytes:
    """A parked item with other data; its id, type and tenant stay, so that it still takes effect once. Raises: NotEditable."""
    try:
        (item,) = decode_frame(body)
    except (FrameError, ValueError):
        raise NotEditable("only a readable item can be edited; discard this message and have it said anew") from None
    if data.get("tenant", tenant) != tenant:
        raise NotEditable(f"data.tenant must stay {tenant!r}")
    changed = msgspec.structs.replace(item, data=msgspec.Raw(msgspec.json.encode(data)))
    return encode_frame([changed])[1:-1]


def sent_back(parked: Parked, partitions: int) -> tuple[list[Item], list[Outgoing]] | Verdict:
    """The items of a message that another process reads, and how each travels to it; a verdict where that cannot be told."""
    try:
        items = decode_frame(parked.body)
    except FrameError as error:
        return Verdict(error.code, clean(str(error)))
    rows = []
    for item in items:
        way = _way(parked.origin.queue, item, partitions)
        if way is None:
            return Verdict("no_way_back", f"nothing is known to read {clean(parked.origin.queue)}; discard it and have it said anew")
        rows.append(Outgoing(new_id(), *way, encode_frame([item])[1:-1], item.traceparent))
    return items, rows


def _way(queue: str, item: Item, partitions: int) -> tuple[str, str] | None:
    """Exchange and key. What is about an execution goes to whoever owns it now, whatever queue it was buried in."""
    execution = _execution_of(item)
    if execution is not None:
        return routing.COMMANDS, routing.partition_queue(routing.partition_of(execution, partitions))
    if queue.startswith(routing.partition_queue(0)[:-1]):
        return routing.COMMANDS, queue
    if queue.startswith(routing.work_queue("")):
        return routing.WORK, queue
    return None


def _execution_of(item: Item) -> UUID | None:
    try:
        if not issubclass(catalog.word(item.type), PartitionCommand | PartitionReply):
            return None
        return UUID(msgspec.json.decode(item.data)["execution_id"])
    except (catalog.UnknownWord, msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None


def keys_of(items: Sequence[Item]) -> tuple[list[str], list[str]]:
    """Sources and ids by which the inbox knows items."""
    return [clean(item.source) for item in items], [clean(item.id) for item in items]
