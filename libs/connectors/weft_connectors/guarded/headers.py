"""Which headers a request may carry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from weft_connectors.guarded.errors import GuardError

MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 32 * 1024
"""Of all names and values together: what common servers take."""

REFUSED: Final = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect"),
        *("proxy-connection", "proxy-authenticate", "proxy-authorization", "http2-settings"),
    }
)
"""The client's own, or one hop's: with them an author could make the next server read two requests where one was sent."""

_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}\Z")
_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*\Z")


def check_headers(headers: Sequence[tuple[str, str]]) -> None:
    """Refuse what is no header, or not an author's. Values are not named, they may be secret. Raises: GuardError `bad_request`."""
    if len(headers) > MAX_HEADERS or sum(len(name) + len(value.encode(errors="replace")) for name, value in headers) > MAX_HEADER_BYTES:
        raise GuardError("bad_request", f"the request has more than {MAX_HEADERS} headers or {MAX_HEADER_BYTES} bytes of them")
    for name, value in headers:
        if not _NAME.match(name):
            raise GuardError("bad_request", f"{name[:60]!r} is no header name; names are letters, digits and - without spaces")
        # What is behind some servers reads an underscore as a dash.
        if name.lower().replace("_", "-") in REFUSED:
            raise GuardError("bad_request", f"the header {name} is set by the platform; leave it out")
        if not _VALUE.match(value) or value != value.strip(" \t"):
            raise GuardError("bad_request", f"the value of the header {name} holds a control character or begins or ends with a space")
