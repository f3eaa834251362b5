"""The loop that fetches the mails that a provider told of, in every process of the service.

A mail is taken in hand for a while, fetched with no transaction held, and settled. Whoever dies in it leaves it to the next one, who
begins when that while is over. One that is slow holds up no other: there are many places, and nobody waits for all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, cast

from prometheus_client import CollectorRegistry, Counter
from weft_connectors.activity import ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.email.resend import ResendClient
from weft_connectors.plug import Plug
from weft_runtime.context import ServiceContext
from weft_runtime.errors import StaleWrite, Unavailable
from weft_runtime.sealing import Envelope
from weft_runtime.waking import Wake

from weft_events import usecases
from weft_events.mails import Mail, resend, trying
from weft_events.mails.mail import MAX_CONTENT_BYTES
from weft_events.registry import REGISTRY
from weft_events.settings import Settings
from weft_events.store.mails import Told

PLACES: Final = 50
"""Mails of all tenants that a process fetches at once."""
LOOK_EVERY_S: Final = 1.0
LEAST_S: Final = 0.001


class MailWake(Wake):
    """Wakes the loop of this process: a mail came in."""


class FetchingMetrics:
    """What is counted of mails."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.fetched = Counter("weft_mail_fetched", "Mails that a provider told of and that were fetched.", registry=registry)
        self.failed = Counter("weft_mail_failed", "Mails that were given up: they could not be fetched.", registry=registry)


async def run(context: ServiceContext) -> None:
    """Fetch what is due, until cancelled."""
    plug = Plug(allow_private=cast(Settings, context.settings).allow_private_addresses)
    wake, busy = context.part(MailWake), 0

    def ended(_: object) -> None:
        nonlocal busy
        busy -= 1
        wake.call()

    try:
        async with asyncio.TaskGroup() as group:
            while True:
                begun, rest_s = await _begin(context, PLACES - busy)
                for told in begun:
                    busy += 1
                    group.create_task(_attempt(context, ResendClient(plug), told)).add_done_callback(ended)
                await wake.wait(rest_s)
    finally:
        await plug.aclose()


async def _begin(context: ServiceContext, free: int) -> tuple[list[Told], float]:
    """Mails to be fetched now, and how long there is nothing else to do, in seconds."""
    if free <= 0:
        return [], LOOK_EVERY_S
    begun: list[Told] = []
    try:
        async with context.owner_transaction() as uow:
            next_at = await usecases.next_mail_due(uow)
            if next_at is None or next_at > uow.now:
                left_s = LOOK_EVERY_S if next_at is None else (next_at - uow.now).total_seconds()
                return [], min(LOOK_EVERY_S, max(LEAST_S, left_s))
            begun = await usecases.begin_fetching(free, uow)
    except (Unavailable, StaleWrite):
        return [], LOOK_EVERY_S  # the database is away, which others report, or somebody was first; nothing was done
    # Where others hold all that is due, it is theirs.
    return begun, LEAST_S if len(begun) == free else LOOK_EVERY_S


async def _attempt(context: ServiceContext, client: ResendClient, told: Told) -> None:
    """Fetch one mail and settle it. What cannot be written now is begun again when its time in hand is over."""
    about = {"tenant": told.tenant, "mail": str(told.id)}
    try:
        with context.sparing("fetching of a mail", but=(StaleWrite, ActivityError), **about):
            if told.attempts > trying.MOST:
                raise ActivityError("email_given_up", f"{trying.MOST} attempts were begun and not one was ended", permanent=True)
            mail = await _fetched(context, client, told)
            if mail is None:
                return
            async with context.owner_transaction(told.tenant) as uow:
                taken = await usecases.take_fetched(told, mail, REGISTRY, uow)
            context.part(FetchingMetrics).fetched.inc(int(taken))
    except ActivityError as error:
        with context.sparing("putting a mail off", but=(StaleWrite,), **about):
            await _put_off(context, told, error)
    except (Unavailable, StaleWrite) as error:
        context.log.warning("mail not settled", why=str(error), **about)


async def _put_off(context: ServiceContext, told: Told, error: ActivityError) -> None:
    about = {"tenant": told.tenant, "mail": str(told.id), "code": error.code, "why": error.message}
    try:
        async with context.owner_transaction(told.tenant) as uow:
            again_at = await usecases.put_mail_off(told, error, uow)
    except (Unavailable, StaleWrite):
        return  # it is begun again when its time in hand is over
    if again_at is None:
        context.part(FetchingMetrics).failed.inc()
        context.log.error("mail given up", **about)
    else:
        context.log.warning("mail not fetched", again_at=again_at.isoformat(), **about)


async def _fetched(context: ServiceContext, client: ResendClient, told: Told) -> Mail | None:
    """The mail, with the contents of attachments that are small; None while its connection is suspended.

    Raises: ActivityError, Unavailable.
    """
    async with context.owner_transaction(told.tenant) as uow:
        connection = await usecases.opened(told, context.part(Envelope), uow)
    if connection is None:
        return None
    try:
        async with asyncio.timeout(trying.WITHIN_S):
            answer = await client.received(connection, told.email_id)
            contents = await _contents(client, connection, told, answer)
    except TimeoutError as error:
        raise ActivityError("email_timeout", f"the mail was not there as a whole within {trying.WITHIN_S:g} s") from error
    return await asyncio.to_thread(resend.mail_of, answer, contents)


async def _contents(client: ResendClient, connection: OpenConnection, told: Told, answer: Mapping[str, Any]) -> dict[str, bytes]:
    """What attachments hold that fit into an event, by their ids. One that is not to be had is left out."""
    wanted, room = set(), MAX_CONTENT_BYTES
    for one in resend.files_of(answer):
        if one.size is not None and one.size <= room:
            wanted.add(one.id)
            room -= one.size
    found: dict[str, bytes] = {}
    if not wanted:
        return found
    for one in resend.files_of({"attachments": await client.files(connection, told.email_id)}):
        if one.id not in wanted or one.url is None:
            continue
        try:
            found[one.id] = await client.content(one.url, MAX_CONTENT_BYTES)
        except ActivityError as error:
            if not error.permanent:
                raise
    return found
