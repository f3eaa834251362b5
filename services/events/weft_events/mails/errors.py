"""Why bytes are refused as a mail."""

from __future__ import annotations


class MailRefused(Exception):
    """These bytes are not taken for a mail.

    code: `empty`, `too_large`, `no_headers`, `headers_too_large`, `too_many_parts`, `too_deep`.  The message is for who sent them.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
