"""What becomes of a message that could not be handled, by the kind of its error. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from weft_runtime.errors import Conflict, Invalid, NotFound, RateLimited, StaleWrite, Unavailable, WeftError

AT_ONCE = 3
"""A lost race is run again this often before anything else."""

NOT_FOUND_S = (0.2, 0.5, 1, 2, 5, 10, 30, 60)
"""Its cause may be on the way: seconds before each try; then it is parked."""
STALE_S = (0.5, 1, 2, 5, 10, 30)
BUG_S = (1, 10, 60)
UNAVAILABLE_FIRST_S, UNAVAILABLE_MOST_S, UNAVAILABLE_TRIES = 5.0, 300.0, 200
"""Doubling up to five minutes, for about sixteen hours."""

MAX_REASON = 2000


@dataclass(frozen=True, slots=True)
class Verdict:
    """code: stable.  reason: for a person.  retry_in_s: None parks it now.  bug: our own fault, which alerts."""

    code: str
    reason: str
    retry_in_s: float | None = None
    bug: bool = False


def judge(error: BaseException, tries: int, *, chance: float) -> Verdict:
    """The verdict on a message. tries: how often it was tried so far, from 1.  chance: 0..1, spreads retries over ±20 %."""
    if not isinstance(error, WeftError):
        return Verdict("internal_error", clean(f"{type(error).__name__}: {error}"), _step(BUG_S, tries, chance), bug=True)
    code, reason = error.code, clean(error.message)
    if isinstance(error, StaleWrite):
        return Verdict(code, reason, _step(STALE_S, tries, chance))
    if isinstance(error, NotFound):
        return Verdict(code, reason, _step(NOT_FOUND_S, tries, chance))
    if isinstance(error, Unavailable | RateLimited):
        if tries >= UNAVAILABLE_TRIES:
            return Verdict(code, reason)
        wait = min(UNAVAILABLE_FIRST_S * 2 ** min(tries - 1, 10), UNAVAILABLE_MOST_S)
        return Verdict(code, reason, _spread(max(wait, float(error.retry_after_s or 0)), chance))
    if isinstance(error, Invalid | Conflict):
        return Verdict(code, reason)
    return Verdict(code, reason, _step(BUG_S, tries, chance), bug=True)


def clean(text: str) -> str:
    """Text that PostgreSQL stores: no NUL, no lone surrogate, at most 2,000 characters."""
    if len(text) <= MAX_REASON and text.isascii() and "\x00" not in text:
        return text
    return text[:MAX_REASON].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _step(steps: tuple[float, ...], tries: int, chance: float) -> float | None:
    return _spread(steps[tries - 1], chance) if tries <= len(steps) else None


def _spread(seconds: float, chance: float) -> float:
    return seconds * (0.8 + 0.4 * chance)
