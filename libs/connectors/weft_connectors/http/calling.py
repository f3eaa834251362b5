"""The activity: read the call, ask, judge the status, read the answer."""

from __future__ import annotations

from typing import Any, Final

from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.connections import ConnectionReader, OpenConnection
from weft_connectors.guarded import Answer, GuardedClient, GuardError
from weft_connectors.http.answering import output_of, status_error
from weft_connectors.http.asking import Asked, connection_name, read_call
from weft_connectors.http.connecting import check_type, masked

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
CONNECTION_CODES: Final = frozenset({"http_other_origin", "unknown_connection", "connection_unusable", "connection_unavailable"})
"""Those of a request that goes by a connection."""


class HttpRequest:
    """The activity `http.request`. All calls of a process share one pool of connections, opened by the first and closed by `aclose`.

    connections: gives a tenant's connection by name, at each call anew; None where this worker has none.
    """

    def __init__(
        self, *, allow_private: bool = False, client: GuardedClient | None = None, connections: ConnectionReader | None = None
    ) -> None:
        self._allow_private = allow_private
        self._client = client
        self._connections = connections

    async def __call__(self, call: ActivityCall) -> Any:
        """`{status, headers, body}`. Raises: ActivityError, with the codes that the catalog lists."""
        name = connection_name(call)
        connection = None if name is None else await self._connection(call.tenant, name)
        asked = read_call(call, connection)
        answer = await self._send(asked)
        if connection is not None:
            answer = masked(answer, connection)
        if not asked.expects(answer.status):
            raise status_error(answer)
        return output_of(answer, asked.response)

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _connection(self, tenant: str, name: str) -> OpenConnection:
        if self._connections is None:
            message = f"this worker has no connections, so none that is called {name!r}; let Weft's own worker call the service"
            raise ActivityError("unknown_connection", message, permanent=True)
        connection = await self._connections(tenant, name)
        check_type(connection)
        return connection

    async def _send(self, asked: Asked) -> Answer:
        if self._client is None:
            self._client = GuardedClient(allow_private=self._allow_private)
        try:
            return await self._client.send(asked.request)
        except GuardError as error:
            details = {**error.details, "reason": error.code}
            raise ActivityError(CODES[error.code], error.message, permanent=error.permanent, details=details) from error
