"""Forwarding a WebSocket to a service in another process: its handshake as it came, its messages both ways as they come."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

OPEN_TIMEOUT_S: Final = 10.0
MAX_MESSAGE_BYTES: Final = 1024 * 1024
QUEUED_MESSAGES: Final = 16
"""Messages read from the service ahead of a reader; behind them it is the service that waits."""
NO_STATUS, BROKEN, NORMAL, TRY_AGAIN = 1005, 1006, 1000, 1013
"""Close codes. The first two are never sent, but stand for what came without one. Source: RFC 6455, section 7.4.1."""
_OF_HANDSHAKE: Final = b"sec-websocket-"

Headers = Sequence[tuple[bytes, bytes]]


class NotReached(Exception):
    """The service did not take part in a handshake."""


async def forward_socket(url: str, target: bytes, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket. url: of the service.  target: path and query as the client wrote them.  headers: to be passed on.

    Raises: NotReached, before anything was answered.
    """
    if (await receive())["type"] != "websocket.connect":
        return
    own = urlsplit(url)
    host = next((value.decode("latin-1") for name, value in headers if name == b"host"), own.netloc)
    passed = [(_text(name), _text(value)) for name, value in headers if name != b"host" and not name.startswith(_OF_HANDSHAKE)]
    offered = [value for name, value in headers if name == b"sec-websocket-protocol"]
    protocols = [Subprotocol(one.strip()) for one in _text(b",".join(offered)).split(",") if one.strip()]
    try:
        # The address names the host that the client asked for, by which a service knows its own pages; the connection goes to the service.
        service = await connect(
            f"ws://{host}{_text(target)}",
            host=own.hostname,
            port=own.port,
            additional_headers=passed,
            subprotocols=protocols or None,
            user_agent_header=None,
            compression=None,
            proxy=None,
            open_timeout=OPEN_TIMEOUT_S,
            ping_interval=None,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=QUEUED_MESSAGES,
        )
    except InvalidStatus as refused:
        await _hand_refusal(refused, send)
        return
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI, ValueError) as error:
        raise NotReached(str(error)) from error
    try:
        await send({"type": "websocket.accept", "subprotocol": service.subprotocol})
        await _both_ways(service, receive, send)
    finally:
        await service.close()


async def _hand_refusal(refused: InvalidStatus, send: Send) -> None:
    answer = refused.response
    kept = ((name.lower(), value) for name, value in answer.headers.raw_items())
    headers = [(name.encode(), value.encode("latin-1")) for name, value in kept if name not in ("connection", "transfer-encoding")]
    await send({"type": "websocket.http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": bytes(answer.body or b""), "more_body": False})


async def _both_ways(service: ClientConnection, receive: Receive, send: Send) -> None:
    """Hand messages on until either side closes, and its closing too."""
    out, back = asyncio.create_task(_out(service, receive)), asyncio.create_task(_back(service, send))
    try:
        done, _ = await asyncio.wait({out, back}, return_when=asyncio.FIRST_COMPLETED)
        if back not in done and isinstance(out.exception(), ConnectionClosed):
            # The service closed while something was on its way to it: what it said last is still to be handed on.
            await asyncio.wait({back})
    finally:
        out.cancel()
        back.cancel()
        await asyncio.gather(out, back, return_exceptions=True)
    client_left = not out.cancelled() and out.exception() is None
    if not client_left and not back.cancelled() and back.exception() is None:
        # Once nobody waits for the client's messages any more: closing reads its answer, and the server lets one read at a time.
        # A service that ended without a word is expected back.
        code = TRY_AGAIN if service.close_code in (None, NO_STATUS, BROKEN) else service.close_code
        await send({"type": "websocket.close", "code": code, "reason": service.close_reason or ""})


async def _out(service: ClientConnection, receive: Receive) -> None:
    """The client's messages, until it closes."""
    while (message := await receive())["type"] == "websocket.receive":
        given = message.get("text")
        await service.send(message["bytes"] if given is None else given)
    await service.close(_sendable(message.get("code")))


async def _back(service: ClientConnection, send: Send) -> None:
    """The service's messages, until it closes."""
    with suppress(ConnectionClosed):
        while True:
            message = await service.recv()
            await send({"type": "websocket.send", "text" if isinstance(message, str) else "bytes": message})


def _sendable(code: int | None) -> int:
    return NORMAL if code in (None, NO_STATUS, BROKEN) else code


def _text(given: bytes) -> str:
    return given.decode("latin-1")
