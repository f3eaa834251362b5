"""Mails: told of by a provider, fetched from it or handed in whole, taken into the log, and what they start.

What a provider tells is kept first and answered; the mail is fetched after that. Each step is a transaction of its own that may be done
again: the notice is kept once, an attempt that nobody ends is begun by another, and a mail is one event whoever fetched it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from weft_connectors.activity import ActivityError
from weft_connectors.connections import OpenConnection
from weft_contracts.cloudevents import CloudEvent
from weft_runtime.clock import new_id
from weft_runtime.sealing import Envelope, SealBroken
from weft_runtime.uow import UnitOfWork

from weft_events import domain, store, verifying
from weft_events.domain import MAILS, Considered, Received
from weft_events.errors import MailNotFailed, Unverified
from weft_events.mails import Mail, matching, recipients, trying
from weft_events.mails.resend import Notice
from weft_events.registry import Registry
from weft_events.store import connections, suspensions
from weft_events.store import mails as rows
from weft_events.store.connections import Connection
from weft_events.store.mails import Told
from weft_events.usecases.events import Receipt, resting
from weft_events.verifying import Headers, NotSigned

TYPE: Final = "resend"
SECRETS: Final = ("webhook_secret", "previous_webhook_secret")
"""Fields of such a connection; while a secret is being replaced, both verify."""
HANDED_IN: Final = f"{MAILS}handed-in"
"""The source of mails that somebody handed in whole."""


async def admit_notice(headers: Headers, body: bytes, envelope: Envelope, uow: UnitOfWork) -> Connection:
    """The connection by whose secret a webhook's call is signed. envelope: opens secrets.  Raises: Unverified."""
    why = []
    for one in (await connections.of_type(uow, TYPE)).values():
        known = [text for field in SECRETS if (text := _open(one, field, envelope, uow.tenant))]
        try:
            verifying.verify("svix", known, "", headers, body, uow.now)
        except NotSigned as fault:
            why.append(f"connection {one.name!r}: {fault}")
        else:
            return one
    raise Unverified(why or [f"there is no connection of type {TYPE}"])


async def tell(connection: Connection, notice: Notice, uow: UnitOfWork) -> Receipt:
    """Keep that a mail came in, once, so that it is fetched; durable when the transaction is."""
    shown = {
        "sender": notice.sender,
        "recipients": list(notice.recipients),
        "subject": notice.subject,
        "message_id": notice.message_id,
    }
    same = matching.sameness(notice.message_id, notice.sender, notice.recipients, notice.subject)
    told = Told(
        uow.tenant,
        new_id(),
        connection.id,
        connection.name,
        notice.email_id,
        same,
        shown,
        uow.now,
        next_at=await _at(connection.name, uow.now, uow),
    )
    kept, fresh = await rows.add(uow, told)
    return Receipt(int(fresh), int(not fresh), [notice.email_id], [kept])


async def next_mail_due(uow: UnitOfWork) -> datetime | None:
    """When the first mail of any tenant is to be fetched."""
    return await rows.next_due(uow)


async def begin_fetching(most: int, uow: UnitOfWork) -> list[Told]:
    """Take mails of any tenants in hand that are due, so many at most; their attempts count from now."""
    return await rows.in_hand(uow, most, uow.now + trying.LEASE)


async def opened(told: Told, envelope: Envelope, uow: UnitOfWork) -> OpenConnection | None:
    """The connection that a mail is fetched by, as it is now; None where that is suspended, for the end of which the mail waits then.

    Raises: ActivityError.
    """
    if await suspensions.holds(uow, told.connection):
        await rows.lay_by(uow, told)
        return None
    found = (await connections.of_type(uow, TYPE)).get(told.connection)
    if found is None:
        message = f"there is no connection {told.connection!r} of type {TYPE} any more; make it again, then ask for the mail again"
        raise ActivityError("unknown_connection", message, permanent=True)
    key = _open(found, "api_key", envelope, uow.tenant)
    return OpenConnection(found.name, TYPE, found.settings, {} if key is None else {"api_key": key})


