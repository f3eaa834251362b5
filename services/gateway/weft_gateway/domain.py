"""Tenants, people, sessions and API keys: nouns and pure decisions. Time and ids are arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weft_contracts.directory import TenantChanged, UserChanged
from weft_runtime.auth import ROLES, Claims, kept_roles, permissions_of
from weft_runtime.auth.claims import MAX_GROUPS
from weft_runtime.uow import Decision

from weft_gateway.errors import RoleTooHigh, TooManyGroups
from weft_gateway.machine import MOVES, SessionStatus

API_KEY_MAX_DAYS: Final = 365
"""Days an API key may live at most; the key that signs it is published for longer."""

API_KEYS_MAX: Final = 1000
"""Keys a tenant has at most that have not expired. Each has a limit of requests of its own, and a revoked one is a line that every service
reads every few seconds."""

GROUPS_MAX: Final = 10_000
"""Groups a tenant has at most."""

MEMBERS_MAX: Final = 10_000
"""People in a group at most: to give it another name changes and tells each of them at once."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer. tier: what it has booked; settings: free, for its expressions."""

    id: str
    name: str
    created_at: datetime
    tier: str = "standard"
    settings: dict[str, Any] = field(default_factory=dict)
    revision: int = 1


@dataclass(frozen=True, slots=True)
class User:
    """A person of one tenant. email: lower case, unique in the whole mesh, because people sign in with it alone.

    reduced_revision: the newest revision that took a role or a group from them: what an earlier one told is good no longer.
    """

    id: UUID
    tenant: str
    email: str
    name: str
    created_at: datetime
    updated_at: datetime
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    active: bool = True
    revision: int = 1
    reduced_revision: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """People of one tenant who are asked together. name: what workflows and tokens call it, unique in the tenant.

    What makes somebody a member is that their `groups` name it.
    """

    id: UUID
    tenant: str
    name: str
    created_at: datetime
    updated_at: datetime
    description: str = ""
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in and all the refresh tokens that follow from it. provider: of identities, that it was by; None: by a password."""

    id: UUID
    tenant: str
    user_id: UUID
    created_at: datetime
    expires_at: datetime
    status: SessionStatus = SessionStatus.ACTIVE
    ended_at: datetime | None = None
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key for machines. The secret itself is a signed token and is not kept; `id` is its `jti`.

    owner: the id of the person who made it.  service: it is the tenant's and outlives them; else it is good only while they are active.
    suspended_at: set while they are not.  lowered_to: what they may, by roles, where the key's own allow more.
    """

    id: UUID
    tenant: str
    name: str
    roles: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    owner: str = ""
    service: bool = False
    suspended_at: datetime | None = None
    lowered_to: tuple[str, ...] | None = None

    def status(self, now: datetime) -> str:
        """`active`, `revoked`, `expired`, or `suspended` while its owner is not active."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at <= now:
            return "expired"
        return "active" if self.suspended_at is None else "suspended"


@dataclass(frozen=True, slots=True)
class LiveTicket:
    """A ticket for a WebSocket as it is kept: without itself. hash: of it.  person: the id of whom it is for, or of their key.

    topics: by name, those it was asked for with.  sealed: the token it was had by, by which rights are looked at while somebody watches.
    """

    hash: bytes
    tenant: str
    person: str
    topics: tuple[str, ...]
    sealed: bytes = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody as an identity provider knows them, and who they are here. issuer, subject: together, theirs alone and for ever."""

    issuer: str
    subject: str
    tenant: str
    user_id: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BegunSignIn:
    """A sign-in by a provider that waits for its answer. It is used once, whatever comes of it.

    state_hash, browser_hash: of the state that comes back and of the cookie of the browser that began it.
    sealed: what its ID token and its code have to prove.  link: tenant and id of the person who began it while signed in.
    """

    state_hash: str
    browser_hash: str
    provider: str
    sealed: bytes = field(repr=False)
    return_to: str | None
    link: tuple[str, str] | None
    expires_at: datetime


def normal_email(text: str) -> str:
    """An e-mail address as it is stored and compared: without spaces around it, lower case."""
    return text.strip().lower()


def allow_roles(wanted: Iterable[str], giver: Iterable[str]) -> tuple[str, ...]:
    """`wanted` in order and once each, if whoever has the roles `giver` may give them: nobody gives more than they have.

    A tenant's own role names, for the candidates of tasks, allow nothing and may be given by anybody who gives roles.
    Raises: RoleTooHigh.
    """
    chosen = tuple(dict.fromkeys(wanted))
    own = permissions_of(giver)
    for role in chosen:
        if not permissions_of((role,)) <= own:
            raise RoleTooHigh(f"role {role!r} may do more than you may; ask somebody who has it to give it")
    return chosen


def admit(user: User) -> Decision[User]:
    """A new person, told to the mesh."""
    return Decision(user, (user_changed(user),))


