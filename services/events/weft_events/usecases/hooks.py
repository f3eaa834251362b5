"""Calls of webhooks: let in or refused, taken into the log, and what they start; and the connections that verify them."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final

from weft_runtime.clock import new_id
from weft_runtime.http.strict_json import LONG_BYTES
from weft_runtime.sealing import Envelope, SealBroken
from weft_runtime.uow import UnitOfWork

from weft_events import domain, hooks, store, verifying
from weft_events.domain import Considered, Received
from weft_events.hooks import Admitted, Call, Secrets
from weft_events.machine import EventStatus
from weft_events.registry import Registry
from weft_events.store import connections
from weft_events.store.connections import Connection
from weft_events.usecases.events import Receipt, resting

TYPE: Final = "webhook"
"""Of the connections that verify calls."""
SECRETS: Final = ("secret", "previous_secret")
"""Fields of such a connection; while a secret is being replaced, both verify."""


async def admit(call: Call, registry: Registry, envelope: Envelope, uow: UnitOfWork) -> Admitted:
    """Let a call in where it is signed as it should be. envelope: opens secrets.

    Raises: HookNotFound, MethodNotAllowed, Unverified.
    """
    compiled = await registry.compiled(uow, call.tenant)
    found = compiled.hooks.get(call.path, ())
    entrances = hooks.asked(call, found)
    there = await connections.named(uow, TYPE, {connection for _, connection in entrances if connection is not None})
    secrets = {name: _opened(one, envelope, call.tenant) for name, one in there.items()}
    return hooks.let_in(call, found, entrances, secrets, uow.now)


async def read(admitted: Admitted) -> tuple[Any, dict[str, Any]]:
    """What a call says, and how it was made: `trigger.payload` and `trigger.request`.

    Raises: Malformed, UnsupportedBody, EventTooLarge.
    """
    large = len(admitted.call.body) > LONG_BYTES
    payload = await asyncio.to_thread(hooks.payload_of, admitted.call) if large else hooks.payload_of(admitted.call)
    return payload, hooks.request_of(admitted)


async def take(admitted: Admitted, payload: Any, request: dict[str, Any], registry: Registry, uow: UnitOfWork) -> Receipt:
    """Take a call into the log, once, and start what it starts; durable when the transaction is."""
    tenant = (await registry.compiled(uow, uow.tenant)).tenant
    events = hooks.events_of(admitted, payload, uow.now, str(new_id()))
    given = {key: Received(new_id(), uow.tenant, event, uow.now, request) for key, event in events.items()}
    claimed = await store.claim(uow, list(given.values()))
    fresh = {key: one for key, one in given.items() if claimed[store.key_of(one)] == one.id}
    rest = resting()
    entries: list[tuple[Received, EventStatus, list[Considered]]] = []
    for key, one in fresh.items():
        considered: list[Considered] = []
        for each in hooks.consider(admitted, key, one, tenant):
            considered.append(each)
            await rest()
        entries.append((one, domain.status_of(considered), considered))
    await store.add(uow, entries)
    again = [one for key, one in given.items() if key not in fresh]
    await store.count_duplicates(uow, Counter((uow.tenant, claimed[store.key_of(one)]) for one in again))
    for _, _, considered in entries:
        uow.say(*(each.start for each in considered if each.start is not None))
    ids = [one.event.id for one in given.values()]
    return Receipt(len(fresh), len(again), ids, [claimed[store.key_of(one)] for one in given.values()])


def _opened(one: Connection, envelope: Envelope, tenant: str) -> Secrets:
    """The secrets of a connection. One that does not open verifies nothing, as one that is not there."""
    header = one.settings.get("header")
    known = [text for field in SECRETS if (text := _open(one, field, envelope, tenant))]
    return Secrets(tuple(known), header.lower() if isinstance(header, str) and header else verifying.USUAL_HEADER)


def _open(one: Connection, field: str, envelope: Envelope, tenant: str) -> str | None:
    sealed = one.sealed.get(field)
    if sealed is None:
        return None
    try:
        return envelope.open(sealed, tenant=tenant, connection=str(one.id), field=field)
    except SealBroken:
        return None
