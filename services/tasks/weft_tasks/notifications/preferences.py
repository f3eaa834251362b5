"""What somebody has chosen: by which ways they are told of what, and when. Pure; time is an argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Literal

from weft_language.expressions import compile_calendar

from weft_tasks.notifications import EVENTS, Channel

Every = Literal["none", "hourly", "daily"]
USUAL_HOUR: Final = 8 * 60
_OF_WORKFLOWS: Final = "notification"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What somebody has chosen; as it is here for who chose nothing.

    channels: by event; events that are not in it are told as usual.  zone: an IANA name or an offset.  quiet: from and to which minute of
    the day, in that zone, nothing is sent; None for never.  every: how often what waits is sent in one message.  digest_at: of `daily`:
    the minute of the day.  slack: the member's id in the workspace.  muted: ways by which nothing at all is sent.
    """

    channels: Mapping[str, frozenset[Channel]] = field(default_factory=dict)
    zone: str = "UTC"
    quiet: tuple[int, int] | None = None
    every: Every = "none"
    digest_at: int = USUAL_HOUR
    slack: str | None = None
    muted: frozenset[Channel] = frozenset()


NOTHING_CHOSEN: Final = Preferences()


def channels_of(chosen: Preferences, event: str) -> frozenset[Channel]:
    """By which ways somebody is told of an event. An event that only a workflow knows is told as `notification` where nothing is chosen."""
    wanted = chosen.channels.get(event)
    if wanted is None:
        usual = EVENTS.get(event)
        wanted = chosen.channels.get(_OF_WORKFLOWS, EVENTS[_OF_WORKFLOWS].channels) if usual is None else usual.channels
    return wanted - chosen.muted


def send_at(chosen: Preferences, now: datetime) -> datetime:
    """When something that happens now is sent: with the next digest where there is one, and not in quiet hours."""
    return awake(chosen, _digest(chosen, now))


def awake(chosen: Preferences, at: datetime) -> datetime:
    """This moment, or when the quiet hours end that it is in. A night in which the clock is turned back may have two."""
    moment = at
    while (end := _quiet_until(chosen, moment)) is not None:
        moment = end
    return moment


def is_quiet(chosen: Preferences, at: datetime) -> bool:
    """Whether it is in somebody's quiet hours."""
    if chosen.quiet is None:
        return False
    begins, ends = chosen.quiet
    local = at.astimezone(zone_of(chosen.zone))
    minute = local.hour * 60 + local.minute
    return begins <= minute < ends if begins < ends else minute >= begins or minute < ends


def _quiet_until(chosen: Preferences, at: datetime) -> datetime | None:
    if chosen.quiet is None or not is_quiet(chosen, at):
        return None
    return next(_moments(chosen, chosen.quiet[1], at, again=True))


def _digest(chosen: Preferences, now: datetime) -> datetime:
    if chosen.every == "none":
        return now
    if chosen.every == "hourly":
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return hour if hour >= now else hour + timedelta(hours=1)
    return next(_moments(chosen, chosen.digest_at, now - timedelta(microseconds=1)))


def _moments(chosen: Preferences, minute: int, after: datetime, *, again: bool = False) -> Iterator[datetime]:
    """Moments after `after` at which the clock in somebody's zone shows this minute of the day, in order.

    One that the clock leaves out comes as much later as it is put forward.  again: a minute that the clock shows twice counts twice.
    """
    zone = zone_of(chosen.zone)
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        shown = datetime.combine(day, time(*divmod(minute, 60)), zone)
        first, second = shown.astimezone(UTC), shown.replace(fold=1).astimezone(UTC)
        yield from (at for at in ((first, second) if again and second > first else (first,)) if at > after)
        day += timedelta(days=1)


@lru_cache(maxsize=1000)
def zone_of(name: str) -> tzinfo:
    """A zone by its name. Raises: ExpressionError."""
    return compile_calendar({"zone": name}).zone