def change_user(user: User, now: datetime, *, name: str, roles: tuple[str, ...], groups: tuple[str, ...], active: bool) -> Decision[User]:
    """The person as wanted; says so only where something changed."""
    wanted = replace(user, name=name, roles=roles, groups=groups, active=active)
    if wanted == user:
        return Decision(user)
    revision = user.revision + 1
    taken = set(user.roles) - set(roles) or set(user.groups) - set(groups)
    changed = replace(wanted, updated_at=now, revision=revision, reduced_revision=revision if taken else user.reduced_revision)
    return Decision(changed, (user_changed(changed),))


def regroup(user: User, now: datetime, *, leave: str = "", join: str = "") -> Decision[User]:
    """The person out of a group and in another, "" for none; says so only where something changed. Raises: TooManyGroups."""
    kept = (name for name in user.groups if name != leave)
    groups = tuple(dict.fromkeys((*kept, join) if join else kept))
    if len(groups) > max(MAX_GROUPS, len(user.groups)):
        raise TooManyGroups(f"{user.email} is in {len(user.groups)} groups, the most that a token tells; take them out of one first")
    return change_user(user, now, name=user.name, roles=user.roles, groups=groups, active=user.active)


def change_group(group: Group, now: datetime, *, name: str, description: str) -> Group:
    """The group as wanted."""
    wanted = replace(group, name=name, description=description)
    return group if wanted == group else replace(wanted, updated_at=now, revision=group.revision + 1)


def found(tenant: Tenant) -> Decision[Tenant]:
    """A new tenant, told to the mesh."""
    return Decision(tenant, (tenant_changed(tenant),))


def change_tenant(tenant: Tenant, *, name: str, tier: str, settings: dict[str, Any]) -> Decision[Tenant]:
    """The tenant as wanted; says so only where something changed."""
    wanted = replace(tenant, name=name, tier=tier, settings=settings)
    if wanted == tenant:
        return Decision(tenant)
    changed = replace(wanted, revision=tenant.revision + 1)
    return Decision(changed, (tenant_changed(changed),))


def user_changed(user: User) -> UserChanged:
    """What the mesh hears about a person."""
    return UserChanged(
        user_id=user.id, email=user.email, name=user.name, roles=user.roles, groups=user.groups, active=user.active, revision=user.revision
    )


def tenant_changed(tenant: Tenant) -> TenantChanged:
    """What the mesh hears about a tenant."""
    return TenantChanged(tenant=tenant.id, name=tenant.name, tier=tenant.tier, settings=tenant.settings, revision=tenant.revision)


def present(session: Session, *, used: bool, user: User | None, now: datetime) -> tuple[Session, bool]:
    """What becomes of a session whose refresh token is shown, and whether it may go on.

    used: the token was exchanged before, so somebody else may have it: the whole family ends. Source: RFC 9700 section 4.14.2.
    user: the person as they are now, None when gone.
    """
    if session.status is not SessionStatus.ACTIVE:
        return session, False
    if used or user is None or not user.active:
        return over(session, "revoke", now), False
    if session.expires_at <= now:
        return over(session, "expire", now), False
    return session, True


def refused_for(session: Session, *, used: bool, user: User | None) -> str:
    """Why a session whose refresh token was shown did not go on. session: as it was.  used, user: as of `present`."""
    if session.status is not SessionStatus.ACTIVE:
        return session.status.value
    if used:
        return "used_before"
    return "inactive" if user is None or not user.active else "expired"


def over(session: Session, move: str, now: datetime) -> Session:
    """The session ended by `end`, `expire` or `revoke`; what is over already stays as it is."""
    status = MOVES.get((session.status, move))
    return session if status is None else replace(session, status=status, ended_at=now)


def lowered_to(roles: Sequence[str], owner_roles: tuple[str, ...]) -> tuple[str, ...] | None:
    """What a key with `roles` is lowered to while its owner has `owner_roles`: those of them that allow something.

    Returns: None where all that the key allows is theirs. A tenant's own names are left out: everybody can read what keys are lowered to.
    """
    return None if kept_roles(roles, owner_roles) == tuple(roles) else tuple(role for role in owner_roles if role in ROLES)


def revoke_key(key: ApiKey, by: str, now: datetime) -> ApiKey:
    """The key, refused from now on; revoking again changes nothing."""
    return key if key.revoked_at is not None else replace(key, revoked_at=now, revoked_by=by)


def access_claims(user: User, tenant: Tenant) -> Claims:
    """What a person's access token says of them."""
    return Claims(str(user.id), tenant.id, user.roles, user.groups, tenant.tier, user.email, user.name)


def key_claims(key: ApiKey, tenant: Tenant) -> Claims:
    """What an API key says: its own id stands where a person's would, and whose it is beside it."""
    return Claims(str(key.id), tenant.id, key.roles, (), tenant.tier, "", key.name, owner=key.owner)
