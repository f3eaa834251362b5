"""The next request when an answer points elsewhere. Source: RFC 9110, 15.4; the Fetch standard, 4.4."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import httpx2

from weft_connectors.guarded.errors import GuardError

if TYPE_CHECKING:
    from weft_connectors.guarded.client import Outgoing

MAX_REDIRECTS: Final = 5
STATUSES: Final = frozenset({301, 302, 303, 307, 308})
_OF_THE_BODY: Final = frozenset({"content-type", "content-encoding", "content-language", "content-location"})
HARMLESS: Final = frozenset(
    {"accept", "accept-encoding", "accept-language", "user-agent", "idempotency-key", "traceparent", "tracestate"} | _OF_THE_BODY
)
"""What another host may see. Keys travel in headers of any name, so all others stay behind."""


def next_request(request: Outgoing, url: httpx2.URL, status: int, location: str) -> Outgoing:
    """What to ask next. url: what was asked.  Raises: GuardError `bad_url` for a location that is no address."""
    try:
        target = url.join(location.encode("latin-1").decode())
    except (httpx2.InvalidURL, ValueError) as error:
        raise GuardError("bad_url", f"the redirect names an address that cannot be read: {error}") from error
    headers = request.headers
    if _origin(target) != _origin(url):
        headers = tuple((name, value) for name, value in headers if name.lower() in HARMLESS)
    method, content = request.method, request.content
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        method, content = "GET", b""
        headers = tuple((name, value) for name, value in headers if name.lower() not in _OF_THE_BODY)
    return replace(request, method=method, url=str(target), headers=headers, content=content)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
