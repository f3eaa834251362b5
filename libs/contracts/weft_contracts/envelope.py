"""The item: one CloudEvents 1.0 event, as every service of the mesh reads and writes it. Source: CloudEvents 1.0.2, JSON format."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

import msgspec

SPEC_VERSION = "1.0"
SCHEMA_PREFIX = "urn:weft:"
SCHEMA_KEPT = 200
"""Characters of a dataschema whose version is kept: those of the mesh are shorter, and what others write must not fill the memory."""


class Item(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True, tag_field="specversion", tag=SPEC_VERSION):
    """One event in its envelope. `data` is kept as undecoded JSON until its reader knows the word.

    id: unique within `source`; a redelivery or a repeat carries the same.  source: `weft/<room>` for the mesh's own words.
    tenantid: the tenant it belongs to.  subject: what it is about, an execution id for the engine's words.
    traceparent: W3C trace context.  dataschema: `urn:weft:<type>:<version>` for the mesh's own words.
    replyto: on a request to a worker, the partition queue the answer goes to.
    """

    id: str
    source: str
    type: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    subject: str | None = None
    time: datetime | None = None
    tenantid: str | None = None
    traceparent: str | None = None
    dataschema: str | None = None
    datacontenttype: str | None = None
    replyto: str | None = None


def schema_of(type_: str, version: int) -> str:
    """The `dataschema` of a word of the mesh."""
    return f"{SCHEMA_PREFIX}{type_}:{version}"


def version_of(item: Item) -> int:
    """The version of the word in `item`: the end of its dataschema, 1 where it names none.

    Raises: ValueError when a dataschema of the mesh ends in no number.
    """
    schema = item.dataschema
    if schema is None or not schema.startswith(SCHEMA_PREFIX):
        return 1
    return _version(schema) if len(schema) <= SCHEMA_KEPT else int(schema.rpartition(":")[2])


@lru_cache(maxsize=1024)
def _version(schema: str) -> int:
    return int(schema.rpartition(":")[2])
