"""Sealing what is kept and must not be read from the database: AES-256-GCM under keys derived from the installation's secret key.

`Seal` is for what one room keeps for itself. `Envelope` is for the secrets of tenants: what it seals is text that says by which key it was
sealed and carries its own data key, wrapped, so that any room of the installation opens it and none needs a table of keys.

Where there are several secret keys the newest seals and all of them open. `renewed` is what an earlier one sealed, sealed by the newest.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from weft_runtime.errors import Unavailable

_NONCE_BYTES: Final = 12
"""Source: NIST SP 800-38D section 8.2, 96-bit nonces."""
_KEY_BYTES: Final = 32
_FORM: Final = "weft1"
"""The first part of a sealed text: how the rest is to be read."""


class SealBroken(Unavailable):
    """A sealed text does not open. `code` says why; neither the text nor what is in it stands in the message."""

    code = "sealed_unreadable"


def _derive(secret: str, purpose: str, length: int = _KEY_BYTES) -> bytes:
    """A key for one purpose. Source: HKDF-SHA256, RFC 5869."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"weft {purpose} v1".encode()).derive(secret.encode())


class Seal:
    """Seals bytes and opens them.

    secret: the installation's.  purpose: what is sealed by it; another purpose has another key.  before: earlier secrets, which open only.
    """

    def __init__(self, secret: str, purpose: str, before: Sequence[str] = ()) -> None:
        self._cipher = AESGCM(_derive(secret, purpose))
        self._before = [AESGCM(_derive(each, purpose)) for each in before]

    def close(self, content: bytes, about: str) -> bytes:
        """The content, sealed. about: what it belongs to, without which it does not open."""
        return _encrypt(self._cipher, content, about)

    def open(self, sealed: bytes, about: str) -> bytes | None:
        """The content; None where it was sealed by another secret key or for something else."""
        tried = (_decrypt(cipher, sealed, about) for cipher in (self._cipher, *self._before))
        return next((content for content in tried if content is not None), None)

    def renewed(self, sealed: bytes, about: str) -> bytes | None:
        """The same content sealed by the newest secret; None where it is. Raises: SealBroken where none of the secrets opens it."""
        if _decrypt(self._cipher, sealed, about) is not None:
            return None
        content = self.open(sealed, about)
        if content is None:
            raise SealBroken("it was sealed by a WEFT_SECRET_KEY that is not here, or was changed", code="sealed_by_another_key")
        return self.close(content, about)


class Envelope:
    """Seals the secrets of tenants' connections. secret: the installation's `WEFT_SECRET_KEY`.  before: earlier ones, which open only.

    Each text has a data key of its own. It is wrapped by a key of the tenant, derived from the installation's, so a text that is carried to
    another tenant does not even give its data key; the content is bound to tenant, connection and field.
    """

    def __init__(self, secret: str, *before: str) -> None:
        self._secrets = {_derive(each, "sealing key id", 8).hex(): each for each in (secret, *before)}
        self.key_id: Final = next(iter(self._secrets))
        """Names the installation's secret key, the newest, and gives nothing of it away."""

    def close(self, content: str, *, tenant: str, connection: str, field: str) -> str:
        """The content as sealed text of `[A-Za-z0-9._-]`. connection: its id, of any form.  field: which of its secrets."""
        data_key = AESGCM.generate_key(8 * _KEY_BYTES)
        wrapped = self._of(tenant, self.key_id).close(data_key, tenant)
        sealed = _encrypt(AESGCM(data_key), content.encode(), _place(tenant, connection, field))
        return ".".join((_FORM, self.key_id, _text(wrapped), _text(sealed)))

    def open(self, sealed: str, *, tenant: str, connection: str, field: str) -> str:
        """The content of a sealed text.

        Raises: SealBroken, `code` one of `sealed_unreadable` (not such a text), `sealed_by_another_key` (another WEFT_SECRET_KEY),
        `sealed_for_another_tenant`, `sealed_for_another_field` (of this or another connection). Changed text is one of the last two.
        """
        key_id, wrapped, content = _parts(sealed)
        if key_id not in self._secrets:
            raise SealBroken(
                f"the secret {field!r} of connection {connection} is sealed by key {key_id}, and this WEFT_SECRET_KEY is {self.key_id}: "
                "start with that one, also as one of WEFT_SECRET_KEYS_BEFORE, or give the secret again",
                code="sealed_by_another_key",
            )
        data_key = self._of(tenant, key_id).open(wrapped, tenant)
        if data_key is None or len(data_key) != _KEY_BYTES:
            raise SealBroken(
                f"the secret {field!r} of connection {connection} is not sealed for tenant {tenant!r}, or was changed; give it again",
                code="sealed_for_another_tenant",
            )
        opened = _decrypt(AESGCM(data_key), content, _place(tenant, connection, field))
        if opened is None:
            raise SealBroken(
                f"what is kept as secret {field!r} of connection {connection} is sealed as another one, or was changed; give it again",
                code="sealed_for_another_field",
            )
        return opened.decode()

    def renewed(self, sealed: str, *, tenant: str, connection: str, field: str) -> str | None:
        """The same content sealed by the newest secret key; None where it is. Raises: SealBroken."""
        content = self.open(sealed, tenant=tenant, connection=connection, field=field)
        if _parts(sealed)[0] == self.key_id:
            return None
        return self.close(content, tenant=tenant, connection=connection, field=field)

    def _of(self, tenant: str, key_id: str) -> Seal:
        return Seal(self._secrets[key_id], f"data keys of tenant {tenant}")


@dataclass(frozen=True, slots=True)
class Resealed:
    """What came of sealing anew all that a room keeps sealed. anew, already: how many.  broken: what opens by no key, and why."""

    anew: int
    already: int
    broken: tuple[str, ...]


def _place(*parts: str) -> str:
    """Where a content belongs, with no two places alike whatever their parts hold."""
    return "|".join(f"{len(part)}:{part}" for part in parts)


def _parts(sealed: str) -> tuple[str, bytes, bytes]:
    """The key's id, the wrapped data key and the content of a sealed text. Raises: SealBroken."""
    try:
        form, key_id, wrapped, content = sealed.split(".")
        parts = bytes.fromhex(key_id).hex(), _bytes(wrapped), _bytes(content)
    except ValueError as error:
        raise SealBroken("what is kept as a secret is no sealed text; give the secret again") from error
    if form != _FORM:
        raise SealBroken(
            f"a secret was sealed in another form than {_FORM}, the one this version reads; update it, or give the secret again"
        )
    return parts


def _encrypt(cipher: AESGCM, content: bytes, about: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, content, about.encode())


def _decrypt(cipher: AESGCM, sealed: bytes, about: str) -> bytes | None:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
    except (InvalidTag, ValueError):
        return None


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Raises: ValueError, also for another spelling of the same bytes: a changed text never opens."""
    content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _text(content) != text:
        raise ValueError("not the one spelling of these bytes")
    return content
