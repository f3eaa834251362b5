"""What the guarded client makes of servers that are slow, broken, greedy, or point elsewhere."""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from weft_connectors.guarded import GuardedClient, GuardError, Outgoing

from tests.connectors.conftest import TLS_NAME, Names
from tests.connectors.server import Heard, Say, raw, saying, serving

MIB = 1024 * 1024


async def failure_of(client: GuardedClient, say: Say, **more: float | int) -> GuardError:
    async with serving(say) as server:
        with pytest.raises(GuardError) as failure:
            await client.send(Outgoing("GET", server.url, **{"timeout_s": 30.0, **more}))  # type: ignore[arg-type]
    return failure.value


async def test_half_a_body_is_no_answer(client: GuardedClient) -> None:
    error = await failure_of(client, raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"))

    assert (error.code, error.permanent) == ("connect_failed", False)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"x" * 200_000])
async def test_what_is_no_http_is_no_answer(said: bytes, client: GuardedClient) -> None:
    assert (await failure_of(client, raw(said))).code == "connect_failed"


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"])
async def test_a_server_that_stops_talking_runs_out_of_time(said: bytes, client: GuardedClient) -> None:
    error = await failure_of(client, raw(said, then_wait=True), timeout_s=0.2)

    assert (error.code, error.permanent) == ("timeout", False)


async def test_a_server_that_drips_runs_out_of_time_as_a_whole(client: GuardedClient) -> None:
    async def drip(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert (await failure_of(client, drip, timeout_s=0.3)).code == "timeout"


async def test_nobody_at_the_port_is_said_so(client: GuardedClient) -> None:
    async with serving() as server:
        url = server.url
    with pytest.raises(GuardError) as failure:
        await client.send(Outgoing("GET", f"{url}/orders?key=secret"))

    assert failure.value.code == "connect_failed"
    assert "/orders" in failure.value.message and "secret" not in failure.value.message


async def test_a_name_without_an_address_is_said_so(client: GuardedClient) -> None:
    with pytest.raises(GuardError) as failure:
        await client.send(Outgoing("GET", "http://no-such-host.invalid/"))

    assert failure.value.code == "dns_failed"


LARGE: dict[str, Callable[[], Say]] = {
    "declared": lambda: saying(200, b"x" * (MIB + 1)),
    "absurd": lambda: raw(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999999999\r\n\r\n", then_wait=True),
    "endless": lambda: raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 65536] * 17, then_wait=True),
    "gzip bomb": lambda: saying(200, gzip.compress(b"\0" * 200 * MIB, 9), content_encoding="gzip"),
    "deflate bomb": lambda: saying(200, zlib.compress(b"\0" * 50 * MIB, 9), content_encoding="deflate"),
}
"""Made where they are sent: to pack the bombs computes for two seconds, in each process that reads this file."""


@pytest.mark.parametrize("what", LARGE)
async def test_an_answer_larger_than_allowed_is_cut(what: str, client: GuardedClient) -> None:
    error = await failure_of(client, LARGE[what]())

    assert (error.code, error.permanent) == ("response_too_large", True)


def endless(begin: bytes, piece: bytes) -> Say:
    """An answer that never comes to its end, as fast as it is read."""

    async def say(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        while True:
            writer.write(piece)
            await writer.drain()

    return say


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "say",
    [endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 400), endless(CHUNKED, (b"1;" + b"x" * 500 + b"\r\n.\r\n") * 20)],
    ids=["provisional answers", "chunks that are all extension"],
)
async def test_an_answer_that_never_comes_to_its_end_is_cut_by_what_travelled(say: Say, client: GuardedClient) -> None:
    error = await failure_of(client, say, timeout_s=60)

    assert (error.code, error.permanent) == ("response_too_large", True), "it kept the process busy for as long as it was listened to"


async def test_an_answer_of_exactly_the_limit_is_read(client: GuardedClient) -> None:
    async with serving(saying(200, b"x" * MIB)) as server:
        assert len((await client.send(Outgoing("GET", server.url))).body) == MIB


RAW_DEFLATE = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
PACKED = {
    "gzip": gzip.compress(b"hello" * 50_000),
    "x-gzip": gzip.compress(b"hello" * 50_000),
    "deflate": zlib.compress(b"hello" * 50_000),
    "Deflate": RAW_DEFLATE.compress(b"hello" * 50_000) + RAW_DEFLATE.flush(),
    "identity": b"hello" * 50_000,
}


@pytest.mark.parametrize("encoding", PACKED)
async def test_a_packed_answer_is_unpacked(encoding: str, client: GuardedClient) -> None:
    async with serving(saying(200, PACKED[encoding], content_encoding=encoding)) as server:
        assert (await client.send(Outgoing("GET", server.url))).body == b"hello" * 50_000


@pytest.mark.parametrize(
    ("encoding", "body"), [("br", b"x"), ("gzip, gzip", b"x"), ("gzip", b"no"), ("gzip", gzip.compress(b"hello", mtime=0)[:-9])]
)
async def test_an_answer_that_cannot_be_unpacked_is_refused(encoding: str, body: bytes, client: GuardedClient) -> None:
    error = await failure_of(client, saying(200, body, content_encoding=encoding))

    assert (error.code, error.permanent) == ("bad_encoding", True)


def leading_to(location: str, status: int = 302) -> Say:
    return saying(status, b"moved", location=location)


