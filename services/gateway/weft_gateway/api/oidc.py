"""Signing in by an identity provider, in a browser."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Final, cast

from fastapi import Header, Query
from starlette.responses import RedirectResponse, Response
from weft_runtime.auth import Permission
from weft_runtime.errors import Forbidden
from weft_runtime.http import Asker, Context, Door, Reply
from weft_runtime.http.strict_json import encode

from weft_gateway.api.signing_in import Address
from weft_gateway.oidc.signing_in import CALLBACK, LASTS, Answered, SignIns, Started, cookie_of, return_path
from weft_gateway.schemas.signing_in import (
    HandedBody,
    LinkBody,
    LinkView,
    LoggedOutView,
    ProvidersView,
    ProviderView,
    RefreshBody,
    TokenView,
    tokens,
)
from weft_gateway.settings import Settings

door = Door("gateway")

PER_MINUTE: Final = 60
_PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
Given = Annotated[str | None, Query(max_length=4000)]
ProviderName = Annotated[str | None, Query(max_length=40, description="As it is called here; the only one when absent.")]
ReturnTo = Annotated[str | None, Query(max_length=600, description="A path of this installation that the browser goes on at.")]
Cookies = Annotated[str | None, Header(alias="cookie", include_in_schema=False, max_length=16_384)]


@door.get("/auth/oidc/providers", public=True, per_minute=PER_MINUTE)
async def list_oidc_providers(context: Context) -> ProvidersView:
    """The identity providers that people may sign in by, for a page that offers them."""
    known = context.part(SignIns).providers
    return ProvidersView(items=[ProviderView(name=name, label=one.label or name) for name, one in sorted(known.items())])


@door.get("/auth/oidc/start", public=True, per_minute=PER_MINUTE, status=302)
async def start_oidc_sign_in(context: Context, provider: ProviderName = None, return_to: ReturnTo = None) -> Response:
    """Begin to sign in: sends the browser to the provider, with a cookie that ties the answer to it.

    return_to: goes on there with `#weft_code=…`, which `POST /auth/oidc/token` exchanges for tokens, or with `#weft_error=…`. Without it
    the callback answers with the tokens.
    """
    started = await context.part(SignIns).start(provider, return_path(return_to))
    return RedirectResponse(started.authorize_url, 302, headers={**_PRIVATE, "Set-Cookie": _cookie(started, context)})


@door.get("/auth/oidc/callback", public=True, per_minute=PER_MINUTE)
async def finish_oidc_sign_in(
    context: Context,
    address: Address,
    state: Given = None,
    code: Given = None,
    error: Given = None,
    iss: Given = None,
    cookies: Cookies = None,
) -> Response:
    """Take a provider's answer, once, from the browser that began it: 200 with tokens, or 303 to `return_to`; else 400 with a code."""
    name = cookie_of(state or "")
    finished = await context.part(SignIns).finish(Answered(state, code, error, iss), _read(cookies, name), address)
    headers = {**_PRIVATE, "Set-Cookie": f"{name}=; Path={CALLBACK}; Max-Age=0; HttpOnly; SameSite=Lax"}
    if finished.signed_in is None:
        return RedirectResponse(finished.location or "/", 303, headers=headers)
    return Response(encode(tokens(finished.signed_in)), headers=headers, media_type="application/json")


@door.post("/auth/oidc/token", public=True, per_minute=PER_MINUTE, max_body_bytes=4096)
async def exchange_oidc_code(body: HandedBody, address: Address, context: Context) -> TokenView:
    """Exchange the code that a page was sent back with for tokens. Good once, and for a minute."""
    return tokens(await context.part(SignIns).exchange(body.code, address))


@door.post("/auth/oidc/links", may=Permission.SELF_READ)
async def link_oidc(body: LinkBody, asker: Asker, context: Context) -> Reply[LinkView]:
    """Begin to sign in so that the provider's person is whoever asks, from then on: where the browser goes, with its cookie."""
    if asker.kind != "person":
        raise Forbidden("only people sign in by a provider; sign in as yourself", code="key_links_nobody")
    started = await context.part(SignIns).start(body.provider, return_path(body.return_to), asker)
    return Reply(LinkView(authorize_url=started.authorize_url), headers={**_PRIVATE, "Set-Cookie": _cookie(started, context)}, secret=True)


@door.post("/auth/oidc/logout", public=True, per_minute=PER_MINUTE, max_body_bytes=4096)
async def log_out_oidc(body: RefreshBody, address: Address, context: Context) -> LoggedOutView:
    """End the session of a refresh token, and say where the browser ends it at the provider, too."""
    return LoggedOutView(logout_url=await context.part(SignIns).sign_out(body.refresh_token, address))


def _cookie(started: Started, context: Context) -> str:
    secure = "; Secure" if (cast(Settings, context.settings).public_url or "").startswith("https:") else ""
    return f"{'='.join(started.cookie)}; Path={CALLBACK}; Max-Age={LASTS.seconds}; HttpOnly; SameSite=Lax{secure}"


def _read(header: str | None, name: str) -> str | None:
    try:
        found = SimpleCookie(header or "").get(name)
    except CookieError:
        return None
    return None if found is None else found.value
