"""The verbs of signing in: begin one, and take the service's answer."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from weft_connectors.activity import ActivityError
from weft_connectors.plug import Plug
from weft_connectors.signing_in import Answered, exchange_of
from weft_runtime.context import ServiceContext
from weft_runtime.sealing import Envelope, SealBroken
from weft_runtime.uow import UnitOfWork

from weft_engine.connections import Connection, Secret, change, new
from weft_engine.connections.kinds import read
from weft_engine.connections.kinds.settings import SignIn
from weft_engine.connections.opening import opened
from weft_engine.connections.signing_in import (
    CALLBACK,
    LASTS,
    Begun,
    authorize_url,
    check_answer,
    hash_of,
    not_taken,
    place_of,
    state_of,
    unknown_state,
)
from weft_engine.connections.verbs import get_connection
from weft_engine.errors import OAuthNotSupported
from weft_engine.store import connections as store

_VERIFIER = "oauth_verifier"


@dataclass(frozen=True, slots=True)
class Started:
    """A sign-in as its browser is told of it. browser: the cookie that it has to come back with."""

    authorize_url: str
    browser: str
    expires_at: datetime


async def start_sign_in(connection_id: UUID, public_url: str | None, envelope: Envelope, uow: UnitOfWork) -> Started:
    """Begin a sign-in; an earlier one of the connection is over. Raises: ConnectionNotFound, OAuthNotSupported."""
    connection = await get_connection(connection_id, uow, lock=True)
    sign_in = _sign_in(connection)
    if public_url is None:
        raise OAuthNotSupported("this installation has no address for the answer; set WEFT_PUBLIC_URL to where browsers reach it")
    state = state_of(uow.tenant, connection.id, secrets.token_urlsafe(32))
    verifier, browser = secrets.token_urlsafe(48), secrets.token_urlsafe(32)
    redirect_uri = public_url + CALLBACK
    expires_at = uow.now + LASTS
    sealed = envelope.close(verifier, tenant=uow.tenant, connection=str(connection.id), field=_VERIFIER)
    by = None if uow.caller is None else uow.caller.sub
    begun = Begun(connection.id, hash_of(state), hash_of(browser), sealed, connection.version, redirect_uri, by, expires_at)
    await store.begin_sign_in(uow, begun)
    return Started(authorize_url(sign_in, state, verifier, redirect_uri), browser, expires_at)


async def finish_sign_in(
    answer: Answered, browser: str | None, context: ServiceContext, envelope: Envelope, *, allow_private: bool
) -> Connection:
    """The connection with what the service gave. The sign-in is used before anything is asked, so that no answer is taken twice.

    Raises: Malformed: nothing was stored, and what waited waits no more.
    """
    tenant, connection_id = place_of(answer.state)
    async with context.transaction(tenant) as uow:
        begun = await store.take_sign_in(uow, connection_id, hash_of(answer.state or ""))
        connection = await store.find(uow, connection_id)
        now = uow.now
    if begun is None or connection is None:
        raise unknown_state()
    _check_unchanged(connection, begun)
    sign_in = _sign_in(connection)
    code = check_answer(begun, browser, answer, sign_in.issuer(), now)
    given = await _exchanged(connection, sign_in, begun, code, tenant, envelope, allow_private)
    async with context.transaction(tenant) as uow:
        was = await get_connection(connection_id, uow, lock=True)
        _check_unchanged(was, begun)
        place = {"tenant": tenant, "connection": str(was.id)}
        kept = {name: Secret(envelope.close(value, **place, field=name), uow.now) for name, value in given.items()}
        asked = new(was.id, was.name, was.type, was.description, was.settings, {**was.secrets, **kept}, uow.now, begun.asked_by)
        decision = change(was, asked, None)
        await store.save(uow, decision.state)
        uow.say(*decision.says)
    return decision.state


async def _exchanged(
    connection: Connection, sign_in: SignIn, begun: Begun, code: str, tenant: str, envelope: Envelope, allow_private: bool
) -> dict[str, str]:
    plug = Plug(allow_private=allow_private)
    try:
        verifier = envelope.open(begun.verifier, tenant=tenant, connection=str(connection.id), field=_VERIFIER)
        exchange = exchange_of(connection.type)
        given = await exchange(opened(connection, tenant, envelope), plug, code, verifier, begun.redirect_uri)
    except ActivityError as error:
        raise not_taken("oauth_not_let_in", f"the service did not give a token: {error.message}") from error
    except SealBroken as error:
        raise not_taken(error.code, error.message) from error
    finally:
        await plug.aclose()
    return {name: given[name] for name in sign_in.gives}


def _sign_in(connection: Connection) -> SignIn:
    found = read(connection.type, connection.settings).signs_in()
    if found is None or found.secret not in connection.secrets:
        how = "set its `client_id` and `client_secret`, or give it its secrets" if connection.type == "slack" else "give it its secrets"
        raise OAuthNotSupported(f"the connection {connection.name!r} of type {connection.type} does not sign in by OAuth; {how} with PUT")
    return found


def _check_unchanged(connection: Connection, begun: Begun) -> None:
    if connection.version != begun.version:
        raise not_taken("oauth_connection_changed", f"the connection {connection.name!r} was changed meanwhile; begin the sign-in again")
