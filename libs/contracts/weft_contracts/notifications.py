"""What the tasks service hears and says about notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from weft_contracts.message import Command, Event


class SendNotification(Command):
    """Tell people something. Answered with `activity.completed` or `activity.failed`; the same `key` may come again and has one effect."""

    type, version = "notification.send", 1
    owner: ClassVar[str] = "tasks"
    execution_id: UUID
    workflow: str
    node: str
    visit: int = Field(ge=1)
    attempt: int = Field(ge=1)
    input: Any = Field(default=None, description="The rendered `with` of the node.")
    key: str = Field(description="`<execution>:<node>:<visit>`, stable over retries.")


class NotificationCreated(Event):
    """Somebody has something new in their inbox. Heard by gateway (live feed), which tells only them."""

    type, version = "notification.created", 1
    owner: ClassVar[str] = "tasks"
    notification_id: UUID
    user: str = Field(description="Whom it is for: a user's id; an e-mail address where nobody of the tenant is known.")
    event: str = Field(description="What it is about, such as `task.assigned`.")
    title: str
    link: str | None = None
    unread: int = Field(ge=0, description="How many they have not read, this one counted.")
    at: datetime


class NotificationsRead(Event):
    """Somebody has read notifications of theirs. Heard by gateway (live feed), which tells only them."""

    type, version = "notification.read", 1
    owner: ClassVar[str] = "tasks"
    user: str
    notification_id: UUID | None = Field(default=None, description="The one that was read; null where it was all of them.")
    unread: int = Field(ge=0, description="How many they have not read yet.")
    at: datetime
