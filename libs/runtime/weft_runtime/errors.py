"""The four kinds of error.

A room subclasses them with a stable `code`; the kind decides the HTTP status and whether a message is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing wrong with the input. pointer: JSON pointer (RFC 6901) into the body; code: stable; detail: what and how to mend it.

    source: `body`, or `query`, `path`, `header` where the pointer is into those.
    """

    pointer: str
    code: str
    detail: str
    source: str = "body"


class WeftError(Exception):
    """What went wrong, as a person can mend it. Raised by rooms as one of the four kinds below.

    message: what, which and how to mend it.  details: where the input was wrong.  extra: more members of the problem document.
    headers: more of the answer, which a kind of error may have.
    """

    kind: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    code: str = "internal_error"
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Sequence[Detail] = (),
        extra: dict[str, Any] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.extra = extra or {}
        self.retry_after_s = retry_after_s
        if code is not None:
            self.code = code


class Invalid(WeftError):
    """The input is wrong and will stay wrong. 422; a message is parked at once."""

    kind, status, code = "invalid", 422, "invalid"


class Malformed(Invalid):
    """The bytes are not what they say they are: not JSON, NUL, not a CloudEvent. 400."""

    status, code = 400, "malformed"


class Unauthenticated(Invalid):
    """Nobody we know asks. 401."""

    status, code = 401, "unauthenticated"


class Forbidden(Invalid):
    """Who asks is known and may not. 403."""

    status, code = 403, "forbidden"


class NotFound(WeftError):
    """Not there, or not for this tenant. 404; a message is tried again, since its cause may be on the way."""

    kind, status, code = "not_found", 404, "not_found"


class Conflict(WeftError):
    """Illegal now: the thing is in another state. 409; a message is parked at once."""

    kind, status, code = "conflict", 409, "conflict"


class StaleWrite(Conflict):
    """Somebody else wrote first. 409; a message is tried again at once, three times, then with backoff."""

    kind, code = "stale_write", "stale_write"


class PreconditionFailed(Conflict):
    """`If-Match` names another version than the current one. 412."""

    status, code = 412, "precondition_failed"


class TooLarge(Invalid):
    """Larger than the limit, which the message names. 413."""

    status, code = 413, "too_large"


class RateLimited(WeftError):
    """Too much in too short a time. 429 with Retry-After, and what tells of the limit where it is another than the caller's own."""

    kind, status, code = "unavailable", 429, "rate_limited"


class Unavailable(WeftError):
    """Something we need does not answer. 503 with Retry-After; a message is tried again with a long backoff."""

    kind, status, code = "unavailable", 503, "unavailable"
