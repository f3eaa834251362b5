"""The verbs on connections. A secret is sealed here, and what was given is nowhere kept or told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from weft_runtime.clock import new_id
from weft_runtime.sealing import Envelope
from weft_runtime.uow import UnitOfWork

from weft_engine import auditing
from weft_engine.connections import MOST, Connection, Secret, change, new, remove
from weft_engine.connections.kinds import check, same_place
from weft_engine.errors import ConnectionInUse, ConnectionNameTaken, ConnectionNotFound, ConnectionUnusable, TooManyConnections
from weft_engine.store import connections as store

Secrets = Mapping[str, str | None]
"""Secrets as they are given: by field, null to remove."""


async def create_connection(
    name: str, type_: str, description: str | None, settings: Mapping[str, Any], secrets: Secrets, envelope: Envelope, uow: UnitOfWork,
    *, allow_private: bool = False,
) -> Connection:  # fmt: skip
    """Make a connection. allow_private: as in `check`. Raises: ConnectionUnusable, ConnectionNameTaken, TooManyConnections."""
    connection_id, by = new_id(), _by(uow)
    read, sealed = _checked(connection_id, type_, settings, secrets, {}, envelope, uow, allow_private)
    made = new(connection_id, name, type_, description, read, sealed, uow.now, by)
    if await store.count(uow) >= MOST:
        raise TooManyConnections(f"a tenant has at most {MOST} connections; remove one that is not needed any more")
    if not await store.add(uow, made):
        raise ConnectionNameTaken(name)
    uow.say(made.told())
    return made


async def get_connection(connection_id: UUID, uow: UnitOfWork, *, lock: bool = False) -> Connection:
    """A connection. Raises: ConnectionNotFound."""
    found = await store.find(uow, connection_id, lock=lock)
    if found is None:
        raise ConnectionNotFound(connection_id)
    return found


async def try_connection(connection_id: UUID, uow: UnitOfWork) -> Connection:
    """A connection that is to be tried, of which the audit is told. Raises: ConnectionNotFound."""
    found = await get_connection(connection_id, uow)
    uow.say(auditing.connection_tried(found.id, found.name))
    return found


async def change_connection(
    connection_id: UUID, name: str | None, type_: str | None, description: str | None, settings: Mapping[str, Any], secrets: Secrets,
    etag: str | None, envelope: Envelope, uow: UnitOfWork, *, allow_private: bool = False,
) -> Connection:  # fmt: skip
    """Give a connection other settings or secrets. name, type_: None for those that it has.

    Secrets that are left out stay, but none does where they would be sent elsewhere: who may write them may not read them by that.
    Raises: ConnectionNotFound, ConnectionMoved, ConnectionRenamed, ConnectionUnusable.
    """
    was = await get_connection(connection_id, uow, lock=True)
    kept = was.secrets if same_place(was.type, was.settings, settings) else {}
    read, sealed = _checked(was.id, was.type, settings, secrets, kept, envelope, uow, allow_private)
    asked = new(was.id, name or was.name, type_ or was.type, description, read, sealed, uow.now, _by(uow))
    decision = change(was, asked, etag)
    if decision.says:
        await store.save(uow, decision.state)
    uow.say(*decision.says)
    return decision.state


async def remove_connection(connection_id: UUID, etag: str | None, uow: UnitOfWork) -> None:
    """Delete a connection and its secrets. Raises: ConnectionNotFound, ConnectionMoved, ConnectionInUse."""
    was = await get_connection(connection_id, uow, lock=True)
    told = remove(was, etag, uow.now, _by(uow))
    users = await store.workflows_naming(uow, was.name)
    if users:
        raise ConnectionInUse(was.name, users)
    await store.remove(uow, was.id)
    uow.say(told)


def _checked(
    connection_id: UUID, type_: str, settings: Mapping[str, Any], secrets: Secrets, kept: Mapping[str, Secret], envelope: Envelope,
    uow: UnitOfWork, allow_private: bool,
) -> tuple[dict[str, Any], dict[str, Secret]]:  # fmt: skip
    """The settings, and all secrets that the connection is to have. Raises: ConnectionUnusable."""
    found = check(type_, settings, secrets, frozenset(kept), allow_private=allow_private)
    if found.wrong or found.wanted is None:
        raise ConnectionUnusable(f"these are not the settings and secrets of a connection of type {type_}", details=found.wrong)
    place = {"tenant": uow.tenant, "connection": str(connection_id)}
    still = {name: secret for name, secret in kept.items() if name in found.wanted.known and name not in secrets}
    given = {name: Secret(envelope.close(value, **place, field=name), uow.now) for name, value in secrets.items() if value is not None}
    return found.settings, {**still, **given}


def _by(uow: UnitOfWork) -> str | None:
    return None if uow.caller is None else uow.caller.sub
