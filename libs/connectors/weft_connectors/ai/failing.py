"""What a provider's bad answer, or none, is to an author: one of the codes that the catalog lists."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from weft_connectors.activity import ActivityError
from weft_connectors.answers import retry_after
from weft_connectors.guarded import Answer

PROVIDER_DOWN: Final = frozenset(
    {"ai_unreachable", "ai_timeout", "ai_unavailable", "ai_rate_limited", "ai_unauthorized", "ai_bad_response", "ai_blocked",
     "connection_unusable", "connection_unavailable", "unknown_connection"}
)  # fmt: skip
"""Codes that are the provider's or the connection's fault: another one may do better."""
_CREDIT: Final = ("insufficient_quota", "billing", "credit")
_SHOWN_CHARS: Final = 300


def status_error(answer: Answer, provider: str) -> ActivityError:
    """Of an answer whose status is not 200. What the provider says is shown; of what it was asked it may repeat nothing but names."""
    status, why = answer.status, _why(answer)
    details: dict[str, Any] = {"status": status, "provider": provider}
    said = f"{provider} answered {status}{f': {why}' if why else ''}"
    if status in (401, 402, 403) or (status == 429 and any(word in why for word in _CREDIT)):
        return ActivityError(
            "ai_unauthorized", f"{said}; look at the connection's key and the account's credit", permanent=True, details=details
        )
    if status == 429:
        return ActivityError("ai_rate_limited", said, details=details, retry_after_s=retry_after(answer))
    if status in (408, 409, 425) or status >= 500:
        return ActivityError("ai_unavailable", said, details=details, retry_after_s=retry_after(answer))
    if status >= 400:
        return ActivityError("ai_bad_request", said, permanent=True, details=details)
    return ActivityError("ai_bad_response", f"{said}, which is no completion", details=details)


class _Error(msgspec.Struct):
    type: str | None = None
    code: str | int | None = None
    message: str | None = None


class _Body(msgspec.Struct):
    error: _Error


def _why(answer: Answer) -> str:
    """The provider's own words, in one line; "" where it gives none."""
    try:
        error = msgspec.json.decode(answer.body, type=_Body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    words = " ".join(str(one) for one in (error.code or error.type, error.message) if one)
    return " ".join(words.replace("\0", "").split())[:_SHOWN_CHARS]
