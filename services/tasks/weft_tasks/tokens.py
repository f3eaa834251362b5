"""What is sealed into addresses: a text that only this installation can make or read."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from weft_runtime.sealing import Seal

MAX_TOKEN: Final = 4096


class Tokens:
    """Makes tokens and reads them. secrets: the installation's, the newest first: it makes them, all of them read.

    purpose: of the key by which they are sealed.  about: what they are; a token of one kind is none of another.
    """

    def __init__(self, secrets: Sequence[str], purpose: str, about: str) -> None:
        self._seal = Seal(secrets[0], purpose, secrets[1:])
        self._about = about

    def make(self, content: bytes) -> str:
        """The content as a part of an address, of `[A-Za-z0-9_-]`."""
        return base64.urlsafe_b64encode(self._seal.close(content, self._about)).rstrip(b"=").decode()

    def read(self, token: str) -> bytes | None:
        """The content of a token, None where it was changed or is none of ours."""
        if len(token) > MAX_TOKEN:
            return None
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        # Another spelling of the same bytes is another text, which was never given to anybody.
        if base64.urlsafe_b64encode(sealed).rstrip(b"=").decode() != token:
            return None
        return self._seal.open(sealed, self._about)
