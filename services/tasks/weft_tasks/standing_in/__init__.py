"""Stand-ins: who looks after whose tasks, from when to when. Pure.

Nothing about a task changes when somebody is away. What a stand-in sees and may do is told anew with each request, by the moment it comes
at: so an absence that is said late counts at once, and its end needs nobody to notice it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from weft_runtime.errors import Detail

from weft_tasks.errors import BadTime, NotYourAbsence, StandsInForSelf
from weft_tasks.task import Who

MOST: Final = 50
"""Absences of one person that are not over, and absences that one person stands in for."""
LONGEST: Final = timedelta(days=366)
Standing = Literal["scheduled", "active", "over", "revoked"]


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when. ends_at: the first moment that is not in it."""

    starts_at: datetime
    ends_at: datetime


def span(starts_at: datetime | None, ends_at: datetime, now: datetime) -> Span:
    """A span as it is asked for; from now on where no beginning is named. Raises: BadTime."""
    begins = starts_at or now
    wrong = None
    if ends_at <= now:
        wrong = f"{ends_at.isoformat()} is over"
    elif ends_at <= begins:
        wrong = f"{ends_at.isoformat()} is not after {begins.isoformat()}, at which it begins"
    elif ends_at - max(begins, now) > LONGEST or abs(begins - now) > LONGEST:
        wrong = f"it begins, and lasts, at most {LONGEST.days} days from now"
    if wrong is not None:
        raise BadTime(f"nobody can stand in for that time: {wrong}", details=[Detail("/to", BadTime.code, wrong)])
    return Span(begins, ends_at)


def require_may_say(who: Who, absent: frozenset[str]) -> None:
    """Refuse whoever speaks for somebody else. A key speaks for nobody, not even for who made it. Raises: NotYourAbsence."""
    if not who.may_assign and (who.via is not None or who.names.isdisjoint(absent)):
        raise NotYourAbsence("say only who stands in for you, signed in yourself; for others somebody does who may assign tasks")


def require_two(absent: frozenset[str], stand_in: frozenset[str]) -> None:
    """Refuse somebody who stands in for themselves. Raises: StandsInForSelf."""
    if not absent.isdisjoint(stand_in):
        wrong = "this is who is away; name somebody else"
        raise StandsInForSelf(f"nobody stands in for themselves: {wrong}", details=[Detail("/delegate", StandsInForSelf.code, wrong)])


def standing(starts_at: datetime, ends_at: datetime, revoked_at: datetime | None, now: datetime) -> Standing:
    """How an absence stands."""
    if revoked_at is not None:
        return "revoked"
    if now < starts_at:
        return "scheduled"
    return "active" if now < ends_at else "over"
