"""The way out of mails: a signed address at which somebody, with nobody signed in, wants no more of them, or wants them again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Final

from weft_runtime.uow import UnitOfWork

from weft_tasks import store as tasks
from weft_tasks.errors import LinkUnknown
from weft_tasks.notifications import Channel
from weft_tasks.notifications.preferences import NOTHING_CHOSEN, Preferences
from weft_tasks.notifications.schemas import document_of, preferences_of
from weft_tasks.store import notifications as store
from weft_tasks.tokens import Tokens

NAMES: Final = {Channel.EMAIL: "mails", Channel.SLACK: "messages"}


@dataclass(frozen=True, slots=True)
class Stop:
    """Whom an address is for, and which way it stops."""

    tenant: str
    user: str
    channel: Channel


class Stops:
    """Makes such addresses' tokens and reads them. secrets: the installation's, the newest first."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._tokens = Tokens(secrets, "unsubscribe links", "unsubscribe link 1")

    def token(self, tenant: str, user: str, channel: Channel) -> str:
        """The token of somebody's way."""
        return self._tokens.make(json.dumps([tenant, user, channel.value]).encode())

    def read(self, token: str) -> Stop:
        """Whom a token is for. Raises: LinkUnknown."""
        content = self._tokens.read(token)
        if content is None:
            raise LinkUnknown("this is no link of ours, or it was cut off; copy it whole, or sign in and change your preferences")
        tenant, user, channel = json.loads(content)
        return Stop(tenant, user, Channel(channel))


def muted(chosen: Preferences, channel: Channel, *, on: bool) -> Preferences:
    """What somebody has chosen, with a way muted or not."""
    return replace(chosen, muted=chosen.muted - {channel} if on else chosen.muted | {channel})


async def is_on(stop: Stop, uow: UnitOfWork) -> bool:
    """Whether anything is sent by the way."""
    row = (await store.chosen(uow, {stop.user})).get(stop.user)
    return row is None or stop.channel not in preferences_of(row.document).muted


async def turn(stop: Stop, uow: UnitOfWork, *, on: bool) -> None:
    """Let nothing be sent by the way any more, or again; the same again changes nothing."""
    await tasks.order(uow, f"preferences of {uow.tenant}:{stop.user}")
    row = (await store.chosen(uow, {stop.user})).get(stop.user)
    before = NOTHING_CHOSEN if row is None else preferences_of(row.document)
    after = muted(before, stop.channel, on=on)
    if after != before:
        await store.choose(uow, stop.user, document_of(after))


def page(stop: Stop, *, on: bool) -> tuple[str, list[str]]:
    """What is shown there: a title, and parts of HTML."""
    name = NAMES[stop.channel]
    title = f"You get {name} about your notifications" if on else f"You get no {name} about your notifications"
    verb, value = (f"Send me no more {name}", "off") if on else (f"Send me {name} again", "on")
    note = "What is in your inbox stays there. Sign in to choose what you are told of."
    form = f'<form method="post"><button name="set" value="{value}">{escape(verb)}</button></form>'
    return title, [f"<h1>{escape(title)}</h1>", f"<p>{note}</p>", form]
