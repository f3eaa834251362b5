"""Slack's actions where something goes wrong: each failure has its code, is final or not, and tells no secret."""

import json
from dataclasses import replace
from typing import Any

import pytest
from weft_connectors.activity import ActivityError
from weft_connectors.plug import CODES, Plug
from weft_connectors.slack.files import send_content
from weft_language.actions import ACTIONS
from weft_language.actions.slack.errors import AGAIN, FINAL
from weft_language.actions.slack.model import MAX_FILE_BYTES

from tests.connectors.server import Say, raw, saying
from tests.connectors.slack.fake import OUTSIDE, TOKEN
from tests.connectors.slack.workspace import CALL, Workspace, connection


@pytest.mark.parametrize(
    ("action", "given", "code", "again"),
    [
        ("post_message", {"channel": "#nowhere", "text": "x"}, "slack_channel_not_found", False),
        ("post_message", {"channel": OUTSIDE, "text": "x"}, "slack_not_in_channel", False),
        ("post_message", {"channel": "#orders", "text": ""}, "slack_no_text", False),
        ("post_message", {"channel": "#orders", "blocks": [{"text": "x"}]}, "slack_invalid_blocks", False),
        ("post_message", {"channel": "#orders", "text": "x", "thread_ts": "1.1"}, "slack_thread_not_found", False),
        ("update_message", {"channel": "C00000001", "ts": "1.1", "text": "x"}, "slack_message_not_found", False),
        ("upload_file", {"channel": "#orders", "filename": "a", "content": "x"}, "slack_channel_not_found", False),
    ],
)
async def test_what_slack_refuses_has_its_name(action: str, given: dict[str, Any], code: str, again: bool, team: Workspace) -> None:
    error = await team.fails(action, **given)

    assert (error.code, error.permanent) == (code, not again)
    assert f"slack_{error.details['error']}" == code


def refusing(error: Any, status: int = 200, **headers: str) -> Say:
    return saying(status, json.dumps({"ok": False, "error": error}).encode(), content_type="application/json", **headers)


