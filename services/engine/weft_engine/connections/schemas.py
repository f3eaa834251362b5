"""HTTP bodies and views of connections. A view never holds a secret: only whether one is set."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from weft_language.model.part import CONNECTION_PATTERN
from weft_runtime.http import Body

from weft_engine.connections import Connection
from weft_engine.connections.kinds import TypeName


class ConnectionBody(Body):
    """A connection as it is asked for.

    settings: by the type; they can be read.  secrets: by field, write-only: one that is left out keeps what it has, null removes it.
    """

    name: str = Field(max_length=100, pattern=CONNECTION_PATTERN, description="What definitions call it; it cannot be changed.")
    type: TypeName
    description: str | None = Field(default=None, max_length=2000)
    settings: dict[str, Any] = Field(default_factory=dict, max_length=50)
    secrets: dict[str, str | None] = Field(default_factory=dict, max_length=20, repr=False)


class ConnectionChangeBody(Body):
    """A connection as it is to be. name, type: may be left out, and stay as they are."""

    name: str | None = Field(default=None, max_length=100)
    type: str | None = Field(default=None, max_length=100)
    description: str | None = Field(default=None, max_length=2000)
    settings: dict[str, Any] = Field(default_factory=dict, max_length=50)
    secrets: dict[str, str | None] = Field(default_factory=dict, max_length=20, repr=False)


class SecretView(BaseModel):
    """A secret that is set, and since when it is this one."""

    set: Literal[True] = True
    updated_at: datetime


class ConnectionSummary(BaseModel):
    """A connection in a list."""

    id: UUID
    name: str
    type: str
    description: str | None
    version: int
    created_by: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, connection: Connection) -> ConnectionSummary:
        """The view of a connection."""
        return cls.model_validate(connection, from_attributes=True)


class ConnectionView(ConnectionSummary):
    """A connection, whole but for the values of its secrets."""

    settings: dict[str, Any]
    secrets: dict[str, SecretView]
    updated_by: str | None

    @classmethod
    def of(cls, connection: Connection) -> ConnectionView:
        """The view of a connection."""
        return cls(
            **ConnectionSummary.of(connection).model_dump(),
            settings=dict(connection.settings),
            secrets={name: SecretView(updated_at=secret.updated_at) for name, secret in sorted(connection.secrets.items())},
            updated_by=connection.updated_by,
        )


class SignInView(BaseModel):
    """A sign-in that has begun. authorize_url: where the browser that asked goes next; it has a cookie to come back with."""

    authorize_url: str
    expires_at: datetime


class SignedInView(BaseModel):
    """A connection that was let in."""

    connection_id: UUID
    name: str
    type: str
    version: int


class ConnectionTestView(BaseModel):
    """What trying a connection came to. status: what the service answered, None where nothing was asked or answered."""

    ok: bool
    status: int | None = None
    duration_ms: int | None = None
    detail: str
    code: str | None = None
