"""The AsyncAPI 3.0 document of the mesh, made from the catalog and the map of rooms. Source: AsyncAPI 3.0.0."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
from pydantic.json_schema import models_json_schema

from weft_contracts import routing
from weft_contracts.activities import ActivityRequested
from weft_contracts.catalog import words
from weft_contracts.envelope import SPEC_VERSION, Item, schema_of
from weft_contracts.frames import BATCH, SINGLE
from weft_contracts.message import Event, Message, PartitionCommand, PartitionReply
from weft_contracts.rooms import ROOMS

_PARTITION = "engine.partition"
_POOL = "work.pool"
_FACTS = "events"
_ABOUT = f"""What the rooms of the mesh say to each other over RabbitMQ.

Every message here is one item, a CloudEvents 1.0 event in JSON. On the wire items travel in frames, a batch of items in one AMQP message
(`{BATCH}`); a single item (`{SINGLE}`) is read as well. Frames are persistent, mandatory and confirmed. An item may come more than once,
with the same `source` and `id`; readers ignore fields they do not know."""


def document() -> dict[str, Any]:
    """The document: a channel per queue and topic exchange, an operation per room and word, a message per word."""
    by_word, defined = models_json_schema([(word, "validation") for word in words()], ref_template="#/components/schemas/{model}")
    schemas = {**defined.get("$defs", {}), "Item": _item_schema()}
    payloads = {word: by_word[word, "validation"] for word in words()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Weft", "version": "1", "description": _ABOUT},
        "defaultContentType": SINGLE,
        "channels": _channels(),
        "operations": dict(operation for room in ROOMS for operation in _operations(room)),
        "components": {
            "messages": {_key(word): _message(word, payloads[word]) for word in words()},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _key(word: type[Message]) -> str:
    return f"{word.type}.v{word.version}"


def _item_schema() -> dict[str, Any]:
    """The envelope, from its class; absent attributes are left out, never null."""
    kinds: dict[str, dict[str, Any]] = {"data": {}, "time": {"type": "string", "format": "date-time"}}
    fields = msgspec.structs.fields(Item)
    return {
        "title": "Item",
        "description": inspect.cleandoc(Item.__doc__ or ""),
        "type": "object",
        "properties": {
            "specversion": {"const": SPEC_VERSION},
            **{field.name: kinds.get(field.name, {"type": "string"}) for field in fields},
        },
        "required": ["specversion", *(field.name for field in fields if field.required)],
    }


def _message(word: type[Message], payload: dict[str, Any]) -> dict[str, Any]:
    envelope = {"type": {"const": word.type}, "dataschema": {"const": schema_of(word.type, word.version)}, "data": payload}
    return {
        "name": word.type,
        "title": word.__name__,
        "summary": inspect.cleandoc(word.__doc__ or "").splitlines()[0],
        "contentType": SINGLE,
        "payload": {"allOf": [{"$ref": "#/components/schemas/Item"}, {"type": "object", "properties": envelope}]},
    }


def _heard_at(room: str, word: type[Message]) -> str:
    """The channel a room hears a word on."""
    if room == "worker":
        return _POOL
    to_partition = issubclass(word, PartitionCommand) or (issubclass(word, PartitionReply) and room == "engine")
    return _PARTITION if to_partition else routing.inbox_queue(room)


def _said_at(word: type[Message]) -> str:
    """The channel a word is said on."""
    if word is ActivityRequested:
        return _POOL
    if issubclass(word, PartitionCommand | PartitionReply):
        return _PARTITION
    return _FACTS if issubclass(word, Event) else routing.inbox_queue(word.owner)


def _operations(room: str) -> list[tuple[str, dict[str, Any]]]:
    heard = [(f"{room}.hears.{word.type}", "receive", _heard_at(room, word), word) for word in ROOMS[room].hears]
    said = [(f"{room}.says.{word.type}", "send", _said_at(word), word) for word in ROOMS[room].says]
    return [
        (
            name,
            {
                "action": action,
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": [{"$ref": f"#/channels/{channel}/messages/{_key(word)}"}],
            },
        )
        for name, action, channel, word in (*heard, *said)
    ]


def _channels() -> dict[str, Any]:
    tenant = {"tenant": {"description": "The tenant's id."}, "type": {"description": "The item's `type`."}}
    partition = {"partition": {"description": "crc32(execution id) & 1023, times the partitions, over 1024."}}
    pool = {"pool": {"description": "A pool of workers, or a tenant's own queue."}}
    channels = {
        _FACTS: _channel("{tenant}.{type}", "Facts, said by one owner, heard by anyone.", _exchange(routing.EVENTS, "topic"), tenant),
        _PARTITION: _channel(
            "engine.p.{partition}",
            "Commands and answers to the partition that owns an execution.",
            _queue("engine.p.{partition}"),
            partition,
        ),
        _POOL: _channel("work.{pool}", "Activities for workers.", _queue("work.{pool}"), pool),
    }
    for inbox in (routing.inbox_queue(room) for room in ROOMS if room != "worker"):
        channels[inbox] = _channel(inbox, "All that the room hears, in the order it was said.", _queue(inbox), {})
    for name, room_words in ROOMS.items():
        for word in room_words.hears:
            _add(channels[_heard_at(name, word)], word)
        for word in room_words.says:
            _add(channels[_said_at(word)], word)
    return dict(sorted(channels.items()))


def _channel(address: str, description: str, binding: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    channel = {"address": address, "description": description, "messages": {}, "bindings": {"amqp": {**binding, "bindingVersion": "0.3.0"}}}
    return channel | ({"parameters": parameters} if parameters else {})


def _add(channel: dict[str, Any], word: type[Message]) -> None:
    messages = {**channel["messages"], _key(word): {"$ref": f"#/components/messages/{_key(word)}"}}
    channel["messages"] = dict(sorted(messages.items()))


def _queue(name: str) -> dict[str, Any]:
    return {"is": "queue", "queue": {"name": name, "durable": True, "exclusive": False, "autoDelete": False}}


def _exchange(name: str, kind: str) -> dict[str, Any]:
    return {"is": "routingKey", "exchange": {"name": name, "type": kind, "durable": True, "autoDelete": False}}
