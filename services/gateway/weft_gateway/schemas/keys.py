"""Bodies and views of API keys."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from weft_runtime.http import Body

from weft_gateway.domain import API_KEY_MAX_DAYS, ApiKey
from weft_gateway.schemas.words import Name, Roles


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
