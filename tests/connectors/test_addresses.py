"""Where a request may not go: by address, by name, by trick. What must not be reached sees no connection."""

import asyncio
import socket
import threading
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_connectors.guarded import GuardedClient, GuardError, Outgoing, refusal
from weft_runtime.testing import eventually

from tests.connectors.conftest import Names
from tests.connectors.server import saying, serving

PATIENCE_S = 120.0
LOCAL = (
    "http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/", "http://2130706433:{port}/", "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/", "http://0177.0.0.1:{port}/", "http://017700000001:{port}/", "http://127.0.0.1.:{port}/",
    "http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://0:{port}/", "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/", "http://[::]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/", "http://[64:ff9b::127.0.0.1]:{port}/", "http://[2002:7f00:1::]:{port}/",
    "http://[::127.0.0.1]:{port}/", "http://127。0。0。1:{port}/", "http://①②⑦.⓪.⓪.①:{port}/", "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1%00.example.com:{port}/", "http://example.com@127.0.0.1:{port}/", "http://example.com:80@127.0.0.1:{port}/",
    "http://@127.0.0.1:{port}/", "http://example.com\\@127.0.0.1:{port}/", "http://127.0.0.1:{port}\\@example.com/",
    "http://127.0.0.1:{port}#@example.com/", "http://[::1%25lo]:{port}/", "https://127.0.0.1:{port}/", "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "unix:///tmp/socket", "//127.0.0.1:{port}/", "http:127.0.0.1:{port}/", "/etc",
    "http://127.0.0.1:{port}/\r\nHost: x", " http://127.0.0.1:{port}/", "http://127.0.0.1\t:{port}/", "",
)  # fmt: skip

REFUSED = (
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::",
    "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:a9fe:a9fe::", "2001::1", "2001:db8::1", "100::1", "::10.0.0.1",
)  # fmt: skip


@pytest.mark.parametrize("url", LOCAL)
async def test_no_way_of_writing_this_machine_reaches_it(url: str, strict: GuardedClient) -> None:
    async with serving() as sink:
        with pytest.raises(GuardError) as failure:
            await strict.send(Outgoing("GET", url.format(port=sink.port), timeout_s=5))

    assert failure.value.code in ("ssrf_blocked", "bad_url", "dns_failed")
    assert sink.connections == 0


@pytest.mark.parametrize("address", REFUSED)
def test_a_refused_address_is_named_for_what_it_is(address: str) -> None:
    assert refusal(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::1.1.1.1", "::ffff:1.1.1.1"]
)
def test_a_public_address_is_free(address: str) -> None:
    assert refusal(address) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fd12::1", "::ffff:127.0.0.1"])
def test_a_developer_may_reach_private_addresses(address: str) -> None:
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "100.100.100.200", "0.0.0.0", "224.0.0.1", "::ffff:169.254.169.254", "fd00:ec2::254"]
)
def test_a_metadata_service_is_never_reached(address: str) -> None:
    assert refusal(address, allow_private=True)


@given(st.ip_addresses(v=4))
def test_an_address_in_another_coat_is_judged_as_itself(address: IPv4Address) -> None:
    plain = refusal(str(address)) is None
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        coated = IPv6Address(int(IPv6Address(prefix)) | int(address))
        assert (refusal(str(coated)) is None) is plain


@given(st.ip_addresses(v=4))
def test_what_python_calls_private_is_refused(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert refusal(str(address))


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"], ["0.0.0.0"]])
async def test_a_name_that_leads_to_this_machine_is_refused(answer: list[str]) -> None:
    async with serving() as sink:
        client = GuardedClient(resolve=Names(answer))
        with pytest.raises(GuardError) as failure:
            await client.send(Outgoing("GET", f"http://innocent.example:{sink.port}/"))
        await client.aclose()

    assert (failure.value.code, failure.value.permanent, sink.connections) == ("ssrf_blocked", True, 0)


async def test_a_name_is_asked_for_once_and_its_answer_is_what_is_connected_to() -> None:
    names = Names(["127.0.0.1"], ["0.0.0.0"])
    async with serving(saying(200, b"first")) as sink:
        client = GuardedClient(allow_private=True, resolve=names)
        answer = await client.send(Outgoing("GET", f"http://rebinding.example:{sink.port}/"))
        await client.aclose()

    assert (answer.body, names.asked, sink.connections) == (b"first", ["rebinding.example"], 1)
    assert sink.heard[0].header("host") == f"rebinding.example:{sink.port}"


async def test_names_that_nobody_answers_for_hold_up_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    over = threading.Event()
    look_up = socket.getaddrinfo

    def answer(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if str(host).endswith(".silent.test"):
            asked.append(str(host))
            over.wait(PATIENCE_S)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return look_up("127.0.0.1" if host == "quick.test" else host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    client = GuardedClient(allow_private=True)
    silent = [f"http://n{number}.silent.test/" for number in range(40)]
    patient, hasty = ([asyncio.create_task(client.send(Outgoing("GET", url, timeout_s=s))) for url in silent] for s in (PATIENCE_S, 0.5))
    waiting = [*patient, *hasty]

    async def all_asked() -> bool | None:
        return len(asked) >= 40 or None

    try:
        async with serving(saying(200, b"here")) as server:
            await eventually(all_asked, "each name being asked for")
            await asyncio.wait(hasty)
            answered = await client.send(Outgoing("GET", f"http://quick.test:{server.port}/", timeout_s=PATIENCE_S))
    finally:
        over.set()
    await asyncio.wait(waiting)
    failures = [one.exception() for one in waiting]
    await client.aclose()

    assert answered.body == b"here"
    assert {failure.code for failure in failures if isinstance(failure, GuardError)} <= {"dns_failed", "timeout"}
    assert len(failures) == 80 and None not in failures
    assert len(asked) == len(set(asked)) == 40, "each name is asked for once, however many wait for it"


async def test_a_new_connection_asks_again_and_is_checked_again() -> None:
    names = Names(["127.0.0.1"], ["0.0.0.0"])
    async with serving(saying(200, b"", connection="close")) as sink:
        client = GuardedClient(allow_private=True, resolve=names)
        request = Outgoing("GET", f"http://rebinding.example:{sink.port}/")
        await client.send(request)
        with pytest.raises(GuardError) as failure:
            await client.send(request)
        await client.aclose()

    assert (failure.value.code, sink.connections) == ("ssrf_blocked", 1)


async def test_the_next_address_is_tried_when_one_is_dead() -> None:
    async with serving(saying(200, b"alive")) as server:
        client = GuardedClient(allow_private=True, resolve=Names(["127.0.0.3", "127.0.0.1"]))
        answer = await client.send(Outgoing("GET", f"http://two.example:{server.port}/"))
        await client.aclose()

    assert answer.body == b"alive"


async def test_the_environment_names_no_proxy(client: GuardedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as proxy, serving(saying(200, b"direct")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        answer = await client.send(Outgoing("GET", server.url))

    assert (answer.body, proxy.connections) == (b"direct", 0)
