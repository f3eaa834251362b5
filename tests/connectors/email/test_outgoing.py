"""A mail that goes out: what it is made of, and that nothing in it becomes another header or another recipient."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weft_connectors.activity import ActivityError
from weft_connectors.email import outgoing
from weft_language import validate

from tests.connectors.email.calls import call, smtp
from tests.language.build import document, node

AT = datetime(2026, 11, 26, 10, tzinfo=UTC)


def written(**changes: Any) -> tuple[outgoing.Outgoing, bytes]:
    mail = outgoing.read(call(**changes), smtp(25))
    return mail, outgoing.for_server(mail, AT)


def test_a_mail_is_written_in_ascii_with_its_parts_and_without_whom_the_others_are_not_shown() -> None:
    file = {"name": "größe.csv", "content": base64.b64encode(b"a;b").decode(), "content_type": "text/csv"}
    to = ['Zoë "Z" <zoe@client.example>', {"address": "b@mächine.example", "name": None}]
    mail, raw = written(to=to, cc="c@d.example", bcc="secret@d.example", subject="Größe", html="<p>é</p>", attachments=[file])
    text = raw.decode("ascii")
    assert mail.recipients == ("zoe@client.example", "b@xn--mchine-bua.example", "c@d.example", "secret@d.example")
    assert ("secret@d.example" in text, max(map(len, text.split("\r\n"))) < 998, "\n" in text.replace("\r\n", "")) == (False, True, False)
    assert "From: Shop <shop@acme.example>\r\n" in text
    assert "Date: Thu, 26 Nov 2026 10:00:00 +0000\r\n" in text
    assert "filename*=utf-8''gr%C3%B6%C3%9Fe.csv" in text
    assert ("multipart/mixed" in text, "multipart/alternative" in text, base64.b64encode(b"a;b").decode() in text) == (True, True, True)


def test_the_message_id_is_that_of_the_step_whatever_the_attempt() -> None:
    first, again, other = (outgoing.read(call(attempt=n, key=key), smtp(25)) for n, key in ((1, "k"), (2, "k"), (1, "l")))
    assert (first.message_id, first.message_id.endswith("@acme.example>")) == (again.message_id, True)
    assert first.message_id != other.message_id


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"to": "a@b.example\r\nBcc: x@y.example"}, "/with/to"),
    ({"to": "a@b.example, c@d.example"}, "/with/to"),
    ({"to": "a@b@c.example"}, "/with/to"),
    ({"to": "<a@b.example> <c@d.example>"}, "/with/to"),
    ({"to": "a@localhost"}, "/with/to"),
    ({"to": "a@[127.0.0.1]"}, "/with/to"),
    ({"to": "ä@b.example"}, "/with/to"),
    ({"to": []}, "/with/to"),
    ({"to": [f"u{n}@b.example" for n in range(50)], "cc": "c@d.example"}, "/with/to"),
    ({"to": [{"address": "a@b.example", "name": "x\nBcc: y"}]}, "/with/to"),
    ({"to": 7}, "/with/to"),
    ({"cc": ["a@b.example", "nobody"]}, "/with/cc"),
    ({"sender": "evil"}, "/with/from"),
    ({"subject": "Hello\nBcc: x@y.example"}, "/with/subject"),
    ({"subject": "x\x00"}, "/with/subject"),
    ({"headers": {"X-A": "1\r\nBcc: x@y.example"}}, "/with/headers"),
    ({"headers": {"X-A: b\r\nBcc": "x@y.example"}}, "/with/headers"),
    ({"headers": {"Bcc": "x@y.example"}}, "/with/headers"),
    ({"headers": {"content-type": "text/html"}}, "/with/headers"),
    ({"text": None}, "/with"),
    ({"attachments": [{"name": "a\r\nb", "content": ""}]}, "/with/attachments"),
    ({"attachments": [{"name": "a", "content": "no base64!"}]}, "/with/attachments"),
    ({"attachments": [{"name": "a", "content": "", "content_type": "text/csv; charset=x"}]}, "/with/attachments"),
    ({"attachments": [{"name": "a", "content": "", "path": "/etc/passwd"}]}, "/with/attachments"),
    ({"attachments": [{"name": "a", "content": base64.b64encode(b"x" * 300_000).decode()}] * 2}, "/with/attachments"),
    ({"surprise": 1}, "/with/surprise"),
]


@pytest.mark.parametrize(("changes", "pointer"), WRONG, ids=[f"{place}" for place in range(len(WRONG))])
def test_what_is_no_mail_is_refused_for_good_with_its_place(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ActivityError) as refused:
        outgoing.read(call(**changes), smtp(25))
    assert (refused.value.code, refused.value.permanent) == ("email_bad_request", True)
    assert refused.value.details["pointer"].startswith(pointer), refused.value.message


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


@given(TEXT, TEXT, TEXT)
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_a_header_stays_in_it(subject: str, name: str, value: str) -> None:
    try:
        _, raw = written(subject=subject, to=[{"address": "a@b.example", "name": name}], headers={"X-Note": value})
    except ActivityError as error:
        assert error.code == "email_bad_request"
        return
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
    fields = [row.partition(":")[0] for row in head if row[:1] not in " \t"]
    assert fields == ["From", "To", "Subject", "Date", "Message-ID", "X-Note", "Content-Type", "MIME-Version", "Content-Transfer-Encoding"]


def test_an_author_is_told_of_what_is_wrong_before_anything_runs() -> None:
    wrong = {"connection": "mail", "to": ["a@b.example", "nobody"], "subject": "x", "text": "{{ input.text }}"}
    found = [one for one in validate(document(node("send", "email.send", **wrong))) if one.severity == "error"]
    assert [(one.code, one.pointer) for one in found] == [("wrong_format", "/nodes/0/with/to")]
    templated = wrong | {"to": "{{ trigger.payload.from }}", "attachments": "{{ input.files }}"}
    assert [one for one in validate(document(node("send", "email.send", **templated))) if one.severity == "error"] == []
