"""What is sent, and how often it is asked for: decisions on values alone."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_connectors.activity import ActivityCall
from weft_connectors.connections import OpenConnection
from weft_connectors.email import outgoing
from weft_connectors.plug import given as read_as
from weft_contracts.executions import Failure
from weft_language.actions.slack.model import SlackPostMessageWith
from weft_tasks.errors import LinkUnknown
from weft_tasks.notifications import Channel, outbound
from weft_tasks.notifications.messages import AT_ONCE, Piece, address, mail, parts, slack, subject
from weft_tasks.notifications.outbound import GIVEN_UP_AFTER, LEASE, Outbound, Sending
from weft_tasks.notifications.unsubscribing import Stop, Stops

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
STOP = "https://weft.example/unsubscribe/abc"
SECRETS = ["a secret for tests only, long enough"]
HOSTILE = '<script>alert("1")</script>&\u202e\r\nBcc: all@x.example'


def as_sent(content: dict[str, Any]) -> outgoing.Outgoing:
    """A mail as the connector reads it."""
    call = ActivityCall("email.send", content, "notification:1", "acme", UUID(int=1), "notification", 1, 1)
    return outgoing.read(call, OpenConnection("notifications", "smtp", {"from": "weft@acme.example"}, {}))


class Page(HTMLParser):
    """What a mail program makes of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_what_anybody_wrote_is_text_in_a_mail_and_never_markup_or_a_header() -> None:
    made = as_sent(mail("ann@acme.example", [Piece(subject([Piece(HOSTILE)]), HOSTILE, "https://x.example/?a=1&b='\"<")], STOP))
    page = Page(made.html or "")
    assert not {"script", "img", "form"} & set(page.tags)
    assert page.links == ["https://x.example/?a=1&b='\"<", STOP]
    assert '<script>alert("1")</script>' in page.text
    wire = outgoing.for_server(made, NOW).split(b"\r\n\r\n")[0].decode()
    assert not re.search(r"(?im)^bcc:", wire)
    assert made.recipients == ("ann@acme.example",)


@given(
    texts=st.lists(st.tuples(st.text(min_size=1, max_size=60), st.none() | st.text(max_size=3000)), min_size=1, max_size=AT_ONCE),
    stop=st.none() | st.just(STOP),
)
def test_whatever_is_told_makes_a_mail_and_a_message_that_connectors_take(texts: list[tuple[str, str | None]], stop: str | None) -> None:
    pieces = [Piece(title if title.strip() else "x", text, "https://x.example/a") for title, text in texts]
    made = as_sent(mail("ann@acme.example", [Piece(subject([one]), one.text, one.link) for one in pieces], stop))
    assert len(made.subject) <= 200
    assert made.text is not None and made.html is not None
    assert outgoing.for_server(made, NOW).isascii()
    call = ActivityCall(
        "slack.post_message", slack("U012AB", pieces[next(parts(Channel.SLACK, pieces))]), "k", "acme", UUID(int=1), "n", 1, 1
    )
    sent = read_as(call, SlackPostMessageWith)
    assert sent.text is not None and not re.search(r"<(?!https://x\.example/a\|Open>)", sent.text)


@pytest.mark.parametrize("text", ["&" * 5000, "'" * 5000, "x"])
def test_what_waits_is_sent_in_as_few_messages_as_take_it_none_of_them_too_large(text: str) -> None:
    pieces = [Piece(text[:300], text, "https://x.example/" + text[:1900], f"https://x.example/{place}") for place in range(120)]
    for channel in (Channel.EMAIL, Channel.SLACK):
        found = [pieces[part] for part in parts(channel, pieces)]
        assert [one for part in found for one in part] == pieces
        assert text != "x" or [len(part) for part in found] == [AT_ONCE, AT_ONCE, 20]
        for part in found:
            if channel is Channel.EMAIL:
                assert as_sent(mail("ann@acme.example", part, STOP)).html is not None
            else:
                call = ActivityCall("slack.post_message", slack("U012AB", part), "k", "acme", UUID(int=1), "n", 1, 1)
                assert read_as(call, SlackPostMessageWith).text is not None


