"""Resend's API: a thin client for mails that go out and mails that came in.

Source: Resend's API description, "Errors", "Idempotency keys".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.answers import retry_after
from weft_connectors.connections import OpenConnection
from weft_connectors.guarded import Answer, Outgoing
from weft_connectors.plug import Plug, trial

TYPE: Final = "resend"
API: Final = "https://api.resend.com"
"""Where a connection without a `base_url` leads."""
TIMEOUT_S: Final = 30.0
MAX_ANSWER_BYTES: Final = 12 * 1024 * 1024
"""A mail that came in has its pictures written out in its HTML."""
RESTRICTED: Final = "restricted_api_key"
"""What Resend calls a key that may only send."""

_CODES: Final = {401: "email_unauthorized", 403: "email_unauthorized", 429: "email_rate_limited"}
_AGAIN: Final = frozenset({404, 408, 409, 425, 429})
"""Of the statuses that blame the caller, those that time may mend: a mail is found a moment after it was told of, a request with the same
key still runs."""
_NEVER: Final = frozenset({"invalid_idempotent_request", "invalid_idempotency_key"})
"""Names of errors that time does not mend, whatever their status."""


class ResendClient:
    """Resend by a tenant's connection. plug: the way out.  call: the activity that asks, None where none does."""

    def __init__(self, plug: Plug, call: ActivityCall | None = None) -> None:
        self._plug = plug
        self._for = call or trial("email.send", {})

    async def send(self, connection: OpenConnection, mail: Mapping[str, Any], key: str) -> str:
        """Send a mail. mail: as Resend's API has it.  key: with the same key it is sent once.  Returns: its id.  Raises: ActivityError."""
        answer = await self._asked(connection, "POST", "/emails", msgspec.json.encode(mail), (("idempotency-key", key),))
        id_ = answer.get("id")
        if not isinstance(id_, str) or not id_:
            raise _unreadable("it names no id")
        return id_

    async def received(self, connection: OpenConnection, email_id: str) -> Mapping[str, Any]:
        """A mail that came in, without the contents of its attachments. Raises: ActivityError."""
        return await self._asked(connection, "GET", f"/emails/receiving/{quote(email_id, safe='')}")

    async def files(self, connection: OpenConnection, email_id: str) -> list[Any]:
        """The attachments of a mail that came in, each with the address that its content is at for a while. Raises: ActivityError."""
        answer = await self._asked(connection, "GET", f"/emails/receiving/{quote(email_id, safe='')}/attachments")
        data = answer.get("data")
        return data if isinstance(data, list) else []

    async def content(self, url: str, most: int) -> bytes:
        """What an attachment holds. url: of it, signed; no key is sent there.  most: bytes.  Raises: ActivityError."""
        answer = await self._plug.send(self._for, Outgoing("GET", url, timeout_s=TIMEOUT_S, max_answer_bytes=most))
        if not 200 <= answer.status < 300:
            raise _status_error(answer, {})
        return answer.body

    async def domains(self, connection: OpenConnection) -> Answer:
        """Ask for something harmless, to learn whether the key is taken. Raises: ActivityError where there is no answer."""
        return await self._sent(connection, "GET", "/domains")

    async def _asked(
        self, connection: OpenConnection, method: str, path: str, body: bytes = b"", more: tuple[tuple[str, str], ...] = ()
    ) -> Mapping[str, Any]:
        answer = await self._sent(connection, method, path, body, more)
        try:
            found = _value(answer.body)
        except (ValueError, RecursionError) as error:
            if 200 <= answer.status < 300:
                raise _unreadable(f"it is no JSON: {error}") from error
            found = None
        if not 200 <= answer.status < 300:
            raise _status_error(answer, found if isinstance(found, dict) else {})
        if not isinstance(found, dict):
            raise _unreadable("it is no JSON object")
        return found

    async def _sent(
        self, connection: OpenConnection, method: str, path: str, body: bytes = b"", more: tuple[tuple[str, str], ...] = ()
    ) -> Answer:
        key = connection.secrets.get("api_key")
        if not key:
            message = f"the connection {connection.name!r} has no secret `api_key`; give it with PUT"
            raise ActivityError("connection_unusable", message, permanent=True)
        url = str(connection.settings.get("base_url") or API).rstrip("/") + path
        headers = (("authorization", f"Bearer {key}"), ("accept", "application/json"), *more)
        headers += (("content-type", "application/json"),) if body else ()
        asked = Outgoing(method, url, headers, body, TIMEOUT_S, follow_redirects=False, max_answer_bytes=MAX_ANSWER_BYTES)
        return await self._plug.send(self._for, asked, connection)


def _value(body: bytes) -> Any:
    """The JSON of an answer. A mail may hold halves of characters, which one reader refuses and another gives. Raises: ValueError."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return json.loads(body)


def _status_error(answer: Answer, found: Mapping[str, Any]) -> ActivityError:
    name, said = (_shown(found.get(part)) for part in ("name", "message"))
    blamed = 300 <= answer.status < 500
    code = _CODES.get(answer.status, "email_refused" if blamed else "email_unavailable")
    permanent = name in _NEVER or (blamed and answer.status not in _AGAIN)
    details = {"status": answer.status, **({"name": name} if name else {})}
    message = f"Resend answered {answer.status}{f', {name}' if name else ''}{f': {said}' if said else ''}"
    return ActivityError(code, message, permanent=permanent, details=details, retry_after_s=retry_after(answer))


def _shown(said: Any) -> str:
    return str(said or "")[:300].encode("utf-8", "replace").decode().replace("\0", "")


def _unreadable(why: str) -> ActivityError:
    # A mail may have been sent all the same; asked again with the same key it is not sent twice.
    return ActivityError("email_bad_response", f"Resend's answer cannot be read: {why}")
