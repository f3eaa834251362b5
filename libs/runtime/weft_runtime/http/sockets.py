"""WebSockets at the door: who may open one is decided before it is open, and a refusal is the problem document of any route.

Source: RFC 6455; ASGI's "WebSocket Denial Response".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from weft_runtime.auth.caller import Caller
from weft_runtime.auth.permissions import Permission
from weft_runtime.errors import Forbidden
from weft_runtime.http.addresses import of_one_party
from weft_runtime.http.call import Call, call_in
from weft_runtime.http.rate import Quota
from weft_runtime.http.route import answer, count
from weft_runtime.telemetry.logs import bind_log

if TYPE_CHECKING:
    from weft_runtime.context import ServiceContext

OUR_FAULT: Final = 1011
"""The close code of an error of ours. Source: RFC 6455, section 7.4.1."""
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}

Admit = Callable[[WebSocket, "ServiceContext"], Awaitable[Caller]]
"""Who opens a WebSocket, by what they bring. Raises: Unauthenticated."""
Endpoint = Callable[[WebSocket, Caller, "ServiceContext"], Awaitable[None]]
"""Talks with them: refuses by raising, accepts, and returns when it is over."""


@dataclass(frozen=True, slots=True)
class DeclaredSocket:
    """One declared WebSocket. path: the whole one.  per_minute: handshakes of one address."""

    path: str
    endpoint: Endpoint
    may: Permission
    admit: Admit
    per_minute: int

    def route(self) -> WebSocketRoute:
        """The route, ready to be served."""

        async def serve(socket: WebSocket) -> None:
            call = call_in(socket.scope)
            call.route = self.path
            call.context = socket.app.state.context
            try:
                await self._serve(call, socket)
            except WebSocketDisconnect:
                return
            except Exception as error:  # noqa: BLE001
                # As at a route: every error has an answer, as long as there is somebody to give it to.
                await _refuse(call, socket, error)

        return WebSocketRoute(self.path, serve, name=getattr(self.endpoint, "__name__", self.path))

    async def _serve(self, call: Call, socket: WebSocket) -> None:
        check_origin(socket.headers, call.context.settings.allowed_origins)
        await count(call, ("address", of_one_party(call.ip), self.path), Quota("address", self.per_minute, 60))
        caller = await self.admit(socket, call.context)
        call.caller = caller = replace(caller, request_id=call.request_id, ip=call.ip)
        if not caller.may(self.may):
            raise Forbidden(f"this needs the permission {self.may}; ask an administrator of your tenant for a role that has it")
        with bind_log(tenant=caller.tenant):
            await self.endpoint(socket, caller, call.context)


def check_origin(headers: Headers, allowed: Sequence[str]) -> None:
    """Let a page of our own address, or of an allowed one, open a WebSocket. Who sends no Origin is no browser.

    Browsers ask no leave across origins for WebSockets, so that is ours to do. Raises: Forbidden. Source: RFC 6455, section 10.2.
    """
    origins = headers.getlist("origin")
    if not origins or (len(origins) == 1 and (origins[0] in allowed or _is_ours(origins[0], headers.get("host", "")))):
        return
    raise Forbidden(
        "pages of this origin may not open a WebSocket here; open it from this installation's own address, or let its operator list the "
        "origin in WEFT_ALLOWED_ORIGINS",
        code="origin_refused",
    )


def _is_ours(origin: str, host: str) -> bool:
    """Whether a page's origin is the address it asks at; TLS may end before us, so the scheme is not looked at."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
        return False
    return parts.netloc.lower().removesuffix(default) == host.lower().removesuffix(default)


async def _refuse(call: Call, socket: WebSocket, error: Exception) -> None:
    if socket.application_state is WebSocketState.CONNECTING:
        await socket.send_denial_response(answer(call, error))
        return
    answer(call, error)
    if socket.application_state is WebSocketState.CONNECTED:
        await socket.close(OUR_FAULT, "something went wrong on our side; connect again")
