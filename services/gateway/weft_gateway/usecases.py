"""The verbs on tenants, people and API keys: load, decide, save, say. Signing in has its own module, for its own transactions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from weft_runtime.auth import Caller
from weft_runtime.clock import new_id
from weft_runtime.uow import UnitOfWork

from weft_gateway import auditing, domain, passwords
from weft_gateway.domain import ApiKey, Tenant, User
from weft_gateway.errors import KeyMakesNoKey, OwnerInactive, TenantMoved, TooManyKeys, UserMoved
from weft_gateway.store import directory, keys, sessions
from weft_gateway.store import groups as groups_store

FIRST_ROLES = ("admin",)


async def make_api_key(
    name: str, roles: Sequence[str], days: int, maker: Caller, uow: UnitOfWork, *, service: bool
) -> tuple[ApiKey, Tenant]:
    """A new API key of the maker's tenant. service: as of `ApiKey`. Raises: KeyMakesNoKey, RoleTooHigh, TooManyKeys, OwnerInactive."""
    if maker.kind == "key":
        raise KeyMakesNoKey("an API key cannot make API keys, so that a stolen one ends when it is revoked; sign in as a person")
    allowed = domain.allow_roles(roles, maker.roles)
    if await keys.count_kept(uow) >= domain.API_KEYS_MAX:
        raise TooManyKeys(
            f"this tenant has {domain.API_KEYS_MAX} API keys that have not expired, those revoked too; give keys that are needed for "
            "a short time a short life (expires_in_days)"
        )
    owner = await directory.find_user(uow, maker.sub, lock=True)
    if owner is not None and not owner.active:
        raise OwnerInactive(f"{owner.email} is deactivated and makes no API keys; ask an administrator of your tenant")
    until = uow.now + timedelta(days=days)
    by = maker.email or maker.sub
    # By what the directory says now, which may be less than what the maker's token still does.
    lowered = None if owner is None or service else domain.lowered_to(allowed, owner.roles)
    key = ApiKey(new_id(), maker.tenant, name, allowed, by, uow.now, until, owner=maker.sub, service=service, lowered_to=lowered)
    await keys.add_api_key(uow, key)
    uow.say(auditing.key_made(key))
    return key, await directory.get_tenant(uow, maker.tenant)


async def revoke_api_key(key_id: UUID, by: Caller, uow: UnitOfWork) -> None:
    """Refuse an API key from now on; other services learn of it within seconds. Raises: ApiKeyNotFound."""
    key = await keys.get_api_key(uow, key_id, lock=True)
    revoked = domain.revoke_key(key, by.email or by.sub, uow.now)
    if revoked is key:
        return
    await keys.save_api_key(uow, revoked)
    uow.say(auditing.key_revoked(key, revoked))


async def make_tenant(
    tenant_id: str, name: str, tier: str, settings: dict[str, Any], admin: tuple[str, str, str] | None, uow: UnitOfWork
) -> Tenant:
    """A new tenant. admin: e-mail address, name and password hash of its first person. Raises: TenantTaken, EmailTaken."""
    decision = domain.found(Tenant(tenant_id, name, uow.now, tier, settings))
    await directory.add_tenant(uow, decision.state)
    uow.say(*decision.says, tenant=tenant_id)
    if admin is not None:
        email, person, phc = admin
        admitted = domain.admit(User(new_id(), tenant_id, domain.normal_email(email), person, uow.now, uow.now, FIRST_ROLES))
        await directory.add_user(uow, admitted.state)
        await directory.save_password(uow, admitted.state, phc)
        uow.say(*admitted.says, tenant=tenant_id)
    return decision.state


async def change_tenant(tenant_id: str, name: str, tier: str, settings: dict[str, Any], etag: str | None, uow: UnitOfWork) -> Tenant:
    """A tenant changed. etag: of the state that was read, None for any. Raises: TenantNotFound, TenantMoved."""
    tenant = await directory.get_tenant(uow, tenant_id, lock=True)
    if etag is not None and etag != str(tenant.revision):
        raise TenantMoved(f"tenant {tenant_id!r} was changed since you read it; read it again and redo your change")
    decision = domain.change_tenant(tenant, name=name, tier=tier, settings=settings)
    await directory.save_tenant(uow, decision.state)
    uow.say(*decision.says, tenant=tenant_id)
    return decision.state


async def admit_user(
    email: str, name: str, roles: Sequence[str], groups: Sequence[str], password: str | None, by: Caller, uow: UnitOfWork
) -> User:
    """A new person of this tenant. Raises: RoleTooHigh, EmailTaken, HashingBusy."""
    allowed = domain.allow_roles(roles, by.roles)
    user = User(new_id(), uow.tenant, domain.normal_email(email), name, uow.now, uow.now, allowed, tuple(dict.fromkeys(groups)))
    decision = domain.admit(user)
    await groups_store.ensure(uow, user.groups)
    await directory.add_user(uow, decision.state)
    if password is not None:
        await directory.save_password(uow, decision.state, await passwords.hashed(password))
    uow.say(*decision.says)
    return decision.state


async def change_user(
    user_id: UUID,
    *,
    name: str,
    roles: Sequence[str],
    groups: Sequence[str],
    active: bool,
    password: str | None,
    etag: str | None,
    by: Caller,
    uow: UnitOfWork,
) -> User:
    """A person changed. Whoever is made inactive or given another password has to sign in anew, and API keys rest while their owner
    does, and do no more than they may.

    etag: of the state that was read, None for any.  Raises: UserNotFound, UserMoved, RoleTooHigh, HashingBusy.
    """
    # Before the person is held: who changes a group holds that first, too.
    await groups_store.ensure(uow, groups)
    user = await directory.get_user(uow, user_id, lock=True)
    if etag is not None and etag != str(user.revision):
        raise UserMoved(f"user {user_id} was changed since you read it; read it again and redo your change")
    # Whoever may not give a role may not take over somebody who has it either.
    domain.allow_roles(user.roles, by.roles)
    wanted = domain.allow_roles(roles, by.roles)
    decision = domain.change_user(user, uow.now, name=name, roles=wanted, groups=tuple(dict.fromkeys(groups)), active=active)
    await directory.save_user(uow, decision.state)
    if password is not None:
        await directory.save_password(uow, decision.state, await passwords.hashed(password))
        uow.say(auditing.password_set(decision.state))
    if password is not None or not active:
        await sessions.revoke_all(uow, user_id)
    await keys.follow_owner(uow, decision.state)
    uow.say(*decision.says)
    return decision.state
