"""HTTP bodies and views of the edge."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from weft_runtime.auth import Caller
from weft_runtime.http import Body

from weft_gateway.domain import API_KEY_MAX_DAYS, ApiKey, Tenant, User
from weft_gateway.passwords import MAX_LENGTH, MIN_LENGTH

Email = Annotated[str, Field(min_length=3, max_length=320, pattern=r"^\s*[^@\s]+@[^@\s]+\s*$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Password = Annotated[str, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]
RoleName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,62}$")]
QueueName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
GroupName = Annotated[str, Field(min_length=1, max_length=100)]
Roles = Annotated[list[RoleName], Field(max_length=64)]
Groups = Annotated[list[GroupName], Field(max_length=500)]


class LoginBody(Body):
    """Who wants in."""

    email: str = Field(min_length=1, max_length=320)
    password: str = Field(min_length=1, max_length=MAX_LENGTH)


class RefreshBody(Body):
    """A refresh token."""

    refresh_token: str = Field(min_length=1, max_length=200)


class TokenView(BaseModel):
    """What somebody who signed in is given. expires_in: seconds the access token is good."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  the name of a scheme
    expires_in: int


class MeView(BaseModel):
    """Who asks. kind: `person` or `key`.  permissions: what the roles allow.  owner: of a key: the id of the person who made it."""

    id: str
    tenant: str
    kind: str
    email: str
    name: str
    roles: list[str]
    groups: list[str]
    tier: str
    permissions: list[str]
    owner: str | None


class ApiKeyBody(Body):
    """A new API key. roles: none that may do more than its maker.  expires_in_days: from now.

    service: the key is the tenant's, for a service that goes on when its maker leaves; else it is refused while its maker is not active.
    """

    name: Name
    roles: Roles = Field(default=["service"], min_length=1)
    expires_in_days: int = Field(default=90, ge=1, le=API_KEY_MAX_DAYS)
    service: bool = False


class ApiKeyView(BaseModel):
    """An API key without its secret. status: `active`, `revoked`, `expired`, or `suspended` while its owner is not active.

    owner: the id of the person who made it, "" where that is not known.  service: it is the tenant's and never suspended.
    lowered_to: the roles of its owner, where these allow less than its own: it does no more than both allow.
    """

    id: UUID
    name: str
    roles: list[str]
    status: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    owner: str
    service: bool
    suspended_at: datetime | None
    lowered_to: list[str] | None


class NewApiKeyView(ApiKeyView):
    """An API key with its secret, which is shown this once."""

    key: str


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


class UserBody(Body):
    """A new person. password: how they sign in; without one they cannot yet."""

    email: Email
    name: Name
    roles: Roles = ["viewer"]
    groups: Groups = []
    password: Password | None = None


class UserChange(Body):
    """A person as they are to be. password: a new one, kept as it is when absent; a new one ends their sessions."""

    name: Name
    roles: Roles
    groups: Groups = []
    active: bool = True
    password: Password | None = None


class UserView(BaseModel):
    """A person of this tenant."""

    id: UUID
    email: str
    name: str
    roles: list[str]
    groups: list[str]
    active: bool
    created_at: datetime
    updated_at: datetime


class GroupView(BaseModel):
    """A group people are in. members: how many active ones."""

    name: str
    members: int


def me(caller: Caller) -> MeView:
    """A caller as they see themselves."""
    return MeView(
        id=caller.sub,
        tenant=caller.tenant,
        kind=caller.kind,
        email=caller.email,
        name=caller.name,
        roles=list(caller.roles),
        groups=list(caller.groups),
        tier=caller.tier,
        permissions=sorted(caller.permissions),
        owner=caller.owner or None,
    )


def api_key(key: ApiKey, now: datetime) -> ApiKeyView:
    """An API key in a list."""
    return ApiKeyView(
        id=key.id,
        name=key.name,
        roles=list(key.roles),
        status=key.status(now),
        created_by=key.created_by,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        revoked_by=key.revoked_by,
        owner=key.owner,
        service=key.service,
        suspended_at=key.suspended_at,
        lowered_to=None if key.lowered_to is None else list(key.lowered_to),
    )


def tenant(shown: Tenant) -> TenantView:
    """A tenant as operators see it."""
    return TenantView(id=shown.id, name=shown.name, tier=shown.tier, settings=shown.settings, created_at=shown.created_at)


def user(shown: User) -> UserView:
    """A person as administrators see them."""
    return UserView(
        id=shown.id,
        email=shown.email,
        name=shown.name,
        roles=list(shown.roles),
        groups=list(shown.groups),
        active=shown.active,
        created_at=shown.created_at,
        updated_at=shown.updated_at,
    )
