"""What Resend tells of a mail that came in: the notice by webhook, without its text, and the mail itself. Read strictly."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from weft_runtime.errors import Malformed
from weft_runtime.http.pointers import details

from weft_events.errors import InvalidNotice
from weft_events.mails import addresses, html
from weft_events.mails.addresses import Address
from weft_events.mails.mail import MAX_SUBJECT, Attachment, Mail
from weft_events.mails.parsing import ids, message_id, moment
from weft_events.mails.texts import clean, line, words

RECEIVED: Final = "email.received"
EMAIL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""It becomes a part of an address, so it is held to what needs no escaping."""
_TEXT: Final = 1000


class _Data(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    email_id: str = Field(min_length=1, max_length=100, pattern=rf"^{EMAIL_ID.pattern}$")
    created_at: str = Field(max_length=100)
    sender: str = Field(alias="from", max_length=_TEXT)
    to: list[str] = Field(max_length=_TEXT)
    subject: str
    message_id: str = Field(max_length=_TEXT)
    bcc: list[str] = Field(max_length=_TEXT)
    cc: list[str] = Field(max_length=_TEXT)
    attachments: list[dict[str, Any]] = Field(max_length=_TEXT)


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    type: str = Field(min_length=1, max_length=100)
    created_at: str = Field(max_length=100)
    data: _Data


@dataclass(frozen=True, slots=True)
class Notice:
    """That a mail came in. sender, message_id, subject: as people are shown it until the mail itself is there."""

    email_id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    message_id: str | None


@dataclass(frozen=True, slots=True)
class File:
    """An attachment as Resend lists it. url: where its content is for a while, None where it does not say."""

    id: str
    size: int | None
    url: str | None


def files_of(answer: Mapping[str, Any]) -> list[File]:
    """The attachments in an answer that have an id."""
    given = answer.get("attachments")
    several = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return [File(_text(one, "id"), _size(one), _text(one, "download_url") or None) for one in several if _text(one, "id")]


def said_in(body: bytes) -> Any:
    """The JSON of a notice. Whoever sends a mail may have put NUL or half a character into its subject: what cannot be stored is replaced.

    Raises: Malformed.
    """
    try:
        return _stored(json.loads(body))
    except (ValueError, RecursionError):
        raise Malformed("the body is no JSON; send the event as Resend describes it") from None


def _stored(value: Any) -> Any:
    if isinstance(value, dict):
        return {clean(name): _stored(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_stored(one) for one in value]
    return clean(value) if isinstance(value, str) else value


def notice_of(body: Any) -> Notice | None:
    """The notice that a webhook's body is; None for Resend's other events, of which nothing is made. Raises: InvalidNotice."""
    if isinstance(body, dict) and isinstance(body.get("type"), str) and body["type"] != RECEIVED:
        return None
    try:
        data = _Event.model_validate(body).data
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_input=False, include_url=False)]
        raise InvalidNotice(
            f"this is no {RECEIVED} event as Resend describes it; `errors` says what is wrong", details=details(found, body)
        ) from error
    named = _read([*data.to, *data.cc, *data.bcc])
    return Notice(
        email_id=data.email_id,
        sender=line(data.sender)[:200],
        recipients=tuple(dict.fromkeys(addresses.same(one.address) for one in named))[:_TEXT],
        subject=line(data.subject)[:200],
        message_id=message_id(data.message_id),
    )


def mail_of(answer: Mapping[str, Any], contents: Mapping[str, bytes]) -> Mail:
    """A mail from Resend's answer. contents: of attachments, by their ids, those there are.  What is none of its kind is left out."""
    headers = _headers(answer.get("headers"))
    senders = _read([_text(answer, "from"), headers.get("from", "")])
    text, markup = answer.get("text"), answer.get("html")
    markup = clean(markup) if isinstance(markup, str) and markup.strip() else None
    said = clean(text).replace("\r\n", "\n") if isinstance(text, str) and text.strip() else None
    answered, files = ids(headers.get("in-reply-to", "")), answer.get("attachments")
    return Mail(
        sender=senders[0] if senders else None,
        to=_read(_texts(answer, "to")),
        cc=_read(_texts(answer, "cc")),
        bcc=_read(_texts(answer, "bcc")),
        reply_to=_read(_texts(answer, "reply_to")),
        subject=line(words(_text(answer, "subject")))[:MAX_SUBJECT],
        text=said if said is not None else None if markup is None else html.said(markup),
        html=None if markup is None else html.harmless(markup),
        date=moment(headers.get("date", "")),
        message_id=message_id(_text(answer, "message_id") or headers.get("message-id", "")),
        in_reply_to=answered[0] if answered else None,
        references=ids(headers.get("references", "")),
        headers=headers,
        attachments=tuple(_attachment(one, contents) for one in files if isinstance(one, dict)) if isinstance(files, list) else (),
        delivered_to=addresses.read(f"{headers.get('delivered-to', '')}, {headers.get('x-original-to', '')}"),
    )


def _attachment(one: Mapping[str, Any], contents: Mapping[str, bytes]) -> Attachment:
    content = contents.get(_text(one, "id"))
    return Attachment(
        name=line(re.split(r"[/\\]", _text(one, "filename"))[-1])[:200],
        content_type=line(_text(one, "content_type")).lower()[:200] or "application/octet-stream",
        size=_size(one) if content is None else len(content),
        content_id=line(_text(one, "content_id")).strip("<> ")[:200],
        inline=one.get("content_disposition") == "inline",
        content=content,
    )


def _size(one: Mapping[str, Any]) -> int | None:
    size = one.get("size")
    return size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 1 << 53 else None


def _headers(given: Any) -> dict[str, str]:
    """Headers by their names in lower case, of those that came several times the first."""
    found: dict[str, str] = {}
    for name, several in given.items() if isinstance(given, dict) else ():
        value = several[0] if isinstance(several, list) and several else several
        if isinstance(value, str) and name.isascii() and name.isprintable() and 0 < len(name) <= 200:
            found.setdefault(name.lower(), line(words(value[: 16 * _TEXT])))
        if len(found) == _TEXT:
            break
    return found


def _text(of: Mapping[str, Any], name: str) -> str:
    value = of.get(name)
    return value[: 16 * _TEXT] if isinstance(value, str) else ""


def _texts(of: Mapping[str, Any], name: str) -> list[str]:
    value = of.get(name)
    return [one for one in value[:_TEXT] if isinstance(one, str)] if isinstance(value, list) else []


def _read(texts: Sequence[str]) -> tuple[Address, ...]:
    return tuple(one for text in texts for one in addresses.read(clean(text[: 16 * _TEXT])))[: addresses.MAX_LISTED]
