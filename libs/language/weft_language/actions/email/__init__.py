"""`email`: mails that go out, by Resend or a mail server."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from weft_language.actions.action import Action, Fault, calling_errors
from weft_language.actions.email.model import EmailSendWith

_FIELDS: Final = ("from", "to", "cc", "bcc", "reply_to")
_ADDRESS: Final = re.compile(r"[^\s<>@,;]+@[^\s<>@,;]+|[^<>]*<[^\s<>@,;]+@[^\s<>@,;]+>")


def _addresses(with_: Mapping[str, Any]) -> Iterator[Fault]:
    for field in _FIELDS:
        value = with_.get(field)
        for one in value if isinstance(value, list) else [value]:
            text = one.get("address") if isinstance(one, dict) else one
            if isinstance(text, str) and "{{" not in text and not _ADDRESS.fullmatch(text.strip()):
                fix = "write one address, such as a@b.example or `Zoe <a@b.example>`; several in a list"
                yield Fault(field, f"`{text[:80]}` is no mail address", fix)


SEND: Final = Action(
    "email.send",
    "Send mail",
    "mail",
    "Sends a mail by Resend or a mail server.",
    EmailSendWith,
    {
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "The provider's id of it; of a mail server the message id."},
            "message_id": {"type": ["string", "null"], "description": "Its Message-ID, where the provider does not choose one."},
            "accepted": {"type": "array", "items": {"type": "string"}, "description": "The addresses that it is on its way to."},
            "refused": {
                "type": "array",
                "description": "Those that a mail server refused, while it took others.",
                "items": {
                    "type": "object",
                    "properties": {"address": {"type": "string"}, "status": {"type": "integer"}, "message": {"type": "string"}},
                    "required": ["address", "status", "message"],
                },
            },
        },
        "required": ["id", "message_id", "accepted", "refused"],
    },
    errors=(
        *calling_errors("email"),
        ("email_refused", "the mail is not taken: an address, its sender, its size or its content; permanent; details: status"),
        ("email_unauthorized", "the credentials of the connection are not taken; permanent; details: status"),
        ("email_rate_limited", "too many mails; tried again when the service says"),
        ("email_unavailable", "the service or server cannot take it now: greylisting, full, down; details: status"),
    ),
    connections=("resend", "smtp"),
    takes=(("headers", "object"), ("attachments", "list")),
    check=_addresses,
)

ACTIONS: Final = (SEND,)
