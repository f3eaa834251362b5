"""The edge of a local mesh: one public port, each request handed to the service that the table of routes names.

Only for one machine. In a cluster the gateway API's HTTP routes do this. `/api/…` is an alias of `/api/v1/…`.
"""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send
from weft_runtime.errors import NotFound
from weft_runtime.http import problems
from weft_runtime.service.operations import PATHS
from weft_runtime.telemetry.tracing import span

from weft.routes import OTHERWISE, owner, with_version

_NOTHING = NotFound("there is nothing at this path; see /api/v1/openapi.json for what there is")


class Edge:
    """An ASGI application over the services' applications, by name."""

    def __init__(self, services: Mapping[str, ASGIApp]) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._services[OTHERWISE](scope, receive, send)
            return
        if scope["path"] in PATHS:
            # Behind a forward is a service's own port, which serves them to whoever runs it; they are nobody else's.
            with span("edge"):
                await problems.from_weft_error(_NOTHING)(scope, receive, send)
            return
        path, raw = with_version(scope["path"]), scope.get("raw_path")
        if path != scope["path"]:
            scope = {**scope, "path": path, "raw_path": with_version(raw.decode("latin-1")).encode("latin-1") if raw else raw}
        await self._services[owner(path)](scope, receive, send)
