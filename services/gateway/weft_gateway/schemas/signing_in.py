"""Bodies and views of signing in, and of who one is then."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from weft_runtime.auth import Caller
from weft_runtime.http import Body

from weft_gateway.feed import TOPICS_MAX
from weft_gateway.passwords import MAX_LENGTH
from weft_gateway.signing_in import SignedIn


class LoginBody(Body):
    """Who wants in."""

    email: str = Field(min_length=1, max_length=320)
    password: str = Field(min_length=1, max_length=MAX_LENGTH)


class RefreshBody(Body):
    """A refresh token."""

    refresh_token: str = Field(min_length=1, max_length=200)


class TicketBody(Body):
    """What is to be watched by a WebSocket. topics: as those of `GET /live`; all but `queues` when there are none."""

    topics: list[Annotated[str, Field(max_length=100)]] = Field(default=[], max_length=TOPICS_MAX)


class TicketView(BaseModel):
    """A ticket for a WebSocket. expires_in: seconds until it is good no more; it is good once."""

    ticket: str
    expires_in: int
    expires_at: datetime


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


class ProviderView(BaseModel):
    """An identity provider. name: for `?provider=`.  label: for people."""

    name: str
    label: str


class ProvidersView(BaseModel):
    """The identity providers that people may sign in by."""

    items: list[ProviderView]


class HandedBody(Body):
    """The code that a page was sent back with."""

    code: str = Field(min_length=1, max_length=200)


class LinkBody(Body):
    """By which provider somebody who is signed in will be known, too. return_to: as when signing in."""

    provider: str | None = Field(default=None, max_length=40)
    return_to: str | None = Field(default=None, max_length=600)


class LinkView(BaseModel):
    """Where the browser goes."""

    authorize_url: str


class LoggedOutView(BaseModel):
    """logout_url: where the browser ends the session at the provider, too; null where that has no such place."""

    logout_url: str | None


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


def tokens(given: SignedIn) -> TokenView:
    """What somebody who signed in is given."""
    return TokenView(access_token=given.access_token, refresh_token=given.refresh_token, expires_in=given.expires_in)
