"""`http.request` by a connection: relative addresses, credentials for its origin alone, and answers that do not repeat them."""

import base64
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.http.calling import http_request
from weft_connectors.http.connecting import address
from weft_connectors.plug import Plug, Plugged

from tests.connectors.server import Heard, Say, saying, serving

TOKEN = "canary-token-of-acme"
BASIC, BASIC_WITHOUT_PASSWORD = (base64.b64encode(text.encode()).decode() for text in ('acme:canary "password', "k:"))
USER = {"username": "acme", "password": 'canary "password'}
BASE = "https://api.example.com/v2"


def connection(secrets: Mapping[str, str] | None = None, type_: str = "http", **settings: Any) -> OpenConnection:
    return OpenConnection("bank", type_, {"base_url": BASE, **settings}, secrets or {})


async def requested(given: OpenConnection, say: Say | None = None, **asked: Any) -> Any:
    """What `http.request` gives by a connection."""

    async def read(tenant: str, name: str) -> OpenConnection:
        assert (tenant, name) == ("acme", "bank")
        return given

    activity = Plugged(http_request, Plug(allow_private=True, connections=read))
    input_ = {"connection": "bank", "url": "/", **asked}
    try:
        return await activity(ActivityCall("http.request", input_, "0190:pay:1", "acme", UUID(int=1), "pay", 1, 1))
    finally:
        await activity.aclose()


async def heard_by(secrets: Mapping[str, str], settings: Mapping[str, Any], **asked: Any) -> Heard:
    """What a server hears of a call by a connection to it."""
    async with serving() as server:
        await requested(connection(secrets, **{"base_url": f"{server.url}/v2", **settings}), **asked)
    return server.heard[0]


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("orders", f"{BASE}/orders"),
        ("/orders/7?all=1", f"{BASE}/orders/7?all=1"),
        ("?q=a:b", f"{BASE}?q=a:b"),
        ("//evil.example/x", f"{BASE}/evil.example/x"),
        ("@evil.example/", f"{BASE}/@evil.example/"),
        ("https://api.example.com/other", "https://api.example.com/other"),
        ("HTTPS://API.example.com:443/other", "HTTPS://API.example.com:443/other"),
    ],
)
def test_an_address_is_relative_to_the_connection_or_at_its_origin(url: str, whole: str) -> None:
    assert address(connection(), url) == whole


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/", "http://api.example.com/", "https://api.example.com:8443/", "https://api.example.com.evil.example/",
        "https://evil.example@api.example.net/", "javascript:alert(1)", "localhost:8080/x", "https:evil.example", "https:///evil.example",
    ],
)  # fmt: skip
async def test_an_address_at_another_origin_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(ActivityError) as refused:
        await requested(connection({"token": TOKEN}, auth="bearer"), url=url)
    assert (refused.value.code, refused.value.permanent) == ("http_other_origin", True)
    assert TOKEN not in refused.value.message


@pytest.mark.parametrize("url", ["../admin", "orders/../../admin", "orders/%2e%2e/admin", "orders\\..\\admin"])
def test_an_address_that_goes_up_is_refused(url: str) -> None:
    with pytest.raises(ActivityError) as refused:
        address(connection(), url)
    assert (refused.value.code, refused.value.permanent) == ("http_bad_request", True)


@pytest.mark.parametrize(
    ("settings", "secrets", "header", "value"),
    [
        ({"auth": "bearer"}, {"token": TOKEN}, "authorization", f"Bearer {TOKEN}"),
        ({"auth": "basic"}, USER, "authorization", f"Basic {BASIC}"),
        ({"auth": "basic"}, {"username": "k"}, "authorization", f"Basic {BASIC_WITHOUT_PASSWORD}"),
        ({"auth": "header", "header": "X-Key"}, {"value": TOKEN}, "x-key", TOKEN),
        ({"auth": "none"}, {}, "authorization", None),
    ],
)
async def test_the_service_is_told_who_asks(settings: dict[str, Any], secrets: dict[str, str], header: str, value: str | None) -> None:
    heard = await heard_by(secrets, settings, url="/orders", query={"a": 1})
    assert (heard.target, heard.header(header)) == ("/v2/orders?a=1", value)


