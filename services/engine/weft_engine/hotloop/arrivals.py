"""What has arrived and waits for its turn: deliveries cut into items, with the words decoded and the unreadable ones set apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec
from weft_contracts.envelope import Item, version_of
from weft_contracts.frames import FrameError, decode_frame, shallow
from weft_contracts.routing import partition_of
from weft_language.compilation import DEFAULT_PRIORITY
from weft_runtime.bus import Delivery
from weft_runtime.fairness import URGENT

from weft_engine.core import items as words
from weft_engine.core.claims import INLINE_BYTES, MAX_OUTPUT_BYTES
from weft_engine.core.failures import failure
from weft_engine.hotloop.owned import Owned


@dataclass(slots=True)
class Arrival:
    """One delivery and how many of its items are still to be done. It is acked when none is."""

    owned: Owned
    delivery: Delivery
    open: int = 0


@dataclass(slots=True)
class Piece:
    """One item on its turn. item, arrival: None for the owner's own ticks.  first_at: its first turn.  size_bytes: of its data."""

    owned: Owned
    happening: words.Happening
    tenant: str
    item: Item | None = None
    arrival: Arrival | None = None
    first_at: datetime | None = None
    size_bytes: int = 0

    @property
    def large(self) -> bool:
        """Whether it may hold a value that is to be kept apart."""
        return self.size_bytes > INLINE_BYTES

    @property
    def execution_id(self) -> UUID:
        """Whose turn it is."""
        return self.happening.execution_id

    @property
    def priority(self) -> int:
        """Where it stands among its tenant's: starts by their own priority, behind whatever goes on with an execution that runs."""
        happening = self.happening
        if not isinstance(happening, words.Start):
            return URGENT
        return DEFAULT_PRIORITY if happening.priority is None else happening.priority

    def since(self, now: datetime) -> datetime:
        """When it first had a turn; now, when this is the first."""
        if self.first_at is None:
            self.first_at = now
        return self.first_at


@dataclass(slots=True)
class Unusable:
    """An item that is set aside.

    code: `unknown_type`, `unknown_version`, `bad_message`, `no_tenant`, `wrong_partition`, or why its turn failed.
    """

    owned: Owned
    item: Item
    code: str
    reason: str


@dataclass(slots=True)
class Cut:
    """A delivery cut up. broken: why the whole frame cannot be read."""

    arrival: Arrival
    pieces: list[Piece] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    broken: FrameError | None = None


def cut(owned: Owned, delivery: Delivery, partitions: int) -> Cut:
    """Decode a delivery. Nothing in it can raise. partitions: how many the mesh has."""
    result = Cut(Arrival(owned, delivery))
    try:
        items = decode_frame(delivery.body)
    except FrameError as error:
        result.broken = error
        return result
    for item in items:
        bad = _read(result, owned, item, partitions)
        if bad is not None:
            result.unusable.append(Unusable(owned, item, *bad))
    result.arrival.open = len(result.pieces)
    return result


def _read(result: Cut, owned: Owned, item: Item, partitions: int) -> tuple[str, str] | None:
    word = words.WORDS.get(item.type)
    if word is None:
        return "unknown_type", f"an engine partition does not hear {item.type!r}"
    if item.tenantid is None:
        return "no_tenant", f"{item.type} {item.id} names no tenant"
    try:
        if version_of(item) > word[0]:
            return "unknown_version", f"{item.type} is known here up to version {word[0]}, not {item.dataschema}"
        happening = words.decode(item.type, shallow(item.data))
    except (ValueError, msgspec.DecodeError) as error:
        return "bad_message", f"{item.type} {item.id}: {error}"
    place = partition_of(happening.execution_id, partitions)
    if place != owned.partition:
        # Two owners of one execution would each write a journal of it.
        return (
            "wrong_partition",
            f"execution {happening.execution_id} lives in partition {place} of {partitions}; replaying brings it there",
        )
    size = memoryview(item.data).nbytes
    if size > MAX_OUTPUT_BYTES:
        happening = _bounded(happening, size)
    result.pieces.append(Piece(owned, happening, item.tenantid, item, result.arrival, size_bytes=size))
    return None


def _bounded(happening: words.Happening, size_bytes: int) -> words.Happening:
    """A result that is too large becomes the failure that says so."""
    if not isinstance(happening, words.ActivityCompleted | words.CompleteStep):
        return happening
    message = f"{happening.node} gave {size_bytes} bytes; a step's output is at most {MAX_OUTPUT_BYTES}: return a reference to the data"
    if isinstance(happening, words.CompleteStep):
        error = failure("output_too_large", message, happening.node, permanent=True)
        return words.FailStep(happening.execution_id, happening.node, happening.visit, error)
    error = failure("output_too_large", message, happening.node, happening.attempt, permanent=True)
    return words.ActivityFailed(happening.execution_id, happening.node, happening.visit, happening.attempt, error)
