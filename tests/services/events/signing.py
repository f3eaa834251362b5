"""Senders of webhooks: how each scheme signs a call, written anew from its description."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from weft_contracts.connections import ConnectionRemoved, ConnectionSaved
from weft_runtime.sealing import Envelope
from weft_runtime.testing.running import TEST_SECRET

SCHEMES = ("standard-webhooks", "svix", "slack", "github", "hmac-sha256")
SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes or so!").decode()
JSON = "application/json"


def signed(
    scheme: str, body: bytes, at: datetime, *, secret: str = SECRET, delivery: str = "d-1", content_type: str = JSON
) -> dict[str, str]:
    """The headers of a call. delivery: its id, where the scheme has one."""
    headers = {"content-type": content_type} if content_type else {}
    seconds = str(int(at.timestamp()))
    if scheme in ("standard-webhooks", "svix"):
        prefix = "svix" if scheme == "svix" else "webhook"
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = _digest(key, b".".join((delivery.encode(), seconds.encode(), body)))
        given = {"id": delivery, "timestamp": seconds, "signature": f"v1,{base64.b64encode(digest).decode()}"}
        return headers | {f"{prefix}-{name}": value for name, value in given.items()}
    key = secret.encode()
    if scheme == "slack":
        digest = _digest(key, b":".join((b"v0", seconds.encode(), body)))
        return headers | {"x-slack-request-timestamp": seconds, "x-slack-signature": f"v0={digest.hex()}"}
    if scheme == "github":
        return headers | {"x-hub-signature-256": f"sha256={_digest(key, body).hex()}", "x-github-delivery": delivery}
    if scheme == "hmac-sha256":
        return headers | {"x-signature": _digest(key, body).hex()}
    return headers


def _digest(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()


def connection(tenant: str, *secrets: str, name: str = "gh", revision: int = 1, of: str = "webhook", **settings: str) -> ConnectionSaved:
    """What the engine says of a connection. secrets: the secret, and the one before it. Its id follows from tenant and name."""
    id_, envelope = id_of(tenant, name), Envelope(TEST_SECRET)
    fields = dict(zip(("secret", "previous_secret"), secrets or (SECRET,), strict=False))
    sealed = {field: envelope.close(text, tenant=tenant, connection=str(id_), field=field) for field, text in fields.items()}
    return ConnectionSaved(
        connection_id=id_, revision=revision, name=name, connection_type=of, settings=settings, sealed=sealed, at=datetime.now(UTC)
    )


def removed(tenant: str, name: str = "gh", revision: int = 2) -> ConnectionRemoved:
    """What the engine says of one that is gone."""
    return ConnectionRemoved(
        connection_id=id_of(tenant, name), revision=revision, name=name, connection_type="webhook", at=datetime.now(UTC)
    )


def id_of(tenant: str, name: str) -> UUID:
    """The id of a connection."""
    return uuid5(NAMESPACE_OID, f"{tenant} {name}")
