"""The server: what happens between the socket and the application."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Message, Receive, Scope, Send
from weft_runtime.http import server as server_module
from weft_runtime.http.server import HttpServer

PATIENCE_S, LONG_S = 40.0, 90.0
"""A bound on what comes in moments, and what is waited out by nobody here: who would wait so long is seen to wait."""


class Application:
    """Answers `ok`, slowly on /slow, for ever on /stream, and counts what it read on /body."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.entered = asyncio.Event()
        self.streaming = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.entered.set()
        try:
            await self._answer(scope["path"], receive, send)
        finally:
            self.ended.append(scope["path"])

    async def _answer(self, path: str, receive: Receive, send: Send) -> None:
        if path == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
            while True:
                await send({"type": "http.response.body", "body": b"data: x\n\n", "more_body": True})
                self.streaming.set()
                await asyncio.sleep(0.02)
        if path == "/much":
            sending = asyncio.create_task(without_end(send))
            await receive()  # the request
            while (await receive())["type"] != "http.disconnect":
                pass
            self.left.set()
            sending.cancel()
        if path == "/slow":
            await asyncio.sleep(0.5)
        if path == "/stuck":
            await asyncio.sleep(3600)
        size = 0
        if path == "/body":
            message: Message = {"more_body": True}
            while message.get("more_body"):
                message = await receive()
                size += len(message.get("body", b""))
        body = f"ok {size}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})


async def without_end(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})


@asynccontextmanager
async def serving(application: Application) -> AsyncIterator[HttpServer]:
    server = HttpServer(application, "127.0.0.1", 0)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def exchange(port: int, raw: bytes) -> bytes:
    """What the server sends until it closes. Raises: TimeoutError where it does not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    try:
        writer.write(raw)
        async with asyncio.timeout(PATIENCE_S):
            while part := await reader.read(65536):
                received += part
    except ConnectionResetError:
        pass
    finally:
        writer.close()
    return received


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "host: a", "connection: close", *headers, "", ""]).encode("latin-1")


async def test_many_servers_share_one_loop() -> None:
    application = Application()
    async with serving(application) as one, serving(application) as two:
        answers = await asyncio.gather(*(exchange(server.port, get("/")) for server in (one, two) for _ in range(20)))
    assert all(answer.endswith(b"ok 0") for answer in answers)


async def test_a_port_that_is_taken_is_refused_and_free_again_after_the_stop() -> None:
    async with serving(Application()) as first:
        with pytest.raises(OSError, match="cannot listen"):
            HttpServer(Application(), "127.0.0.1", first.port)
    second = HttpServer(Application(), "127.0.0.1", first.port)
    assert second.port == first.port
    await second.stop()


async def test_a_half_sent_head_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert server_module.HEADER_TIMEOUT_S <= 5
    monkeypatch.setattr(server_module, "HEADER_TIMEOUT_S", 0.5)
    async with serving(Application()) as server:
        assert await exchange(server.port, b"GET / HTTP/1.1\r\nhost: a\r\nx-half") == b""


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: \x00\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_and_the_server_lives(raw: bytes) -> None:
    async with serving(Application()) as server:
        answer = await exchange(server.port, raw)
        assert not answer.startswith(b"HTTP/1.1 2")
        assert (await exchange(server.port, get("/"))).endswith(b"ok 0")


async def test_stopping_finishes_what_runs_and_ends_streams_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "GRACE_S", LONG_S)
    application, other = Application(), Application()
    async with serving(application) as server, serving(other) as streaming:
        slow = asyncio.create_task(exchange(server.port, get("/slow")))
        stream = asyncio.create_task(exchange(streaming.port, get("/stream")))
        await asyncio.wait_for(asyncio.gather(application.entered.wait(), other.streaming.wait()), PATIENCE_S)
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(server.stop(), streaming.stop())
        assert (await slow).endswith(b"ok 0")
        assert b"data: x" in await stream


async def test_stopping_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "GRACE_S", 0.2)
    application = Application()
    async with serving(application) as server:
        stuck = asyncio.create_task(exchange(server.port, get("/stuck")))
        await asyncio.wait_for(application.entered.wait(), PATIENCE_S)
        async with asyncio.timeout(PATIENCE_S):
            await server.stop()
        await stuck
    assert application.ended == ["/stuck"]


async def test_a_body_in_chunks_arrives_whole() -> None:
    async with serving(Application()) as server:
        raw = (
            b"POST /body HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n"
        )
        assert (await exchange(server.port, raw)).endswith(b"ok 8")


async def test_who_asks_before_sending_a_body_is_refused_at_once_and_not_told_to_send_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "SWALLOW_S", LONG_S)
    async with serving(Application()) as server:
        asking = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 5000000\r\n\r\n"
        answer = await exchange(server.port, asking)
        assert answer.startswith(b"HTTP/1.1 200") and b"100 Continue" not in answer


async def test_who_asks_before_sending_a_body_is_told_to_send_it_where_it_is_read() -> None:
    async with serving(Application()) as server:
        asking = b"POST /body HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nab"
        answer = await exchange(server.port, asking)
        assert answer.endswith(b"ok 2")


async def test_who_takes_nothing_of_an_answer_is_let_go_and_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "WRITE_TIMEOUT_S", 0.5)
    application = Application()
    async with serving(application) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as stuck:
            stuck.sendall(get("/much"))
            await application.entered.wait()
            assert (await exchange(server.port, get("/"))).endswith(b"ok 0")
            async with asyncio.timeout(PATIENCE_S):
                await application.left.wait()
            assert (await exchange(server.port, get("/"))).endswith(b"ok 0")
