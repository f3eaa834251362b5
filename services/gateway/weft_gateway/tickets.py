"""Tickets for WebSockets: whoever signed in gets one, good once and for a minute, and opens a WebSocket by it.

A browser sends no Authorization header with a WebSocket, and a token in an address ends in logs.
Source: OWASP WebSocket Security Cheat Sheet.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from weft_runtime.auth import Caller
from weft_runtime.context import ServiceContext
from weft_runtime.errors import RateLimited, Unauthenticated
from weft_runtime.sealing import Seal
from weft_runtime.uow import UnitOfWork

from weft_gateway.domain import LiveTicket
from weft_gateway.store import tickets as store

PREFIX: Final = "weftt_"
"""What a ticket begins with, so that a leaked one is recognised."""
LASTS: Final = timedelta(seconds=60)
OPEN_MAX: Final = 20
"""Tickets of one person, or key, that wait to be used."""


class TooManyTickets(RateLimited):
    """Whoever asks has as many tickets that wait to be used as one may have."""

    code = "too_many_live_tickets"


class BadTicket(Unauthenticated):
    """A ticket that is unknown, was used, or is too old; never says which."""

    code = "bad_ticket"


@dataclass(frozen=True, slots=True)
class Held:
    """What a ticket stands for. topics: by name, those it was asked for with."""

    caller: Caller
    token: str = field(repr=False)
    topics: tuple[str, ...] = ()


class Tickets:
    """Gives tickets out and takes them. One a process; what is open is in the database, so that any gateway takes what another gave."""

    def __init__(self, context: ServiceContext) -> None:
        secret, *before = context.settings.secrets
        self._context = context
        self._seal = Seal(secret, "gateway live tickets", before)

    async def give(self, token: str, caller: Caller, topics: Sequence[str], uow: UnitOfWork) -> tuple[str, datetime]:
        """A ticket, and until when it is good. token: what they signed in with, good for `caller`. Raises: TooManyTickets."""
        if await store.count(uow, caller.sub) >= OPEN_MAX:
            raise TooManyTickets(f"you have {OPEN_MAX} tickets that were not used; use one, or wait", retry_after_s=LASTS.seconds)
        text = PREFIX + secrets.token_urlsafe(32)
        until = uow.now + LASTS
        sealed = self._seal.close(token.encode(), _about(text, caller.tenant))
        await store.add(uow, LiveTicket(_hash(text), caller.tenant, caller.sub, tuple(topics), sealed, until))
        return text, until

    async def take(self, text: str) -> Held:
        """What a ticket stands for, by which it is used up, whatever comes of it. Raises: BadTicket, Unauthenticated."""
        async with self._context.owner_transaction() as uow:
            ticket = await store.take(uow, _hash(text))
        token = None if ticket is None else self._seal.open(ticket.sealed, _about(text, ticket.tenant))
        if ticket is None or token is None:
            raise BadTicket("the ticket is none, was used, or is more than a minute old; get one by POST /api/v1/live/tickets")
        caller = await self._context.verifier.caller(token.decode())
        return Held(caller, token.decode(), ticket.topics)


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _about(text: str, tenant: str) -> str:
    return f"{tenant}/{_hash(text).hex()}"
