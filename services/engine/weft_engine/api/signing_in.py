"""Signing in to a service by OAuth: begun by whoever manages connections, answered by the service through the same browser."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Annotated
from uuid import UUID

from fastapi import Header, Query
from weft_connectors.signing_in import Answered
from weft_runtime.auth import Permission
from weft_runtime.http import Context, Reply, Uow
from weft_runtime.sealing import Envelope

from weft_engine.api.connections import settings_of
from weft_engine.api.routes import door
from weft_engine.connections import letting_in
from weft_engine.connections.schemas import SignedInView, SignInView
from weft_engine.connections.signing_in import CALLBACK, LASTS, cookie_of, place_of

ANSWERS_PER_MINUTE = 60
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
Given = Annotated[str | None, Query(max_length=2000)]
Cookies = Annotated[str | None, Header(alias="cookie", include_in_schema=False, max_length=16_384)]


@door.get("/connections/{connection_id}/oauth/start", may=Permission.CONNECTIONS_MANAGE)
async def start_oauth(connection_id: UUID, uow: Uow, context: Context) -> Reply[SignInView]:
    """Begin to sign in to a service by OAuth: where the browser goes, with a cookie that ties the answer to it."""
    public_url = settings_of(context).public_url
    started = await letting_in.start_sign_in(connection_id, public_url, context.part(Envelope), uow)
    secure = "; Secure" if public_url is not None and public_url.startswith("https:") else ""
    cookie = f"{cookie_of(connection_id)}={started.browser}; Path={CALLBACK}; Max-Age={LASTS.seconds}; HttpOnly; SameSite=Lax{secure}"
    return Reply(SignInView(authorize_url=started.authorize_url, expires_at=started.expires_at), headers={**_PRIVATE, "Set-Cookie": cookie})


@door.get("/oauth/callback", public=True, per_minute=ANSWERS_PER_MINUTE)
async def finish_oauth(
    context: Context, state: Given = None, code: Given = None, error: Given = None, iss: Given = None, cookies: Cookies = None
) -> Reply[SignedInView]:
    """Take a service's answer to a sign-in, once, from the browser that began it; else 400 with a code, and nothing is stored."""
    _, connection_id = place_of(state)
    answer = Answered(state, code, error, iss)
    browser = _cookie(cookies, cookie_of(connection_id))
    allow_private = settings_of(context).allow_private_addresses
    connection = await letting_in.finish_sign_in(answer, browser, context, context.part(Envelope), allow_private=allow_private)
    view = SignedInView(connection_id=connection.id, name=connection.name, type=connection.type, version=connection.version)
    gone = f"{cookie_of(connection_id)}=; Path={CALLBACK}; Max-Age=0; HttpOnly; SameSite=Lax"
    return Reply(view, headers={**_PRIVATE, "Set-Cookie": gone})


def _cookie(header: str | None, name: str) -> str | None:
    try:
        found = SimpleCookie(header or "").get(name)
    except CookieError:
        return None
    return None if found is None else found.value
