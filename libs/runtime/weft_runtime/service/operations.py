"""What a service's own port serves beside its routes: health, metrics, the description of its API. Never mounted at the edge."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from weft_runtime.service.host import Host

PATHS: Final = frozenset({"/health/live", "/health/ready", "/metrics", "/openapi.json"})
"""For those who run the mesh."""


class Operations:
    """The routes of a service with `/health/live`, `/health/ready`, `/metrics` and `/openapi.json` before them."""

    def __init__(self, app: ASGIApp, host: Host) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        response = await self._answer(scope["path"]) if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else None
        await (response or self._app)(scope, receive, send)

    async def _answer(self, path: str) -> Response | None:
        match path:
            case "/health/live":
                # A process whose consumers do not come back is to be started again, which is all that liveness can ask for.
                alive = self._host.context.bus.healthy
                return JSONResponse({"status": "ok" if alive else "unavailable"}, 200 if alive else 503)
            case "/health/ready":
                checks = await self._host.ready()
                ready = all(checks.values())
                return JSONResponse({"status": "ok" if ready else "unavailable", "checks": checks}, 200 if ready else 503)
            case "/metrics":
                metrics = self._host.context.metrics
                return Response(metrics.exposition(), media_type=metrics.content_type)
            case "/openapi.json":
                # Beside the loop: who is first has it made, and nobody else of this process is to wait for that.
                return JSONResponse(await asyncio.to_thread(self._host.service.openapi))
            case _:
                return None
