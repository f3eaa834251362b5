"""Calls of webhooks, without a database: what a body says by its type, what expressions read, and who is let in where."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_events import domain, hooks
from weft_events.domain import Candidate, Received
from weft_events.errors import EventTooLarge, HookNotFound, MethodNotAllowed, UnsupportedBody, Unverified
from weft_events.hooks import Admitted, Call, Secrets
from weft_runtime.errors import Malformed, WeftError

from tests.services.events.signing import SECRET, signed

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
SECRETS = {"gh": Secrets((SECRET,)), "shop": Secrets((SECRET,), "x-shop-sign"), "other": Secrets(("other",))}


def call(body: bytes = b"", content_type: str | None = JSON, method: str = "POST", query: str = "", **headers: str) -> Call:
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return Call("acme", "in", method, query, named | ({"content-type": [content_type]} if content_type is not None else {}), body)


def candidates(*triggers: dict[str, Any]) -> list[Candidate]:
    written = [{"on": "webhook", "path": "in", "id": f"t{place}", "signature": "none"} | trigger for place, trigger in enumerate(triggers)]
    return domain.candidates("flow", 1, written)


def admitted(made: Call, *triggers: dict[str, Any]) -> Admitted:
    found = hooks.by_path(candidates(*(triggers or ({},))))["in"]
    return hooks.let_in(made, found, hooks.asked(made, found), SECRETS, NOW)


def reasons(made: Call, *triggers: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What came of each trigger, by source of the event."""
    let = admitted(made, *triggers)
    found = {}
    for key, event in hooks.events_of(let, None, NOW, "fresh").items():
        received = Received(UUID(int=1), "acme", event, NOW)
        found[event.source] = {one.trigger: one.reason for one in hooks.consider(let, key, received, {})}
    return found


@pytest.mark.parametrize(
    ("content_type", "body", "payload"),
    [
        (JSON, b'{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("application/json; charset=UTF-8", b"[1]", [1]),
        ('Application/Vnd.GitHub+JSON; charset="utf-8"', b'"text"', "text"),
        (JSON, b"123456789012345678901234567890", 123456789012345678901234567890),
        (FORM, b"a=1&b=%C3%A9+x&a=2&c", {"a": ["1", "2"], "b": "é x", "c": ""}),
        (FORM, b"payload=%7B%22action%22%3A%22opened%22%7D", {"payload": '{"action":"opened"}'}),
        (FORM, b'{"a": 1}', {'{"a": 1}': ""}),
        ("text/plain", b'{"a": 1}', '{"a": 1}'),
        ("text/csv; header=present", "é;1\n".encode(), "é;1\n"),
        (JSON, b"", None),
        (None, b"", None),
    ],
)
def test_a_body_is_read_as_its_type_says_and_never_as_another(content_type: str | None, body: bytes, payload: Any) -> None:
    assert hooks.payload_of(call(body, content_type)) == payload


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        (JSON, b"{", Malformed),
        (JSON, b"a=1", Malformed),
        (JSON, b'{"a": 1, "a": 2}', Malformed),
        (JSON, b'{"a": NaN}', Malformed),
        (JSON, b'{"a": "\\u0000"}', Malformed),
        (JSON, b'{"a": "\\ud800"}', Malformed),
        (JSON, b'"\xff"', Malformed),
        (JSON, b"[" * 70 + b"]" * 70, Malformed),
        (JSON, b"[" * 100_000, Malformed),
        (FORM, b"a=%00", Malformed),
        (FORM, b"%00=a", Malformed),
        (FORM, b"a=%ff", Malformed),
        (FORM, b"a=\xff", Malformed),
        (FORM, b"a&" * 1001, Malformed),
        ("text/plain", b"\xff", Malformed),
        ("text/plain", b"a\x00b", Malformed),
        ("text/plain; charset=iso-8859-1", b"a", UnsupportedBody),
        ("application/json; charset=utf-16", b"{}", UnsupportedBody),
        ("application/xml", b"<a/>", UnsupportedBody),
        ("multipart/form-data; boundary=x", b"--x--", UnsupportedBody),
        ("json", b"{}", UnsupportedBody),
        (None, b"{}", UnsupportedBody),
        ("text/plain", b"\x01" * 60_000, EventTooLarge),
    ],
)
def test_a_body_that_is_not_what_its_type_says_is_refused(content_type: str | None, body: bytes, error: type[WeftError]) -> None:
    with pytest.raises(error) as caught:
        hooks.payload_of(call(body, content_type))
    assert 400 <= caught.value.status < 500


