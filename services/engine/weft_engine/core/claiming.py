"""Claiming: large values leave an entry before it is written, and come back into one that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec

from weft_engine.core.claims import INLINE_BYTES, Claim, Claimed, Values, hash_of
from weft_engine.core.entries import Entry, Row

Path = tuple[str | int, ...]

EACH: Final = "*"
PLACES: Final[tuple[Path, ...]] = (
    ("output",),
    ("input",),
    ("payload",),
    ("items",),
    ("given",),
    ("data",),
    ("vars", EACH),
    ("trigger", "payload"),
    ("trigger", "event"),
    ("trigger", "request"),
    ("request", "input"),
    ("task", "data"),
    ("tenant_seen", "settings"),
    ("item", "output"),
    ("item", "payload"),
    ("item", "event", "data"),
)
"""Where values of any size stand in an entry's data. Whatever reads one of these from a state opens it."""

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Kept:
    """Entries as they are written, and what leaves them. contents: JSON by id."""

    entries: list[Entry]
    contents: dict[str, bytes]


def claim(entries: Iterable[Entry], over: int = INLINE_BYTES) -> Kept:
    """Take values of more than `over` bytes out of entries. What was taken out before is only named."""
    kept = Kept([], {})
    for entry in entries:
        data = entry.data
        for path in PLACES:
            data = _without(data, path, over, kept.contents)
        claims = tuple(_claims(data, ()))
        kept.entries.append(entry if not claims else msgspec.structs.replace(entry, data=data, claims=claims))
    return kept


def _without(data: Any, path: Path, over: int, contents: dict[str, bytes]) -> Any:
    """The same with the value at a path taken out where it is large; a copy then, as far as it differs."""
    if type(data) is not dict:
        return data
    names = list(data) if path[0] == EACH else [path[0]]
    for name in names:
        if name not in data:
            continue
        value = data[name]
        new = _apart(value, over, contents, asked=name in _ASKED) if len(path) == 1 else _without(value, path[1:], over, contents)
        if new is not value:
            data = {**data, name: new}
    return data


def _apart(value: Any, over: int, contents: dict[str, bytes], *, asked: bool) -> Any:
    if value is None or type(value) in _SMALL:
        return value
    content = _encode(value)
    if len(content) <= over:
        return value
    id_ = "sha256:" + sha256(content).hexdigest()
    contents[id_] = content
    return Claimed(id_, len(content), hash_of(value) if asked else "", len(value) if type(value) is list else None)


_ASKED: Final = frozenset({"input", "data"})
"""What is part of a request, which a retry may compare with another."""
_SMALL: Final = frozenset({bool, int, float, Claimed})


def _claims(data: Any, path: Path) -> Iterator[Claim]:
    """What is kept apart in an entry's data, wherever it stands."""
    if type(data) is Claimed:
        yield Claim(path, data.id, data.size_bytes, data.same, data.count)
    elif type(data) is dict:
        for name, value in data.items():
            yield from _claims(value, (*path, name))
    elif type(data) is list:
        for index, value in enumerate(data):
            yield from _claims(value, (*path, index))


def claims_in(rows: Iterable[Row]) -> set[str]:
    """The ids of everything that is kept apart of these rows."""
    return {one.id for row in rows for entry in row.entries for one in entry.claims}


def opened(rows: Sequence[Row], contents: dict[str, bytes]) -> list[Row]:
    """Rows with everything in them that is kept apart put back in its place. contents: JSON by id."""
    values = Values(contents)
    return [Row(row.position, row.at, [_opened(entry, values) for entry in row.entries]) for row in rows]


def _opened(entry: Entry, values: Values) -> Entry:
    return entry if not entry.claims else msgspec.structs.replace(entry, data=values.opened(entry.data), claims=())
