"""A mail, as triggers read it, whatever door it came by."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from weft_events.mails import addresses
from weft_events.mails.addresses import Address

MAX_TEXT_BYTES: Final = 64 * 1024
MAX_HTML_BYTES: Final = 64 * 1024
MAX_HEADER_BYTES: Final = 16 * 1024
MAX_HEADER_CHARS: Final = 1000
MAX_CONTENT_BYTES: Final = 32 * 1024
"""Of a payload, as JSON: of text, HTML and headers; characters of one header; the contents of attachments together, unpacked."""
MAX_PAYLOAD_BYTES: Final = 240 * 1024
"""Of all of it, as JSON."""
MAX_ATTACHMENTS: Final = 100
MAX_RECIPIENTS: Final = 100
MAX_REFERENCES: Final = 50
MAX_SUBJECT: Final = 1000


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail. name: without a path, empty where it has none.  size: of its content in bytes, None where it is not known.

    content_id: what the HTML calls it by.  inline: shown within the text.  content: where it is at hand.
    """

    name: str
    content_type: str
    size: int | None
    content_id: str = ""
    inline: bool = False
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail. text, html: None where it has none; the HTML is harmless.  date: RFC 3339, as its sender says.

    delivered_to: the addresses that servers on its way noted.  headers: the first of each name.
    """

    sender: Address | None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    text: str | None = None
    html: str | None = None
    date: str | None = None
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    delivered_to: tuple[Address, ...] = ()


def recipients(mail: Mail, envelope: Sequence[str] = ()) -> tuple[str, ...]:
    """The addresses that a mail is for, as they are compared. envelope: whom the server was told, which is the truth where it is known."""
    named = envelope or [one.address for one in (*mail.to, *mail.cc, *mail.bcc, *mail.delivered_to)]
    return tuple(dict.fromkeys(addresses.same(one) for one in named))[:MAX_RECIPIENTS]


def payload(mail: Mail, for_: Sequence[str]) -> dict[str, Any]:
    """What `trigger.payload` is. for_: the addresses it is for.  What did not fit is named in its `truncated`."""
    short: list[str] = []
    files, contents = mail.attachments[:MAX_ATTACHMENTS], MAX_CONTENT_BYTES
    if len(files) < len(mail.attachments):
        short.append("attachments")
    shown = []
    for one in files:
        room = one.content is not None and len(one.content) <= contents
        contents -= len(one.content or b"") if room else 0
        content = base64.b64encode(one.content or b"").decode() if room else None
        shown.append(
            {
                "name": one.name or None,
                "content_type": one.content_type,
                "size": one.size,
                "content_id": one.content_id or None,
                "inline": one.inline,
                "content": content,
            }
        )
    whole = {
        "from": None if mail.sender is None else _address(mail.sender),
        **{name: [_address(one) for one in getattr(mail, name)[:_LISTED]] for name in ("to", "cc", "bcc", "reply_to")},
        "recipients": list(for_),
        "subject": mail.subject[:MAX_SUBJECT],
        "text": _fitting(mail.text, MAX_TEXT_BYTES, "text", short),
        "html": _fitting(mail.html, MAX_HTML_BYTES, "html", short),
        "date": mail.date,
        "message_id": mail.message_id,
        "in_reply_to": mail.in_reply_to,
        "references": list(mail.references[-MAX_REFERENCES:]),
        "headers": _headers(mail.headers, short),
        "auth": auth(mail.headers),
        "spam": spam(mail.headers),
        "attachments": shown,
        "truncated": short,
    }
    # Each has its bound, and all of them together may still be too much: what others say better goes first.
    for name, nothing in _LEFT_OUT:
        if len(msgspec.json.encode(whole)) <= MAX_PAYLOAD_BYTES:
            break
        whole[name] = nothing
        short.extend([name] * (name not in short))
    return whole


def auth(headers: Mapping[str, str]) -> dict[str, str | None] | None:
    """What the newest `Authentication-Results` says, None where there is none. by: who says so. Source: RFC 8601."""
    said = headers.get("authentication-results")
    if said is None:
        return None
    by, *results = said.split(";")
    found: dict[str, str | None] = {"by": (by.split() or [""])[0][:200] or None, "spf": None, "dkim": None, "dmarc": None}
    for result in results:
        method, _, rest = result.strip().partition("=")
        method = method.strip().lower()
        words = rest.split()
        if method in ("spf", "dkim", "dmarc") and words and found[method] != "pass":
            found[method] = words[0].lower()[:20]
    return found


def spam(headers: Mapping[str, str]) -> dict[str, Any] | None:
    """What a filter on the way said in `X-Spam-…`: `{flagged, score}`, None where none did."""
    flag, status = headers.get("x-spam-flag", headers.get("x-spam")), headers.get("x-spam-status", "")
    score = headers.get("x-spam-score", status.partition("score=")[2].split(" ")[0] if "score=" in status else "")
    if flag is None and not status and not score:
        return None
    said = (flag if flag is not None else status).strip().lower()
    return {"flagged": said.startswith(("yes", "true")), "score": _number(score)}


_LISTED: Final = 50
"""Addresses of one header that a payload shows: all it is for are in `recipients`."""
_LEFT_OUT: Final[tuple[tuple[str, Any], ...]] = (
    ("html", None),
    *((name, []) for name in ("attachments", "references", "bcc", "reply_to", "cc")),
    ("headers", {}),
)


def _number(text: str) -> float | None:
    try:
        found = float(text.split(" ")[0][:20]) if text else None
    except ValueError:
        return None
    return found if found is not None and abs(found) < 1e6 else None


def _address(one: Address) -> dict[str, str | None]:
    return {"address": one.address, "name": one.name or None}


def _fitting(text: str | None, most: int, name: str, short: list[str]) -> str | None:
    """As much of a text as has so many bytes as JSON."""
    if text is None or len(msgspec.json.encode(text)) <= most:
        return text
    short.append(name)
    text = text[:most]
    while (size := len(msgspec.json.encode(text))) > most:
        text = text[: min(len(text) - 1, len(text) * most // size)]
    return text


def _headers(headers: Mapping[str, str], short: list[str]) -> dict[str, str]:
    shown: dict[str, str] = {}
    left = MAX_HEADER_BYTES
    for name, value in headers.items():
        left -= len(msgspec.json.encode([name, value[:MAX_HEADER_CHARS]]))
        if left < 0 or len(value) > MAX_HEADER_CHARS:
            short.extend(["headers"] * ("headers" not in short))
        if left < 0:
            break
        shown[name] = value[:MAX_HEADER_CHARS]
    return shown
