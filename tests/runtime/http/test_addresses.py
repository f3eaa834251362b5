"""Whose requests are counted together: headers that anybody can write change nothing, those of a proxy that is named do."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from weft_runtime.http.addresses import client_address, of_one_party
from weft_runtime.testing import RunningService, running_service

from tests.runtime.sample.app import build

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
SPOOFS = ("Forwarded", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP")


def scope_of(peer: str, *forwarded: str) -> dict[str, Any]:
    return {"client": (peer, 1), "headers": [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]}


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.5", (), "203.0.113.5"),
        ("203.0.113.5", ("1.2.3.4",), "203.0.113.5"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("1.2.3.4",), "1.2.3.4"),
        ("10.0.0.1", ("6.6.6.6, 1.2.3.4",), "1.2.3.4"),
        ("10.0.0.1", ("6.6.6.6", "1.2.3.4"), "1.2.3.4"),
        ("10.0.0.1", ("6.6.6.6, 1.2.3.4, 10.2.0.9",), "1.2.3.4"),
        ("10.0.0.1", ("10.0.0.7, 10.0.0.8",), "10.0.0.7"),
        ("10.0.0.1", ("1.2.3.4:5678",), "1.2.3.4"),
        ("fd00::1", ("[2001:db8::1]:443",), "2001:db8::1"),
        ("10.0.0.1", ("::ffff:1.2.3.4",), "1.2.3.4"),
        ("::ffff:10.0.0.1", ("1.2.3.4",), "1.2.3.4"),
        ("10.0.0.1", ("6.6.6.6, unknown, 10.0.0.2",), "10.0.0.2"),
        ("10.0.0.1", ("' OR 1=1 --",), "10.0.0.1"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", ("1.2.3.4," * 5000 + "10.0.0.3",), "1.2.3.4"),
        ("10.0.0.1", ("6.6.6.6," + "10.0.0.3," * 5000 + "10.0.0.4",), "10.0.0.3"),
        ("", ("1.2.3.4",), ""),
    ],
)
def test_only_what_a_trusted_proxy_saw_is_believed(peer: str, forwarded: tuple[str, ...], address: str) -> None:
    assert client_address(scope_of(peer, *forwarded), PROXIES) == address


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_any_header_gives_an_address(text: str) -> None:
    assert client_address(scope_of("10.0.0.1", text), PROXIES)
    assert client_address(scope_of("203.0.113.5", text), PROXIES) == "203.0.113.5"


def test_addresses_that_one_party_chooses_freely_count_as_one() -> None:
    assert of_one_party("2001:db8:1:2::7") == of_one_party("2001:db8:1:2:ffff::1") != of_one_party("2001:db8:1:3::7")
    assert (of_one_party("203.0.113.5"), of_one_party("")) == ("203.0.113.5", "")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def proxied(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url, name="sample", trusted_proxies=PROXIES) as running:
        yield running


def from_(running: RunningService, peer: str, **headers: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(running.app, client=(peer, 1))
    return httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers)


async def test_a_limit_by_address_is_not_passed_by_headers_and_holds_for_each_behind_a_proxy(proxied: RunningService) -> None:
    async def statuses(peer: str, count: int, header: str, form: str) -> list[int]:
        found = []
        for number in range(count):
            async with from_(proxied, peer, **{header: form.format(number)}) as client:
                found.append((await client.post("/api/v1/login", json={"name": "x"})).status_code)
        return found

    for last, header in enumerate(("X-Forwarded-For", *SPOOFS)):
        assert await statuses(f"203.0.113.{last}", 4, header, "198.51.100.{}") == [200, 200, 200, 429], header
    assert await statuses("2001:db8::1", 3, "X-Forwarded-For", "{}") == [200, 200, 200]
    assert await statuses("2001:db8::2", 1, "X-Forwarded-For", "{}") == [429], "an address of the same network"
    assert await statuses("10.0.0.1", 8, "X-Forwarded-For", "198.51.100.{}") == [200] * 8
    assert await statuses("10.0.0.1", 4, "X-Forwarded-For", "{}, 198.51.100.77") == [200, 200, 200, 429]