def test_one_notification_names_itself_and_several_say_how_many_they_are() -> None:
    several = mail("ann@acme.example", [Piece("One"), Piece("Two", "More", "https://x.example/2", "https://x.example/d")], None)
    assert subject([Piece("One")]) == "One"
    assert several["subject"] == "2 notifications: One"
    assert several["text"] == "One\n\nTwo\nMore\nOpen: https://x.example/2\nDecide without signing in: https://x.example/d"
    assert several["headers"] == {"Auto-Submitted": "auto-generated"}


@pytest.mark.parametrize(
    ("link", "public_url", "leads"),
    [
        ("/user-tasks/1", "https://weft.example", "https://weft.example/user-tasks/1"),
        ("/user-tasks/1", None, None),
        ("https://x.example/a", None, "https://x.example/a"),
        (None, "https://weft.example", None),
        ("javascript:alert(1)", "https://weft.example", None),
    ],
)
def test_a_link_leads_below_the_installation_or_where_it_says(link: str | None, public_url: str | None, leads: str | None) -> None:
    assert address(link, public_url) == leads


def failure(*, permanent: bool = False, **details: Any) -> Failure:
    return Failure(code="email_unavailable", message="later", permanent=permanent, details=details or None)


def message() -> Outbound:
    return outbound.written(UUID(int=7), "ann", Channel.EMAIL, NOW)


def test_a_message_that_fails_is_tried_again_later_and_later_under_one_key() -> None:
    one, at, pauses = message(), NOW, []
    while one.status is not Sending.FAILED:
        one = outbound.failed(one, failure(), one.attempt, at)
        if one.next_at is not None:
            pauses.append((one.next_at - at).total_seconds() / 60)
            at = one.next_at
            one = outbound.again(one, at)
            assert one.key == "notification:00000000-0000-0000-0000-000000000007"
    assert pauses[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert at < NOW + GIVEN_UP_AFTER
    assert one.attempt == len(pauses) + 1
    assert one.error == {"code": "email_unavailable", "message": "later", "permanent": False}


def test_the_service_may_say_when_and_what_is_permanent_is_not_tried_again() -> None:
    assert outbound.failed(message(), failure(retry_after_s=7200), 1, NOW).next_at == NOW + timedelta(hours=2)
    assert outbound.failed(message(), failure(permanent=True), 1, NOW).status is Sending.FAILED


def test_what_nobody_answers_is_asked_again_as_the_same_attempt_until_it_is_given_up() -> None:
    one = message()
    assert one.next_at == NOW + LEASE
    heard = outbound.heard(one, 1, NOW + timedelta(minutes=4))
    assert heard.next_at == NOW + timedelta(minutes=4) + LEASE
    again = outbound.again(one, NOW + LEASE)
    assert (again.attempt, again.status) == (1, Sending.ASKED)
    over = outbound.again(again, NOW + GIVEN_UP_AFTER)
    assert (over.status, over.error and over.error["code"]) == (Sending.FAILED, "not_answered")


ANSWERS = st.lists(
    st.tuples(st.sampled_from(["sent", "failed", "permanent", "heard", "again", "put_off"]), st.integers(1, 4), st.integers(0, 90)),
    max_size=30,
)


@given(answers=ANSWERS)
def test_whatever_comes_in_whatever_order_a_message_that_was_sent_is_sent_and_one_that_lives_is_looked_at_again(
    answers: list[tuple[str, int, int]],
) -> None:
    one, at, was_sent = message(), NOW, False
    for word, attempt, minutes in answers:
        at += timedelta(minutes=minutes)
        match word:
            case "sent":
                one, was_sent = outbound.sent(one, {"id": "1"}, at), True
            case "failed" | "permanent":
                one = outbound.failed(one, failure(permanent=word == "permanent"), attempt, at)
            case "heard":
                one = outbound.heard(one, attempt, at)
            case "again":
                one = outbound.again(one, at)
            case _:
                one = outbound.put_off(one, at + timedelta(minutes=1))
        assert (one.status is Sending.SENT) is was_sent
        assert (one.next_at is None) is (one.status in outbound.ENDS)
        assert (one.ended_at is None) is (one.next_at is not None)


def test_the_way_out_of_mails_is_readable_here_only() -> None:
    token = Stops(SECRETS).token("acme", "ann", Channel.EMAIL)
    assert Stops(["another, for a while", *SECRETS]).read(token) == Stop("acme", "ann", Channel.EMAIL)
    for changed in (token[:-2], token + "=", "x", token.swapcase(), "A" * 5000):
        with pytest.raises(LinkUnknown):
            Stops(SECRETS).read(changed)