@pytest.mark.parametrize(
    ("say", "code", "permanent", "wait"),
    [
        (refusing("ratelimited", 429, retry_after="7"), "slack_ratelimited", False, 7.0),
        (saying(429, b"slow down"), "slack_ratelimited", False, 30.0),
        (refusing("rate_limited"), "slack_rate_limited", False, 30.0),
        (refusing("internal_error"), "slack_internal_error", False, None),
        (saying(503, b"<html>", retry_after="9"), "slack_unavailable", False, 9.0),
        (saying(502), "slack_unavailable", False, None),
        (refusing("Some Odd Error!"), "slack_refused", True, None),
        (refusing(7), "slack_refused", True, None),
        (refusing("token_revoked", 401), "slack_token_revoked", True, None),
        (saying(200, b"<html>hello</html>"), "slack_bad_response", True, None),
        (saying(200, b"[]"), "slack_bad_response", True, None),
        (saying(200, b'{"ok": true}'), "slack_bad_response", True, None),
        (saying(404, b'{"ok": true}'), "slack_bad_response", True, None),
        (saying(302, b"", location="https://evil.example"), "slack_bad_response", True, None),
        (raw(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"ok": tr'), "slack_unreachable", False, None),
        (saying(200, json.dumps({"ok": False, "error": "x", "pad": "y" * 1_100_000}).encode()), "slack_too_large", True, None),
    ],
)
async def test_a_failing_slack_is_known_for_what_it_is(say: Say, code: str, permanent: bool, wait: float | None, team: Workspace) -> None:
    team.fake.fail("chat.postMessage", say)
    error = await team.fails("post_message", channel="#orders", text="x")

    assert (error.code, error.permanent, error.retry_after_s) == (code, permanent, wait)
    assert team.fake.messages == {}


async def test_what_slack_says_of_it_is_told_without_the_token(team: Workspace) -> None:
    said = {"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": TOKEN, "response_metadata": {"messages": [TOKEN, 7]}}
    team.fake.fail("chat.postMessage", saying(200, json.dumps(said).encode()))
    error = await team.fails("post_message", channel="#orders", text="x")

    assert error.details == {
        "error": "missing_scope", "method": "chat.postMessage", "needed": "chat:write", "provided": "***", "messages": ["***"],
    }  # fmt: skip
    assert "scope" in error.message


@pytest.mark.parametrize(
    ("say", "code", "permanent"),
    [
        (saying(503), "slack_unavailable", False),
        (saying(429, retry_after="3"), "slack_unavailable", False),
        (saying(413), "slack_upload_failed", True),
        (saying(302, location="/elsewhere"), "slack_upload_failed", True),
        (raw(), "slack_unreachable", False),
    ],
)
async def test_an_upload_that_fails_names_no_address(say: Say, code: str, permanent: bool, team: Workspace) -> None:
    team.fake.fail("upload", say)
    error = await team.fails("upload_file", channel="C00000001", filename="a.txt", content="x")

    assert (error.code, error.permanent) == (code, permanent)
    assert "capability" not in f"{error.message}{error.details}"
    assert team.fake.shared == []


@pytest.mark.parametrize(
    ("action", "given", "pointer"),
    [
        ("post_message", {"channel": 7, "text": "x"}, "/with/channel"),
        ("post_message", {"channel": "#a"}, "/with"),
        ("post_message", {"channel": "#a", "text": None}, "/with"),
        ("post_message", {"channel": "#a", "text": "x", "colour": "red"}, "/with/colour"),
        ("post_message", {"channel": "#a", "text": "x", "thread_ts": 1503435956.000247}, "/with/thread_ts"),
        ("post_message", {"channel": "#a", "text": "x", "thread_ts": "{{ now }}"}, "/with/thread_ts"),
        ("post_message", {"channel": "#a", "text": "x", "blocks": "{{ none }}"}, "/with/blocks"),
        ("post_message", {"channel": "#a", "text": "x", "blocks": ["x"]}, "/with/blocks/0"),
        ("post_message", {"channel": "#a", "text": "x", "reply_broadcast": "yes"}, "/with/reply_broadcast"),
        ("notify_status", {"channel": "#a", "title": "x", "status": "fine"}, "/with/status"),
        ("upload_file", {"filename": "a", "content": "x", "content_base64": "eA=="}, "/with"),
        ("upload_file", {"filename": "a", "content_base64": "no base64!"}, "/with/content_base64"),
        ("upload_file", {"filename": "a", "content": ""}, "/with/content"),
        ("upload_file", {"filename": "a", "content": "ü" * (MAX_FILE_BYTES // 2 + 1)}, "/with/content"),
    ],
)
async def test_what_rendering_made_wrong_is_refused_before_slack_hears_of_it(
    action: str, given: dict[str, Any], pointer: str, team: Workspace
) -> None:
    error = await team.fails(action, **given)

    assert (error.code, error.permanent, error.details["pointer"]) == ("slack_bad_request", True, pointer)
    assert team.fake.calls == []


@pytest.mark.parametrize("base_url", ["https://127.0.0.1:9/api", "https://169.254.169.254/api", "https://[::1]/api"])
async def test_a_private_address_is_not_reached(base_url: str, team: Workspace) -> None:
    there = replace(team, open=connection(team.fake, base_url=base_url))
    error = await there.fails("post_message", where=team.closed, channel="#orders", text="x")

    assert (error.code, error.permanent) == ("slack_blocked", True)


async def test_without_tls_nothing_is_sent_where_private_addresses_are_not_allowed(team: Workspace) -> None:
    error = await team.fails("post_message", where=team.closed, channel="#orders", text="x")

    assert (error.code, error.permanent) == ("connection_unusable", True)


@pytest.mark.parametrize(
    ("address", "code"),
    [("https://169.254.169.254/latest?capability", "slack_blocked"), ("http://files.slack.com/upload?capability", "slack_bad_response")],
)
async def test_an_upload_goes_where_slack_says_but_to_no_private_address(address: str, code: str) -> None:
    plug = Plug(allow_private=False)
    with pytest.raises(ActivityError) as failure:
        await send_content(replace(CALL, name="slack.upload_file"), plug, address, b"x")
    await plug.aclose()

    assert (failure.value.code, failure.value.permanent) == (code, True)
    assert "capability" not in f"{failure.value.message}{failure.value.details}"


@pytest.mark.parametrize("type_", ["http", "webhook"])
async def test_a_connection_of_another_type_is_refused(type_: str, team: Workspace) -> None:
    error = await replace(team, open=replace(team.open, type=type_)).fails("post_message", channel="#orders", text="x")

    assert (error.code, error.permanent) == ("connection_unusable", True)


def test_the_codes_are_those_of_the_catalog() -> None:
    codes = {code for code, _ in ACTIONS["slack.post_message"].errors}

    assert codes == {f"slack_{name}" for name in (*CODES.values(), *AGAIN, *FINAL)}
    assert not set(AGAIN) & set(FINAL)