async def test_headers_of_the_connection_are_sent_unless_the_node_gives_its_own() -> None:
    heard = await heard_by({}, {"headers": {"X-A": "of all", "X-B": "of all"}}, headers={"x-b": "own"})
    assert (heard.header("x-a"), [value for name, value in heard.headers if name == "x-b"]) == ("of all", ["own"])


async def test_a_node_does_not_send_what_the_connection_sends() -> None:
    with pytest.raises(ActivityError, match="sends Authorization itself") as refused:
        await heard_by({"token": TOKEN}, {"auth": "bearer"}, headers={"authorization": "mine"})
    assert (refused.value.code, refused.value.permanent) == ("http_bad_request", True)


async def test_no_other_origin_gets_the_credentials_and_none_gets_them_back() -> None:
    """There and back: what led away does not bring them home either."""
    async with serving() as home:

        async def lead_back(heard: Heard, writer: Any) -> None:
            await saying(302, location=f"{home.url}/end")(heard, writer)

        async with serving(lead_back) as other:

            async def lead_away(heard: Heard, writer: Any) -> None:
                await saying(302, location=f"{other.url}/elsewhere")(heard, writer)

            async with serving(lead_away) as first:
                given = connection({"token": TOKEN}, base_url=first.url, auth="bearer", headers={"X-Team": "sales"})
                await requested(given)
                assert [one.header("authorization") for one in first.heard] == [f"Bearer {TOKEN}"]
        assert [(one.target, one.header("authorization"), one.header("x-team")) for one in other.heard] == [("/elsewhere", None, None)]
    assert [(one.target, one.header("authorization")) for one in home.heard] == [("/end", None)]


async def test_a_redirect_within_the_origin_keeps_them() -> None:
    async def lead(heard: Heard, writer: Any) -> None:
        say = saying(302, location="/end") if heard.target == "/v2/" else saying(200)
        await say(heard, writer)

    async with serving(lead) as server:
        await requested(connection({"token": TOKEN}, base_url=f"{server.url}/v2", auth="bearer"))
    assert [one.header("authorization") for one in server.heard] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.parametrize(("status", "response"), [(200, "auto"), (200, "text"), (200, "base64"), (401, "auto"), (500, "text")])
async def test_a_service_that_repeats_what_it_was_sent_brings_no_secret_into_a_history(status: int, response: str) -> None:
    async def echo(heard: Heard, writer: Any) -> None:
        sent = str(heard.header("authorization"))
        plain = f'{sent} canary "password'
        body = b'{"heard": "' + sent.encode() + b'", "password": "canary \\"password", "quoted": "canary%20%22password"}'
        await saying(status, body, content_type="application/json", x_echo=plain)(heard, writer)

    async with serving(echo) as server:
        given = connection(USER, base_url=server.url, auth="basic")
        try:
            told = str(await requested(given, response=response))
        except ActivityError as error:
            told = f"{error.message} {error.details}"
    shown = told + (base64.b64decode(told.split("'body': '")[1].split("'")[0]).decode() if response == "base64" else "")
    assert [found for found in (BASIC, 'canary "password', 'canary \\"password', "canary%20") if found in shown] == []
    assert "***" in shown


@pytest.mark.parametrize(
    ("secrets", "body"),
    [({"username": "ann@acme.example", "password": TOKEN}, "ann@acme.example ***"), ({"username": TOKEN}, "ann@acme.example ***")],
)
async def test_whom_a_service_took_us_for_is_no_secret_beside_a_password(secrets: dict[str, str], body: str) -> None:
    async with serving(saying(200, f"ann@acme.example {TOKEN}".encode())) as server:
        answer = await requested(connection(secrets, base_url=server.url, auth="basic"))
    assert answer["body"] == body


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (connection(type_="webhook"), "connection_unusable"),
        (connection(auth="bearer"), "connection_unusable"),
        (None, "unknown_connection"),
    ],
)
async def test_what_cannot_be_gone_by_is_a_permanent_error(given: OpenConnection | None, code: str) -> None:
    with pytest.raises(ActivityError) as refused:
        if given is None:
            call = ActivityCall("http.request", {"connection": "bank", "url": "/"}, "k", "acme", UUID(int=1), "n", 1, 1)
            await http_request(call, Plug())
        else:
            await requested(given)
    assert (refused.value.code, refused.value.permanent) == (code, True)


def test_nothing_that_shows_a_connection_shows_its_secrets() -> None:
    assert TOKEN not in repr(connection({"token": TOKEN}))
