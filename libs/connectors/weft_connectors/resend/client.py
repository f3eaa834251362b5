"""Requests to Resend, and its answers read or told as errors of mails. Source: Resend's API description, "Errors", "Idempotency keys"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from weft_connectors.activity import ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.guarded import Answer, GuardedClient, GuardError, Outgoing
from weft_connectors.http.answering import retry_after

TYPE: Final = "resend"
API: Final = "https://api.resend.com"
"""Where a connection without a `base_url` leads."""
TIMEOUT_S: Final = 30.0
MAX_ANSWER_BYTES: Final = 12 * 1024 * 1024
"""A mail that came in has its pictures written out in its HTML."""

GUARD_CODES: Final = {
    "ssrf_blocked": "email_blocked",
    "bad_url": "email_bad_request",
    "bad_request": "email_bad_request",
    "timeout": "email_timeout",
    "dns_failed": "email_unreachable",
    "connect_failed": "email_unreachable",
    "tls_failed": "email_unreachable",
    "response_too_large": "email_bad_answer",
    "redirect_limit": "email_bad_answer",
    "bad_encoding": "email_bad_answer",
}
"""The guarded client's codes as mails have them; its own is in the error's `details.reason`."""
_STATUS: Final = {400: "email_refused", 401: "email_unauthorized", 403: "email_unauthorized", 429: "email_rate_limited"}
_AGAIN: Final = frozenset({404, 408, 409, 425, 429})
"""Of the statuses that blame the caller, those that time may mend: a mail is found a moment after it was told of, a request with the same
key still runs."""


class ResendClient:
    """Resend's API by a tenant's connection. client: everybody's way out."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    async def send(self, connection: OpenConnection, mail: Mapping[str, Any], key: str) -> str:
        """Send a mail. mail: as Resend's API has it.  key: with the same key it is sent once.  Returns: its id.  Raises: ActivityError."""
        answer = await self._call(connection, "POST", "/emails", msgspec.json.encode(mail), (("idempotency-key", key),))
        id_ = answer.get("id")
        if not isinstance(id_, str) or not id_:
            raise _unreadable("it names no id")
        return id_

    async def received(self, connection: OpenConnection, email_id: str) -> Mapping[str, Any]:
        """A mail that came in, without the contents of its attachments. Raises: ActivityError."""
        return await self._call(connection, "GET", f"/emails/receiving/{quote(email_id, safe='')}")

    async def files(self, connection: OpenConnection, email_id: str) -> list[Mapping[str, Any]]:
        """The attachments of a mail that came in, each with the address that its content is at for a while. Raises: ActivityError."""
        answer = await self._call(connection, "GET", f"/emails/receiving/{quote(email_id, safe='')}/attachments")
        data = answer.get("data")
        return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []

    async def content(self, url: str, most: int) -> bytes:
        """What an attachment holds. url: of it, signed; no key is sent there.  most: bytes.  Raises: ActivityError."""
        answer = await self._send(Outgoing("GET", url, timeout_s=TIMEOUT_S, max_answer_bytes=most))
        if not 200 <= answer.status < 300:
            raise _status_error(answer, {})
        return answer.body

    async def domains(self, connection: OpenConnection) -> None:
        """Ask for something harmless, to learn whether the key is taken. Raises: ActivityError."""
        await self._call(connection, "GET", "/domains")

    async def _call(
        self, connection: OpenConnection, method: str, path: str, body: bytes = b"", more: tuple[tuple[str, str], ...] = ()
    ) -> Mapping[str, Any]:
        if connection.type != TYPE:
            message = f"the connection {connection.name!r} is of type {connection.type}, and this goes by one of type {TYPE}"
            raise ActivityError("connection_unusable", message, permanent=True)
        key = connection.secrets.get("api_key")
        if not key:
            message = f"the connection {connection.name!r} has no secret `api_key`; give it with PUT"
            raise ActivityError("connection_unusable", message, permanent=True)
        url = str(connection.settings.get("base_url") or API).rstrip("/") + path
        headers = (("authorization", f"Bearer {key}"), ("accept", "application/json"), *more)
        headers += (("content-type", "application/json"),) if body else ()
        asked = Outgoing(method, url, headers, body, TIMEOUT_S, follow_redirects=False, max_answer_bytes=MAX_ANSWER_BYTES)
        answer = await self._send(asked)
        found = _object(answer)
        if not 200 <= answer.status < 300:
            raise _status_error(answer, found or {}, key)
        if found is None:
            raise _unreadable("it is no JSON object")
        return found

    async def _send(self, asked: Outgoing) -> Answer:
        try:
            return await self._client.send(asked)
        except GuardError as error:
            details = {**error.details, "reason": error.code}
            raise ActivityError(GUARD_CODES[error.code], error.message, permanent=error.permanent, details=details) from error


def _object(answer: Answer) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(answer.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _status_error(answer: Answer, found: Mapping[str, Any], key: str | None = None) -> ActivityError:
    """The error that an answer is. Resend's key, should it repeat it, is not in it."""
    name, said = (str(found.get(part) or "")[:300].replace(key or "\0", "***").replace("\0", "") for part in ("name", "message"))
    code = _STATUS.get(answer.status, "email_refused" if 400 <= answer.status < 500 else "email_unavailable")
    permanent = 300 <= answer.status < 500 and answer.status not in _AGAIN
    details = {"status": answer.status, **({"name": name} if name else {})}
    message = f"Resend answered {answer.status}{f', {name}' if name else ''}{f': {said}' if said else ''}"
    return ActivityError(code, message, permanent=permanent, details=details, retry_after_s=retry_after(answer))


def _unreadable(why: str) -> ActivityError:
    # It may have been sent all the same; asked again with the same key it is not sent twice.
    return ActivityError("email_bad_answer", f"Resend's answer cannot be read: {why}")
