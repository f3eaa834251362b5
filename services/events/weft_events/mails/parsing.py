"""From the bytes of a mail (`message/rfc822`) to what it says. Pure, in linear time, bounded; raises nothing but `MailRefused`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from weft_contracts.cloudevents import write_time

from weft_events.mails import addresses, entities, html
from weft_events.mails.entities import Entity, Leaf
from weft_events.mails.errors import MailRefused
from weft_events.mails.mail import MAX_CONTENT_BYTES, MAX_SUBJECT, Attachment, Mail
from weft_events.mails.texts import carried, clean, decoded, header, line, words

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_SAID: Final = 512 * 1024
"""Characters of text or HTML that are gathered; more would fit into no payload."""

_ID: Final = re.compile(r"<([^<>]{1,500})>")
_UNSHOWN: Final = re.compile(r"dkim-signature|domainkey-signature|arc-.*|received|x-google-dkim-signature|x-received|x-gm-message-state")
"""Headers that say nothing to a workflow and fill pages."""


def parse(data: bytes) -> Mail:
    """A mail. data: as it travelled, line ends of any kind.  Raises: MailRefused."""
    if len(data) > MAX_BYTES:
        raise MailRefused("too_large", f"the mail has {len(data)} bytes; at most {MAX_BYTES} are taken")
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not data.strip():
        raise MailRefused("empty", "there is nothing in it: send the mail's bytes as the body")
    # The line `From …` that mail boxes begin a mail with is no header, and passed over like any other that is none.
    whole = entities.read(data.lstrip(b"\n"), strict=True)
    return _mail(whole, list(entities.leaves(whole)))


def moment(text: str) -> str | None:
    """The time that a `Date` header says, RFC 3339 in UTC; None where it says none."""
    try:
        # Comments and spaces may stand anywhere; what is read of it is short.
        bare = " ".join(re.sub(r"\([^()]*\)", "", text[:200]).split())
        found = parsedate_to_datetime(re.sub(r" ?: ?", ":", bare))
        found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
        return write_time(found.astimezone(UTC))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def ids(text: str) -> tuple[str, ...]:
    """The message ids in a header, each in its angle brackets."""
    found = tuple(f"<{''.join(clean(one).split())}>" for one in _ID.findall(text))
    return tuple(one for one in found if len(one) > 2)


def message_id(text: str) -> str | None:
    """The one message id of a header, in angle brackets; None where there is none."""
    found = ids(re.sub(r"\([^()]*\)", "", text))
    bare = line(text).strip("<>")[:500]
    return found[0] if found else f"<{bare}>" if bare and " " not in bare else None


def _mail(whole: Entity, parts: list[Leaf]) -> Mail:
    bodies = [one for one in parts if _is_body(one)]
    text = _gathered(bodies, "text/plain")
    markup = _gathered(bodies, "text/html")
    senders = addresses.read(whole.first("from"))
    references = ids(whole.first("references"))
    answered = ids(whole.first("in-reply-to"))
    return Mail(
        sender=senders[0] if senders else None,
        to=addresses.read(whole.every("to")),
        cc=addresses.read(whole.every("cc")),
        bcc=addresses.read(whole.every("bcc")),
        reply_to=addresses.read(whole.first("reply-to")),
        subject=line(words(whole.first("subject")))[:MAX_SUBJECT],
        text=text if text is not None else None if markup is None else html.said(markup),
        html=None if markup is None else html.harmless(markup),
        date=moment(whole.first("date")),
        message_id=message_id(whole.first("message-id")),
        in_reply_to=answered[0] if answered else None,
        references=references,
        headers=_headers(whole),
        attachments=tuple(_attachments([one for one in parts if not _is_body(one)])),
        delivered_to=addresses.read(f"{whole.every('delivered-to')}, {whole.every('x-original-to')}"),
    )


def _is_body(leaf: Leaf) -> bool:
    return leaf.kind in ("text/plain", "text/html") and leaf.disposition != "attachment" and not leaf.name


def _gathered(bodies: list[Leaf], kind: str) -> str | None:
    """What the parts of this kind say together; of several forms of one thing, the first of the kind."""
    said: list[str] = []
    of: set[int] = set()
    left = MAX_SAID
    for leaf in bodies:
        if leaf.kind != kind or left <= 0 or (leaf.alternative is not None and leaf.alternative in of):
            continue
        if leaf.alternative is not None:
            of.add(leaf.alternative)
        # Packed it is at most three times as long as what is in it, as a charset of four bytes a character.
        text = decoded(carried(leaf.entity.body[: 12 * left], leaf.encoding)[: 4 * left], leaf.parameters.get("charset"), left)
        left -= len(text)
        said.append(text.replace("\r\n", "\n"))
    return "\n".join(said) if said else None


def _attachments(files: list[Leaf]) -> Iterator[Attachment]:
    room = MAX_CONTENT_BYTES
    for leaf in files:
        content = carried(leaf.entity.body, leaf.encoding)
        kept = content if len(content) <= room else None
        room -= 0 if kept is None else len(kept)
        yield Attachment(leaf.name, leaf.kind, len(content), leaf.content_id, leaf.disposition == "inline", kept)


def _headers(whole: Entity) -> dict[str, str]:
    """The first of each name: the one that was added last on its way."""
    found: dict[str, str] = {}
    for name, value in whole.headers:
        if name not in found and not _UNSHOWN.fullmatch(name):
            found[name] = line(words(header(value)))
    return found
