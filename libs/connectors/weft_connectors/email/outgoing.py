"""A mail that goes out: read from a rendered `with`, written as Resend's API or as a mail server takes it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from typing import Any, Final

from weft_language.actions.email.model import MAX_FILE_BYTES, MAX_RECIPIENTS, EmailAddress, EmailFile, EmailSendWith

from weft_connectors.activity import ActivityCall
from weft_connectors.connections import OpenConnection
from weft_connectors.email import addresses
from weft_connectors.email.addresses import Address, NoAddress
from weft_connectors.plug import given, refused

MAX_KEY: Final = 256
"""Of an Idempotency-Key, as Resend takes it."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail to be sent. key: the same over all attempts.  files: name, media type, content id, content."""

    sender: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    subject: str
    text: str | None
    html: str | None
    headers: Mapping[str, str]
    files: tuple[tuple[str, str, str | None, bytes], ...]
    key: str

    @property
    def recipients(self) -> tuple[str, ...]:
        """Every address it goes to, each once."""
        return tuple(dict.fromkeys(one.address for one in (*self.to, *self.cc, *self.bcc)))

    @property
    def message_id(self) -> str:
        """Its Message-ID: it follows from the key, so that the same mail sent twice can be known as one."""
        return f"<{hashlib.sha256(self.key.encode()).hexdigest()[:40]}@{self.sender.domain}>"


def read(call: ActivityCall, connection: OpenConnection) -> Outgoing:
    """The mail of a call. Raises: ActivityError `email_bad_request`."""
    with_ = given(call, EmailSendWith)
    sender = with_.sender if with_.sender is not None else connection.settings.get("from")
    if sender is None:
        raise refused(call, "from", f"say whom the mail is from, or give the connection {connection.name!r} a `from`")
    made = Outgoing(
        sender=_one(call, "from", sender),
        to=_several(call, "to", with_.to),
        cc=_several(call, "cc", with_.cc),
        bcc=_several(call, "bcc", with_.bcc),
        reply_to=_several(call, "reply_to", with_.reply_to),
        subject=with_.subject,
        text=with_.text,
        html=with_.html,
        headers=with_.headers if isinstance(with_.headers, dict) else {},
        files=_files(call, with_.attachments),
        key=call.key,
    )
    if not made.to or not 1 <= len(made.recipients) <= MAX_RECIPIENTS:
        raise refused(call, "to", f"a mail goes to at least one address and to at most {MAX_RECIPIENTS}, all together")
    return made


def for_resend(mail: Outgoing) -> dict[str, Any]:
    """The body that Resend's API takes."""
    several = {name: [one.text() for one in getattr(mail, name)] for name in ("to", "cc", "bcc", "reply_to")}
    files = [
        {
            "filename": name,
            "content": base64.b64encode(content).decode(),
            "content_type": kind,
            **({"content_id": content_id} if content_id else {}),
        }
        for name, kind, content_id, content in mail.files
    ]
    body: dict[str, Any] = {"from": mail.sender.text(), **several, "subject": mail.subject, "text": mail.text, "html": mail.html}
    body |= {"headers": dict(mail.headers), "attachments": files}
    return {name: value for name, value in body.items() if value or name == "subject"}


def idempotency_key(key: str) -> str:
    """A key as Resend takes it."""
    return key if len(key) <= MAX_KEY else hashlib.sha256(key.encode()).hexdigest()


def for_server(mail: Outgoing, at: datetime) -> bytes:
    """The mail as it travels, in ASCII. at: its `Date`."""
    shown = {"From": (mail.sender,), "To": mail.to, "Cc": mail.cc, "Reply-To": mail.reply_to}
    rows = [f"{name}: " + ",\r\n ".join(one.header() for one in several) for name, several in shown.items() if several]
    rows += [_row("Subject", mail.subject), f"Date: {format_datetime(at)}", f"Message-ID: {mail.message_id}"]
    rows += [_row(name, value) for name, value in mail.headers.items()]
    content = _content(mail).as_bytes(policy=policy.compat32.clone(linesep="\r\n", max_line_length=76))
    return "\r\n".join(rows).encode("ascii") + b"\r\n" + content


def _row(name: str, value: str) -> str:
    # A long one is folded whatever it holds; one that is not ASCII is written in encoded words.
    return f"{name}: " + Header(value, "us-ascii" if value.isascii() else "utf-8", header_name=name, maxlinelen=76).encode(linesep="\r\n")


def _content(mail: Outgoing) -> Message:
    bodies = [MIMEText(text, kind, "utf-8") for kind, text in (("plain", mail.text), ("html", mail.html)) if text is not None]
    body: Message = bodies[0]
    if len(bodies) > 1:
        body = MIMEMultipart("alternative", _subparts=bodies)
    if not mail.files:
        return body
    return MIMEMultipart("mixed", _subparts=[body, *(_file(*one) for one in mail.files)])


def _file(name: str, kind: str, content_id: str | None, content: bytes) -> Message:
    main, _, minor = kind.partition("/")
    part = MIMEBase(main, minor)
    part.set_payload(base64.encodebytes(content).decode().replace("\n", "\r\n"))
    part["Content-Transfer-Encoding"] = "base64"
    shown = "inline" if content_id else "attachment"
    part.add_header("Content-Disposition", shown, filename=name if name.isascii() else ("utf-8", "", name))
    if content_id:
        part["Content-ID"] = f"<{content_id}>"
    return part


def _several(call: ActivityCall, field: str, value: Any) -> tuple[Address, ...]:
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(_one(call, f"{field}/{place}", one) for place, one in enumerate(value))
    return (_one(call, field, value),)


def _one(call: ActivityCall, field: str, value: str | EmailAddress) -> Address:
    try:
        return addresses.read(value.address, value.name) if isinstance(value, EmailAddress) else addresses.read(value)
    except NoAddress as error:
        raise refused(call, field, str(error)) from error


def _files(call: ActivityCall, files: list[EmailFile] | str) -> tuple[tuple[str, str, str | None, bytes], ...]:
    found = []
    for place, one in enumerate(files if isinstance(files, list) else ()):
        kind = one.content_type.strip().lower()
        main, _, minor = kind.partition("/")
        if not (main.isascii() and main.isalnum() and minor and minor.isascii() and not set(minor) & set(' ;,"<>@()/\\')):
            raise refused(call, f"attachments/{place}/content_type", "a media type is needed, such as text/csv, without parameters")
        if one.content_id is not None and (not one.content_id.isascii() or set(one.content_id) & set("<> ")):
            raise refused(call, f"attachments/{place}/content_id", "letters, digits and dashes are needed")
        found.append((one.name, kind, one.content_id, base64.b64decode(one.content)))
    if sum(len(content) for *_, content in found) > MAX_FILE_BYTES:
        raise refused(call, "attachments", f"files have at most {MAX_FILE_BYTES} bytes together; send an address where they can be fetched")
    return tuple(found)