async def take_fetched(told: Told, mail: Mail, registry: Registry, uow: UnitOfWork) -> bool:
    """Take a mail into the log that was fetched. Returns: False where another attempt is at it, which this one leaves it to."""
    if not await rows.settle(uow, told, rows.TAKEN):
        return False
    for_ = tuple(dict.fromkeys([*told.notice["recipients"], *recipients(mail)]))
    event = matching.event_of(mail, for_, told.email_id, f"{MAILS}resend?connection={told.connection}", told.received_at)
    await _take(told.id, event, for_, registry, uow)
    return True


async def put_mail_off(told: Told, error: ActivityError, uow: UnitOfWork) -> datetime | None:
    """Note that a mail could not be fetched. Returns: when it is asked for again, None where it is given up."""
    at = trying.next_at(told.attempts, error.code, error.permanent, error.retry_after_s, uow.now)
    shown = {"code": error.code, "message": error.message[:1000]}
    if at is None:
        await rows.settle(uow, told, rows.FAILED, None, shown)
    else:
        await rows.settle(uow, told, rows.WAITING, await _at(told.connection, at, uow), shown)
    return at


async def fetch_again(mail_id: UUID, uow: UnitOfWork) -> Told:
    """Let a mail be fetched that could not be. Raises: MailNotFound, MailNotFailed."""
    at = await _at((await rows.find(uow, mail_id)).connection, uow.now, uow)
    told = await rows.find(uow, mail_id, hold=True)
    if told.status != rows.FAILED:
        what = "is in the log: GET /api/v1/events/{id} shows it" if told.status == rows.TAKEN else "is being fetched already"
        raise MailNotFailed(f"the mail {mail_id} {what}")
    await rows.again(uow, mail_id, at)
    return await rows.find(uow, mail_id)


async def hand_in(mail: Mail, digest: str, envelope: Sequence[str], registry: Registry, uow: UnitOfWork) -> Receipt:
    """Take a whole mail into the log, once. digest: of its bytes.  envelope: whom it is for, where the server said so."""
    for_ = recipients(mail, envelope)
    sender = "" if mail.sender is None else mail.sender.address
    id_ = matching.sameness(mail.message_id, sender, for_, mail.subject) or digest
    return await _take(new_id(), matching.event_of(mail, for_, id_, HANDED_IN, uow.now), for_, registry, uow)


async def _take(log_id: UUID, event: CloudEvent, for_: Sequence[str], registry: Registry, uow: UnitOfWork) -> Receipt:
    compiled = await registry.compiled(uow, uow.tenant)
    received = Received(log_id, uow.tenant, event, uow.now)
    (kept,) = (await store.claim(uow, [received])).values()
    if kept != log_id:
        await store.count_duplicates(uow, {(uow.tenant, kept): 1})
        return Receipt(0, 1, [event.id], [kept])
    considered: list[Considered] = []
    rest = resting()
    for one in matching.consider(received, compiled.mails, for_, compiled.tenant):
        considered.append(one)
        await rest()
    await store.add(uow, [(received, domain.status_of(considered), considered)])
    uow.say(*(one.start for one in considered if one.start is not None))
    return Receipt(1, 0, [event.id], [log_id])


async def _at(connection: str, at: datetime, uow: UnitOfWork) -> datetime | None:
    """When a mail is fetched by a connection that may be from then on; None while that is suspended."""
    return None if await suspensions.holds(uow, connection) else at


def _open(one: Connection, field: str, envelope: Envelope, tenant: str) -> str | None:
    """A secret of a connection; None where it is not set, or does not open."""
    sealed: Mapping[str, str] = one.sealed
    if field not in sealed:
        return None
    try:
        return envelope.open(sealed[field], tenant=tenant, connection=str(one.id), field=field)
    except SealBroken:
        return None