@given(st.sampled_from((JSON, FORM, "text/plain", "", "\x00", "application/x+json")), st.binary(max_size=60))
def test_any_body_is_read_or_refused_and_what_was_read_can_be_written(content_type: str, body: bytes) -> None:
    try:
        payload = hooks.payload_of(call(body, content_type))
    except WeftError as refusal:
        assert 400 <= refusal.status < 500
    else:
        assert "\\u0000" not in json.dumps(payload)


def test_a_body_that_was_packed_is_refused_and_not_unpacked() -> None:
    with pytest.raises(UnsupportedBody):
        hooks.payload_of(call(b"{}", content_encoding="gzip"))
    assert hooks.payload_of(call(b"{}", content_encoding="identity")) == {}


def test_expressions_read_the_request_without_what_says_who_calls() -> None:
    body = b"{}"
    secret = {
        "authorization": "Bearer t",
        "cookie": "c",
        "x_api_key": "k",
        "x_gitlab_token": "t",
        "x_hub_signature": "sha1=1",
        "x_shop_sign": "s",
        "proxy_authorization": "p",
    }
    made = call(body, **secret, x_github_event="push", x_odd="a\x00b", x_long="x" * 2000, **{f"x_{n}": "v" for n in range(60)})
    by_shop = {**made.headers, "x-shop-sign": [signed("hmac-sha256", body, NOW)["x-signature"]]}
    made = Call("acme", "in", "POST", "a=1&b=2&b=3&c=%C3%A9", by_shop, body)
    request = hooks.request_of(admitted(made, {"signature": "hmac-sha256", "connection": "shop"}))
    assert {name: request[name] for name in ("method", "path", "query")} == {
        "method": "POST",
        "path": "in",
        "query": {"a": "1", "b": ["2", "3"], "c": "é"},
    }
    assert request["headers"]["x-github-event"] == "push"
    assert len(request["headers"]["x-long"]) == 1024
    assert len(request["headers"]) == 50
    assert {name.replace("_", "-") for name in secret} & request["headers"].keys() == set()
    assert "x-odd" not in request["headers"]


def test_headers_that_expressions_read_are_bounded_altogether() -> None:
    request = hooks.request_of(admitted(call(b"", **{f"x_{n}": "v" * 900 for n in range(40)})))
    assert sum(len(name) + len(value) for name, value in request["headers"].items()) <= 8 * 1024


@pytest.mark.parametrize("query", ["a=%ff", "a=%00", "&".join("a" * 1001)])
def test_a_query_that_cannot_be_read_is_refused(query: str) -> None:
    with pytest.raises(Malformed):
        hooks.request_of(admitted(call(query=query)))


def test_a_path_is_there_while_a_trigger_of_it_is_enabled_and_tells_its_methods() -> None:
    found = candidates({"methods": ["PUT", "POST"]}, {"methods": ["GET"], "enabled": False})
    assert hooks.asked(call(method="PUT"), found).keys() == {("none", None)}
    for method in ("GET", "HEAD", "DELETE"):
        with pytest.raises(MethodNotAllowed) as refused:
            hooks.asked(call(method=method), found)
        assert refused.value.headers["Allow"] == "POST, PUT"
    for nobody in ([], candidates({"enabled": False})):
        with pytest.raises(HookNotFound):
            hooks.asked(call(), nobody)


def test_a_slash_before_the_path_makes_no_difference_and_smaller_priorities_come_first() -> None:
    found = hooks.by_path(candidates({"path": "/a/b"}, {"path": "a/b", "priority": 1}, {"path": "A/b"}))
    assert {path: [one.trigger.id for one in several] for path, several in found.items()} == {"a/b": ["t1", "t0"], "A/b": ["t2"]}