@pytest.mark.parametrize(
    "target", ["http://0.0.0.0:{port}/", "http://[::ffff:0.0.0.0]:{port}/", "//0.0.0.0:{port}/", "http://169.254.169.254/"]
)
async def test_a_redirect_is_checked_like_the_first_address(target: str, client: GuardedClient) -> None:
    async with serving() as sink:
        error = await failure_of(client, leading_to(target.format(port=sink.port)))

    assert (error.code, sink.connections) == ("ssrf_blocked", 0)


@pytest.mark.parametrize(
    ("location", "code"), [("ftp://x/", "ssrf_blocked"), ("http://u:p@127.0.0.1/", "bad_url"), ("http://[", "bad_url")]
)
async def test_a_redirect_to_no_usable_address_is_refused(location: str, code: str, client: GuardedClient) -> None:
    assert (await failure_of(client, leading_to(location))).code == code


async def test_a_circle_of_redirects_ends(client: GuardedClient) -> None:
    async with serving(leading_to("/again")) as server:
        with pytest.raises(GuardError) as failure:
            await client.send(Outgoing("GET", server.url))

    assert (failure.value.code, failure.value.permanent, len(server.heard)) == ("redirect_limit", True, 6)


async def test_a_redirect_is_an_answer_to_who_does_not_follow(client: GuardedClient) -> None:
    async with serving(leading_to("/again")) as server:
        answer = await client.send(Outgoing("GET", server.url, follow_redirects=False))

    assert (answer.status, answer.header("location"), len(server.heard)) == (302, "/again", 1)


async def test_keys_do_not_follow_to_another_host(client: GuardedClient) -> None:
    headers = (
        ("Authorization", "Bearer k"),
        ("X-Api-Key", "k"),
        ("Cookie", "k=k"),
        ("Idempotency-Key", "1"),
        ("Content-Type", "text/plain"),
    )
    async with serving(saying(200, b"there")) as other, serving(leading_to(other.url, 307)) as first:
        answer = await client.send(Outgoing("POST", first.url, headers, b"body"))

    heard = other.heard[0]
    assert (answer.body, heard.method, heard.body, heard.header("idempotency-key")) == (b"there", "POST", b"body", "1")
    assert not {"authorization", "x-api-key", "cookie"} & {name for name, _ in heard.headers}


@pytest.mark.parametrize(
    ("status", "method", "then"), [(301, "POST", "GET"), (303, "PUT", "GET"), (302, "PUT", "PUT"), (308, "POST", "POST")]
)
async def test_the_method_after_a_redirect_is_what_the_standard_says(status: int, method: str, then: str, client: GuardedClient) -> None:
    async def say(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await (leading_to("/then", status) if heard.target == "/" else saying())(heard, writer)

    async with serving(say) as server:
        await client.send(Outgoing(method, server.url + "/", (("Authorization", "k"),), b"body"))

    second = server.heard[1]
    assert (second.method, second.body, second.header("authorization")) == (then, b"" if then == "GET" else b"body", "k")


async def test_cookies_of_one_call_are_not_sent_with_another(client: GuardedClient) -> None:
    async with serving(saying(200, set_cookie="session=1")) as server:
        await client.send(Outgoing("GET", server.url))
        await client.send(Outgoing("GET", server.url))

    assert [heard.header("cookie") for heard in server.heard] == [None, None]
    assert server.connections == 1, "and the connection is used again"


async def test_a_certificate_that_nobody_vouches_for_is_refused(tls: ssl.SSLContext, client: GuardedClient) -> None:
    async with serving(tls=tls) as server:
        with pytest.raises(GuardError) as failure:
            await client.send(Outgoing("GET", f"https://127.0.0.1:{server.port}/"))

    assert (failure.value.code, server.heard) == ("tls_failed", [])


async def test_the_certificate_must_be_the_names_and_not_the_addresses(tls: ssl.SSLContext, certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    client = GuardedClient(allow_private=True, resolve=Names(["127.0.0.1"]), tls=trusting)
    async with serving(saying(200, b"safe"), tls=tls) as server:
        answer = await client.send(Outgoing("GET", f"https://{TLS_NAME}:{server.port}/"))
        with pytest.raises(GuardError) as failure:
            await client.send(Outgoing("GET", f"https://other.test:{server.port}/"))
    await client.aclose()

    assert (answer.body, failure.value.code) == (b"safe", "tls_failed")


@pytest.mark.parametrize(
    ("name", "value"),
    [("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "a\0"), ("X\r\nY", "a"), ("X Y", "a"), ("", "a"), ("X:", "a"), ("Host", "h"),
     ("content-length", "1"),
     ("Transfer-Encoding", "chunked"), ("Connection", "close"), ("Upgrade", "h2c"), ("X", "\ud800"), ("X", "x" * 40_000)],
)  # fmt: skip
async def test_headers_that_could_split_a_request_are_refused(name: str, value: str, client: GuardedClient) -> None:
    async with serving() as server:
        with pytest.raises(GuardError) as failure:
            await client.send(Outgoing("GET", server.url, ((name, value),)))

    assert (failure.value.code, server.connections) == ("bad_request", 0)


async def test_a_request_body_larger_than_allowed_is_not_sent(client: GuardedClient) -> None:
    with pytest.raises(GuardError) as failure:
        await client.send(Outgoing("POST", "http://127.0.0.1/", content=b"x" * (MIB + 1)))

    assert failure.value.code == "bad_request"
