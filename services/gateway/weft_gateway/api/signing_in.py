"""Signing in and out, who I am, and what others verify our tokens with."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from weft_runtime.auth import Permission
from weft_runtime.http import Asker, Context, Door, Reply
from weft_runtime.http.addresses import of_one_party
from weft_runtime.http.call import call_of

from weft_gateway import signing_in
from weft_gateway.issuing import Issuer
from weft_gateway.schemas.signing_in import LoginBody, MeView, RefreshBody, TokenView, me, tokens

door = Door("gateway")


async def _address(request: Request) -> str:
    return of_one_party(call_of(request).ip)


Address = Annotated[str, Depends(_address)]
"""Where a request comes from, as far as one party has it; "" when that is unknown."""

LOGINS_PER_MINUTE = 60
REFRESHES_PER_MINUTE = 120
JWKS_MAX_AGE_S = 300
POLLS_PER_MINUTE = 6000
"""Of each document that services verify tokens with: a process asks for the list of what is revoked every five seconds, so 500 processes
behind one address stay within it. One that is refused goes on with what it has."""


@door.post("/auth/login", public=True, per_minute=LOGINS_PER_MINUTE, max_body_bytes=4096)
async def login(body: LoginBody, address: Address, context: Context) -> TokenView:
    """Sign in with an e-mail address and a password."""
    return tokens(await signing_in.sign_in(context, body.email, body.password, address))


@door.post("/auth/refresh", public=True, per_minute=REFRESHES_PER_MINUTE, max_body_bytes=4096)
async def refresh(body: RefreshBody, address: Address, context: Context) -> TokenView:
    """Exchange a refresh token for the next pair. Each is good once."""
    return tokens(await signing_in.refresh(context, body.refresh_token, address))


@door.post("/auth/logout", public=True, per_minute=REFRESHES_PER_MINUTE, max_body_bytes=4096, status=204)
async def logout(body: RefreshBody, address: Address, context: Context) -> None:
    """End the session of a refresh token. Its access token is refused within seconds."""
    await signing_in.sign_out(context, body.refresh_token, address)


@door.get("/me", may=Permission.SELF_READ)
async def get_me(asker: Asker) -> MeView:
    """Who the token says I am, and what I may do."""
    return me(asker)


@door.get("/.well-known/jwks.json", public=True, root=True, per_minute=POLLS_PER_MINUTE)
async def jwks(context: Context) -> Reply[dict[str, Any]]:
    """The public keys that verify our tokens, as a JSON Web Key Set."""
    document = await context.part(Issuer).keys()
    return Reply(document, headers={"Cache-Control": f"public, max-age={JWKS_MAX_AGE_S}"})


@door.get("/.well-known/revoked.json", public=True, root=True, per_minute=POLLS_PER_MINUTE)
async def revoked(context: Context) -> dict[str, Any]:
    """The ids of tokens that are refused though they have not expired."""
    return await context.part(Issuer).revoked()