def test_each_entrance_has_an_event_of_its_own_and_tells_who_it_was_not_for() -> None:
    body = b"{}"
    made = Call("acme", "in", "POST", "", {name: [value] for name, value in signed("github", body, NOW).items()}, body)
    triggers: list[dict[str, Any]] = [
        {"signature": "github", "connection": "gh"},
        {"signature": "none"},
        {"signature": "github", "connection": "other"},
        {"signature": "github", "connection": "absent"},
        {"signature": "github", "connection": "gh", "methods": ["PUT"]},
        {"signature": "github", "connection": "gh", "enabled": False},
        {"signature": "none", "connection": "absent", "when": "false"},
        {"signature": "slack", "connection": "gh"},
    ]
    others = {"t2": "signature", "t3": "signature", "t4": "method", "t7": "signature"}
    assert reasons(made, *triggers) == {
        "weft/hooks/in?signature=github&connection=gh": {"t0": "matched", "t5": "disabled", **others},
        # `t4` and `t5` have the other entrance, by which it came in as well: the other event tells of them.
        "weft/hooks/in": {"t1": "matched", "t6": "condition", "t2": "signature", "t3": "signature", "t7": "signature"},
    }


def test_who_is_let_in_nowhere_is_told_nothing_and_the_log_why() -> None:
    triggers: list[dict[str, Any]] = [{"signature": "github", "connection": name} for name in ("gh", "absent")]
    with pytest.raises(Unverified) as refused:
        admitted(call(b"{}"), *triggers)
    with pytest.raises(Unverified) as again:
        admitted(call(b"{}", x_hub_signature_256="sha256=00"), *triggers)
    assert refused.value.message == again.value.message
    assert len(refused.value.why) == 2 and refused.value.why != again.value.why


def ids(made: Call, payload: Any = None, **trigger: Any) -> str:
    (event,) = hooks.events_of(admitted(made, trigger), payload, NOW, "fresh").values()
    return event.id


def test_an_event_has_the_senders_id_or_one_that_follows_from_what_was_signed() -> None:
    def sent(scheme: str, body: bytes = b"{}", at: datetime = NOW, **more: str) -> Call:
        headers = signed(scheme, body, at) | {f"{name}-key": value for name, value in more.items()}
        return Call("acme", "in", "POST", "", {name: [value] for name, value in headers.items()}, body)

    by = {"connection": "gh"}
    assert ids(sent("standard-webhooks"), signature="standard-webhooks", **by) == "d-1"
    assert ids(sent("github"), signature="github", **by) == "d-1"
    assert ids(sent("slack"), {"event_id": "Ev1"}, signature="slack", **by) == "Ev1"
    assert ids(call(b"{}"), signature="none") == "fresh"
    assert ids(call(b"{}", idempotency_key="k-1"), signature="none") == "k-1"
    plain = ids(sent("hmac-sha256"), signature="hmac-sha256", **by)
    assert plain.startswith("sha256:") and plain == ids(sent("hmac-sha256", idempotency="x"), signature="hmac-sha256", **by)
    assert plain != ids(sent("hmac-sha256", b"{ }"), signature="hmac-sha256", **by)
    for odd in ({}, {"event_id": 7}, {"event_id": "x" * 300}, {"event_id": "a\nb"}, ["event_id"]):
        unnamed = ids(sent("slack"), odd, signature="slack", **by)
        assert unnamed.startswith("sha256:") and unnamed == ids(sent("slack"), odd, signature="slack", **by)
        # Slack signs the time, too: the same bytes of another time are another call.
        assert unnamed != ids(sent("slack", at=NOW - timedelta(seconds=9)), odd, signature="slack", **by)


def test_only_slack_is_answered_a_challenge() -> None:
    asked = {"type": "url_verification", "challenge": "c-1"}
    body = b"{}"
    slack = Call("acme", "in", "POST", "", {name: [value] for name, value in signed("slack", body, NOW).items()}, body)
    let = admitted(slack, {"signature": "slack", "connection": "gh"})
    assert hooks.challenge_of(let, asked) == "c-1"
    assert [hooks.challenge_of(let, odd) for odd in (None, [asked], asked | {"challenge": 1}, asked | {"type": "x"})] == [None] * 4
    assert hooks.challenge_of(admitted(call(body)), asked) is None
