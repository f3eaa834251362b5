"""Who owns which partition. A node lives while it holds its advisory lock and was seen within the lease; the living share the partitions.

A partition changes hands by raising its epoch; every batch of its last owner is refused from then on, however late it comes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import product
from types import MappingProxyType
from typing import Final
from uuid import UUID

import structlog
from weft_runtime.bus import Bus
from weft_runtime.clock import Clock, new_id
from weft_runtime.errors import WeftError

from weft_engine.hotloop.lane import Lane
from weft_engine.hotloop.metrics import OWNED
from weft_engine.journal import DATABASE_ERRORS, Connect, months_from
from weft_engine.ownership import Ownership
from weft_engine.settings import Settings

BROKER_AWAY_S: Final = 5.0
"""A broker that is away so long, and no less than a lease, is taken to be away from this node alone."""

log = structlog.get_logger(__name__)


@lru_cache(maxsize=2)
def shares(partitions: int, nodes: frozenset[UUID]) -> Mapping[int, UUID]:
    """The node that should own each partition: all own as many, or one more, and a node's coming or going moves little but its own share.

    The highest random weight goes first, to nodes that have room.
    Sources: Thaler and Ravishankar, "A name-based mapping scheme for rendezvous"; the bound on loads after Mirrokni, Thorup and
    Zadimoghaddam, "Consistent hashing with bounded loads". Decision 0037.
    """

    def weight(pair: tuple[int, UUID]) -> bytes:
        partition, node = pair
        return blake2b(node.bytes + partition.to_bytes(2), digest_size=8).digest()

    fewest, with_one_more = divmod(partitions, len(nodes))
    owners: dict[int, UUID] = {}
    owned = Counter[UUID]()
    for partition, node in sorted(product(range(partitions), nodes), key=weight, reverse=True):
        if partition in owners or owned[node] > fewest or (owned[node] == fewest and not with_one_more):
            continue
        with_one_more -= owned[node] == fewest
        owned[node] += 1
        owners[partition] = node
    return MappingProxyType(owners)


class Node:
    """This process as an owner: it tells the others that it lives, takes its share and gives up what is no longer its own.

    It owns nothing while it reaches PostgreSQL or the broker no longer: another may reach both.
    """

    def __init__(self, connect: Connect, lanes: Sequence[Lane], bus: Bus, clock: Clock, settings: Settings) -> None:
        self.id: Final = new_id()
        self._bus = bus
        self._seen_at = 0.0
        self._connect = connect
        self._lanes = lanes
        self._clock = clock
        self._settings = settings
        self._ownership: Ownership | None = None
        self._month = 0

    @property
    def owned(self) -> list[int]:
        """The partitions that are served here now."""
        return sorted(partition for lane in self._lanes for partition in lane.partitions)

    async def run(self) -> None:
        """Beat until cancelled, then give everything back."""
        try:
            while True:
                try:
                    if self._bus.away_s > max(self._settings.lease_s, BROKER_AWAY_S):
                        await self._resign()
                    else:
                        await self._beat()
                except DATABASE_ERRORS as error:
                    log.warning("ownership_unavailable", error=f"{type(error).__name__}: {error}")
                    self._abandon()
                    if asyncio.get_running_loop().time() - self._seen_at > self._settings.lease_s:
                        await self._step_down()
                except WeftError as error:
                    log.warning("partition_not_taken", error=str(error))
                await asyncio.sleep(self._settings.beat_s)
        finally:
            await self._leave()

    async def _beat(self) -> None:
        # First of all: its new owner hears nothing before we let go of its queue, whether the database answers us or not.
        for lane in self._lanes:
            for partition in lane.lost:
                await lane.release(partition)
        ownership = await self._connected()
        # Before anything is written: a part cannot be made for rows that already lie elsewhere.
        await self._look_ahead(ownership)
        seen_at = asyncio.get_running_loop().time()
        living = list({self.id, *await ownership.living()})
        self._seen_at = seen_at
        # Another may have taken it and be gone again: what it left unsaid would wait for the next item. Guarded by test_ownership.py.
        for partition in set(self.owned) - await ownership.held():
            await self._lane(partition).release(partition)
        owners = shares(self._settings.partitions, frozenset(living))
        mine = {partition for partition, node in owners.items() if node == self.id}
        for partition in set(self.owned) - mine:
            await self._lane(partition).release(partition)
            await ownership.give_up(partition)
        for partition in sorted(mine - set(self.owned)):
            taken = await ownership.take(partition, living)
            if taken is not None:
                await self._acquire(ownership, partition, *taken)
                log.info("partition_taken", partition=partition, epoch=taken[0])
        OWNED.set(len(self.owned))

    async def _acquire(self, ownership: Ownership, partition: int, epoch: int, published: int) -> None:
        try:
            await self._lane(partition).acquire(partition, epoch, published)
        except WeftError:
            # Claimed and not served, it would be nobody's when the shares move.
            await ownership.give_up(partition)
            raise

    async def _step_down(self) -> None:
        """Serve nothing: by now others take us for dead, own what was ours, and hear nothing of it while we are subscribed.

        Guarded by tests/faults/test_wire.py.
        """
        await asyncio.gather(*(lane.step_down() for lane in self._lanes))

    async def _resign(self) -> None:
        """Leave the seat to who reaches the broker, until we do."""
        ownership, self._ownership = self._ownership, None
        if ownership is not None:
            log.warning("seat_left", reason="the broker is away")
            await self._step_down()
            await ownership.leave()

    def _abandon(self) -> None:
        """Throw the seat away; an open connection would keep the lock from the next one."""
        ownership, self._ownership = self._ownership, None
        if ownership is not None:
            ownership.abandon()

    async def _look_ahead(self, ownership: Ownership) -> None:
        """Make next month's part of the journal in good time."""
        month = self._clock.now().month
        if month != self._month:
            await ownership.make_months(months_from(self._clock.now()))
            self._month = month

    def _lane(self, partition: int) -> Lane:
        return self._lanes[partition % len(self._lanes)]

    async def _connected(self) -> Ownership:
        if self._ownership is None or self._ownership.closed:
            self._ownership = Ownership(await self._connect(), self.id, self._settings.lease_s)
            await self._ownership.enter(self._settings.partitions)
            await self._ownership.keep(self.owned)
        return self._ownership

    async def _leave(self) -> None:
        for lane in self._lanes:
            try:
                await lane.drain()
            except DATABASE_ERRORS as error:
                log.warning("drain_incomplete", error=f"{type(error).__name__}: {error}")
        if self._ownership is not None and not self._ownership.closed:
            await self._ownership.leave()
