"""A door as an ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from weft_runtime.http.call import call_of
from weft_runtime.http.door import Door
from weft_runtime.http.front import Front
from weft_runtime.http.openapi import describe
from weft_runtime.http.route import DoorRoute, answer

if TYPE_CHECKING:
    from weft_runtime.context import ServiceContext

_described: WeakKeyDictionary[Door, tuple[int, dict[str, Any]]] = WeakKeyDictionary()


def application(door: Door, context: ServiceContext) -> ASGIApp:
    """The routes of a door behind the front. Nothing that is not declared on the door is served."""
    app = FastAPI(
        title=door.name,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # The front opens the one span of a request; the framework's own would double it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.context = context
    app.router.routes[:] = [*door.routes(), *(one.route() for one in door.sockets)]
    app.add_exception_handler(HTTPException, _refused)
    return Front(app, context.metrics, context.log, context.settings.trusted_proxies)


def openapi(door: Door) -> dict[str, Any]:
    """The description of a door, OpenAPI 3.1. Not to be changed: it is made once for the routes that there are.

    To make it computes for as long as hundreds of requests take; on a machine that has much to do, who asked would wait for it in vain
    each time. Guarded by tests/runtime/http/test_doors.py.
    """
    routes, document = _described.get(door, (0, {}))
    if routes != len(door.declared):
        routes = len(door.declared)
        document = describe(door.name, door.routes())
        _described[door] = (routes, document)
    return document


async def _refused(request: Request, error: Exception) -> Response:
    call = call_of(request)
    call.context = request.app.state.context
    if isinstance(error, HTTPException) and error.status_code == 405:
        # The framework names the methods of the first route that has the path.
        having = [route for route in request.app.routes if isinstance(route, DoorRoute) and route.path_regex.match(request.url.path)]
        methods = {method for route in having for method in route.methods or ()}
        error.headers = {"Allow": ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))}
    return answer(call, error)
