"""What every connector reads of an answer: its JSON, whether its status is final, when to ask again."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from weft_connectors.guarded import Answer

MAX_RETRY_AFTER_S: Final = 86_400.0
TRY_AGAIN: Final = frozenset({408, 425, 429})
"""Of the statuses that blame the caller, those that time may mend."""


class UnreadableAnswer(ValueError):
    """An answer's body is not what it should be; the message says why. is_text: it can still be taken as a text."""

    def __init__(self, message: str, *, is_text: bool) -> None:
        super().__init__(message)
        self.is_text = is_text


def is_permanent(status: int) -> bool:
    """Whether asking again would be answered the same."""
    return 400 <= status < 500 and status not in TRY_AGAIN


def retry_after(answer: Answer) -> float | None:
    """Seconds after which the service wants to be asked again, in 0..86400; None when it does not say. Source: RFC 9110, 10.2.3."""
    text = (answer.header("retry-after") or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:10]), MAX_RETRY_AFTER_S)
    then = _date(text)
    if then is None:
        return None
    # Measured on the service's own clock where it shows it: ours may differ.
    now = _date(answer.header("date") or "") or datetime.now(UTC)
    return min(max(0.0, (then - now).total_seconds()), MAX_RETRY_AFTER_S)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def json_of(answer: Answer) -> Any:
    """The value of a JSON answer. Raises: UnreadableAnswer."""
    try:
        value = msgspec.json.decode(answer.body.removeprefix(codecs.BOM_UTF8))
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswer(f"it is no JSON: {error}", is_text=True) from error
    if b"\\u0000" in answer.body and "\0" in _strings(value):
        raise UnreadableAnswer("it holds a NUL character, which cannot be stored", is_text=False)
    return value


def _strings(value: Any) -> str:
    """All texts of a value, one after the other."""
    if isinstance(value, dict):
        return "".join((*value, *map(_strings, value.values())))
    if isinstance(value, list):
        return "".join(map(_strings, value))
    return value if isinstance(value, str) else ""
