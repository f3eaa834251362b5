"""What words about executions are made of, and what may be done with one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

ALLOWED_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "queued": ("cancel", "pause"),
    "running": ("cancel", "pause"),
    "waiting": ("cancel", "pause"),
    "paused": ("cancel", "resume"),
    "completed": (),
    "failed": ("retry",),
    "cancelled": (),
    "timed_out": ("retry",),
}
"""What a person may do with an execution, by its status: what the engine's lifecycle allows, for who shows executions without having it."""


class Failure(BaseModel):
    """An error as a value: what the definition language calls an error."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    code: str
    message: str
    node: str | None = None
    attempt: int | None = None
    permanent: bool = False
    details: dict[str, Any] | None = None


class TriggerInfo(BaseModel):
    """What started an execution; what expressions read as `trigger`.

    type: `event`, `schedule`, `webhook`, `email`, `manual`, `call`.  id: the trigger's id in the definition.
    payload: the event's data, the webhook's or form's body, the mail.
    event: the CloudEvents attributes of the event, of a schedule those of its firing.  time: of the event, of a schedule its due time.
    user: {id, email, roles} of the person; of a key, also the id of its maker as `owner`.
    request: {id, ip, user_agent}, of a webhook {method, path, query, headers}.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: str
    id: str | None = None
    event_id: str | None = None
    payload: Any = None
    event: dict[str, Any] | None = None
    time: datetime | None = None
    user: dict[str, Any] | None = None
    request: dict[str, Any] | None = None


class Caller(BaseModel):
    """The step of another execution that called one.

    depth: how many executions call one another in a row, this one counted.  wait: whether the step waits for the end.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    execution_id: UUID
    node: str
    visit: int = Field(ge=1)
    depth: int = Field(ge=1)
    wait: bool = True
