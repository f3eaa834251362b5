"""The catalog: every word by type and version, and the way from an item to the newest version of its word."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from pydantic import ValidationError

from weft_contracts import (
    activities,
    ai,
    alerts,
    audit,
    calendars,
    connections,
    definitions,
    directory,
    executions,
    migrations,
    notifications,
    questions,
    service_levels,
    subscriptions,
    tasks,
    waits,
)
from weft_contracts.envelope import Item, schema_of, version_of
from weft_contracts.frames import shallow
from weft_contracts.history import UPCASTS
from weft_contracts.message import REGISTRY, Message

OWNERS = (
    activities,
    ai,
    alerts,
    audit,
    calendars,
    connections,
    definitions,
    directory,
    executions,
    migrations,
    notifications,
    questions,
    service_levels,
    subscriptions,
    tasks,
    waits,
)
"""The modules of words; importing them fills the registry."""


class UnknownWord(ValueError):
    """No word of that type and version is known here. `code` is `unknown_type` or `unknown_version`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadWord(ValueError):
    """The data does not fit its word. `code` is `bad_message`."""

    code = "bad_message"


def words() -> list[type[Message]]:
    """Every word in its newest version, by type."""
    newest: dict[str, type[Message]] = {}
    for (type_, version), word in sorted(REGISTRY.items()):
        if word.version == version:
            newest[type_] = word
    return [newest[type_] for type_ in sorted(newest)]


def word(type_: str) -> type[Message]:
    """The newest version of a word. Raises: UnknownWord."""
    found = _newest(len(REGISTRY)).get(type_)
    if found is None:
        raise UnknownWord("unknown_type", f"no word {type_!r} in the catalog")
    return found


@lru_cache(maxsize=1)
def _newest(_: int) -> dict[str, type[Message]]:
    """The newest version of every word, by type, kept until a word is added."""
    return {type_: found for (type_, _), found in sorted(REGISTRY.items(), key=lambda entry: entry[0])}


def read(item: Item) -> Message:
    """The word in an item, lifted to its newest version.

    Raises: UnknownWord (type or version not known here), BadWord (data that does not fit).
    """
    newest = word(item.type)
    try:
        version = version_of(item)
        # Stricter than what reads it below: no number beyond the finite ones, no lone surrogate, no depth without end.
        data = msgspec.json.decode(shallow(item.data))
    except (ValueError, msgspec.DecodeError) as error:
        raise BadWord(f"{item.type} {item.id}: {error}") from error
    if version > newest.version:
        raise UnknownWord("unknown_version", f"{item.type} version {version} is newer than {newest.version}, the newest known here")
    lifted = version < newest.version
    while version < newest.version:
        upcast = UPCASTS.get((item.type, version))
        if upcast is None:
            raise UnknownWord("unknown_version", f"{item.type} version {version} is no longer understood")
        data, version = upcast(data), version + 1
    try:
        return newest.model_validate_json(msgspec.json.encode(data) if lifted else bytes(item.data))
    except ValidationError as error:
        raise BadWord(f"{item.type} {item.id}: {error}") from error


def pack(
    message: Message,
    *,
    id: str,
    source: str,
    tenant: str | None,
    subject: str | None = None,
    traceparent: str | None = None,
    replyto: str | None = None,
) -> Item:
    """A word in its envelope.

    id: unique within `source` and the same on every repeat.  source: `weft/<room>`.  subject: the execution id where there is one.
    """
    return Item(
        id=id,
        source=source,
        type=message.type,
        dataschema=schema_of(message.type, message.version),
        tenantid=tenant,
        subject=subject,
        traceparent=traceparent,
        replyto=replyto,
        data=msgspec.Raw(message.__pydantic_serializer__.to_json(message)),
    )
