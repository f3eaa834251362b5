"""Giving out tokens: ES256 keys, their rotation, the public key set. Used by the gateway (and by tests), never by a verifier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from weft_runtime.clock import new_id

API_KEY_PREFIX = "weft_"
"""What an API key begins with, so that a leaked one is recognised by scanners (and by the log's redaction)."""

ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of its holder. sub: the user's id, or the key's.  typ: `access` or `key`.  owner: of a key: who made it."""

    sub: str
    tenant: str
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tier: str = "standard"
    email: str = ""
    name: str = ""
    typ: str = "access"
    owner: str = ""

    def as_json(self) -> dict[str, Any]:
        """The claims as they stand in the token; empty ones are left out."""
        said: dict[str, Any] = {"sub": self.sub, "tenant": self.tenant, "roles": list(self.roles), "groups": list(self.groups)}
        said |= {"tier": self.tier, "typ": self.typ, "email": self.email, "name": self.name, "owner": self.owner}
        return {name: value for name, value in said.items() if value != ""}


class SigningKey:
    """One ES256 key pair. kid: its RFC 7638 thumbprint."""

    def __init__(self, key: ECKey) -> None:
        self._key = key
        self.kid = str(key.thumbprint())

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key on P-256."""
        return cls(ECKey.generate_key("P-256"))

    @classmethod
    def from_pem(cls, pem: bytes) -> SigningKey:
        """The key in a PEM file. Raises: ValueError."""
        return cls(ECKey.import_key(pem))

    def to_pem(self) -> bytes:
        """The private key as PEM, PKCS 8, not encrypted: the caller keeps it secret."""
        return self._key.as_pem(private=True)

    def public(self) -> dict[str, Any]:
        """The public key as a JWK."""
        return {**self._key.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": ALGORITHM}

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact JWS over the claims."""
        return jwt.encode({"alg": ALGORITHM, "kid": self.kid, "typ": "JWT"}, claims, self._key, algorithms=[ALGORITHM])


class SigningKeys:
    """The current key, and retired ones whose tokens are still good. After a rotation, keep the old one until its last token expired."""

    def __init__(self, current: SigningKey, retired: tuple[SigningKey, ...] = (), *, issuer: str = "weft", audience: str = "weft") -> None:
        self.current = current
        self.retired = retired
        self.issuer = issuer
        self.audience = audience

    def jwks(self) -> dict[str, Any]:
        """The document at `/.well-known/jwks.json`: the public halves of all keys."""
        return {"keys": [key.public() for key in (self.current, *self.retired)]}

    def rotate(self) -> SigningKeys:
        """The same set with a new current key; the old one is retired."""
        return SigningKeys(SigningKey.generate(), (self.current, *self.retired), issuer=self.issuer, audience=self.audience)

    def token(self, claims: Claims, now: datetime, lifetime: timedelta, *, token_id: str | None = None) -> str:
        """A signed token.

        lifetime: from now.  token_id: the `jti`, by which it can be revoked; a new UUIDv7 when absent.
        """
        said = claims.as_json() | {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
            "jti": token_id or str(new_id()),
        }
        return self.current.sign(said)

    def api_key(self, claims: Claims, now: datetime, lifetime: timedelta, *, token_id: str) -> str:
        """A long-lived token for a program: `weft_` and a JWT whose `typ` is `key`. token_id: by which it is revoked."""
        return API_KEY_PREFIX + self.token(replace(claims, typ="key"), now, lifetime, token_id=token_id)
