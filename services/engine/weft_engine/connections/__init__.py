"""Connections: how a tenant's workflows reach other systems, and how those reach them; what a change makes of one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weft_contracts.connections import ConnectionRemoved, ConnectionSaved
from weft_runtime.uow import Decision

from weft_engine.connections.kinds import KINDS
from weft_engine.errors import ConnectionMoved, ConnectionRenamed

MOST: Final = 500
"""Connections of a tenant."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret as it is kept. sealed: by `weft_runtime.sealing.Envelope`, for tenant, connection id and field."""

    sealed: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection. type, settings, secrets: by its kind.  version: counts its changes, from 1.  name: never changes."""

    id: UUID
    name: str
    type: str
    description: str | None
    settings: Mapping[str, Any]
    version: int
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    updated_by: str | None
    secrets: Mapping[str, Secret] = field(default_factory=dict)

    def told(self) -> ConnectionSaved:
        """What others are told of it."""
        sealed = {name: secret.sealed for name, secret in self.secrets.items()} if KINDS[self.type].told_sealed else {}
        return ConnectionSaved(
            connection_id=self.id,
            revision=self.version,
            name=self.name,
            connection_type=self.type,
            settings=dict(self.settings),
            sealed=sealed,
            at=self.updated_at,
            by=self.updated_by,
        )


def check_unmoved(connection: Connection, etag: str | None) -> None:
    """Refuse a change of another state than the one that was read. etag: of that, None for any. Raises: ConnectionMoved."""
    if etag is not None and etag != str(connection.version):
        raise ConnectionMoved(connection.name, etag, connection.version)


def new(
    connection_id: UUID, name: str, type_: str, description: str | None, settings: Mapping[str, Any], secrets: Mapping[str, Secret],
    now: datetime, by: str | None,
) -> Connection:  # fmt: skip
    """A connection as it is made."""
    return Connection(connection_id, name, type_, description, settings, 1, now, by, now, by, secrets)


def change(was: Connection, asked: Connection, etag: str | None) -> Decision[Connection]:
    """A connection as it is asked for. Nothing is said of what stays as it is. asked: as for a new one, with all secrets it is to have.

    Raises: ConnectionMoved, ConnectionRenamed.
    """
    check_unmoved(was, etag)
    for what, before, now in (("name", was.name, asked.name), ("type", was.type, asked.type)):
        if before != now:
            raise ConnectionRenamed(was.name, what)
    made = replace(asked, id=was.id, version=was.version + 1, created_at=was.created_at, created_by=was.created_by)
    if (made.description, made.settings, made.secrets) == (was.description, was.settings, was.secrets):
        return Decision(was)
    return Decision(made, (made.told(),))


def remove(was: Connection, etag: str | None, now: datetime, by: str | None) -> ConnectionRemoved:
    """What is said when a connection goes. Raises: ConnectionMoved."""
    check_unmoved(was, etag)
    return ConnectionRemoved(connection_id=was.id, revision=was.version + 1, name=was.name, connection_type=was.type, at=now, by=by)
