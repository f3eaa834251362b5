"""Calls of `email.send`, by connections of both types."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from weft_connectors.activity import ActivityCall
from weft_connectors.connections import OpenConnection
from weft_connectors.email.sending import send
from weft_connectors.plug import Plug

from tests.support.resend import API_KEY

WITH: dict[str, Any] = {"connection": "mail", "to": "zoe@client.example", "subject": "Your order", "text": "Thank you"}


def call(input_: Any = None, attempt: int = 1, key: str = "0190-exec:thank:1", sender: Any = None, **changes: Any) -> ActivityCall:
    """A call. changes: of the `with`; None leaves a field out."""
    given = {name: value for name, value in (WITH | {"from": sender} | changes).items() if value is not None} if input_ is None else input_
    return ActivityCall("email.send", given, key, "acme", UUID(int=1), "thank", 1, attempt)


def resend(url: str, key: str = API_KEY, sender: str | None = "Shop <shop@acme.example>") -> OpenConnection:
    return OpenConnection("mail", "resend", {"base_url": url, "from": sender}, {"api_key": key})


def smtp(port: int, secrets: dict[str, str] | None = None, **settings: Any) -> OpenConnection:
    given = {"host": "127.0.0.1", "port": port, "security": "none", "from": "Shop <shop@acme.example>"} | settings
    return OpenConnection("mail", "smtp", given, secrets or {})


async def sent(connection: OpenConnection, asked: ActivityCall | None = None, *, allow_private: bool = True) -> Any:
    """What the action gives."""

    async def opened(tenant: str, name: str) -> OpenConnection:
        return connection

    plug = Plug(allow_private=allow_private, connections=opened)
    try:
        return await send(asked or call(), plug)
    finally:
        await plug.aclose()
