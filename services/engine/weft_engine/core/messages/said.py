"""A word on its way: what it says and where it goes, before and after it is put into its envelope."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of

from weft_engine.core.entries import Entry
from weft_engine.core.state import State

SOURCE: Final = "weft/engine"
ENVELOPE_BYTES: Final = 400
"""About what an envelope takes beside its data."""
MAX_KEY_BYTES: Final = 255
"""Of a routing key. Source: AMQP 0-9-1, section 4.2.5.3."""
encode: Final = msgspec.json.Encoder().encode


class Outgoing(NamedTuple):
    """An item on its way. exchange, key: where to.  size_bytes: about what it takes in a frame."""

    exchange: str
    key: str
    item: Item
    size_bytes: int


class Said(NamedTuple):
    """A word before it is put into its envelope. key: None is a fact's own key, an id the partition of that execution."""

    exchange: str
    key: str | UUID | None
    type: str
    data: dict[str, Any]


Encode = Callable[[Any], bytes]


def pack(state: State, said: Said, id_: str, subject: str, at: datetime, partitions: int, encoded: Encode = encode) -> Outgoing:
    """Put a word into its envelope. The same word always gets the same id.

    subject: the execution's id.  encoded: makes the JSON, large values that are kept apart included.
    """
    data = encoded(said.data)
    item = Item(
        id=id_,
        source=SOURCE,
        type=said.type,
        time=at,
        subject=subject,
        tenantid=state.tenant,
        traceparent=state.traceparent,
        dataschema=schema_of(said.type, 1),
        replyto=partition_queue(state.id, partitions) if said.exchange == routing.WORK else None,
        data=msgspec.Raw(data),
    )
    key = said.key
    if key is None:
        key = routing.event_key(state.tenant, said.type)
    elif isinstance(key, UUID):
        key = partition_queue(key, partitions)
    return Outgoing(said.exchange, key, item, len(data) + ENVELOPE_BYTES)


def partition_queue(execution_id: UUID, partitions: int) -> str:
    """The queue of the partition that owns an execution."""
    return routing.partition_queue(routing.partition_of(execution_id, partitions))


def fact(state: State, position: int, at: datetime, **more: Any) -> dict[str, Any]:
    """What every fact about an execution says; members of `more` that are None are left out."""
    return {
        "execution_id": state.id,
        "workflow": state.workflow,
        "workflow_version": state.version,
        "position": position,
        "at": at,
        **{name: value for name, value in more.items() if value is not None},
    }


def domain_event(state: State, entry: Entry, at: datetime, encoded: Encode = encode) -> Outgoing:
    """What a `publish` node says: a plain CloudEvent, from the workflow itself. encoded: as for `pack`."""
    data = encoded(entry.data.get("data"))
    item = Item(
        id=entry.data["event_id"],
        source=source_of(state),
        type=entry.data["type"],
        subject=entry.data.get("subject"),
        time=at,
        tenantid=state.tenant,
        traceparent=state.traceparent,
        datacontenttype="application/json",
        data=msgspec.Raw(data),
    )
    # A longer type is cut in the key alone: who takes domain events reads the event itself.
    key = routing.event_key(state.tenant, item.type).encode()[:MAX_KEY_BYTES].decode(errors="ignore")
    return Outgoing(routing.DOMAIN, key, item, len(data) + ENVELOPE_BYTES)


def source_of(state: State) -> str:
    """Where the domain events of an execution come from."""
    return f"weft/workflows/{state.workflow}"
