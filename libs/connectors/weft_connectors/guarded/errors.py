"""What the guarded client raises."""

from __future__ import annotations

from typing import Any, Final

PERMANENT: Final = frozenset({"ssrf_blocked", "response_too_large", "redirect_limit", "bad_url", "bad_request", "bad_encoding"})


class GuardError(Exception):
    """A request that was not made, or not answered in full. The message names no secret: of an address no query, of a request no header.

    code: stable. `bad_url`, `bad_request`, `bad_encoding`, `ssrf_blocked`, `dns_failed`, `connect_failed`, `tls_failed`, `timeout`,
    `response_too_large`, `redirect_limit`.
    """

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    @property
    def permanent(self) -> bool:
        """Whether the same request would fail the same way again."""
        return self.code in PERMANENT
