"""What the engine says about connections: how a tenant's workflows reach other systems, and how those reach them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from weft_contracts.audit import Origin
from weft_contracts.message import Event


class ConnectionSaved(Event):
    """A connection was made or changed; this is all of it that others need.

    A reader keeps its copy by `connection_id`, the highest revision of each. Of two that live with one name, the one with the higher id is
    the truth: the other's removal is on its way.
    """

    type, version = "connection.saved", 1
    owner: ClassVar[str] = "engine"
    connection_id: UUID
    revision: int = Field(ge=1, description="Counts every change of this connection, its removal too; it is shown as its `version`.")
    name: str = Field(description="What definitions call it; it stays the same for as long as the connection lives.")
    connection_type: str = Field(description="Such as `http` or `webhook`.")
    settings: dict[str, Any] = Field(default_factory=dict, description="By the type; never a secret.")
    sealed: dict[str, str] = Field(
        default_factory=dict,
        description="Secrets by field, sealed for tenant, connection id and field. Only a `webhook`, whose calls are verified, a "
        "`resend`, by which mails come in, and a `postgres`, whose tables are watched, tell them.",
    )
    at: datetime
    by: str | None = Field(default=None, description="Who did it: a user's or key's id.")
    origin: Origin | None = None


class ConnectionRemoved(Event):
    """A connection is gone, and its secrets with it. A reader remembers the revision: what was said before may come after."""

    type, version = "connection.removed", 1
    owner: ClassVar[str] = "engine"
    connection_id: UUID
    revision: int = Field(ge=2, description="One more than the last one that was saved.")
    name: str
    connection_type: str
    at: datetime
    by: str | None = Field(default=None, description="Who did it: a user's or key's id.")
    origin: Origin | None = None


class ConnectionSuspended(Event):
    """A connection is held up: nothing is asked, read or fetched by it until that is lifted.

    A reader keeps a suspension by its id: a connection is held up while it has one that was not lifted, in whatever order words come.
    """

    type, version = "connection.suspended", 1
    owner: ClassVar[str] = "engine"
    suspension_id: UUID
    name: str = Field(description="Of the connection, which need not be there.")
    reason: str | None = None
    at: datetime
    by: str | None = Field(default=None, description="Who did it: a user's or key's id.")
    origin: Origin | None = None


class ConnectionResumed(Event):
    """A suspension of a connection was lifted. A reader remembers that: the word that it was held up may come after."""

    type, version = "connection.resumed", 1
    owner: ClassVar[str] = "engine"
    suspension_id: UUID
    name: str
    at: datetime
    by: str | None = Field(default=None, description="Who did it: a user's or key's id.")
    origin: Origin | None = None
