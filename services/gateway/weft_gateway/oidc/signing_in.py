"""The verbs of signing in by an identity provider: begun in a browser, answered through it, once; then a session as any other."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, cast
from urllib.parse import urlencode

import msgspec
from weft_connectors.guarded import GuardedClient
from weft_runtime.auth import Caller
from weft_runtime.context import ServiceContext
from weft_runtime.errors import WeftError
from weft_runtime.sealing import Seal

from weft_gateway import signing_in
from weft_gateway.domain import BegunSignIn, User
from weft_gateway.errors import NotLetIn, UnknownProvider
from weft_gateway.oidc import admitting, claims
from weft_gateway.oidc.client import Client, Metadata, ProviderAway
from weft_gateway.oidc.providers import Provider
from weft_gateway.settings import Settings
from weft_gateway.signing_in import SignedIn
from weft_gateway.store import directory, sessions
from weft_gateway.store import oidc as store

CALLBACK: Final = "/api/v1/auth/oidc/callback"
LASTS: Final = timedelta(minutes=10)
HANDED_FOR: Final = timedelta(minutes=1)
"""How long a code is good that a page exchanges for tokens."""
HAND_PREFIX: Final = "weftc_"
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Started:
    """A sign-in that has begun. authorize_url: where the browser goes.  cookie: its name, and what ties the answer to the browser."""

    authorize_url: str
    cookie: tuple[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a provider sent the browser back with. issuer: who says to have sent it."""

    state: str | None = field(repr=False)
    code: str | None = field(repr=False)
    error: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a sign-in: tokens, or where the browser goes on with what stands for them, or for why there are none."""

    signed_in: SignedIn | None = None
    location: str | None = field(default=None, repr=False)


class SignIns:
    """Signing in by the providers of this installation. One a process."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._settings = settings = cast(Settings, context.settings)
        secret, *before = settings.secrets
        self._seal = Seal(secret, "gateway sign-ins by providers", before)
        self._http = GuardedClient(allow_private=settings.allow_private_addresses, max_connections=50)
        self._clients = {
            name: Client(provider, self._http, allow_private=settings.allow_private_addresses) for name, provider in settings.oidc.items()
        }

    @property
    def providers(self) -> dict[str, Provider]:
        """The providers by name."""
        return self._settings.oidc

    async def start(self, name: str | None, return_to: str | None, link: Caller | None = None) -> Started:
        """Begin. name: of the provider, None where there is one.  return_to: a path of ours.  link: whom the provider's person will be.

        Raises: UnknownProvider, NotLetIn, ProviderAway.
        """
        name, client = self._client(name)
        metadata = await client.metadata()
        state, browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        sealed = self._seal.close(msgspec.json.encode([nonce, verifier]), _hash(state))
        async with self._context.owner_transaction() as uow:
            who = (link.tenant, link.sub) if link is not None else None
            await store.add(uow, BegunSignIn(_hash(state), _hash(browser), name, sealed, return_to, who, uow.now + LASTS))
        return Started(self._authorize_url(client.provider, metadata, state, nonce, verifier), (cookie_of(state), browser))

    async def finish(self, answer: Answered, browser: str | None, address: str) -> Finished:
        """Take a provider's answer, from the browser that began it: once, whatever comes of it. browser: what its cookie holds.

        address: where it is, as far as one party has it.

        Raises, where the sign-in names no page to go on at: NotLetIn, NotOfUs, IdentityTaken, Forbidden, ProviderAway, StaleWrite.
        """
        begun = await self._begun(answer.state, browser)
        try:
            user, hours = await self._person(begun, answer)
        except WeftError as error:
            if begun.return_to is None:
                raise
            return Finished(location=f"{begun.return_to}#{urlencode({'weft_error': error.code})}")
        async with self._context.owner_transaction(user.tenant) as uow:
            if begun.return_to is None:
                given = await signing_in.begin_session(self._context, user, uow, address, lasts=_hours(hours), provider=begun.provider)
                return Finished(given)
            code = HAND_PREFIX + secrets.token_urlsafe(32)
            await store.hand_over(uow, _hash(code), user, begun.provider, uow.now + HANDED_FOR)
        # After a number sign: neither a server nor the next page is sent it.
        return Finished(location=f"{begun.return_to}#{urlencode({'weft_code': code})}")

    async def exchange(self, code: str, address: str) -> SignedIn:
        """The tokens of somebody who was sent back with this code, once. Raises: NotLetIn, Forbidden."""
        async with self._context.owner_transaction() as uow:
            taken = await store.take_handed(uow, _hash(code))
        if taken is None:
            raise NotLetIn("the code is unknown, was used, or is more than a minute old; sign in again", code="oidc_code_unknown")
        tenant, user_id, provider = taken
        known = self.providers.get(provider)
        async with self._context.owner_transaction(tenant) as uow:
            user = admitting.active(await directory.get_user(uow, user_id, lock=True))
            lasts = _hours(known.session_hours if known is not None else None)
            return await signing_in.begin_session(self._context, user, uow, address, lasts=lasts, provider=provider)

    async def sign_out(self, refresh_token: str, address: str) -> str | None:
        """End a session, and where the browser ends it at the provider, too; None where it was begun otherwise, or the provider has no
        such place or is away.

        Source: OpenID Connect RP-Initiated Logout 1.0.
        """
        async with self._context.owner_transaction() as uow:
            name = await sessions.provider_of(uow, refresh_token)
        await signing_in.sign_out(self._context, refresh_token, address)
        client, endpoint = self._clients.get(name or ""), None
        if client is not None:
            with suppress(ProviderAway):
                endpoint = (await client.metadata()).end_session_endpoint
        if client is None or endpoint is None:
            return None
        asked = {"client_id": client.provider.client_id, "post_logout_redirect_uri": f"{self._settings.public_url}/"}
        return _with_query(endpoint, asked)

    async def close(self) -> None:
        """Close the connections to providers."""
        await self._http.aclose()

    async def _begun(self, state: str | None, browser: str | None) -> BegunSignIn:
        """The sign-in that an answer is to, which is over by that. Raises: NotLetIn."""
        if state is None or not _STATE.fullmatch(state):
            raise _no_sign_in()
        async with self._context.owner_transaction() as uow:
            begun = await store.take(uow, _hash(state))
        if begun is None:
            raise _no_sign_in()
        if browser is None or not hmac.compare_digest(_hash(browser), begun.browser_hash):
            message = "this sign-in was begun in another browser; begin it again in this one"
            raise NotLetIn(message, code="oidc_other_browser")
        return begun

    async def _person(self, begun: BegunSignIn, answer: Answered) -> tuple[User, int | None]:
        """Who signs in, and for how many hours."""
        _, client = self._client(begun.provider)
        provider, metadata = client.provider, await client.metadata()
        if answer.issuer != provider.issuer and (answer.issuer is not None or metadata.names_issuer):
            raise NotLetIn("the answer is not of the provider that the sign-in was begun at; begin it again", code="oidc_wrong_issuer")
        if answer.error is not None or not answer.code:
            why = re.sub("[^A-Za-z0-9_. -]", "?", answer.error or "no code")[:100]
            raise NotLetIn(f"the provider did not let you in: {why}", code="oidc_denied")
        opened = self._seal.open(begun.sealed, begun.state_hash)
        if opened is None:
            raise _no_sign_in()
        nonce, verifier = msgspec.json.decode(opened, type=tuple[str, str])
        given = await client.exchange(answer.code, verifier, self._redirect_uri)
        now, leeway_s = self._context.clock.now(), self._settings.jwt_leeway_s
        said = claims.check(given.said, provider, nonce, now, leeway_s, given.access_token)
        person = claims.person_of(await client.with_userinfo(said, given.access_token), provider)
        async with self._context.owner_transaction(person.tenant) as uow:
            return await admitting.admit(person, provider, begun.link, uow), provider.session_hours

    def _client(self, name: str | None) -> tuple[str, Client]:
        if name is None and len(self._clients) == 1:
            name = next(iter(self._clients))
        client = self._clients.get(name or "")
        if name is None or client is None:
            raise UnknownProvider(f"choose a provider that is set up: {', '.join(sorted(self._clients)) or 'there is none'} (?provider=)")
        return name, client

    @property
    def _redirect_uri(self) -> str:
        return f"{self._settings.public_url}{CALLBACK}"

    def _authorize_url(self, provider: Provider, metadata: Metadata, state: str, nonce: str, verifier: str) -> str:
        asked = {
            "response_type": "code",
            "client_id": provider.client_id,
            "scope": provider.scopes,
            "redirect_uri": self._redirect_uri,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        return _with_query(metadata.authorization_endpoint, asked)


def return_path(text: str | None) -> str | None:
    """A path of our own to go on at. Raises: NotLetIn for any other address, so that nobody is sent elsewhere by us."""
    if text is None:
        return None
    if not re.fullmatch(r"/(?![/\\])[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]{0,500}", text):
        raise NotLetIn("return_to is a path of this installation, such as /app", code="oidc_bad_return_to")
    return text


def cookie_of(state: str) -> str:
    """The name of the cookie of a sign-in: several may go on in one browser."""
    return f"weft_oidc_{_hash(state)[:16]}"


def _no_sign_in() -> NotLetIn:
    return NotLetIn("no sign-in waits for this answer: it was used, or is too old; begin it again", code="oidc_state_unknown")


def _hours(hours: int | None) -> timedelta | None:
    return None if hours is None else timedelta(hours=hours)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _challenge(verifier: str) -> str:
    """PKCE's challenge, S256. Source: RFC 7636, section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _with_query(url: str, asked: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"
