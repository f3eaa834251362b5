"""`email.send`: read the call, write the mail, hand it to the provider that the connection is of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from weft_connectors.activity import ActivityCall
from weft_connectors.email import outgoing
from weft_connectors.email.resend import TYPE as RESEND
from weft_connectors.email.resend import ResendClient
from weft_connectors.email.smtp import MailServer
from weft_connectors.plug import Plug, refused


async def send(call: ActivityCall, plug: Plug) -> Any:
    """`{id, message_id, accepted, refused}`. Raises: ActivityError, with the codes that the catalog lists."""
    name = call.input.get("connection") if isinstance(call.input, dict) else None
    if not isinstance(name, str):
        raise refused(call, "connection", "the name of a connection is needed")
    connection = await plug.connection(call, name)
    mail = outgoing.read(call, connection)
    if connection.type == RESEND:
        id_ = await ResendClient(plug, call).send(connection, outgoing.for_resend(mail), outgoing.idempotency_key(call.key))
        return {"id": id_, "message_id": None, "accepted": list(mail.recipients), "refused": []}
    server = MailServer(connection, allow_private=plug.allow_private)
    taken = await server.send(mail.sender.address, mail.recipients, outgoing.for_server(mail, datetime.now(UTC)))
    left_out = {address for address, _, _ in taken.refused}
    return {
        "id": mail.message_id,
        "message_id": mail.message_id,
        "accepted": [address for address in mail.recipients if address not in left_out],
        "refused": [{"address": address, "status": status, "message": said} for address, status, said in taken.refused],
    }
