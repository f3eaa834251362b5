"""The activity `http.request`: from a rendered `with` to an output, or to the error that authors know by its code."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from weft_connectors.activity import Activities, ActivityCall, ActivityError
from weft_connectors.http.asking import FIELDS
from weft_connectors.http.calling import http_request
from weft_connectors.plug import CODES, Plug, Plugged
from weft_language.actions.http import REQUEST

from tests.connectors.server import Heard, Say, saying, serving

KEY = "0190:pay:1"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
async def request_() -> AsyncIterator[Plugged]:
    activity = Plugged(http_request, Plug(allow_private=True))
    yield activity
    await activity.aclose()


def call(**given: Any) -> ActivityCall:
    return ActivityCall("http.request", given, KEY, "acme", UUID(int=1), "pay", 1, 1, None, TRACE)


async def sent(activity: Plugged, path: str = "/", **given: Any) -> Heard:
    """What a server hears of a call."""
    async with serving() as server:
        await activity(call(url=server.url + path, **given))
    return server.heard[0]


async def got(activity: Plugged, say: Say, **given: Any) -> Any:
    async with serving(say) as server:
        return await activity(call(url=server.url, **given))


async def failed(activity: Plugged, say: Say | None = None, **given: Any) -> ActivityError:
    async with serving(say) as server:
        with pytest.raises(ActivityError) as failure:
            await activity(call(**{"url": server.url, **given}))
    return failure.value


def test_the_connector_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Activities.installed(allow_private_addresses=True, of_another_connector=1).get("http.request")

    assert isinstance(found, Plugged)
    assert found.run is http_request


@pytest.mark.parametrize(("said", "code"), [("", "http_blocked"), ("true", "http_unreachable")])
async def test_the_environment_opens_private_addresses_where_nobody_says(said: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_ALLOW_PRIVATE_ADDRESSES", said)
    async with serving() as server:
        url = server.url
    activities = Activities.installed()
    with pytest.raises(ActivityError) as failure:
        await activities.get("http.request")(call(url=url))
    await activities.aclose()

    assert failure.value.code == code


def test_the_fields_and_codes_are_those_of_the_language() -> None:
    assert set(REQUEST.with_.model_fields) == FIELDS
    assert {*(f"http_{code}" for code in CODES.values()), "http_status", "http_other_origin"} == {code for code, _ in REQUEST.errors}


async def test_every_call_carries_its_key_and_its_trace(request_: Plugged) -> None:
    heard = await sent(request_)

    assert (heard.header("idempotency-key"), heard.header("traceparent"), heard.header("content-length")) == (KEY, TRACE, None)


async def test_the_authors_own_key_wins(request_: Plugged) -> None:
    heard = await sent(request_, headers={"idempotency-key": "mine", "X-Count": 3, "X-Sure": True, "X-None": None})

    assert [value for name, value in heard.headers if name == "idempotency-key"] == ["mine"]
    assert (heard.header("x-count"), heard.header("x-sure"), heard.header("x-none")) == ("3", "true", None)


@pytest.mark.parametrize(
    ("given", "body", "content_type"),
    [
        ({"body": {"amount": 10**30, "to": "Zoë"}}, '{"amount":1000000000000000000000000000000,"to":"Zoë"}', "application/json"),
        ({"body": "plain"}, "plain", "text/plain; charset=utf-8"),
        ({"body": "<a/>", "headers": {"Content-Type": "text/xml"}}, "<a/>", "text/xml"),
        ({"body": [1], "headers": {"content-type": "application/vnd.api+json"}}, "[1]", "application/vnd.api+json"),
        ({"form": {"a": "x & y", "b": 2, "c": None}}, "a=x+%26+y&b=2", "application/x-www-form-urlencoded"),
        ({"body": None}, "", None),
    ],
)
async def test_a_body_is_sent_as_what_it_is(given: dict[str, Any], body: str, content_type: str | None, request_: Plugged) -> None:
    heard = await sent(request_, method="post", **given)

    assert (heard.method, heard.body.decode(), heard.header("content-type")) == ("POST", body, content_type)


async def test_a_query_is_added_to_the_address(request_: Plugged) -> None:
    heard = await sent(request_, "/find?a=1#part", query={"q": "x&y=ü", "tag": ["r", None, 2], "no": None, "on": True})

    assert heard.target == "/find?a=1&q=x%26y%3D%C3%BC&tag=r&tag=2&on=true"


@pytest.mark.parametrize(
    ("response", "content_type", "body", "value"),
    [
        ("auto", "application/json; charset=utf-8", b'{"a":[1,null]}', {"a": [1, None]}),
        ("auto", "application/problem+json", b"{}", {}),
        ("auto", "text/plain", b'{"a":1}', '{"a":1}'),
        ("auto", "text/plain; charset=ISO-8859-1", b"Zo\xeb", "Zoë"),
        ("auto", "application/json", b"", None),
        ("json", "text/plain", b"\xef\xbb\xbf[1]", [1]),
        ("text", "application/json", b"[1]", "[1]"),
        ("base64", "image/png", b"\0\xff", base64.b64encode(b"\0\xff").decode()),
    ],
)
async def test_an_answer_is_read_as_asked(response: str, content_type: str, body: bytes, value: Any, request_: Plugged) -> None:
    output = await got(request_, saying(200, body, content_type=content_type, X_Seen="1"), response=response)

    assert (output["status"], output["headers"]["x-seen"], output["body"]) == (200, "1", value)


@pytest.mark.parametrize(
    ("response", "content_type", "body"),
    [("json", "text/html", b"<html>"), ("auto", "application/json", b"{"), ("json", "", b"NaN"),
     ("json", "", b'"\\ud800"'), ("json", "", b'["\\u0000"]'),
     ("json", "", b"[" * 100_000), ("auto", "image/png", b"\x89PNG\xff"), ("text", "", b"a\0b"),
     ("text", "text/plain; charset=punycode", b"x")],
)  # fmt: skip
async def test_a_body_that_cannot_be_kept_is_refused(response: str, content_type: str, body: bytes, request_: Plugged) -> None:
    error = await failed(request_, saying(200, body, content_type=content_type), response=response)

    assert (error.code, error.permanent) == ("http_bad_response", True)


@pytest.mark.parametrize(
    ("status", "permanent"), [(400, True), (404, True), (408, False), (425, False), (429, False), (500, False), (503, False), (302, False)]
)
async def test_a_status_that_is_not_expected_is_an_error(status: int, permanent: bool, request_: Plugged) -> None:
    say = saying(status, b'{"code":"broke"}', content_type="application/json", set_cookie="secret")
    error = await failed(request_, say)

    assert (error.code, error.permanent, error.details["status"], error.details["body"]) == (
        "http_status",
        permanent,
        status,
        {"code": "broke"},
    )
    assert "secret" not in json.dumps(error.details)


@pytest.mark.parametrize(("expect", "status"), [([404], 404), (["4xx"], 410), (["2xx", 302], 302)])
async def test_an_expected_status_is_success(expect: list[Any], status: int, request_: Plugged) -> None:
    assert (await got(request_, saying(status), expect=expect))["status"] == status


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT", "date": "Wed, 21 Oct 2015 07:27:30 GMT"}, 30.0),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry_after": "99999999999"}, 86_400.0),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
async def test_the_service_says_when_to_ask_again(headers: dict[str, str], seconds: float | None, request_: Plugged) -> None:
    assert (await failed(request_, saying(429, b"", **headers))).retry_after_s == seconds


@pytest.mark.parametrize(
    "given",
    [{"headers": {"Content_Length": "0"}}, {"headers": {"TRANSFER_ENCODING": "chunked"}}, {"url": ""}, {"url": 7},
      {"method": "BREW"}, {"method": 1}, {"headers": {"Host": "x"}}, {"headers": {"X": "a\r\nb"}},
     {"headers": {"X": [1]}}, {"headers": "x"}, {"query": {"a": {}}}, {"query": {"a": "\ud800"}},
     {"body": 1, "form": {}}, {"body": "\ud800"}, {"expect": []},
     {"timeout_s": 0}, {"timeout_s": True}, {"timeout_s": 301}, {"response": "xml"}, {"follow_redirects": "yes"}, {"verify": False}],
)  # fmt: skip
async def test_a_call_that_makes_no_request_is_said_so(given: dict[str, Any], request_: Plugged) -> None:
    error = await failed(request_, **given)

    assert (error.code, error.permanent) == ("http_bad_request", True)


async def test_a_slow_service_is_told_from_a_dead_one(request_: Plugged) -> None:
    async def never(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    error = await failed(request_, never, timeout_s=0.2)

    assert (error.code, error.permanent, error.details["reason"]) == ("http_timeout", False, "timeout")


async def test_keys_are_not_written_to_the_log(request_: Plugged, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await sent(request_, "/?key=hush", headers={"Authorization": "Bearer hush"})

    assert "hush" not in caplog.text
