"""Whatever a client sends, it gets an answer below 500 in the form of a problem or of a view."""

import json
import urllib.parse
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.types import Message
from weft_runtime.testing import RunningService, service_client

from tests.runtime.sample.app import door

FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
PATHS = sorted({route.path for route in door.routes()} - {"/api/v1/bug"})
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"]
TEXTS = st.text(max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.just("\x00") | st.just("\ud800") | st.integers(10**30, 10**40),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXTS | st.sampled_from(["title", "stars", "inner", "data"]), inner, max_size=4)
    ),
    max_leaves=12,
)
NOTES = st.fixed_dictionaries(
    {},
    optional={
        "title": JSON | st.sampled_from(["a", "said", "\x00", "😀"]),
        "stars": JSON | st.integers(-(2**70), 2**70),
        "kind": JSON,
        "data": st.dictionaries(TEXTS, JSON, max_size=3) | JSON,
        "inner": st.lists(st.dictionaries(st.sampled_from(["name", "due", "x"]), JSON, max_size=3), max_size=3) | JSON,
        "other": JSON,
    },
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Content-Type",
            "Idempotency-Key",
            "If-Match",
            "If-None-Match",
            "traceparent",
            "X-Request-Id",
            "Content-Length",
            "Accept",
            "Range",
            "Cookie",
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60).map(str.strip)
    | st.sampled_from(["application/json", "*", '"1"', "00-" + "0" * 32 + "-" + "0" * 16 + "-00", "key", "5"]),
    max_size=4,
)


async def answered(
    sample: RunningService, method: str, target: str, headers: dict[str, str], body: bytes, token: str | None
) -> httpx2.Response:
    async with service_client(sample.app) as client:
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        if token is not None:
            raw.append((b"authorization", token.encode("latin-1")))
        answer = await client.request(method, target, headers=raw, content=body)
    assert answer.status_code < 500, (method, target, headers, body, answer.text)
    if answer.status_code >= 400 and method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"]
    return answer


def signed(sample: RunningService) -> str:
    return f"Bearer {sample.issuer.token('fuzz', ['admin'])}"


@FUZZ
@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode("utf-8", "replace")))
@example(body=b'{"title":"\\ud800"}')
async def test_any_body_is_answered(sample: RunningService, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    await answered(sample, "POST", "/api/v1/notes", headers, body, signed(sample))


@FUZZ
@given(note=NOTES)
async def test_any_note_is_answered(sample: RunningService, note: dict[str, Any]) -> None:
    body = json.dumps({"title": "a", **note}).encode()
    answer = await answered(sample, "POST", "/api/v1/notes", {"Content-Type": "application/json"}, body, signed(sample))
    if answer.status_code == 201:
        read = await answered(sample, "GET", answer.headers["location"], {}, b"", signed(sample))
        assert read.json()["id"] == answer.json()["id"]


@FUZZ
@given(
    method=st.sampled_from(METHODS),
    path=st.sampled_from(PATHS),
    value=st.text(max_size=30),
    query=st.dictionaries(st.sampled_from(["limit", "cursor", "title", "least", "x"]) | TEXTS, TEXTS | st.integers().map(str), max_size=4),
    headers=HEADERS,
    body=st.binary(max_size=50),
)
async def test_any_request_is_answered(
    sample: RunningService, method: str, path: str, value: str, query: dict[str, str], headers: dict[str, str], body: bytes
) -> None:
    quoted = urllib.parse.quote(value.encode("utf-8", "replace"), safe="")
    for name in ("note_id", "title", "stars"):
        path = path.replace(f"{{{name}}}", quoted or "x")
    target = f"{path}?{urllib.parse.urlencode(query, errors='replace')}"
    await answered(sample, method, target, headers, body, signed(sample))


@FUZZ
@given(token=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80))
@example(token="Bearer ")
@example(token="Bearer a.b.c")
@example(token="Bearer weft_")
@example(token="Bearer eyJhbGciOiJub25lIn0.e30.")
async def test_any_token_is_refused(sample: RunningService, token: str) -> None:
    answer = await answered(sample, "GET", "/api/v1/notes", {}, b"", token.strip())
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_head_that_is_too_large_is_refused(sample: RunningService) -> None:
    signed_in = signed(sample)
    many = {f"x-{number}": "y" for number in range(101)}
    for target, headers in (("/api/v1/notes?x=" + "y" * 8192, {}), ("/api/v1/notes", many), ("/api/v1/notes", {"x": "y" * 33_000})):
        answer = await answered(sample, "GET", target, headers, b"", signed_in)
        assert (answer.status_code, answer.json()["code"]) == (431, "headers_too_large")


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"a"), (b"host", b"b")],
        [(b"host", b"a"), (b"transfer-encoding", b"gzip, chunked")],
        [(b"host", b"a"), (b"transfer-encoding", b"chunked"), (b"content-length", b"2")],
        [(b"host", b"a"), (b"transfer-encoding", b"identity")],
        [],
    ],
)
async def test_a_request_that_two_readers_would_read_differently_is_refused(
    sample: RunningService, headers: list[tuple[bytes, bytes]]
) -> None:
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/api/v1/notes", "raw_path": b"/api/v1/notes", "query_string": b"",
        "headers": [*headers, (b"authorization", signed(sample).encode()), (b"content-type", b"application/json")],
    }  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b'{"title":"a"}', "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await sample.app(scope, receive, send)
    assert (sent[0]["status"], json.loads(sent[1]["body"])["code"]) == (400, "malformed")
