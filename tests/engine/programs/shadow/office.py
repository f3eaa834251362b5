"""The one business calendar of generated programs, `office`: Monday to Friday, nine to five, UTC. The clock starts on a Monday at nine."""

from __future__ import annotations

HOUR = 3_600_000
DAY, WORK = 24 * HOUR, 8 * HOUR
NAME = "office"


def worked(at: int) -> int:
    """Working milliseconds from the start of the clock to a moment."""
    weeks, rest = divmod(at, 7 * DAY)
    days, rest = divmod(rest, DAY)
    return weeks * 5 * WORK + min(days, 5) * WORK + (min(rest, WORK) if days < 5 else 0)


def after(at: int, length: int) -> int:
    """The moment when so much working time has passed."""
    days, rest = divmod(worked(at) + length, WORK)
    weeks, days = divmod(days, 5)
    return weeks * 7 * DAY + days * DAY + rest


def next_open(at: int) -> int:
    """The first working moment at or after a moment. That of closing is none."""
    days, rest = divmod(at, DAY)
    if days % 7 < 5 and rest < WORK:
        return at
    days += 1
    return (days + max(0, 7 - days % 7 if days % 7 >= 5 else 0)) * DAY


def put_off(due: int, since: int, now: int) -> int:
    """When something is due that was counted in working time, after a pause from `since` to `now`: what remained remains."""
    return after(now, worked(due) - worked(since))
