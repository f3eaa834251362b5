"""`email.send` by Resend: what it is asked, once, and what becomes of what it answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import resend as sdk
from weft_connectors.activity import ActivityError
from weft_connectors.email.trying import try_resend
from weft_connectors.plug import Plug

from tests.connectors.email.calls import call, resend, sent
from tests.support.resend import API_KEY, FakeResend, serving


@pytest.fixture
def fake() -> Iterator[FakeResend]:
    with serving() as server:
        yield server
        assert server.faults == []


async def failure(fake: FakeResend, *failures: tuple[int, dict[str, str], bytes] | str, key: str = API_KEY) -> ActivityError:
    fake.failures.extend(failures)
    with pytest.raises(ActivityError) as failed:
        await sent(resend(fake.url, key))
    return failed.value


async def test_a_mail_is_sent_once_over_all_attempts_and_says_what_came_of_it(fake: FakeResend) -> None:
    file = {"name": "order.csv", "content": base64.b64encode(b"a;b").decode(), "content_type": "text/csv", "content_id": "order"}
    asked: dict[str, Any] = {
        "cc": ["Zoë <c@d.example>"],
        "html": "<p>Thanks</p>",
        "headers": {"In-Reply-To": "<1@client.example>"},
        "attachments": [file],
    }
    first = await sent(resend(fake.url), call(**asked))
    again = await sent(resend(fake.url), call(**asked, attempt=2))
    assert (first, first["message_id"], first["refused"]) == (again, None, [])
    assert first["accepted"] == ["zoe@client.example", "c@d.example"]
    assert [one.key for one in fake.calls] == ["0190-exec:thank:1"] * 2
    (mail,) = fake.sent.values()
    assert (mail["id"], mail["body"]["from"], mail["body"]["cc"]) == (first["id"], '"Shop" <shop@acme.example>', ['"Zoë" <c@d.example>'])
    assert mail["body"]["attachments"] == [{"filename": "order.csv", "content": "YTti", "content_type": "text/csv", "content_id": "order"}]


async def test_what_fails_says_whether_to_try_again_and_shows_no_key(fake: FakeResend) -> None:
    said = json.dumps({"statusCode": 422, "name": "validation_error", "message": f"no {API_KEY} here"}).encode()
    cases: list[tuple[tuple[int, dict[str, str], bytes] | str, str, bool]] = [
        ((422, {}, said), "email_refused", True),
        ((429, {"retry-after": "9"}, b"{}"), "email_rate_limited", False),
        ((500, {}, b"<html>"), "email_unavailable", False),
        ((503, {}, b"{}"), "email_unavailable", False),
        ((302, {"location": "https://elsewhere.example/"}, b""), "email_refused", True),
        ((409, {}, b'{"name": "concurrent_idempotent_requests"}'), "email_refused", False),
        ((200, {}, b"[]"), "email_bad_response", False),
        ((200, {}, b'{"id": 7}'), "email_bad_response", False),
        ("half", "email_unreachable", False),
    ]
    for failure_, code, permanent in cases:
        error = await failure(fake, failure_)
        assert (error.code, error.permanent) == (code, permanent), failure_
        assert API_KEY not in error.message + json.dumps(error.details)
    assert (await failure(fake, (429, {"retry-after": "9"}, b"{}"))).retry_after_s == 9
    assert (await failure(fake, key="re_another_one")).code == "email_unauthorized"
    # However often it failed after Resend had it: one mail.
    assert len(fake.sent) == 1


async def test_the_same_key_for_another_mail_is_an_error_for_good(fake: FakeResend) -> None:
    await sent(resend(fake.url))
    with pytest.raises(ActivityError) as refused:
        await sent(resend(fake.url), call(subject="Another"))
    assert (refused.value.code, refused.value.permanent, refused.value.details["name"]) == (
        "email_refused",
        True,
        "invalid_idempotent_request",
    )


async def test_a_private_address_is_not_reached(fake: FakeResend) -> None:
    with pytest.raises(ActivityError) as refused:
        await sent(resend(fake.url), allow_private=False)
    assert (refused.value.code, refused.value.permanent, fake.calls) == ("email_blocked", True, [])


async def test_a_connection_without_a_sender_wants_one_in_the_node(fake: FakeResend) -> None:
    with pytest.raises(ActivityError) as refused:
        await sent(resend(fake.url, sender=None))
    assert refused.value.details["pointer"] == "/with/from"
    await sent(resend(fake.url, sender=None), call(sender="Me <me@acme.example>"))
    assert [one["body"]["from"] for one in fake.sent.values()] == ['"Me" <me@acme.example>']


async def test_trying_a_connection_tells_whether_the_key_is_taken_and_sends_nothing(fake: FakeResend) -> None:
    plug = Plug(allow_private=True)
    good = await try_resend(resend(fake.url), plug)
    bad = await try_resend(resend(fake.url, "re_another_one"), plug)
    fake.failures.append((401, {}, b'{"name": "restricted_api_key"}'))
    sends_only = await try_resend(resend(fake.url), plug)
    await plug.aclose()
    assert [(one.ok, one.status, one.code) for one in (good, bad, sends_only)] == [
        (True, 200, None),
        (False, 403, "email_unauthorized"),
        (True, 401, None),
    ]
    assert fake.sent == {}


def test_the_official_client_takes_the_fake_for_resend(fake: FakeResend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk, "api_key", API_KEY)
    monkeypatch.setattr(sdk, "api_url", fake.url)
    mail = {"from": "a@b.example", "to": ["c@d.example"], "subject": "x", "text": "y"}
    sent_ = sdk.Emails.send(mail, {"idempotency_key": "k"})  # type: ignore[arg-type]
    notice = fake.arrives(files={"a.csv": b"1"})
    received = sdk.Emails.Receiving.get(notice["data"]["email_id"])
    assert (fake.sent["k"]["id"], fake.sent["k"]["body"]) == (sent_["id"], mail)
    assert (received["subject"], received["attachments"][0]["filename"]) == ("Order 1", "a.csv")
