"""Changes of rows: taken into the log, each once, with what they start; and how the reading of a source stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from uuid import UUID

from weft_runtime.clock import new_id
from weft_runtime.uow import UnitOfWork

from weft_events import domain, records, store
from weft_events.domain import Considered, Received
from weft_events.errors import SourceTaken
from weft_events.machine import EventStatus
from weft_events.records import Change, Failure, Held, Look, Taken
from weft_events.registry import Registry
from weft_events.store import connections, leases, suspensions, watching
from weft_events.store.connections import Connection
from weft_events.usecases.events import resting

TYPE = "postgres"
"""Of the connections that reach databases."""


async def claim_sources(owner: UUID, lease_s: float, most: int, uow: UnitOfWork) -> list[Held]:
    """Take sources that nobody reads. owner: this process.  most: so many at most."""
    return await leases.claim(uow, owner, lease_s, most)


async def renew_sources(owner: UUID, lease_s: float, held: Collection[Held], uow: UnitOfWork) -> set[tuple[str, UUID, int]]:
    """Go on reading sources. Returns: tenant, id and epoch of those that are still ours."""
    return await leases.renew(uow, owner, lease_s, held)


async def release_sources(held: Collection[Held], uow: UnitOfWork) -> None:
    """Leave sources to others."""
    await leases.release(uow, held)


async def connection_of(held: Held, uow: UnitOfWork) -> Connection | None:
    """The connection that a source goes by, None where there is none. Raises: SourceTaken, while it is held up."""
    if await suspensions.holds(uow, held.connection):
        raise SourceTaken(f"the source {held.name!r} is not read while the connection {held.connection!r} is suspended")
    return (await connections.named(uow, TYPE, {held.connection})).get(held.connection)


async def take_changes(held: Held, changes: Sequence[Change], registry: Registry, uow: UnitOfWork) -> Taken:
    """Take changes into the log, each once, and start what they start; durable when the transaction is.

    Raises: SourceTaken, where somebody else reads the source by now.
    """
    compiled = await registry.compiled(uow, held.tenant)
    settings = await watching.known(uow, {one.table for one in changes})
    given: list[tuple[Received, Change]] = []
    for change in changes:
        event, kept = records.event_of(change, held.name)
        received = Received(new_id(), held.tenant, event, uow.now)
        of_table = settings.get(change.table)
        if of_table is None or of_table.counts(kept, domain.names_of(received, compiled.tenant)):
            given.append((received, kept))
    claimed = await store.claim(uow, [one for one, _ in given])
    fresh = [(one, change) for one, change in given if claimed[store.key_of(one)] == one.id]
    rest = resting()
    entries: list[tuple[Received, EventStatus, list[Considered]]] = []
    for one, change in fresh:
        considered: list[Considered] = []
        found = compiled.records.get(change.table, ())
        for each in records.consider(one, change, found, settings.get(change.table), compiled.tenant):
            considered.append(each)
            await rest()
        entries.append((one, domain.status_of(considered), considered))
        await rest()
    await store.add(uow, entries)
    again = Counter((held.tenant, claimed[store.key_of(one)]) for one, _ in given if claimed[store.key_of(one)] != one.id)
    await store.count_duplicates(uow, again)
    for _, _, considered in entries:
        uow.say(*(each.start for each in considered if each.start is not None), tenant=held.tenant)
    newest = max((one.at for one in changes), default=None)
    last = fresh[-1][0].id if fresh else None
    taken = Taken(len(fresh), len(given) - len(fresh), len(changes) - len(given), newest, last)
    await leases.took(uow, held, taken)
    return taken


async def note_look(held: Held, look: Look, uow: UnitOfWork) -> None:
    """Remember how a source stands. Raises: SourceTaken."""
    await leases.looked(uow, held, look)


async def note_refused(held: Held, uow: UnitOfWork) -> None:
    """Count a change that could not be taken in. Raises: SourceTaken."""
    await leases.refused(uow, held)


async def note_failure(held: Held, why: Failure, uow: UnitOfWork) -> float:
    """Remember why a source cannot be read, and leave it alone for a while. Returns: for how long, s.  Raises: SourceTaken."""
    times = await leases.failures(uow, held) + 1
    wait_s = (records.put_off(times, uow.now) - uow.now).total_seconds()
    await leases.failed(uow, held, times, wait_s, why)
    return wait_s
