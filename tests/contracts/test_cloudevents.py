"""CloudEvents 1.0.2: what is written is read again in every mode, and what is none is refused with where and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_contracts.cloudevents import (
    CloudEvent,
    CloudEventError,
    read_amqp,
    read_http,
    write_amqp,
    write_batch,
    write_http,
    write_structured,
)
from weft_contracts.cloudevents.http import text_of

ORDER = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.placed"}
STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}

names = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True).filter(
    lambda name: name not in {"id", "source", "type", "subject", "time", "data", "specversion", "dataschema", "datacontenttype"}
)
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"]).filter(lambda c: ord(c) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(c) <= 0xFDEF),
    min_size=1,
)
values = st.booleans() | st.integers(-(2**31), 2**31 - 1) | texts
uris = st.from_regex(r"[a-z]{1,8}:(/[A-Za-z0-9._~-]{1,8}){0,3}(%[0-9A-F]{2})?", fullmatch=True)
times = st.datetimes(timezones=st.just(UTC))
json_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | json_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(json_texts, inner, max_size=3),
    max_leaves=8,
)
contents = (
    st.tuples(st.sampled_from(["application/json", "application/vnd.shop+json; charset=utf-8"]), json_values)
    | st.tuples(st.sampled_from(["text/plain", "application/xml;charset=UTF-8"]), st.none() | json_texts.filter(bool))
    | st.tuples(st.sampled_from(["image/png", "text/plain; charset=latin-1", None]), st.none() | st.binary(min_size=1))
)


@st.composite
def events(draw: st.DrawFn, *, extensions: st.SearchStrategy[Any] = values) -> CloudEvent:
    media_type, data = draw(contents)
    return CloudEvent(
        id=draw(texts),
        source=draw(uris),
        type=draw(texts),
        data=data,
        subject=draw(st.none() | texts),
        time=draw(st.none() | times),
        datacontenttype=media_type,
        dataschema=draw(st.none() | uris),
        extensions=draw(st.dictionaries(names, extensions, max_size=3)),
    )


@given(events())
def test_a_structured_event_is_read_as_it_was_written(event: CloudEvent) -> None:
    assert read_http(*write_http(event)) == ([event], False)
    assert read_amqp(*write_amqp(event)) == [event]


@given(st.lists(events(), max_size=4))
def test_a_batch_is_read_as_it_was_written(batch: list[CloudEvent]) -> None:
    assert read_http(*write_http(batch)) == (batch, True)
    assert read_amqp(*write_amqp(batch)) == batch


@given(events(extensions=texts))
def test_a_binary_event_over_http_is_read_as_it_was_written(event: CloudEvent) -> None:
    headers, body = write_http(event, binary=True)
    assert all(" " <= character <= "~" for value in headers.values() for character in value)
    assert read_http(headers, body) == ([event], False)


@given(events())
def test_a_binary_event_over_amqp_keeps_the_types_of_its_extensions(event: CloudEvent) -> None:
    assert read_amqp(*write_amqp(event, binary=True)) == [event]


@given(st.booleans() | st.integers(-(2**31), 2**31 - 1))
def test_over_http_an_extension_becomes_its_canonical_text(value: bool | int) -> None:
    event = CloudEvent(id="1", source="s", type="t", extensions={"level": value})
    [read], _ = read_http(*write_http(event, binary=True))
    assert read.extensions == {"level": text_of(value)}


def test_json_is_named_in_binary_mode_when_the_event_named_no_type() -> None:
    headers, body = write_http(CloudEvent(id="1", source="s", type="t", data={"a": 1}), binary=True)
    assert (headers["content-type"], body) == ("application/json", b'{"a":1}')


def test_headers_of_other_names_and_amqp_timestamps_and_bytes_are_understood() -> None:
    headers = {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": b"1",
        "cloudEvents_source": "/shop",
        "cloudEvents_type": "t",
        "cloudEvents_time": datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=1))),
        "x-death": 3,
    }
    [event] = read_amqp("application/json", headers, b"[1]")
    assert event == CloudEvent(
        id="1", source="/shop", type="t", data=[1], time=datetime(2026, 1, 2, 2, tzinfo=UTC), datacontenttype="application/json"
    )


def test_plain_json_without_ce_headers_is_a_structured_event() -> None:
    [event], batch = read_http({"content-type": "application/json"}, json.dumps(ORDER | {"data": {"total": 3}}).encode())
    assert (event.type, event.data, batch) == ("order.placed", {"total": 3}, False)


def test_a_quoted_and_percent_encoded_header_is_read_as_its_text() -> None:
    headers = {"ce-id": '"a\\"b%20c"', "ce-source": "/s", "ce-type": "t", "ce-specversion": "1.0", "ce-subject": "Euro%20%E2%82%AC"}
    [event], _ = read_http(headers, b"")
    assert (event.id, event.subject, event.data) == ('a"b c', "Euro €", None)


def test_null_attributes_are_absent_ones() -> None:
    [event], _ = read_http(STRUCTURED, json.dumps(ORDER | {"subject": None, "time": None, "data": None}).encode())
    assert event == CloudEvent(id="1", source="/shop", type="order.placed")


def test_bytes_that_say_they_are_json_are_read_as_json() -> None:
    [event], _ = read_http(STRUCTURED, json.dumps(ORDER | {"datacontenttype": "application/json", "data_base64": "WzFd"}).encode())
    assert event.data == [1]


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"specversion": None}, "/specversion", "missing_attribute"),
        ({"specversion": "0.3"}, "/specversion", "unsupported_specversion"),
        ({"specversion": 1.0}, "/specversion", "unsupported_specversion"),
        ({"id": None}, "/id", "missing_attribute"),
        ({"id": ""}, "/id", "bad_attribute"),
        ({"id": 7}, "/id", "bad_attribute"),
        ({"type": "a\u0007b"}, "/type", "bad_attribute"),
        ({"type": "a\ufffe"}, "/type", "bad_attribute"),
        ({"source": "with space"}, "/source", "bad_attribute"),
        ({"source": "%zz"}, "/source", "bad_attribute"),
        ({"subject": ""}, "/subject", "bad_attribute"),
        ({"dataschema": "relative"}, "/dataschema", "bad_attribute"),
        ({"datacontenttype": "json"}, "/datacontenttype", "bad_attribute"),
        ({"time": "yesterday"}, "/time", "bad_attribute"),
        ({"time": "2026-01-01T00:00:00"}, "/time", "bad_attribute"),
        ({"time": "2026-02-30T00:00:00Z"}, "/time", "bad_attribute"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "/time", "bad_attribute"),
        ({"Tenant": "x"}, "/Tenant", "bad_attribute"),
        ({"my/key~": "x"}, "/my~1key~0", "bad_attribute"),
        ({"level": 1.5}, "/level", "bad_attribute"),
        ({"level": 2**31}, "/level", "bad_attribute"),
        ({"level": {"a": 1}}, "/level", "bad_attribute"),
        ({"data": 1, "data_base64": "AA=="}, "/data_base64", "bad_data"),
        ({"data_base64": "A"}, "/data_base64", "bad_data"),
        ({"data_base64": 5}, "/data_base64", "bad_data"),
        ({"data": {"a": 1}, "datacontenttype": "text/plain"}, "/data", "bad_data"),
        ({"data": "€", "datacontenttype": "text/plain; charset=latin-1"}, "/data", "bad_data"),
        ({"data_base64": "/w==", "datacontenttype": "text/plain"}, "/data_base64", "not_utf8"),
        ({"data_base64": "Iv8i", "datacontenttype": "application/json"}, "/data_base64", "not_utf8"),
        ({"data": {"deep": ["\0"]}}, "", "nul_character"),
        ({"data": {"a\0b": 1}}, "", "nul_character"),
    ],
)
def test_a_broken_rule_is_named_with_its_pointer(change: dict[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(CloudEventError) as refused:
        read_http(STRUCTURED, json.dumps(ORDER | change).encode())
    assert (refused.value.problems[0].pointer, refused.value.problems[0].code) == (pointer, code)


def test_all_broken_rules_are_named_at_once_and_a_batch_says_in_which_event() -> None:
    body = json.dumps([ORDER, ORDER | {"id": "", "source": "a b"}, 3]).encode()
    with pytest.raises(CloudEventError) as refused:
        read_http({"content-type": "application/cloudevents-batch+json"}, body)
    assert [(p.pointer, p.code) for p in refused.value.problems] == [
        ("/1/id", "bad_attribute"),
        ("/1/source", "bad_attribute"),
        ("/2", "not_a_cloudevent"),
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[", b"NaN", b'{"id":"\\ud800"}', b"\xff", b"[" * 100_000, b"[" * 90 + b"]" * 90, b"1" * 5000, b"1" * 400, b'{"a":1e999}'],
)
def test_bytes_that_are_not_json_are_refused(body: bytes) -> None:
    with pytest.raises(CloudEventError) as refused:
        read_http(STRUCTURED, body)
    assert refused.value.code in {"not_json", "not_utf8"}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "not_a_cloudevent"),
        ({"content-type": "text/plain"}, "not_a_cloudevent"),
        ({"content-type": "application/cloudevents+avro"}, "unsupported_format"),
        ({"ce-id": "1"}, "missing_attribute"),
        ({"ce-id": "%ff", "ce-source": "s", "ce-type": "t", "ce-specversion": "1.0"}, "bad_attribute"),
        ({"ce-id": "1", "ce-source": "s", "ce-type": "t", "ce-specversion": "1.0", "ce-datacontenttype": "a/b"}, "bad_attribute"),
        ({"ce-id": "1", "ce-source": "s", "ce-type": "t", "ce-specversion": "1.0", "content-type": "application/json"}, "not_json"),
        ({"ce-id": "1", "ce-source": "s", "ce-type": "t", "ce-specversion": "1.0", "content-type": "text/plain"}, "nul_character"),
    ],
)
def test_an_http_message_that_is_no_event_is_refused(headers: dict[str, str], code: str) -> None:
    with pytest.raises(CloudEventError) as refused:
        read_http(headers, b"hello\0")
    assert refused.value.code == code


@given(
    st.binary(max_size=60),
    st.dictionaries(st.sampled_from(["ce-id", "ce-source", "ce-type", "ce-time", "content-type"]), st.text(max_size=12)),
)
def test_whatever_comes_is_an_event_or_refused(body: bytes, headers: dict[str, str]) -> None:
    try:
        found, _ = read_http({"ce-specversion": "1.0"} | headers, body)
    except CloudEventError as refused:
        assert refused.problems
    else:
        assert all(write_structured(event) for event in found)
        assert write_batch(found)


@given(
    st.none() | st.text(max_size=30),
    st.dictionaries(st.sampled_from(["cloudEvents:id", "cloudEvents:type", "other"]), json_values),
    st.binary(max_size=30),
)
def test_whatever_comes_over_amqp_is_an_event_or_refused(content_type: str | None, headers: dict[str, Any], body: bytes) -> None:
    try:
        read_amqp(content_type, headers, body)
    except CloudEventError as refused:
        assert refused.problems
