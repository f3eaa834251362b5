"""What the gateway says about tenants and people."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from weft_contracts.audit import Origin
from weft_contracts.message import Event


class TenantChanged(Event):
    """A tenant was made or changed. Heard by engine and events, whose expressions read it as `tenant`, and analytics (audit)."""

    type, version = "tenant.changed", 1
    owner: ClassVar[str] = "gateway"
    tenant: str
    name: str
    tier: str = "standard"
    settings: dict[str, Any] = Field(default_factory=dict)
    revision: int = Field(ge=1)
    by: str | None = Field(default=None, description="Who did it: a user's or key's id.")
    origin: Origin | None = None


class UserChanged(Event):
    """A person was made or changed. Heard by tasks, which names assignees and finds them by e-mail address, and analytics (audit)."""

    type, version = "user.changed", 1
    owner: ClassVar[str] = "gateway"
    user_id: UUID
    email: str
    name: str
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    active: bool = True
    revision: int = Field(ge=1)
    by: str | None = Field(default=None, description="Who did it: a user's or key's id.")
    origin: Origin | None = None
