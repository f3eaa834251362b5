"""Sealing what is kept and must not be read from the database: AES-256-GCM under a key derived from the mesh's secret key."""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES: Final = 12
"""Source: NIST SP 800-38D section 8.2, 96-bit nonces."""


class Seal:
    """Seals bytes and opens them. secret: the installation's.  purpose: what is sealed by it; another purpose has another key."""

    def __init__(self, secret: str, purpose: str) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"weft {purpose} v1".encode()).derive(secret.encode())
        self._cipher = AESGCM(derived)

    def close(self, content: bytes, about: str) -> bytes:
        """The content, sealed. about: what it belongs to, without which it does not open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes | None:
        """The content; None where it was sealed by another secret key or for something else."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
        except (InvalidTag, ValueError):
            return None
