"""A message on its way: asked of a worker until it is sent or there is no more use in it. Pure; time is an argument.

It is asked for under one key and with one content, whatever happens meanwhile: who takes it twice knows it as one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from weft_contracts.executions import Failure

from weft_tasks.notifications import Channel

LEASE: Final = timedelta(minutes=5)
"""How long an answer is waited for before it is asked again."""
GIVEN_UP_AFTER: Final = timedelta(hours=20)
"""Since it was written: providers know a key for a day, and news of yesterday is in the inbox."""
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)


class Sending(StrEnum):
    """How a message stands. `asked`: a worker was asked and has not answered.  `waiting`: it failed and is tried again."""

    ASKED = "asked"
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


ENDS: Final = frozenset({Sending.SENT, Sending.FAILED})


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message. attempt: from 1.  next_at: when it is asked for again, None where it has ended.  receipt, error: what came of it."""

    id: UUID
    user: str
    channel: Channel
    made_at: datetime
    status: Sending = Sending.ASKED
    attempt: int = 1
    next_at: datetime | None = None
    ended_at: datetime | None = None
    receipt: Any = None
    error: dict[str, Any] | None = None

    @property
    def key(self) -> str:
        """The callee's idempotency key."""
        return f"notification:{self.id}"


def written(id_: UUID, user: str, channel: Channel, now: datetime) -> Outbound:
    """A new message, which is asked for now."""
    return Outbound(id_, user, channel, now, next_at=now + LEASE)


def sent(message: Outbound, receipt: Any, now: datetime) -> Outbound:
    """The message, sent; also where it had been given up. A repeat changes nothing."""
    if message.status is Sending.SENT:
        return message
    return replace(message, status=Sending.SENT, receipt=receipt, error=None, next_at=None, ended_at=now)


def failed(message: Outbound, error: Failure, attempt: int, now: datetime) -> Outbound:
    """The message after an attempt that failed: tried again later, unless that is pointless. An earlier attempt's answer is late."""
    if message.status is not Sending.ASKED or attempt != message.attempt:
        return message
    told = error.model_dump(mode="json", exclude_none=True, exclude={"node", "attempt"})
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(message.attempt - 1, 10))
    said_s = (error.details or {}).get("retry_after_s")
    if isinstance(said_s, (int, float)) and 0 < said_s < GIVEN_UP_AFTER.total_seconds():
        pause = max(pause, timedelta(seconds=said_s))
    if error.permanent or now + pause >= message.made_at + GIVEN_UP_AFTER:
        return replace(message, status=Sending.FAILED, error=told, next_at=None, ended_at=now)
    return replace(message, status=Sending.WAITING, error=told, next_at=now + pause)


def heard(message: Outbound, attempt: int, now: datetime) -> Outbound:
    """The message while a worker is at it."""
    if message.status is not Sending.ASKED or attempt != message.attempt:
        return message
    return replace(message, next_at=now + LEASE)


def again(message: Outbound, now: datetime) -> Outbound:
    """The message asked for once more, under the same key: as the next attempt where the last one failed, else as the same. Or given up."""
    if message.status in ENDS:
        return message
    if now >= message.made_at + GIVEN_UP_AFTER:
        error = message.error or {"code": "not_answered", "message": "no worker answered; see that one runs and that the broker is there"}
        return replace(message, status=Sending.FAILED, error=error, next_at=None, ended_at=now)
    attempt = message.attempt + (message.status is Sending.WAITING)
    return replace(message, status=Sending.ASKED, attempt=attempt, next_at=now + LEASE)


def unreadable(message: Outbound, now: datetime) -> Outbound:
    """The message, given up: what is to be sent was sealed by a secret key that is not here any more."""
    error = {"code": "sealed_by_another_key", "message": "start with the key that sealed it, also as one of WEFT_SECRET_KEYS_BEFORE"}
    return replace(message, status=Sending.FAILED, error=error, next_at=None, ended_at=now)


def put_off(message: Outbound, until: datetime) -> Outbound:
    """The message while its way is held up, or whom it is for sleeps."""
    return message if message.status in ENDS else replace(message, next_at=until)
