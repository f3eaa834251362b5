import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.requests import Request
from weft_runtime.errors import Malformed
from weft_runtime.http.problems import MAX_ERRORS
from weft_runtime.http.requests import StrictRequest
from weft_runtime.http.strict_json import MAX_DEPTH, check, decode, encode
from weft_runtime.testing import RunningService

from tests.runtime.sample.app import NoteBody

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b"nul",
        b"NaN",
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'"\x00"',
        b'"\\u0000"',
        b'{"\\u0000": 1}',
        b'[[["a\\u0000b"]]]',
        b'"\\ud800"',
        b'"\\udc00"',
        b'"\\ud800x"',
        b'{"\\udfff": 1}',
        b'"\xed\xa0\x80"',
        b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2),
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"9" * 5000,
        b"9" * 400,
        b"{} {}",
        '{"a": 1}'.encode("utf-16"),
        b"01",
        b'{"a": 1,}',
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'[{"b": {"a": "x:y", "c": {}, "a": null}}]',
    ],
)
def test_what_is_not_plain_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        decode(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"1.5e3", 1500.0),
        (b' {"a": [null, true]} ', {"a": [None, True]}),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
    ],
)
def test_plain_json_is_read_as_it_is(raw: bytes, value: object) -> None:
    assert value is None or decode(raw) == value
    decode(raw)


def test_a_value_decoded_elsewhere_can_be_checked_too() -> None:
    check({"a": [1, "b"]})
    with pytest.raises(Malformed):
        check({"a": ["\x00"]})


def test_a_view_never_shows_a_number_that_json_has_not() -> None:
    assert encode({"a": float("nan"), "b": [float("inf")]}) == b'{"a":null,"b":[null]}'


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b'{"title":"\\u0000"}', JSON, 400, "malformed"),
        (b'{"title":"\\ud800"}', JSON, 400, "malformed"),
        (b'{"title":NaN}', JSON, 400, "malformed"),
        (b"not json", JSON, 400, "malformed"),
        (b"[1]", JSON, 422, "invalid"),
        (b'"text"', JSON, 422, "invalid"),
        (b"null", JSON, 422, "invalid"),
        (b"", JSON, 422, "invalid"),
        (b"", {}, 422, "invalid"),
        (b'{"title":"a"}', {}, 415, "unsupported_media_type"),
        (b'{"title":"a"}', {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        (b"title=a", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        (b'{"title":"a"}', {"Content-Type": "application/json; charset=utf-8"}, 201, None),
        (b'{"title":"a"}', {"Content-Type": "application/vnd.x+json"}, 201, None),
        (b'{"title":"a","stars":"5"}', JSON, 422, "invalid"),
        (b'{"title":"a","stars":5.5}', JSON, 422, "invalid"),
        (b'{"title":"a","stars":true}', JSON, 422, "invalid"),
        (b'{"title":"a","stars":9223372036854775808}', JSON, 422, "value_refused"),
        (b'{"title":"a","data":{"deep":123456789012345678901234567890}}', JSON, 201, None),
        (b'{"title":"' + b"a" * 2_000_000 + b'"}', JSON, 413, "too_large"),
    ],
)
async def test_a_body_is_read_strictly(sample: RunningService, body: bytes, headers: dict[str, str], status: int, code: str | None) -> None:
    answer = await sample.client().post("/api/v1/notes", content=body, headers=headers)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


async def test_a_body_that_comes_in_pieces_is_measured_too(sample: RunningService) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65536
            await asyncio.sleep(0)

    answer = await sample.client().post("/api/v1/notes", content=endless(), headers=JSON)
    assert answer.status_code == 413


async def test_a_declared_length_that_is_none_is_refused(sample: RunningService) -> None:
    for length in ("-1", "1e9", "9" * 30, "٣"):
        headers = [(b"content-type", b"application/json"), (b"content-length", length.encode())]
        answer = await sample.client().post("/api/v1/notes", content=b"{}", headers=headers)
        assert answer.status_code == 413


async def test_a_route_may_read_bytes_of_any_kind(sample: RunningService) -> None:
    answer = await sample.client("acme").post("/api/v1/raw", content=b"\x00\xff", headers={"Content-Type": "application/octet-stream"})
    assert (answer.status_code, answer.json()) == (202, {"size": 2, "tenant": "acme"})


async def test_a_large_body_is_read_while_others_are_served() -> None:
    body = b'{"title":"a","data":{' + b",".join(b'"k%d":[%d]' % (number, number) for number in range(60_000)) + b"}}"
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", b"application/json")]})
    strict = StrictRequest(request, body)
    await strict.read_document()
    running.cancel()
    assert len((await strict.json())["data"]) == 60_000
    assert turns > 1


@pytest.mark.parametrize("text", ["plain", '10:30, a \\" quote: and a \\\\', "\\u003a"])
def test_names_that_come_twice_are_found_in_long_bodies_too(text: str) -> None:
    members = ", ".join(f'"k{number}": {{"t": "{text}"}}' for number in range(10_000))
    assert len(decode(f"{{{members}}}".encode())) == 10_000
    for again in ('"k1": 1', '"\\u006b1": 1', '"k": {"a": 1, "a": 1}'):
        with pytest.raises(Malformed) as refused:
            decode(f"{{{members}, {again}}}".encode())
        assert refused.value.code == "duplicate_key"


async def test_of_very_many_unknown_members_few_are_named_and_no_more_are_looked_at(sample: RunningService, tenant: str) -> None:
    looked = 0

    class Name(str):
        def __hash__(self) -> int:
            nonlocal looked
            looked += 1
            return super().__hash__()

    body: dict[str, Any] = {"title": "t", **{Name(f"k{number}"): number for number in range(50_000)}}
    looked = 0
    with pytest.raises(ValidationError) as wrong:
        NoteBody.model_validate(body)
    assert (wrong.value.error_count(), looked < 1_000) == (MAX_ERRORS, True)
    answer = await sample.client(tenant).post("/api/v1/notes", json={"title": "t", **{f"k{number}": number for number in range(50_000)}})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"], len(answer.json()["errors"])) == (422, "/k0", MAX_ERRORS)
