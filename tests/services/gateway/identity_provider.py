"""A strict identity provider: it takes exactly what OpenID Connect says, each code once, and signs what a test wants it to say."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.connectors.server import Heard, saying, serving

CLIENT_ID = "weft at acme"
CLIENT_SECRET = "canary/secret+of weft"
REDIRECT_URI = "https://weft.example/api/v1/auth/oidc/callback"
ASKED = {"response_type", "client_id", "scope", "redirect_uri", "state", "nonce", "code_challenge", "code_challenge_method"}
_RSA = RSAKey.generate_key(2048)
"""One for all providers: it takes a while to make."""


@dataclass
class IdentityProvider:
    """One provider. person: what its ID tokens say.  said: of what they say otherwise, beside or instead; None leaves it out.

    algorithm, key, kid: how they are signed.  metadata: what its document says otherwise.  userinfo: what it says when asked.
    """

    now: datetime
    issuer: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    key: Any = field(default_factory=lambda: _RSA)
    kid: str = "first"
    algorithm: str = "RS256"
    header: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    published: dict[str, Any] = field(default_factory=lambda: {"first": _RSA})
    asked_for_keys: int = 0
    verifiers: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser is sent back with when its person agrees."""
        assert url.startswith(f"{self.issuer}/authorize?")
        given = {name: value for name, (value,) in parse_qs(urlsplit(url).query, strict_parsing=True).items()}
        assert set(given) == ASKED
        assert (given["response_type"], given["client_id"], given["redirect_uri"]) == ("code", CLIENT_ID, REDIRECT_URI)
        assert given["code_challenge_method"] == "S256"
        assert "openid" in given["scope"].split()
        code = f"code-{len(self.codes)}-{len(self.tokens)}"
        self.codes[code] = given
        return {"code": code, "state": given["state"], "iss": self.issuer}

    def rotate(self, kid: str) -> None:
        """Sign with another key from now on, and publish it beside those before."""
        self.kid, self.key, self.algorithm = kid, ECKey.generate_key("P-256"), "ES256"
        self.published[kid] = self.key

    def as_usual(self) -> None:
        """Sign with the first key, and say what providers say."""
        self.kid, self.key, self.algorithm = "first", _RSA, "RS256"
        self.person, self.said, self.header, self.userinfo = {}, {}, {}, None

    async def say(self, heard: Heard, writer: asyncio.StreamWriter) -> None:
        status, answer = self._answer(heard)
        await saying(status, json.dumps(answer).encode(), content_type="application/json")(heard, writer)

    def _answer(self, heard: Heard) -> tuple[int, dict[str, Any]]:
        match heard.method, urlsplit(heard.target).path:
            case "GET", "/.well-known/openid-configuration":
                return 200, self._metadata()
            case "GET", "/keys":
                self.asked_for_keys += 1
                return 200, {"keys": [{**key.as_dict(private=False), "kid": kid, "use": "sig"} for kid, key in self.published.items()]}
            case "POST", "/token":
                return self._token(heard)
            case "GET", "/userinfo" if self.userinfo is not None and heard.header("authorization") in {f"Bearer {t}" for t in self.tokens}:
                return 200, self.userinfo
        return 404, {"error": "not_found"}

    def _metadata(self) -> dict[str, Any]:
        usual = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/end",
            "authorization_response_iss_parameter_supported": True,
        }
        return {name: value for name, value in (usual | self.metadata).items() if value is not None}

    def _token(self, heard: Heard) -> tuple[int, dict[str, Any]]:
        given = dict(parse_qsl(heard.body.decode(), strict_parsing=True))
        pair = f"{quote(CLIENT_ID, safe='')}:{quote(CLIENT_SECRET, safe='')}"
        in_body = (given.pop("client_id", None), given.pop("client_secret", None)) == (CLIENT_ID, CLIENT_SECRET)
        if not in_body and heard.header("authorization") != f"Basic {base64.b64encode(pair.encode()).decode()}":
            return 401, {"error": "invalid_client"}
        if heard.header("content-type") != "application/x-www-form-urlencoded":
            return 400, {"error": "invalid_request"}
        asked = self.codes.pop(given.get("code", ""), None)
        if set(given) != {"grant_type", "code", "redirect_uri", "code_verifier"} or asked is None:
            return 400, {"error": "invalid_grant"}
        if (given["grant_type"], given["redirect_uri"]) != ("authorization_code", asked["redirect_uri"]):
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(given["code_verifier"].encode()).digest()
        if (
            base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]
            or not 43 <= len(given["code_verifier"]) <= 128
        ):
            return 400, {"error": "invalid_grant"}
        self.verifiers.append(given["code_verifier"])
        access = f"canary-access-token-{len(self.tokens)}"
        self.tokens.append(access)
        return 200, {"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": self._id_token(asked["nonce"], access)}

    def _id_token(self, nonce: str, access: str) -> str:
        at = int(self.now.timestamp())
        half = base64.urlsafe_b64encode(hashlib.sha256(access.encode()).digest()[:16]).rstrip(b"=").decode()
        usual = {"iss": self.issuer, "aud": CLIENT_ID, "iat": at, "exp": at + 300, "nonce": nonce, "at_hash": half}
        claims = {name: value for name, value in (usual | self.person | self.said).items() if value is not None}
        if self.algorithm == "none":
            parts = (json.dumps({"alg": "none", "kid": self.kid}), json.dumps(claims))
            return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts) + "."
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT", **self.header}
        key = OctKey.import_key(CLIENT_SECRET * 2) if self.algorithm == "HS256" else self.key
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])


@asynccontextmanager
async def identity_provider(now: datetime) -> AsyncIterator[IdentityProvider]:
    """A provider at an address of its own."""
    fake = IdentityProvider(now)
    async with serving(fake.say) as server:
        fake.issuer = server.url
        yield fake
