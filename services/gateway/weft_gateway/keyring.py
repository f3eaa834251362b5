"""Signing keys at rest: the private halves sealed, the public halves published for as long as a token of theirs may live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from weft_runtime.auth import SigningKey
from weft_runtime.errors import Unavailable
from weft_runtime.sealing import Seal

ROTATE_AFTER: Final = timedelta(days=30)
"""How long a key signs. Source: NIST SP 800-57 part 1 section 5.3.6 allows years for signature keys; a month keeps the way exercised."""
PUBLISH_FOR: Final = timedelta(days=400)
"""How long a public half is published: a key signs for a month, and an API key may live for a year after that."""


class KeyLocked(Unavailable):
    """A stored signing key does not open with this secret key."""

    code = "signing_key_locked"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One pair as it is kept. public: a JWK without the private half.  sealed: nonce and AES-256-GCM ciphertext of the private half's PEM.

    publish_until: when no token signed by it can be alive any more.
    """

    kid: str
    public: dict[str, Any]
    sealed: bytes
    created_at: datetime
    publish_until: datetime
    retired_at: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Whether it has signed long enough."""
        return self.created_at + ROTATE_AFTER <= now


class Vault:
    """Seals and opens private keys with a key derived from the mesh's secret key. before: earlier ones, which open only."""

    def __init__(self, secret: str, *before: str) -> None:
        self._seal = Seal(secret, "gateway signing keys", before)

    def make(self, now: datetime) -> StoredKey:
        """A new pair, sealed."""
        key = SigningKey.generate()
        sealed = self._seal.close(key.to_pem(), key.kid)
        return StoredKey(key.kid, key.public(), sealed, now, now + PUBLISH_FOR)

    def open(self, stored: StoredKey) -> SigningKey:
        """The pair, to sign with. Raises: KeyLocked."""
        pem = self._seal.open(stored.sealed, stored.kid)
        if pem is None:
            raise KeyLocked(
                f"signing key {stored.kid} was sealed with another WEFT_SECRET_KEY; start with that one, "
                "also as one of WEFT_SECRET_KEYS_BEFORE, or delete the key"
            )
        return SigningKey.from_pem(pem)

    def renewed(self, kid: str, sealed: bytes) -> bytes | None:
        """A private half sealed by the newest secret key; None where it is. Raises: SealBroken."""
        return self._seal.renewed(sealed, kid)


def key_set(keys: Sequence[StoredKey], now: datetime) -> dict[str, Any]:
    """The JSON Web Key Set of the public halves somebody may still need. Source: RFC 7517."""
    return {"keys": [key.public for key in keys if key.publish_until > now]}
