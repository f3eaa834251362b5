"""What the events service hears about executions that wait for domain events."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from weft_contracts.message import Command


class EventWaited(BaseModel):
    """One domain event that a visit waits for.

    name: the outcome it is delivered as.  pattern: its type, or a glob.  path, value: JSON pointer into its data and the key of what
    must stand there; both absent where any event of the type may be the one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    name: str
    pattern: str
    path: str | None = None
    value: str | None = None


class OpenSubscription(Command):
    """A visit waits for domain events: say those that come, and those that came before, as `execution.event`.

    position: of the wait in the execution's history; what says a later one about the same visit is the truth.
    """

    type, version = "subscription.open", 1
    owner: ClassVar[str] = "events"
    execution_id: UUID
    node: str
    visit: int = Field(ge=1)
    position: int = Field(ge=0)
    since: datetime = Field(description="Events that came from here on count, although nobody waited yet.")
    waits: tuple[EventWaited, ...]


class CloseSubscription(Command):
    """A visit waits for no event any more. position: of its end in the execution's history."""

    type, version = "subscription.close", 1
    owner: ClassVar[str] = "events"
    execution_id: UUID
    node: str
    visit: int = Field(ge=1)
    position: int = Field(ge=0)
    event_id: str | None = Field(default=None, description="The event that ended it, where one did: it is not said again.")
