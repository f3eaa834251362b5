"""The activity: read the call, ask, judge the status, read the answer."""

from __future__ import annotations

from typing import Any, Final

from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.guarded import GuardedClient, GuardError
from weft_connectors.http.answering import output_of, status_error
from weft_connectors.http.asking import Asked, read_call

CODES: Final = {
    "bad_url": "http_bad_request",
    "bad_request": "http_bad_request",
    "ssrf_blocked": "http_blocked",
    "dns_failed": "http_unreachable",
    "connect_failed": "http_unreachable",
    "tls_failed": "http_unreachable",
    "timeout": "http_timeout",
    "response_too_large": "http_too_large",
    "redirect_limit": "http_bad_response",
    "bad_encoding": "http_bad_response",
}
"""The client's codes as the catalog of nodes names them for authors; the client's own is in the error's `details.reason`."""


class HttpRequest:
    """The activity `http.request`. All calls of a process share one pool of connections, opened by the first and closed by `aclose`."""

    def __init__(self, *, allow_private: bool = False, client: GuardedClient | None = None) -> None:
        self._allow_private = allow_private
        self._client = client

    async def __call__(self, call: ActivityCall) -> Any:
        """`{status, headers, body}`. Raises: ActivityError, with the codes that the catalog lists."""
        asked = read_call(call)
        answer = await self._send(asked)
        if not asked.expects(answer.status):
            raise status_error(answer)
        return output_of(answer, asked.response)

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _send(self, asked: Asked) -> Any:
        if self._client is None:
            self._client = GuardedClient(allow_private=self._allow_private)
        try:
            return await self._client.send(asked.request)
        except GuardError as error:
            details = {**error.details, "reason": error.code}
            raise ActivityError(CODES[error.code], error.message, permanent=error.permanent, details=details) from error
