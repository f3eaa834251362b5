"""Whether a call of a webhook is signed as it should be: the bytes as they came against the secret. Pure; the time is an argument.

Nothing that a caller sends makes an error of another kind than `NotSigned`. Sources: Standard Webhooks 1.0, docs.svix.com, "Verifying
requests from Slack", "Validating webhook deliveries" of GitHub.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

TOLERANCE_S: Final = 300
"""How far the time that a call was signed at may be from now, either way, where its signature covers one."""
USUAL_HEADER: Final = "x-signature"
"""Where `hmac-sha256` is looked for, unless the connection says otherwise."""
MAX_ID: Final = 255

Headers = Mapping[str, Sequence[str]]
"""Every value of each header, by its name in lower case."""

_BASE64: Final = "whsec_"
_DIGEST_BYTES: Final = 32
_SECONDS: Final = re.compile(r"[0-9]{1,11}")
_ID: Final = re.compile(rf"[\x21-\x7e]{{1,{MAX_ID}}}")
_HEX: Final = re.compile(rf"[0-9A-Fa-f]{{{2 * _DIGEST_BYTES}}}")


class NotSigned(Exception):
    """A call is not signed as it should be. The message says how, for the log of whoever runs this: a caller is not told."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A call that is signed as it should be. delivery: the sender's id of it, None where it has none.  at: when it was signed."""

    delivery: str | None = None
    at: int | None = None


def verify(signature: str, secrets: Sequence[str], header: str, headers: Headers, body: bytes, now: datetime) -> Proof:
    """What the signature of a call proves.

    signature: the scheme.  secrets: each of them will do, an empty one never.  header: where `hmac-sha256` is.  body: as it came.
    Raises: NotSigned.
    """
    return _SCHEMES[signature](secrets, header, headers, body, now)


def delivery_named(headers: Headers, *names: str) -> str | None:
    """The id in the first of these headers that holds one, once."""
    for name in names:
        given = headers.get(name, ())
        if len(given) == 1 and _ID.fullmatch(given[0]):
            return given[0]
    return None


def is_id(text: object) -> bool:
    """Whether something may be the id of a delivery."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def signing_headers(signature: str, header: str) -> frozenset[str]:
    """The headers that hold the signature itself."""
    of_scheme = {
        "hmac-sha256": (header,),
        "slack": ("x-slack-signature",),
        "svix": ("svix-signature", "webhook-signature"),
        "standard-webhooks": ("webhook-signature",),
        "github": ("x-hub-signature", "x-hub-signature-256"),
    }
    return frozenset(of_scheme.get(signature, ()))


def _standard(secrets: Sequence[str], _: str, headers: Headers, body: bytes, now: datetime, prefix: str = "webhook") -> Proof:
    delivery, signed_at, given = (_one(headers, f"{prefix}-{part}") for part in ("id", "timestamp", "signature"))
    if not _ID.fullmatch(delivery):
        raise NotSigned("its id is no plain text of at most 255 characters")
    at = _in_time(signed_at, now)
    digests = [_base64(text) for version, comma, text in (part.partition(",") for part in given.split(" ")) if comma and version == "v1"]
    _check([_key(secret) for secret in secrets], b"%b.%b.%b" % (delivery.encode(), signed_at.encode(), body), digests)
    return Proof(delivery, at)


def _svix(secrets: Sequence[str], header: str, headers: Headers, body: bytes, now: datetime) -> Proof:
    branded = any(f"svix-{part}" in headers for part in ("id", "timestamp", "signature"))
    return _standard(secrets, header, headers, body, now, "svix" if branded else "webhook")


def _slack(secrets: Sequence[str], _: str, headers: Headers, body: bytes, now: datetime) -> Proof:
    signed_at = _one(headers, "x-slack-request-timestamp")
    at = _in_time(signed_at, now)
    version, _, text = _one(headers, "x-slack-signature").partition("=")
    _check([secret.encode() for secret in secrets], b"v0:%b:%b" % (signed_at.encode(), body), [_hex(text)] if version == "v0" else [])
    return Proof(None, at)


def _github(secrets: Sequence[str], _: str, headers: Headers, body: bytes, now: datetime) -> Proof:
    algorithm, _, text = _one(headers, "x-hub-signature-256").partition("=")
    _check([secret.encode() for secret in secrets], body, [_hex(text)] if algorithm == "sha256" else [])
    return Proof(delivery_named(headers, "x-github-delivery"))


def _plain(secrets: Sequence[str], header: str, headers: Headers, body: bytes, now: datetime) -> Proof:
    text = _one(headers, header).removeprefix("sha256=")
    _check([secret.encode() for secret in secrets], body, [_hex(text), _base64(text)])
    return Proof()


def _none(secrets: Sequence[str], header: str, headers: Headers, body: bytes, now: datetime) -> Proof:
    return Proof(delivery_named(headers, "webhook-id", "svix-id", "x-github-delivery", "idempotency-key"))


_SCHEMES: Final[Mapping[str, Callable[[Sequence[str], str, Headers, bytes, datetime], Proof]]] = {
    "standard-webhooks": _standard,
    "svix": _svix,
    "slack": _slack,
    "github": _github,
    "hmac-sha256": _plain,
    "none": _none,
}


def _one(headers: Headers, name: str) -> str:
    given = headers.get(name, ())
    if len(given) != 1:
        raise NotSigned(f"it has {len(given)} headers {name}, and one is needed")
    return given[0]


def _in_time(text: str, now: datetime) -> int:
    if not _SECONDS.fullmatch(text):
        raise NotSigned("the time it was signed at is no number of seconds")
    if abs(now.timestamp() - int(text)) > TOLERANCE_S:
        raise NotSigned(f"it was signed more than {TOLERANCE_S} s ago, or is signed for a time to come; are the clocks right?")
    return int(text)


def _check(keys: Sequence[bytes], content: bytes, digests: Sequence[bytes | None]) -> None:
    if not any(_right(keys, content, digests)):
        raise NotSigned("its signature is not by a secret of the connection, or not of what was sent")


def _right(keys: Sequence[bytes], content: bytes, digests: Sequence[bytes | None]) -> Iterator[bool]:
    for key in keys:
        # Anybody can sign with an empty key.
        if key:
            made = hmac.digest(key, content, "sha256")
            yield from (hmac.compare_digest(made, given) for given in digests if given is not None)


def _key(secret: str) -> bytes:
    """The key in a secret as Standard Webhooks writes it: base64, `whsec_` before it or not. Another text is its own key."""
    text = secret.removeprefix(_BASE64)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text.encode()


def _hex(text: str) -> bytes | None:
    return bytes.fromhex(text) if _HEX.fullmatch(text) else None


def _base64(text: str) -> bytes | None:
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    # Several texts stand for the same bytes; the one that is written is the only one that is read.
    return found if len(found) == _DIGEST_BYTES and base64.b64encode(found).decode() == text else None
