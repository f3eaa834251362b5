"""Claims: what stands in state and journal in the place of a large value. The value itself is read when something asks for it.

The core reads no storage: a transition is given `Values`, the contents read so far, and raises `Wanted` for one that is not among them.
Who runs it reads that content and lets the transition happen again, to the state as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

INLINE_BYTES: Final = 64 * 1024
"""A value that takes more as JSON is kept apart. Source: architecture, section 4."""
MAX_OUTPUT_BYTES: Final = 1024 * 1024
"""What a step's output may take, as JSON. Source: architecture, section 4."""


class Claimed:
    """A value that is kept apart. Neither a dataclass nor a struct, so that it can never be written as JSON by mistake.

    id: `sha256:<hex>` of its JSON.  size_bytes: of its JSON.  same: where it was asked of somebody, `hash_of` it, which does not depend on
    the order of its members; else empty.  count: of its items, where it is a list.
    """

    __slots__ = ("count", "id", "same", "size_bytes")

    def __init__(self, id_: str, size_bytes: int, same: str, count: int | None = None) -> None:
        self.id, self.size_bytes, self.same, self.count = id_, size_bytes, same, count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Claimed) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"Claimed({self.id!r}, {self.size_bytes})"


class ItemOf:
    """One item of a list that is kept apart. index: from 0."""

    __slots__ = ("index", "list")

    def __init__(self, list_: Claimed, index: int) -> None:
        self.list, self.index = list_, index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ItemOf) and (other.list, other.index) == (self.list, self.index)

    def __hash__(self) -> int:
        return hash((self.list, self.index))

    def __repr__(self) -> str:
        return f"ItemOf({self.list!r}, {self.index})"


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """Where in an entry's data a value stood that is kept apart. path: names and indexes from the outside in.  The rest as in `Claimed`."""

    path: tuple[str | int, ...]
    id: str
    size_bytes: int
    same: str
    count: int | None = None

    @property
    def claimed(self) -> Claimed:
        """What stands there in memory."""
        return Claimed(self.id, self.size_bytes, self.same, self.count)


class Wanted(Exception):
    """A transition needs contents that it was not given."""

    def __init__(self, claimed: Claimed) -> None:
        super().__init__(claimed.id)
        self.claimed = claimed


class ContentLost(LookupError):
    """What a claim stands for is not kept any more: a bug, or rows that were deleted by hand."""


class Values:
    """Contents that were read, by claim. contents: JSON by id; b"" for one that is lost."""

    __slots__ = ("_read", "contents")

    def __init__(self, contents: Mapping[str, bytes] | None = None) -> None:
        self.contents: Mapping[str, bytes] = {} if contents is None else contents
        self._read: dict[str, Any] = {}

    def open(self, value: Any) -> Any:
        """The value, read where it is kept apart. Raises: Wanted, ContentLost."""
        kind = type(value)
        if kind is Claimed:
            return self._value(value)
        return self._value(value.list)[value.index] if kind is ItemOf else value

    def _value(self, claimed: Claimed) -> Any:
        if claimed.id not in self._read:
            self._read[claimed.id] = msgspec.json.decode(self._content(claimed))
        return self._read[claimed.id]

    def _content(self, claimed: Claimed) -> bytes:
        content = self.contents.get(claimed.id)
        if content is None:
            raise Wanted(claimed)
        if not content:
            raise ContentLost(f"the {claimed.size_bytes} bytes of {claimed.id} are not kept any more")
        return content

    def opened(self, value: Any) -> Any:
        """A JSON value with everything in it read, however deep. What holds nothing kept apart is given as it is."""
        if type(value) is dict:
            members = {name: self.opened(one) for name, one in value.items()}
            return members if any(members[name] is not value[name] for name in members) else value
        if type(value) is list:
            items = [self.opened(one) for one in value]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        return self.open(value)

    def encoder(self) -> Callable[[Any], bytes]:
        """Encodes JSON in which claims may stand; their contents are put in as they are. It raises Wanted, ContentLost, too."""
        return msgspec.json.Encoder(enc_hook=self._raw).encode

    def _raw(self, value: Any) -> Any:
        if type(value) is Claimed:
            return msgspec.Raw(self._content(value))
        if type(value) is ItemOf:
            return self.open(value)
        raise TypeError(f"{type(value).__name__} is no JSON value")


NOTHING_READ: Final = Values()
"""For what has no claims in it."""


class Opened(Mapping[str, Any]):
    """An object some of whose members are kept apart, as expressions read it: each is read when it is asked for."""

    __slots__ = ("_members", "_values")

    def __init__(self, members: Mapping[str, Any], values: Values) -> None:
        self._members, self._values = members, values

    def __getitem__(self, name: str) -> Any:
        return self._values.open(self._members[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


class OpenedWhole(Mapping[str, Any]):
    """An object that is kept apart as a whole, read when its first member is asked for."""

    __slots__ = ("_claimed", "_values")

    def __init__(self, claimed: Claimed, values: Values) -> None:
        self._claimed, self._values = claimed, values

    def __getitem__(self, name: str) -> Any:
        return self._values.open(self._claimed)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values.open(self._claimed))

    def __len__(self) -> int:
        return len(self._values.open(self._claimed))


def hash_of(value: Any) -> str:
    """SHA-256 of a JSON value, the same for equal values, as `sha256:` and hex digits."""
    return "sha256:" + sha256(_sorted.encode(value)).hexdigest()


_sorted: Final = msgspec.json.Encoder(order="deterministic")


def object_of(value: Any, values: Values) -> Mapping[str, Any]:
    """An object as expressions read it, whether it, or members of it, are kept apart or not."""
    return OpenedWhole(value, values) if type(value) is Claimed else Opened(value, values)


def size_of(value: Any) -> int:
    """Bytes that a value takes as JSON; what in it is kept apart is counted without being read."""
    try:
        return len(_plain.encode(value))
    except TypeError:  # something in it is kept apart
        apart: list[int] = []

        def without(claimed: Claimed) -> None:
            apart.append(claimed.size_bytes - len(b"null"))

        return len(msgspec.json.Encoder(enc_hook=without).encode(value)) + sum(apart)


_plain: Final = msgspec.json.Encoder()


def size_of_parts(value: Any) -> int:
    """The same for what expressions gave; 0 for so few of them that they bound it themselves: each gives 256 Ki characters at most."""
    return size_of(value) if isinstance(value, (dict, list)) and len(value) > FEW_PARTS else 0


FEW_PARTS: Final = 4


def count_of(items: Any) -> int:
    """How many items a list has, kept apart or not."""
    return (items.count or 0) if type(items) is Claimed else len(items)


def item_of(items: Any, index: int) -> Any:
    """An item of a list, kept apart with it or not."""
    return ItemOf(items, index) if type(items) is Claimed else items[index]


def too_large(node: str | None, what: str, size_bytes: int) -> dict[str, Any]:
    """The error of an output that is larger than a step's may be, as a value. what: whose size it is."""
    message = f"{what}: {size_bytes} bytes, and {MAX_OUTPUT_BYTES} at most; give less, or a reference to the data"
    return {"code": "output_too_large", "message": message, "node": node, "attempt": 1, "permanent": True}
