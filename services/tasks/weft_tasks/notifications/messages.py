"""What is sent to people by mail and by Slack: texts in which everything that anybody wrote is escaped. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from weft_tasks.notifications import Channel, cut

AT_ONCE: Final = 50
"""Notifications in one message."""
TEXT_MOST: Final = 2000
"""Of one notification, in a message; the inbox has all of it."""
SUBJECT_MOST: Final = 200
MAIL_MOST: Final = 200_000
"""Characters of a mail's HTML, which with all around it is less than `email.send` takes; one notification has some 30,000 at most."""
SLACK_MOST: Final = 38_000
"""Characters of a message, which is less than Slack takes."""
CONNECTIONS: Final = {Channel.EMAIL: "notifications", Channel.SLACK: "notifications-slack"}
"""By which connection of the tenant a way goes: the one of this name. Making it is how a tenant says that it wants this way."""
TYPES: Final = {Channel.EMAIL: ("resend", "smtp"), Channel.SLACK: ("slack",)}
ACTIVITIES: Final = {Channel.EMAIL: "email.send", Channel.SLACK: "slack.post_message"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A notification in a message. link, decide: http(s) addresses; decide: where the task that it is about is decided."""

    title: str
    text: str | None = None
    link: str | None = None
    decide: str | None = None


def mail(to: str, pieces: Sequence[Piece], stop: str | None) -> dict[str, Any]:
    """The `with` of `email.send`. to: an address.  stop: where one who wants no more of these says so; None where nothing leads there."""
    headers = {"Auto-Submitted": "auto-generated"}
    if stop is not None:
        # Source: RFC 8058, signalling one-click functionality.
        headers |= {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return {
        "connection": CONNECTIONS[Channel.EMAIL],
        "to": {"address": to},
        "subject": subject(pieces),
        "text": _plain(pieces, stop),
        "html": _html(pieces, stop),
        "headers": headers,
    }


def slack(to: str, pieces: Sequence[Piece]) -> dict[str, Any]:
    """The `with` of `slack.post_message`. to: a member's id."""
    return {"connection": CONNECTIONS[Channel.SLACK], "channel": to, "text": "\n\n".join(map(_in_slack, pieces))}


def parts(channel: Channel, pieces: Sequence[Piece]) -> Iterator[slice]:
    """Which pieces go into one message each, in order: few enough, and small enough for whoever takes it."""
    shown, most = (_in_slack, SLACK_MOST) if channel is Channel.SLACK else (_section, MAIL_MOST)
    start = size = 0
    for place, piece in enumerate(pieces):
        more = len(shown(piece)) + 2
        if place > start and (place - start >= AT_ONCE or size + more > most):
            yield slice(start, place)
            start, size = place, 0
        size += more
    if pieces:
        yield slice(start, len(pieces))


def subject(pieces: Sequence[Piece]) -> str:
    """What a mail is about, in one line."""
    first = pieces[0].title
    return cut(first if len(pieces) == 1 else f"{len(pieces)} notifications: {first}", SUBJECT_MOST)


def address(link: str | None, public_url: str | None) -> str | None:
    """Where a notification leads from outside: an address as it is, a path below this installation's; None where that is not known."""
    if link is None or link.startswith(("https://", "http://")):
        return link
    return None if public_url is None or not link.startswith("/") else public_url.rstrip("/") + link


def _plain(pieces: Sequence[Piece], stop: str | None) -> str:
    parts = []
    for piece in pieces:
        lines = [piece.title, *([piece.text[:TEXT_MOST]] if piece.text else [])]
        lines += [f"Open: {piece.link}"] if piece.link else []
        lines += [f"Decide without signing in: {piece.decide}"] if piece.decide else []
        parts.append("\n".join(lines))
    parts += [f"-- \nNo more of these mails: {stop}"] if stop else []
    return "\n\n".join(parts)


def _html(pieces: Sequence[Piece], stop: str | None) -> str:
    parts = [_section(piece) for piece in pieces]
    parts += [f'<hr><p><small><a href="{escape(stop)}">No more of these mails</a></small></p>'] if stop else []
    return f'<!doctype html><html lang="en"><head><meta charset="utf-8"></head><body>{"".join(parts)}</body></html>'


def _section(piece: Piece) -> str:
    text = f'<p style="white-space:pre-wrap">{escape(piece.text[:TEXT_MOST])}</p>' if piece.text else ""
    links = (("Open", piece.link), ("Decide without signing in", piece.decide))
    shown = " · ".join(f'<a href="{escape(at)}">{name}</a>' for name, at in links if at)
    return f"<h2>{escape(piece.title)}</h2>{text}" + (f"<p>{shown}</p>" if shown else "")


def _in_slack(piece: Piece) -> str:
    lines = [f"*{_mrkdwn(piece.title)}*"]
    lines += [_mrkdwn(piece.text[:TEXT_MOST])] if piece.text else []
    lines += [f"<{_mrkdwn(piece.link)}|Open>"] if piece.link else []
    return "\n".join(lines)


def _mrkdwn(text: str) -> str:
    # Source: Slack, "Formatting text for app surfaces": these three, and no others.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
