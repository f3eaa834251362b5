"""What one commit of the hot loop writes, row by row."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class JournalRow(NamedTuple):
    """One transition as it is stored. entries: a JSON array, UTF-8 text."""

    partition: int
    seq: int
    execution_id: UUID
    tenant: str
    position: int
    at: datetime
    entries: str


class HeadRow(NamedTuple):
    """What queries and timers know of an execution, when it is born and later.

    kept_until: from when on it may be forgotten, None for never.
    key, labels: never change; labels: a JSON object, None for none or when written.
    """

    id: UUID
    tenant: str
    workflow: str
    version: int
    partition: int
    status: str
    wake_at: datetime | None
    ended_at: datetime | None
    kept_until: datetime | None
    key: str | None
    labels: str | None


class KeyRow(NamedTuple):
    """A key that an execution holds while it lives."""

    tenant: str
    workflow: str
    key: str
    execution_id: UUID


class AnswerRow(NamedTuple):
    """What who asked is told. body: JSON text."""

    id: UUID
    tenant: str
    status: int
    body: str


class AdmissionRow(NamedTuple):
    """A gate that an execution has to pass before it begins. capacity: how many live behind it at once.  priority: 0..9."""

    tenant: str
    execution_id: UUID
    gate: str
    capacity: int
    on_conflict: str
    asked_at: datetime
    priority: int


class LeavingRow(NamedTuple):
    """An execution that leaves every gate: it has ended."""

    execution_id: UUID


class WordRow(NamedTuple):
    """A word that follows from no entry, for the service's outbox. id: the same word has the same.  item: one CloudEvents item, JSON."""

    id: UUID
    exchange: str
    routing_key: str
    item: bytes


class BlobRow(NamedTuple):
    """A large value. id: `sha256:<hex>` of its JSON.  size_bytes: of its JSON.  content: its JSON, as the table of blobs stores it."""

    tenant: str
    id: str
    size_bytes: int
    content: bytes


class UseRow(NamedTuple):
    """An execution whose journal names a large value."""

    tenant: str
    blob_id: str
    execution_id: UUID


class Fence(NamedTuple):
    """A partition in a batch. published: the seq up to which the broker has confirmed everything."""

    partition: int
    epoch: int
    published: int


@dataclass(slots=True)
class Batch:
    """All that one commit writes. Its lists are named as the parts of the statement are."""

    fences: list[Fence] = field(default_factory=list)
    rows: list[JournalRow] = field(default_factory=list)
    born: list[HeadRow] = field(default_factory=list)
    heads: list[HeadRow] = field(default_factory=list)
    freed: list[KeyRow] = field(default_factory=list)
    answers: list[AnswerRow] = field(default_factory=list)
    entering: list[AdmissionRow] = field(default_factory=list)
    leaving: list[LeavingRow] = field(default_factory=list)
    words: list[WordRow] = field(default_factory=list)
    blobs: list[BlobRow] = field(default_factory=list)
    uses: list[UseRow] = field(default_factory=list)
