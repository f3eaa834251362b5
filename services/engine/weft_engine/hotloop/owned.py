"""A partition that this process owns: its epoch, its place in the journal, the states it holds, what it has published."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from weft_contracts import routing
from weft_runtime.bus import Consumer

from weft_engine.core.state import State

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Held:
    """A state in memory beside what PostgreSQL has of it.

    status: as stored, empty before it is.  wake_at: as stored, at or before the true one.
    keep: False where it holds large values whole: the next turn reads it anew.
    """

    state: State
    status: str = ""
    wake_at: datetime | None = None
    keep: bool = True


@dataclass(slots=True)
class Outbound:
    """The messages of one commit on their way. seq: of its last journal row."""

    seq: int
    confirmed: bool = False


@dataclass(slots=True)
class Owned:
    """One partition of ours.

    seq: of the newest journal row.  published: seq up to which the broker has confirmed everything.  stored: that, as PostgreSQL has it.
    held: states by execution id, the least recently used first.
    """

    partition: int
    epoch: int
    seq: int
    published: int
    consumer: Consumer | None = None
    stored: int = 0
    lost: bool = False
    held: dict[UUID, Held] = field(default_factory=dict)
    outbound: deque[Outbound] = field(default_factory=deque)

    @property
    def queue(self) -> str:
        """The queue it takes from and is answered on."""
        return routing.partition_queue(self.partition)

    def sending(self, seq: int) -> Outbound:
        """The messages up to `seq`, of the newest row, are on their way."""
        self.seq = max(self.seq, seq)
        outbound = Outbound(seq)
        self.outbound.append(outbound)
        return outbound

    def confirm(self, outbound: Outbound) -> None:
        """The broker has these. `published` moves past everything that is confirmed without a gap."""
        outbound.confirmed = True
        while self.outbound and self.outbound[0].confirmed:
            self.published = self.outbound.popleft().seq

    def lose(self) -> None:
        """Another node owns it, or is free to."""
        log.warning("partition_lost", partition=self.partition, epoch=self.epoch)
        self.lost = True
        self.held.clear()

    def get(self, execution_id: UUID) -> Held | None:
        """A state in memory, marked as just used."""
        held = self.held.pop(execution_id, None)
        if held is not None:
            self.held[execution_id] = held
        return held

    def put(self, held: Held, limit: int) -> None:
        """Keep a state, unless it has ended or must not be kept; the least recently used goes when there are too many."""
        self.held.pop(held.state.id, None)
        if held.state.ended or not held.keep:
            return
        self.held[held.state.id] = held
        if len(self.held) > limit:
            del self.held[next(iter(self.held))]
