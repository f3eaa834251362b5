"""The front of a service: around every request, whatever becomes of it, a trace, a line in the log, a count, and the security headers."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import structlog
from opentelemetry.trace import SpanKind
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from weft_runtime.clock import new_id
from weft_runtime.errors import Invalid, Malformed
from weft_runtime.http import problems
from weft_runtime.http.addresses import Network, client_address
from weft_runtime.http.call import SCOPE_KEY, Call
from weft_runtime.http.paths import kept_apart
from weft_runtime.telemetry.metrics import Metrics
from weft_runtime.telemetry.tracing import span

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.-]{8,128}")
MAX_TARGET_BYTES = 8192
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024
WEBSOCKET = "WEBSOCKET"
"""What stands for the method of a WebSocket in counts and logs: its time is how long it was open."""
_OF_SOCKETS = {"websocket.accept": 101, "websocket.close": 403}
"""The status that the first message of a WebSocket amounts to where it is no answer of HTTP."""
SHOWN_METHOD = 20
"""Characters of a method that are written down: it may be any word, of any length."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
"""Set on every answer that does not set them itself."""


class HeadTooLarge(Invalid):
    """The request's address or headers are larger than we read. 431."""

    status, code = 431, "headers_too_large"


class Front:
    """The outermost layer of a service's ASGI application. trusted: proxies whose word on the client's address is believed."""

    def __init__(self, app: ASGIApp, metrics: Metrics, log: FilteringBoundLogger, trusted: Sequence[Network] = ()) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one WebSocket for as long as it is open."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        call = scope[SCOPE_KEY] = Call(_request_id(scope), client_address(scope, self._trusted))
        method = scope["method"][:SHOWN_METHOD] if scope["type"] == "http" else WEBSOCKET
        if method == "HEAD":
            # What can be read has a head: the same answer without its body.
            call.head = True
            scope = {**scope, "method": "GET"}
        began = time.perf_counter()
        self._metrics.began()
        status = 500
        started = False

        async def sending(message: Message) -> None:
            nonlocal status, started
            if not started:
                started, status = True, _OF_SOCKETS.get(message["type"]) or message["status"]
                if "status" in message:
                    message["headers"] = _with_ours(message.get("headers", ()), call)
            elif call.head:
                message = {**message, "body": b""}
            await send(message)

        with (
            structlog.contextvars.bound_contextvars(request_id=call.request_id),
            span(f"{method} request", kind=SpanKind.SERVER, traceparent=_header(scope, b"traceparent")) as current,
        ):
            try:
                await self._serve(scope, receive, sending)
            except Exception as error:  # noqa: BLE001
                # Nothing may pass here: a bug in the door itself is answered like any other.
                call.code = "internal_error"
                self._metrics.internal_error("http")
                self._log.error("internal error", route=call.route, exc_info=error)
                if not started:
                    await problems.internal_error()(scope, receive, sending)
            finally:
                seconds = time.perf_counter() - began
                if current.is_recording():
                    current.update_name(f"{method} {call.route}")
                    current.set_attributes({"http.request.method": method, "http.route": call.route, "http.response.status_code": status})
                self._metrics.answered(method, call.route, status, seconds)
                self._tell(call, method, status, seconds)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(scope)
        if refusal is not None:
            scope[SCOPE_KEY].code = refusal.code
            await problems.from_weft_error(refusal)(scope, receive, send)
            return
        await self._app(kept_apart(scope), receive, send)

    def _tell(self, call: Call, method: str, status: int, seconds: float) -> None:
        told: dict[str, Any] = {"method": method, "route": call.route, "status": status, "duration_ms": round(seconds * 1000, 1)}
        if call.caller is not None:
            told |= {"tenant": call.caller.tenant, "caller": call.caller.sub}
        if status >= 400:
            self._log.info("request refused", code=call.code, **told)
        else:
            self._log.debug("request", **told)


def _refusal(scope: Scope) -> Invalid | None:
    """Why this request line or its headers are refused before anything reads them, None where they are fine."""
    path: str = scope["path"]
    query: bytes = scope["query_string"]
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if len(query) + len(path) > MAX_TARGET_BYTES:
        return HeadTooLarge(f"the address is longer than {MAX_TARGET_BYTES} bytes")
    if len(headers) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES:
        return HeadTooLarge(f"the request has more than {MAX_HEADERS} headers or {MAX_HEADER_BYTES} bytes of them")
    if "\x00" in path or b"%00" in query or b"\x00" in query:
        return Malformed("the address holds a NUL character; remove it")
    try:
        path.encode()
    except UnicodeEncodeError:
        return Malformed("the address is not UTF-8")
    names = {name for name, _ in headers}
    if b"content-length" in names and b"transfer-encoding" in names:
        # Two readers that each believe another one of them see different requests.
        return Malformed("the request has both Content-Length and Transfer-Encoding; send one")
    if any(name == b"transfer-encoding" and value.strip().lower() != b"chunked" for name, value in headers):
        return Malformed("the only Transfer-Encoding that is read is chunked; send the body as it is")
    hosts = sum(name == b"host" for name, _ in headers)
    if hosts > 1 or (hosts == 0 and scope.get("http_version") == "1.1"):
        # Source: RFC 9112, section 3.2. Whoever stands before us may have gone by another one than those behind us.
        return Malformed("the request has to name its host once, in one Host header")
    return None


def _with_ours(headers: Any, call: Call) -> list[tuple[bytes, bytes]]:
    kept = [(bytes(name), bytes(value)) for name, value in headers]
    names = {name.lower() for name, _ in kept}
    ours = SECURITY_HEADERS | call.headers | {"X-Request-Id": call.request_id}
    kept.extend((name.encode(), value.encode("latin-1")) for name, value in ours.items() if name.lower().encode() not in names)
    return kept


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else str(new_id())


def _header(scope: Scope, name: bytes) -> str | None:
    found = [value for known, value in scope["headers"] if known == name]
    return found[0].decode("latin-1") if len(found) == 1 else None
