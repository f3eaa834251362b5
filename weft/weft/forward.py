"""Forwarding a request to a service in another process, bodies and event streams as they come."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx2
from opentelemetry.trace import SpanKind
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from weft_runtime.errors import Unavailable
from weft_runtime.http import problems
from weft_runtime.telemetry.tracing import current_traceparent, span

from weft.forward_socket import NotReached, forward_socket

# Of one connection and not of the message. Source: RFC 9110, section 7.6.1.
HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"})
# The trace goes on with our own part of it. A body that was asked for is on its way already: nobody behind us has to be asked again.
NOT_PASSED_ON = HOP_BY_HOP | {b"traceparent", b"expect", b"x-forwarded-for"}
CONNECT_TIMEOUT_S = 2.0


class Forward:
    """An ASGI application that stands for a service at `url`."""

    def __init__(self, name: str, url: str) -> None:
        self._name = name
        self._url = url
        # No read timeout: an event stream is silent for as long as nothing happens.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=64)
        timeout = httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S)
        self._client = httpx2.AsyncClient(base_url=url, timeout=timeout, limits=limits, trust_env=False, follow_redirects=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; 503 while the service cannot be reached."""
        given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)
        method = scope["method"][:20] if scope["type"] == "http" else "WEBSOCKET"
        with span(f"{method} forward", kind=SpanKind.CLIENT, traceparent=given):
            headers = [(name, value) for name, value in scope["headers"] if name not in NOT_PASSED_ON]
            headers.append((b"x-forwarded-for", _seen(scope)))
            headers.append((b"traceparent", (current_traceparent() or "").encode()))
            if scope["type"] == "http":
                await self._forward(headers, scope, receive, send)
                return
            try:
                await forward_socket(self._url, _target(scope), headers, scope, receive, send)
            except NotReached:
                await self._silent()(scope, receive, send)

    async def _forward(self, headers: list[tuple[bytes, bytes]], scope: Scope, receive: Receive, send: Send) -> None:
        heard = _Heard(receive)
        names = {name for name, _ in scope["headers"]}
        body = heard.body() if b"content-length" in names or b"transfer-encoding" in names else None
        # The target as it came: what decided whose request it is must be what its owner reads, dots and all.
        asked = self._client.build_request("GET", "/", headers=headers, content=body, extensions={"target": _target(scope)})
        asked.method = scope["method"]
        try:
            answer = await self._client.send(asked, stream=True)
        except httpx2.HTTPError:
            if not heard.left:
                await self._silent()(scope, receive, send)
            return
        try:
            await _hand_over(answer, heard, send)
        finally:
            await answer.aclose()

    def _silent(self) -> Response:
        silent = f"the service {self._name} does not answer; try again shortly"
        return problems.from_weft_error(Unavailable(silent, code="service_unavailable", retry_after_s=1))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _seen(scope: Scope) -> bytes:
    """Whom those before us say they saw, and whom we see. What of it counts is for those behind us to say."""
    said = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return b", ".join([*said, (scope.get("client") or ("unknown",))[0].encode()])


def _target(scope: Scope) -> bytes:
    """The path and query as the client wrote them."""
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope["query_string"]
    return path.partition(b"?")[0] + (b"?" + query if query else b"")


class _Heard:
    """What the client sends: its body, and that it left."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._whole = False
        self.left = False

    async def body(self) -> AsyncIterator[bytes]:
        """The body in the pieces it comes in. Raises: httpx2.ReadError when the client leaves before its end."""
        while not self._whole:
            message: Message = await self._receive()
            if message["type"] == "http.disconnect":
                self.left = True
                raise httpx2.ReadError("the client left")
            self._whole = not message.get("more_body", False)
            yield message.get("body", b"")

    async def leaves(self) -> None:
        """Return when the client is gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _hand_over(answer: httpx2.Response, heard: _Heard, send: Send) -> None:
    """Send the answer on; stop as soon as the client leaves, or a stream would be read for nobody."""
    headers = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in HOP_BY_HOP]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    pump = asyncio.create_task(_pump(answer, send))
    leaving = asyncio.create_task(heard.leaves())
    await asyncio.wait({pump, leaving}, return_when=asyncio.FIRST_COMPLETED)
    pump.cancel()
    leaving.cancel()
    pumped, _ = await asyncio.gather(pump, leaving, return_exceptions=True)
    if isinstance(pumped, httpx2.HTTPError):
        # The head is sent: only a connection that breaks can tell the client that this is not the whole answer.
        raise pumped


async def _pump(answer: httpx2.Response, send: Send) -> None:
    async for piece in answer.aiter_raw():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
