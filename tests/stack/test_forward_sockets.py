"""Forwarding a WebSocket to a service in another process: its handshake, its messages both ways, its end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol
from weft.edge import Edge
from weft.forward import Forward
from weft.rooms import NAMES
from weft.stack import ports

from tests.stack.test_forward import served

PATIENCE_S = 60


class Talker:
    """Tells what it was asked, says each message again, and closes as it is told; refuses at /refuse."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        if scope["path"].endswith("/refuse"):
            await socket.send_denial_response(JSONResponse({"code": "teapot"}, 418, headers={"X-Why": "tea"}))
            return
        await socket.accept("second" if "second" in socket.headers.get("sec-websocket-protocol", "") else None)
        names = ("host", "origin", "authorization", "x-forwarded-for")
        asked = {name: socket.headers.get(name) for name in names}
        await socket.send_json({"path": scope["path"], "query": scope["query_string"].decode(), **asked})
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    raise WebSocketDisconnect(message.get("code", 0))
                if message.get("text") == "close":
                    await socket.close(4321, "as asked")
                    return
                if message.get("text") == "vanish":
                    return
                await send({**message, "type": "websocket.send"})
        except WebSocketDisconnect as left:
            self.closed.set_result(left.code)


@asynccontextmanager
async def through(talker: Talker, path: str, *protocols: str, **headers: str) -> AsyncIterator[tuple[ClientConnection, str]]:
    """A client behind the edge, and where it is."""
    async with asyncio.timeout(PATIENCE_S), served(talker) as url, edge_of(url) as edge:
        offered = [Subprotocol(one) for one in protocols] or None
        async with connect(f"{edge}{path}", subprotocols=offered, additional_headers=headers, proxy=None) as socket:
            yield socket, edge


@asynccontextmanager
async def edge_of(url: str) -> AsyncIterator[str]:
    forward = Forward("gateway", url)
    async with served(Edge(dict.fromkeys(NAMES, forward))) as edge:
        yield edge.replace("http:", "ws:")
    await forward.close()


async def test_a_handshake_arrives_as_it_was_sent_and_messages_go_both_ways() -> None:
    talker = Talker()
    headers = {"Origin": "https://page.example", "Authorization": "Bearer t"}
    async with through(talker, "/api/live?topics=a%2Cb", "first", "second", **headers) as (socket, edge):
        asked = json.loads(await socket.recv())
        assert socket.subprotocol == "second"
        assert (asked["path"], asked["query"]) == ("/api/v1/live", "topics=a%2Cb")
        assert (asked["host"], asked["origin"], asked["authorization"]) == (edge.removeprefix("ws://"), *headers.values())
        assert asked["x-forwarded-for"] == "127.0.0.1"
        for message in ("text \u20ac", b"\x00bytes", "x" * 100_000):
            await socket.send(message)
            assert await socket.recv() == message


async def test_what_a_service_closes_with_reaches_the_client_and_the_other_way_round() -> None:
    talker = Talker()
    async with through(talker, "/") as (socket, _):
        await socket.recv()
        await socket.send("close")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert (socket.close_code, socket.close_reason) == (4321, "as asked")
    talker = Talker()
    async with through(talker, "/") as (socket, _):
        await socket.close(4567)
        assert await talker.closed in (4567, 1005)


async def test_a_service_that_ends_without_a_word_is_expected_back() -> None:
    async with through(Talker(), "/") as (socket, _):
        await socket.recv()
        await socket.send("vanish")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code in (1013, 1000, 1001)


async def test_a_refusal_is_handed_on_and_a_service_that_is_away_is_a_503() -> None:
    async with served(Talker()) as url, edge_of(url) as edge:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"{edge}/refuse", proxy=None):
                pass
    answer = refused.value.response
    assert (answer.status_code, answer.headers["x-why"], json.loads(answer.body or b"")) == (418, "tea", {"code": "teapot"})
    async with edge_of(f"http://{ports.LOOPBACK}:{ports.choose()}") as edge:
        with pytest.raises(InvalidStatus) as away:
            async with connect(edge, proxy=None):
                pass
    assert (away.value.response.status_code, json.loads(away.value.response.body or b"")["code"]) == (503, "service_unavailable")
