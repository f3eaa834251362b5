"""The edge of a local mesh: one public port, each request handed to the service that the table of routes names.

Only for one machine. In a cluster the gateway API's HTTP routes do this.
"""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from weft.routes import OTHERWISE, owner


class Edge:
    """An ASGI application over the services' applications, by name."""

    def __init__(self, services: Mapping[str, ASGIApp]) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        name = owner(scope["method"], scope["path"]) if scope["type"] == "http" else OTHERWISE
        await self._services[name](scope, receive, send)
