"""Whom of our people a provider's is: known from before, linked by themselves, or taken in; never whoever has the same address."""

from __future__ import annotations

from dataclasses import replace

from weft_runtime.clock import new_id
from weft_runtime.errors import Forbidden, StaleWrite
from weft_runtime.uow import UnitOfWork

from weft_gateway import domain
from weft_gateway.domain import Identity, User
from weft_gateway.errors import IdentityTaken
from weft_gateway.oidc import claims
from weft_gateway.oidc.claims import Person
from weft_gateway.oidc.providers import Provider
from weft_gateway.store import directory, keys
from weft_gateway.store import groups as groups_store
from weft_gateway.store import oidc as store


async def admit(person: Person, provider: Provider, link: tuple[str, str] | None, uow: UnitOfWork) -> User:
    """Who signs in, with what their provider decides of them. link: tenant and id of who asked, signed in, to be known as that person.

    Raises: NotOfUs, IdentityTaken, TenantNotFound, Forbidden, StaleWrite.
    """
    # Groups are held before people, here as everywhere.
    await groups_store.ensure(uow, person.groups or ())
    user = await _known(person, link, uow) or await _taken_in(person, provider, link, uow)
    return await _as_told(active(user), person, uow)


def active(user: User) -> User:
    """The person, where they may sign in. Raises: Forbidden."""
    if not user.active:
        raise Forbidden(f"{user.email} is deactivated; ask an administrator of your tenant", code="oidc_inactive")
    return user


async def _known(person: Person, link: tuple[str, str] | None, uow: UnitOfWork) -> User | None:
    """The person of ours that a provider's is, None where nobody is yet. Raises: IdentityTaken, NotLetIn."""
    identity = await store.identity(uow, person.issuer, person.subject)
    if identity is None:
        return None
    if identity.tenant != person.tenant:
        raise IdentityTaken("you are known here as somebody of another tenant than the provider says", code="oidc_other_tenant")
    if link is not None and link != (identity.tenant, str(identity.user_id)):
        raise IdentityTaken("this person of the provider signs in as somebody else here already")
    return await directory.get_user(uow, identity.user_id, lock=True)


async def _taken_in(person: Person, provider: Provider, link: tuple[str, str] | None, uow: UnitOfWork) -> User:
    """Who is to be known as a provider's person from now on: whoever asked for it while signed in, or somebody new.

    Never whoever has the same e-mail address: addresses change hands, and providers err. Raises: NotOfUs, IdentityTaken, StaleWrite.
    """
    if link is not None:
        tenant, user_id = link
        user = await directory.find_user(uow, user_id, lock=True) if tenant == person.tenant else None
        if user is None:
            raise IdentityTaken("the provider says that you are of another tenant than you are here", code="oidc_other_tenant")
    else:
        claims.check_new(person, provider)
        if await directory.find_by_email(uow, person.email) is not None:
            raise IdentityTaken(
                "somebody signs in with this e-mail address already; sign in as before and link the provider, "
                "by POST /api/v1/auth/oidc/links",
                code="oidc_email_taken",
            )
        await directory.get_tenant(uow, person.tenant)
        roles = provider.default_roles if person.roles is None else person.roles
        name = person.name or person.email
        user = User(new_id(), uow.tenant, person.email, name, uow.now, uow.now, roles, person.groups or ())
        decision = domain.admit(user)
        await directory.add_user(uow, user)
        uow.say(*decision.says)
    if not await store.add_identity(uow, Identity(person.issuer, person.subject, uow.tenant, user.id, uow.now)):
        raise StaleWrite("you signed in twice at once; sign in again")
    return user


async def _as_told(user: User, person: Person, uow: UnitOfWork) -> User:
    """The person with the roles and groups that their provider decides."""
    roles = user.roles if person.roles is None else person.roles
    groups = user.groups if person.groups is None else person.groups
    if replace(user, roles=roles, groups=groups) == user:
        return user
    decision = domain.change_user(user, uow.now, name=user.name, roles=roles, groups=groups, active=user.active)
    await directory.save_user(uow, decision.state)
    await keys.follow_owner(uow, decision.state)
    uow.say(*decision.says)
    return decision.state
