"""Signing in, staying in, signing out. Each takes short transactions of its own, so that none is held while a password is hashed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from weft_contracts.audit import Origin
from weft_runtime.clock import new_id
from weft_runtime.context import ServiceContext
from weft_runtime.errors import NotFound
from weft_runtime.origins import origin_of
from weft_runtime.uow import UnitOfWork

from weft_gateway import attempts, auditing, domain, passwords
from weft_gateway.attempts import Failures
from weft_gateway.domain import Session, User
from weft_gateway.errors import RefreshRefused, TooManySignIns, WrongCredentials
from weft_gateway.issuing import Issuer
from weft_gateway.store import directory, failures, sessions

REFRESH_PREFIX = "weftr_"
"""What a refresh token begins with, so that a leaked one is recognised."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What somebody who signed in is given. expires_in: seconds the access token is good."""

    access_token: str
    refresh_token: str
    expires_in: int


async def sign_in(context: ServiceContext, email: str, password: str, address: str) -> SignedIn:
    """Let a person in. address: where they ask from, to slow guessing down.

    The answer and the work for it are the same whether the person is unknown, inactive or the password is wrong.
    Raises: WrongCredentials, TooManySignIns, HashingBusy.
    """
    account = domain.normal_email(email)
    # Counted as failed before the password is looked at, so that many guesses at once do not slip through together, here or at
    # another gateway. One that is refused is rolled back and so does not count.
    async with context.owner_transaction() as uow:
        known = await failures.known(uow, account, address)
        counted = await failures.count(uow, account, address)
        wait_s = attempts.wait_s(counted, uow.now, known=known)
        if wait_s:
            raise TooManySignIns(f"too many failed sign-ins; wait {wait_s} s", retry_after_s=wait_s)
        found = await directory.find_by_email(uow, account)
    user, phc = found or (None, None)
    matched = await passwords.matches(password, phc)
    if not matched or user is None or phc is None or not user.active:
        await _tell_refused(context, account, address, user, "inactive" if matched else "wrong_password", counted)
        raise WrongCredentials("the e-mail address or the password is wrong; check both")
    renewed = await passwords.hashed(password) if passwords.outdated(phc) else None
    async with context.owner_transaction(user.tenant) as uow:
        await failures.forgive(uow, account, address)
        await failures.remember(uow, account, address)
        if renewed is not None:
            await directory.save_password(uow, user, renewed)
        return await begin_session(context, user, uow, address)


async def begin_session(
    context: ServiceContext, user: User, uow: UnitOfWork, address: str, *, lasts: timedelta | None = None, provider: str | None = None
) -> SignedIn:
    """The first tokens of somebody who has shown who they are. lasts: how long until the next time; as configured when None."""
    until = uow.now + (lasts or context.part(Issuer).session_lifetime)
    session = Session(new_id(), user.tenant, user.id, uow.now, until, provider=provider)
    await sessions.add(uow, session)
    uow.say(auditing.signed_in(user, session, _from(uow, address), "password" if provider is None else f"oidc:{provider}"))
    return await _tokens(context, session, user, uow)


async def _tell_refused(
    context: ServiceContext, account: str, address: str, user: User | None, reason: str, counted: Sequence[Failures]
) -> None:
    """Tell the audit that somebody was not let in, unless that was told often enough.

    What nobody is called is counted likewise, so that the answer takes as long.
    """
    async with context.owner_transaction("" if user is None else user.tenant) as uow:
        refused = await failures.refuse(uow, account)
        if user is None:
            return
        origin = _from(uow, address)
        if attempts.is_told(refused):
            uow.say(auditing.sign_in_refused(user, reason, refused, origin))
        uow.say(*auditing.locked_out(user, counted, origin))


async def refresh(context: ServiceContext, token: str, address: str = "") -> SignedIn:
    """The next pair of tokens of a session. A token shown twice ends the session, since somebody else may have it.

    address: where they ask from.
    Raises: RefreshRefused.
    """
    async with context.owner_transaction() as uow:
        given = await _exchanged(context, token, address, uow)
    # Raised after the commit, so that the end of the session is kept.
    if given is None:
        raise RefreshRefused("the refresh token is unknown, expired or was used before; sign in again")
    return given


async def sign_out(context: ServiceContext, token: str, address: str = "") -> None:
    """End the session of a refresh token: neither it nor the last access token is good any more. An unknown one changes nothing.

    address: where they ask from.
    """
    async with context.owner_transaction() as uow:
        found = await sessions.of_token(uow, token)
        if found is not None and (after := domain.over(found[0], "end", uow.now)) is not found[0]:
            uow.tenant = after.tenant
            await sessions.save(uow, after)
            uow.say(auditing.signed_out(after, _from(uow, address)))


async def _exchanged(context: ServiceContext, token: str, address: str, uow: UnitOfWork) -> SignedIn | None:
    found = await sessions.of_token(uow, token)
    if found is None:
        return None
    session, used = found
    uow.tenant = session.tenant
    user = await _present_user(session, uow)
    after, goes_on = domain.present(session, used=used, user=user, now=uow.now)
    if after is not session:
        await sessions.save(uow, after)
    if not goes_on or user is None:
        if after is not session or not used:
            # Once for each token: whoever shows it again and again fills no table.
            await sessions.use_token(uow, token)
            uow.say(auditing.refresh_refused(after, domain.refused_for(session, used=used, user=user), _from(uow, address)))
        return None
    await sessions.use_token(uow, token)
    return await _tokens(context, session, user, uow)


def _from(uow: UnitOfWork, address: str) -> Origin:
    return origin_of(uow.tenant, None, uow.traceparent, ip=address)


async def _present_user(session: Session, uow: UnitOfWork) -> User | None:
    try:
        return await directory.get_user(uow, session.user_id)
    except NotFound:
        return None


async def _tokens(context: ServiceContext, session: Session, user: User, uow: UnitOfWork) -> SignedIn:
    issuer, access_id = context.part(Issuer), str(new_id())
    tenant = await directory.get_tenant(uow, user.tenant)
    refresh_token = REFRESH_PREFIX + secrets.token_urlsafe(32)
    await sessions.add_token(uow, session, refresh_token, access_id, user.revision)
    access_token = issuer.access_token(domain.access_claims(user, tenant), uow, access_id)
    return SignedIn(access_token, refresh_token, int(issuer.access_lifetime.total_seconds()))
