"""Forwarding to a service in another process: whole bodies, streams as they come, honest refusals."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from starlette.types import Receive, Scope, Send
from weft.edge import Edge
from weft.forward import Forward
from weft.rooms import NAMES
from weft.stack import ports
from weft_runtime.http import server as http_server
from weft_runtime.http.server import HttpServer


class Upstream:
    """A service that tells what it was asked, streams until its reader leaves, and can end in the middle."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more and scope["path"] != "/refuse":
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = dict(scope["headers"])
        told = [
            (b"x-method", scope["method"].encode()),
            (b"x-path", scope.get("raw_path") or scope["path"].encode()),
            (b"x-query", scope["query_string"]),
        ]
        told += [(b"x-seen-" + name, headers[name]) for name in (b"authorization", b"traceparent", b"connection") if name in headers]
        if scope["path"] == "/stream":
            await self._stream(receive, send)
            return
        await send({"type": "http.response.start", "status": 413 if scope["path"] == "/refuse" else 201, "headers": told})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _stream(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: first\n\n", "more_body": True})
        await self.go_on.wait()
        await send({"type": "http.response.body", "body": b"data: second\n\n", "more_body": True})
        if (await receive())["type"] == "http.disconnect":
            self.left.set()


@asynccontextmanager
async def served(app: object) -> AsyncIterator[str]:
    server = HttpServer(app, ports.LOOPBACK, 0)  # type: ignore[arg-type]
    await server.start()
    try:
        yield f"http://{ports.LOOPBACK}:{server.port}"
    finally:
        await server.stop()


@asynccontextmanager
async def edge_of(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    forward = Forward("engine", url)
    async with served(Edge(dict.fromkeys(NAMES, forward))) as edge, httpx2.AsyncClient(base_url=edge, timeout=60) as client:
        yield client
    await forward.close()


async def test_method_path_query_headers_and_body_arrive_as_sent() -> None:
    async with served(Upstream()) as url, edge_of(url) as client:
        body = bytes(range(256)) * 2000
        answer = await client.post("/a%2Fb/c?x=%20y&x=2", content=body, headers={"Authorization": "Bearer t", "Connection": "keep-alive"})
    assert (answer.status_code, answer.content) == (201, body)
    assert (answer.headers["x-query"], answer.headers["x-seen-authorization"]) == ("x=%20y&x=2", "Bearer t")
    assert answer.headers["x-path"] in {"/a%2Fb/c", "/a/b/c"}


@pytest.mark.parametrize("line", ["GET /api/v1/tasks/../../../metrics", "GET /api/v1/user-tasks/./a//b;c%2f?q", "get /api/v1/me"])
async def test_the_first_line_arrives_as_it_was_sent_whatever_it_is(line: str) -> None:
    async with served(Upstream()) as url, edge_of(url) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(f"{line} HTTP/1.1\r\nHost: weft\r\nConnection: close\r\n\r\n".encode())
        answer = (await asyncio.wait_for(reader.read(), 60)).decode()
        writer.close()
    method, target = line.split(" ")
    assert (f"x-method: {method}\r\n" in answer, f"x-path: {target.partition('?')[0]}\r\n" in answer) == (True, True)


@pytest.mark.parametrize("path", ["/metrics", "/%6detrics", "/health/ready", "/health/live", "/openapi.json"])
async def test_what_a_services_own_port_serves_is_not_at_the_edge(path: str) -> None:
    async with served(Upstream()) as url, edge_of(url) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"], len(answer.json()["trace_id"])) == (404, "not_found", 32)


async def test_a_trace_goes_on_through_the_edge() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with served(Upstream()) as url, edge_of(url) as client:
        answer = await client.get("/", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert answer.headers["x-seen-traceparent"].split("-")[1] == trace
    assert answer.headers["x-seen-traceparent"].split("-")[2] != "00f067aa0ba902b7"


async def test_a_stream_is_handed_on_piece_by_piece_and_ends_when_its_reader_leaves() -> None:
    upstream = Upstream()
    async with served(upstream) as url, edge_of(url) as client:
        async with client.stream("GET", "/stream") as answer:
            pieces = answer.aiter_raw()
            first = await anext(pieces)
            upstream.go_on.set()
            second = await anext(pieces)
        await asyncio.wait_for(upstream.left.wait(), 60)
    assert (first, second) == (b"data: first\n\n", b"data: second\n\n")


async def test_a_service_that_is_away_is_a_503_with_a_trace() -> None:
    async with edge_of(f"http://{ports.LOOPBACK}:{ports.choose()}") as client:
        answer = await client.post("/api/v1/events", json={"a": 1})
    problem = answer.json()
    assert (answer.status_code, problem["code"], answer.headers["retry-after"]) == (503, "service_unavailable", "1")
    assert len(problem["trace_id"]) == 32


async def test_a_chunked_body_is_handed_on() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 1000

    async with served(Upstream()) as url, edge_of(url) as client:
        answer = await client.post("/", content=pieces())
    assert (answer.status_code, answer.content) == (201, b"x" * 20_000)


async def test_a_refusal_is_seen_by_a_client_that_is_still_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "SWALLOW_S", 60.0)  # so long a busy machine may take to send it
    async with served(Upstream()) as url, edge_of(url) as client:
        answer = await client.post("/refuse", content=b"x" * 4 * 2**20)
    assert answer.status_code == 413
