"""Public keys of a JWKS document that we verify with, each bound to the one kind of signature it may make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "RS256")
"""What may be configured. No `none`, and nothing symmetric, so a public key can never be taken for a shared secret."""

MIN_RSA_BITS = 2048
MAX_KEYS = 64
KID = re.compile(r"[A-Za-z0-9_.:=-]{1,128}")

_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k"}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key and the algorithms its type allows."""

    key: ECKey | OKPKey | RSAKey
    algorithms: tuple[str, ...]


def read(document: dict[str, Any]) -> dict[str, PublicKey]:
    """The usable keys of a JWKS document by `kid`; what is not for verifying, weak, private or unknown is passed over."""
    listed = document.get("keys")
    found: dict[str, PublicKey] = {}
    for jwk in listed[:MAX_KEYS] if isinstance(listed, list) else ():
        if isinstance(jwk, dict) and isinstance(kid := jwk.get("kid"), str) and KID.fullmatch(kid):
            key = _public_key(jwk)
            if key is not None:
                found.setdefault(kid, key)
    return found


def _public_key(jwk: dict[str, Any]) -> PublicKey | None:
    if jwk.get("use", "sig") != "sig" or jwk.keys() & _PRIVATE:
        return None
    try:
        match jwk.get("kty"), jwk.get("crv"):
            case "EC", "P-256":
                return PublicKey(ECKey.import_key(jwk), ("ES256",))
            case "OKP", "Ed25519":
                return PublicKey(OKPKey.import_key(jwk), ("EdDSA", "Ed25519"))
            case "RSA", None:
                modulus = jwk["n"]
                # Six bits a character; looked at before the library warns about it.
                strong = isinstance(modulus, str) and len(modulus) * 6 >= MIN_RSA_BITS
                return PublicKey(RSAKey.import_key(jwk), ("RS256",)) if strong else None
            case _:
                return None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
