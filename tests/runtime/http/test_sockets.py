"""WebSockets at the door: who may open one, and that each refusal and each fault has an answer."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from starlette.datastructures import Headers
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from weft_runtime.auth import Caller, Permission
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Forbidden, Unauthenticated
from weft_runtime.http import Door
from weft_runtime.http.application import application
from weft_runtime.http.server import HttpServer
from weft_runtime.http.sockets import check_origin
from weft_runtime.testing import RunningService

PATIENCE_S = 60
ROLES = {"viewer": ("viewer",), "nobody": (), "odd": ("viewer",)}


async def by_name(socket: WebSocket, context: ServiceContext) -> Caller:
    name = socket.query_params.get("as", "")
    if name == "bug":
        raise RuntimeError("canary of a bug")
    if name not in ROLES:
        raise Unauthenticated("nobody is called so")
    return Caller(name, "acme", ROLES[name])


def door() -> Door:
    made = Door("talking")

    @made.socket("/talk", may=Permission.LIVE_READ, admit=by_name, per_minute=1000)
    async def talk(socket: WebSocket, caller: Caller, context: ServiceContext) -> None:
        await socket.accept()
        if caller.sub == "odd":
            raise RuntimeError("canary of a bug")
        await socket.send_text(f"{caller.sub} of {caller.tenant}, {await socket.receive_text()}")
        await socket.close(4000, "said")

    @made.socket("/rare", may=Permission.LIVE_READ, admit=by_name, per_minute=1)
    async def rare(socket: WebSocket, caller: Caller, context: ServiceContext) -> None:
        await socket.accept()
        await socket.close()

    return made


@pytest.fixture
async def url(sample: RunningService) -> AsyncIterator[str]:
    server = HttpServer(application(Door("whole").include(door()), sample.context), "127.0.0.1", 0)
    await server.start()
    yield f"ws://127.0.0.1:{server.port}/api/v1"
    await server.stop()


async def refusal(url: str, **headers: str) -> tuple[int, str]:
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(InvalidStatus) as error:
            async with connect(url, additional_headers=headers, proxy=None, open_timeout=PATIENCE_S) as socket:
                await socket.recv()
    answer = error.value.response
    assert "canary" not in (answer.body or b"").decode()
    assert (answer.headers["x-content-type-options"], "x-request-id" in answer.headers) == ("nosniff", True)
    return answer.status_code, json.loads(answer.body or b"{}")["code"]


async def test_who_may_opens_it_and_talks(url: str) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(f"{url}/talk?as=viewer", proxy=None) as socket:
        await socket.send("hello")
        assert await socket.recv() == "viewer of acme, hello"
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert (socket.close_code, socket.close_reason) == (4000, "said")


@pytest.mark.parametrize(
    ("query", "headers", "answer"),
    [
        ("", {}, (401, "unauthenticated")),
        ("?as=nobody", {}, (403, "forbidden")),
        ("?as=bug", {}, (500, "internal_error")),
        ("?as=viewer", {"Origin": "https://evil.example"}, (403, "origin_refused")),
        ("?as=%00", {}, (400, "malformed")),
    ],
)
async def test_a_refusal_is_the_problem_document_of_any_route(
    url: str, query: str, headers: dict[str, str], answer: tuple[int, str]
) -> None:  # fmt: skip
    assert await refusal(f"{url}/talk{query}", **headers) == answer


async def test_more_handshakes_than_an_address_may_make_are_refused(url: str) -> None:
    async with connect(f"{url}/rare?as=viewer", proxy=None):
        pass
    assert await refusal(f"{url}/rare?as=viewer") == (429, "rate_limited")


async def test_a_bug_while_it_is_open_closes_it_and_shows_nothing(url: str) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(f"{url}/talk?as=odd", proxy=None) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert (socket.close_code, "canary" in (socket.close_reason or "")) == (1011, False)


async def test_what_is_no_websocket_of_ours_is_refused(url: str) -> None:
    with pytest.raises(InvalidStatus) as error:
        async with connect(f"{url}/nothing", proxy=None):
            pass
    assert error.value.response.status_code in (403, 404)


@pytest.mark.parametrize(
    ("origins", "host"),
    [
        ((), "weft.example"),
        (("https://weft.example",), "weft.example"),
        (("http://weft.example:8080",), "weft.example:8080"),
        (("https://WEFT.example",), "weft.example:443"),
        (("https://weft.example:443",), "weft.example"),
        (("https://app.example",), "weft.example"),
    ],
)
def test_a_page_of_our_own_address_or_of_an_allowed_one_may(origins: tuple[str, ...], host: str) -> None:
    raw = [(b"origin", one.encode()) for one in origins] + [(b"host", host.encode())]
    check_origin(Headers(raw=raw), ["https://app.example"])


@pytest.mark.parametrize(
    "origins",
    [
        ("https://evil.example",),
        ("null",),
        ("",),
        ("https://weft.example.evil.example",),
        ("https://weft.example/",),
        ("https://weft.example:8443",),
        ("ftp://weft.example",),
        ("https://[weft.example",),
        ("https://weft.example", "https://evil.example"),
        ("https://user@weft.example",),
    ],
)
def test_any_other_page_may_not(origins: tuple[str, ...]) -> None:
    raw = [(b"origin", one.encode()) for one in origins] + [(b"host", b"weft.example")]
    with pytest.raises(Forbidden):
        check_origin(Headers(raw=raw), [])
