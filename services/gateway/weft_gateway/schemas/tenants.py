"""Bodies and views of tenants."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from weft_runtime.http import Body

from weft_gateway.domain import Tenant
from weft_gateway.schemas.words import Email, Name, Password, QueueName


class FirstAdminBody(Body):
    """The first person of a new tenant, its administrator."""

    email: Email
    name: Name
    password: Password


OnExceeded = Literal["queue", "refuse"]


class EachExceededBody(Body):
    """What happens to a start over each quota."""

    live_executions: OnExceeded = "queue"
    starts_per_s: OnExceeded = "queue"


class QuotasBody(Body):
    """What a tenant may have at once and start in a second. Kept by the engine.

    starts_burst: starts at once after a rest, as many as in one second when absent.  on_exceeded: whether a start by HTTP over a quota is
    accepted and waits (`queue`, also when absent) or is refused with 429; for both, or for each by name. What events start always waits.
    """

    live_executions: int | None = Field(default=None, ge=1, le=2**31 - 1)
    starts_per_s: float | None = Field(default=None, ge=0.001, le=1_000_000)
    starts_burst: float | None = Field(default=None, ge=1, le=1_000_000)
    on_exceeded: OnExceeded | EachExceededBody = "queue"


class RetentionBody(Body):
    """How long what a tenant has is kept, in days; 0 for ever.

    events_days: its events, from when they came.  executions_days: its executions, from their end, where a workflow's
    `settings.retention_days` does not say otherwise.
    """

    events_days: int | None = Field(default=None, ge=0, le=36_500)
    executions_days: int | None = Field(default=None, ge=0, le=36_500)


class TenantSettingsBody(Body):
    """A tenant's settings, free but for what the mesh itself reads of them.

    activity_queues: queues that its activities may go to beside its own, `<tenant>` and `<tenant>.<name>`; when absent to
      pools that every tenant may use, never to another tenant's own.
    """

    model_config = ConfigDict(extra="allow")
    quotas: QuotasBody | None = None
    retention: RetentionBody | None = None
    activity_queues: Annotated[list[QueueName], Field(max_length=1000)] | None = None

    def given(self) -> dict[str, Any]:
        """The settings as they were sent."""
        return self.model_dump(exclude_unset=True)


class TenantChange(Body):
    """A tenant as it is to be."""

    name: Name
    tier: Annotated[str, Field(min_length=1, max_length=63)] = "standard"
    settings: TenantSettingsBody


class TenantBody(Body):
    """A new tenant. settings: read by its expressions as `tenant.settings`.  admin: its first person."""

    id: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9](-?[a-z0-9])*$")]
    name: Name
    tier: Annotated[str, Field(min_length=1, max_length=63)] = "standard"
    settings: TenantSettingsBody = Field(default_factory=TenantSettingsBody)
    admin: FirstAdminBody | None = None


class TenantView(BaseModel):
    """A tenant."""

    id: str
    name: str
    tier: str
    settings: dict[str, Any]
    created_at: datetime


def tenant(shown: Tenant) -> TenantView:
    """A tenant as operators see it."""
    return TenantView(id=shown.id, name=shown.name, tier=shown.tier, settings=shown.settings, created_at=shown.created_at)
