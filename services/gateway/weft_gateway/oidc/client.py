"""Talking to one identity provider: what it publishes, kept fresh, and a code exchanged for what it says of a person."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact
from weft_connectors.guarded import Answer, GuardedClient, GuardError, Outgoing
from weft_runtime.auth import keyset
from weft_runtime.auth.keyset import PublicKey
from weft_runtime.auth.published import Fresh
from weft_runtime.auth.verify import read_header
from weft_runtime.errors import Unauthenticated, Unavailable

from weft_gateway.errors import NotLetIn
from weft_gateway.oidc.providers import Provider

ReadT = TypeVar("ReadT")

TIMEOUT_S: Final = 10.0
MAX_DOCUMENT_BYTES: Final = 512 * 1024
ID_TOKEN_MAX: Final = 32 * 1024
ALGORITHMS: Final = ("RS256", "ES256")
"""How ID tokens may be signed; both by a key of the provider, so neither `none` nor the client's own secret."""
_THUMBPRINTS: Final = ("x5t", "x5t#S256")
"""Members of a token's header by which some providers name their key a second time; we go by `kid` alone."""
METADATA_TTL_S, KEYS_TTL_S = 3600.0, 300.0


class ProviderAway(Unavailable):
    """An identity provider that does not answer, or says what none says."""

    code = "oidc_provider_unavailable"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider publishes of itself. names_issuer: it says in each answer whose it is. Source: Discovery 1.0, section 3; RFC 9207."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    auth_methods: tuple[str, ...]
    names_issuer: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What a provider gives for a code. said: the claims of its ID token, whose signature is good and nothing else of which is checked."""

    said: Any = field(repr=False)
    access_token: str | None = field(repr=False)


class Client:
    """One provider. allow_private: let it be at a private address, and without TLS; for development."""

    def __init__(self, provider: Provider, http: GuardedClient, *, allow_private: bool) -> None:
        self.provider = provider
        self._http = http
        self._allow_private = allow_private
        self._registry = JWSRegistry(algorithms=list(ALGORITHMS))
        self._metadata: Fresh[Metadata] = Fresh(partial(self._noting, self._read_metadata), METADATA_TTL_S)
        self._keys: Fresh[dict[str, PublicKey]] = Fresh(partial(self._noting, self._read_keys), KEYS_TTL_S)
        self._why: ProviderAway | None = None

    async def metadata(self) -> Metadata:
        """What it publishes of itself. Raises: ProviderAway."""
        return await self._fresh(self._metadata)

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> Given:
        """What it gives for a code. Raises: NotLetIn, ProviderAway."""
        metadata = await self.metadata()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")]
        secret = self.provider.client_secret
        if secret is None:
            form["client_id"] = self.provider.client_id
        elif "client_secret_basic" in metadata.auth_methods:
            # Each part is encoded by itself first. Source: RFC 6749, section 2.3.1.
            pair = f"{quote(self.provider.client_id, safe='')}:{quote(secret.get_secret_value(), safe='')}"
            headers.append(("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
        else:
            form |= {"client_id": self.provider.client_id, "client_secret": secret.get_secret_value()}
        answer = await self._send(Outgoing("POST", metadata.token_endpoint, tuple(headers), urlencode(form).encode(), **_BOUNDS))
        if 400 <= answer.status < 500:
            raise NotLetIn("the provider does not take the code of this sign-in; begin it again", code="oidc_code_refused")
        given = self._document(answer)
        id_token, access_token = given.get("id_token"), given.get("access_token")
        if not isinstance(id_token, str):
            raise NotLetIn("the provider gave no ID token; its client has to ask for the scope openid", code="oidc_no_id_token")
        return Given(await self._verified(id_token), access_token if isinstance(access_token, str) else None)

    async def with_userinfo(self, said: dict[str, Any], access_token: str | None) -> dict[str, Any]:
        """Claims and, where they tell no e-mail address, what the provider says of the same person when it is asked. Raises: ProviderAway.

        Of another person nothing is taken. Source: OpenID Connect Core 1.0, section 5.3.4.
        """
        endpoint = (await self.metadata()).userinfo_endpoint
        if "email" in said or endpoint is None or access_token is None or not access_token.isascii() or not access_token.isprintable():
            return said
        answer = await self._send(Outgoing("GET", endpoint, (("authorization", f"Bearer {access_token}"),), **_BOUNDS))
        told = self._document(answer)
        return {**told, **said} if told.get("sub") == said["sub"] else said

    async def _verified(self, raw: str) -> Any:
        """The claims of a token whose signature is good. Raises: NotLetIn, ProviderAway."""
        bad = NotLetIn("the provider's ID token is not signed as it should be; begin the sign-in again", code="oidc_bad_token")
        if len(raw) > ID_TOKEN_MAX or not raw.isascii():
            raise bad
        try:
            kid, algorithm = read_header(raw, ALGORITHMS, passing=_THUMBPRINTS)
        except Unauthenticated as error:
            raise bad from error
        keys = await self._fresh(self._keys)
        if kid not in keys:
            # A key that the provider has begun to sign with since; or a made-up one, for which it is asked now and then.
            await self._keys.again()
            keys = await self._fresh(self._keys)
        if kid not in keys or algorithm not in keys[kid].algorithms:
            raise bad
        try:
            return msgspec.json.decode(deserialize_compact(raw, keys[kid].key, registry=self._registry).payload)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise bad from error

    async def _fresh(self, document: Fresh[ReadT]) -> ReadT:
        """What was read last. Raises: ProviderAway where nothing ever was, which says why."""
        try:
            return await document.get()
        except Unavailable as error:
            raise self._why or error from error

    async def _noting(self, read: Callable[[], Awaitable[ReadT]]) -> ReadT:
        """What is read now, or why it is not."""
        try:
            return await read()
        except ProviderAway as error:
            self._why = error
            raise

    async def _read_metadata(self) -> Metadata:
        issuer = self.provider.issuer
        url = f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
        self._check(url)
        found = self._document(await self._send(Outgoing("GET", url, **_BOUNDS)))
        if found.get("issuer") != issuer:
            raise ProviderAway(f"what is at {url} is of another issuer than {issuer}; set the issuer exactly as it calls itself")
        methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return Metadata(
            authorization_endpoint=self._endpoint(found, "authorization_endpoint"),
            token_endpoint=self._endpoint(found, "token_endpoint"),
            jwks_uri=self._endpoint(found, "jwks_uri"),
            userinfo_endpoint=self._endpoint(found, "userinfo_endpoint") if "userinfo_endpoint" in found else None,
            end_session_endpoint=self._endpoint(found, "end_session_endpoint") if "end_session_endpoint" in found else None,
            auth_methods=tuple(one for one in methods if isinstance(one, str)) if isinstance(methods, list) else (),
            names_issuer=found.get("authorization_response_iss_parameter_supported") is True,
        )

    async def _read_keys(self) -> dict[str, PublicKey]:
        return keyset.read(self._document(await self._send(Outgoing("GET", (await self.metadata()).jwks_uri, **_BOUNDS))))

    def _endpoint(self, found: Mapping[str, Any], name: str) -> str:
        url = found.get(name)
        if not isinstance(url, str):
            raise ProviderAway(f"{self.provider.issuer} does not say where its {name} is")
        self._check(url)
        return url

    def _check(self, url: str) -> None:
        """Tokens and secrets go by TLS. Raises: ProviderAway."""
        if urlsplit(url).scheme != "https" and not self._allow_private:
            raise ProviderAway(f"{url[:200]} is not reached by https, as an identity provider has to be")

    async def _send(self, request: Outgoing) -> Answer:
        try:
            return await self._http.send(request)
        except GuardError as error:
            raise ProviderAway(f"the identity provider was not reached: {error.message}", retry_after_s=5) from error

    def _document(self, answer: Answer) -> dict[str, Any]:
        """The JSON object of a good answer. Raises: ProviderAway."""
        try:
            if answer.status == 200:
                return msgspec.json.decode(answer.body, type=dict[str, Any])
        except (ValueError, RecursionError) as error:
            raise ProviderAway(f"what {urlsplit(answer.url).path} of the identity provider says is no JSON object") from error
        raise ProviderAway(f"{urlsplit(answer.url).path} of the identity provider answered {answer.status}", retry_after_s=5)


_BOUNDS: Final[dict[str, Any]] = {"timeout_s": TIMEOUT_S, "follow_redirects": False, "max_answer_bytes": MAX_DOCUMENT_BYTES}
