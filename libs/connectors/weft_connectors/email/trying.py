"""Trying connections of types `resend` and `smtp`: as before a mail, and none is sent."""

from __future__ import annotations

from weft_connectors.answers import UnreadableAnswer, json_of
from weft_connectors.connections import OpenConnection
from weft_connectors.email.resend import RESTRICTED, ResendClient
from weft_connectors.email.smtp import MailServer
from weft_connectors.plug import Plug
from weft_connectors.trying import Tried


async def try_resend(connection: OpenConnection, plug: Plug) -> Tried:
    """Whether Resend takes the key. Raises: ActivityError where there is no answer."""
    answer = await ResendClient(plug).domains(connection)
    if 200 <= answer.status < 300:
        return Tried(True, "Resend takes the key", answer.status)
    try:
        found = json_of(answer)
    except UnreadableAnswer:
        found = None
    name = str(found.get("name") or "")[:100] if isinstance(found, dict) else ""
    if name == RESTRICTED:
        return Tried(True, "Resend takes the key, which may only send: mails that come in cannot be fetched by it", answer.status)
    if answer.status in (401, 403):
        return Tried(False, f"Resend answered {answer.status}: it does not take the key", answer.status, "email_unauthorized")
    return Tried(False, f"Resend answered {answer.status}{f', {name}' if name else ''}", answer.status, "email_unavailable")


async def try_smtp(connection: OpenConnection, plug: Plug) -> Tried:
    """Whether the server is reached and takes the credentials. Raises: ActivityError where it does not."""
    await MailServer(connection, allow_private=plug.allow_private).greet()
    signed_in = "takes the credentials" if "username" in connection.secrets else "answers; no credentials are given"
    return Tried(True, f"the mail server {signed_in}")
