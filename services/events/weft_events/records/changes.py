"""A change of a row, as it stands in the outbox of its database and as an event. Pure.

What an event may hold is bounded; a row that is larger goes without its largest fields, and says which.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from weft_contracts.cloudevents import CloudEvent, write_structured

from weft_events.domain import MAX_EVENT_BYTES, RECORDS

ALL: Final = "*"
"""Stands in `left_out` for every field, where a row cannot be read at all."""
MAX_SUBJECT: Final = 1024
_DIGITS: Final = 1000
"""An integer with more digits stays text: to read it costs their square."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a row.

    number: its place in the outbox.  event: the id it has for ever.  table: as triggers call it.  operation: `create`, `update`, `delete`.
    old, new: the row before and after; None where it was not, or is no more.  key: its primary key, None where the table has none.
    changed: names of fields that differ.  left_out: names of fields that are too large to be carried.
    """

    number: int
    event: UUID
    at: datetime
    transaction: str
    table: str
    operation: str
    key: dict[str, Any] | None
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    changed: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def record(self) -> dict[str, Any]:
        """The row as it is now, and of one that is gone as it was."""
        return (self.old if self.new is None else self.new) or {}

    def data(self) -> dict[str, Any]:
        """What the event of it says: `trigger.payload`."""
        return {
            "table": self.table,
            "operation": self.operation,
            "key": self.key,
            "record": self.record,
            "old": self.old,
            "new": self.new,
            "changed": list(self.changed),
            "left_out": list(self.left_out),
            "transaction": self.transaction,
        }


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of some changes. events: how many are in the log now.  again: how many were before.  passed_over: how many do not count.

    newest: when the last of them happened.  event: its id in the log, None where none is.
    """

    events: int
    again: int
    passed_over: int
    newest: datetime | None
    event: UUID | None


def read_change(row: Mapping[str, Any]) -> Change:
    """A row of an outbox, whose JSON is text."""
    key, old, new = (_object(row[name]) for name in ("key", "was", "is_now"))
    left_out = tuple(row["left_out"])
    if any(row[name] is not None and value is None for name, value in (("was", old), ("is_now", new))):
        old, new, left_out = {} if row["was"] is not None else None, {} if row["is_now"] is not None else None, (ALL,)
    return Change(
        number=row["id"],
        event=row["event"],
        at=row["at"],
        transaction=str(row["txid"]),
        table=row["name"],
        operation=row["operation"],
        key=key,
        old=old,
        new=new,
        changed=tuple(row["changed"]),
        left_out=left_out,
    )


def event_of(change: Change, source: str) -> tuple[CloudEvent, Change]:
    """A change as an event, and as it stands in it: without fields that it has no room for. source: the name of its source."""
    event = _written(change, source)
    while len(write_structured(event)) > MAX_EVENT_BYTES:
        change = _smaller(change)
        event = _written(change, source)
    return event, change


def _written(change: Change, source: str) -> CloudEvent:
    return CloudEvent(
        id=str(change.event),
        source=RECORDS + source,
        type=f"record.{change.table}.{change.operation}",
        data=change.data(),
        subject=_subject(change),
        time=change.at,
        datacontenttype="application/json",
    )


def _subject(change: Change) -> str | None:
    """The primary key as text: its value, or those of it with commas between."""
    if not change.key:
        return None
    values = [one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in change.key.values()]
    return ",".join(values)[:MAX_SUBJECT] or None


def _smaller(change: Change) -> Change:
    """The same with the larger half of its fields left out, as bytes go; the key stays."""
    sizes: dict[str, int] = {}
    for row in (change.old or {}, change.new or {}):
        for name, value in row.items():
            if name not in (change.key or {}):
                sizes[name] = sizes.get(name, 0) + len(msgspec.json.encode(value))
    total, gone = sum(sizes.values()), 0
    names: set[str] = set()
    for name in sorted(sizes, key=lambda one: (-sizes[one], one)):
        names.add(name)
        gone += sizes[name]
        if 2 * gone >= total:
            break
    if not names:
        # Nothing is left but what names it: thousands of columns, and each is in `changed`.
        old, new = (None if row is None else dict[str, Any]() for row in (change.old, change.new))
        return replace(change, old=old, new=new, changed=(), left_out=(ALL,))
    old, new = (None if row is None else {name: row[name] for name in row if name not in names} for row in (change.old, change.new))
    return replace(change, old=old, new=new, left_out=tuple(sorted({*change.left_out, *names})))


def _object(text: str | None) -> dict[str, Any] | None:
    """A JSON object, None where there is none or it cannot be read: nested too deep."""
    if text is None:
        return None
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        # PostgreSQL's numbers have no bounds; those that ours have no form for are kept as text.
        try:
            found = json.loads(text, parse_float=_float, parse_int=_int)
        except (ValueError, RecursionError):
            return None
    return found if isinstance(found, dict) else None


def _float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _int(text: str) -> int | str:
    return int(text) if len(text) <= _DIGITS else text
