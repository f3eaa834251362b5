"""Mails as they come: fifty difficult ones that others wrote, and what no program should send."""

from __future__ import annotations

import os
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weft_events.mails import MailRefused, parse, payload, recipients
from weft_events.mails.mail import MAX_PAYLOAD_BYTES
from weft_runtime.http import strict_json

FOLDER = Path(os.environ.get("WEFT_CONFORMANCE", Path(__file__).parents[4] / "shared" / "conformance")) / "mails"
HEAD = b"From: a@b.example\nTo: c@d.example\nSubject: x\n"

# The mail; who sent it; how many addresses it is for; when; words of its text; whether it has HTML; its attachments and their bytes.
MAILS: list[tuple[str, str | None, int, str | None, int, bool, str]] = [
    ("attachment_emails.attachment_content_disposition", "foo@example.com", 1, "2005-06-06T20:21:22Z", 5, False, "text/x-ruby-script:26"),
    ("attachment_emails.attachment_message_rfc822", "foo@example.com", 1, "2005-06-06T20:21:22Z", 5, False, "message/rfc822:3712"),
    ("attachment_emails.attachment_nonascii_filename", "foo@example.com", 1, "2005-06-06T20:21:22Z", 5, False, "text/plain:10"),
    ("attachment_emails.attachment_pdf", "xxxx@xxxx.com", 1, "2005-05-10T17:26:39Z", 25, False, "application/pdf:1026"),
    ("attachment_emails.attachment_pdf_non_ascii", "xxxx@xxxx.com", 1, "2005-05-10T17:26:39Z", 26, False, "application/pdf:1026"),
    (
        "attachment_emails.attachment_with_base64_encoded_name",
        "xxxxxxxxx.xxxxxxx@gmail.com",
        1,
        "2005-05-08T19:09:11Z",
        39,
        False,
        "application/pdf:399",
    ),
    ("attachment_emails.attachment_with_quoted_filename", "jeff@37signals.com", 1, "2009-05-13T15:42:01Z", 0, False, "image/jpeg:1952"),
    ("error_emails.bad_date_header", "infoz@reactive-outpost.com", 1, None, 0, True, ""),
    ("error_emails.bad_encoded_subject", None, 0, None, 1, False, ""),
    ("error_emails.cant_parse_from", "News@InsideApple.Apple.com", 1, "2009-06-12T06:25:02Z", 18, True, ""),
    ("error_emails.content_transfer_encoding_empty", "3712f2@msa.hinet.net", 1, None, 9, True, ""),
    ("error_emails.content_transfer_encoding_qp_with_space", "fyouizjnp@swissonline.ch", 2, "2004-11-07T21:23:56Z", 46, True, ""),
    ("error_emails.content_transfer_encoding_text-html", "abhijit.862153drinnan@datavalet.com", 2, "2005-05-06T11:55:01Z", 57, True, ""),
    ("error_emails.content_transfer_encoding_with_semi_colon", "nsukijamq@morozstudio.tk", 1, "2005-06-30T04:57:10Z", 71, True, ""),
    ("error_emails.empty_group_lists", "ceciledwards@sbcglobal.net", 0, "2009-12-03T18:50:22Z", 311, True, ""),
    ("error_emails.encoding_madness", "no-reply@crm.el-example.org", 1, "2010-09-22T07:30:53Z", 2, False, ""),
    ("error_emails.invalid_subject_characters", "info@formacaofrenetik.info", 3, None, 1, False, ""),
    ("error_emails.missing_content_disposition", "redacted@example.com", 1, "2002-01-22T14:35:28Z", 0, False, "image/jpg:1311"),
    ("error_emails.multiple_invalid_content_dispositions", "redacted@flashmail.net", 1, None, 0, False, "text/html:11"),
    ("error_emails.must_supply_encoding", "info@here2there-travelers-msgs.net", 1, "2010-11-14T17:41:44Z", 0, False, ""),
    ("error_emails.trademark_character_in_subject", "j@yahoo-example.com", 3, "2010-10-12T16:21:05Z", 5, False, ""),
    ("mime_emails.email_with_similar_boundaries", "xxxxxx@xxxxxxxx.xxx", 1, "2012-04-06T01:01:01Z", 1, True, "application/octetstream:3"),
    ("mime_emails.raw_email12", "foo@example.com", 1, "2005-06-06T20:21:22Z", 5, False, "image/jpeg:227"),
    ("mime_emails.raw_email4", "xxx@xxxx.xxx", 1, "2005-05-08T17:30:08Z", 56, False, ""),
    ("mime_emails.raw_email_encoded_stack_level_too_deep", "gmail-noreply@google.com", 1, "2005-06-28T08:02:11Z", 58, True, ""),
    ("mime_emails.raw_email_with_illegal_boundary", "email_test@me.nowhere", 1, "2007-10-21T09:38:13Z", 9, True, ""),
    (
        "mime_emails.raw_email_with_multipart_mixed_quoted_boundary",
        "email_test@me.nowhere",
        1,
        "2007-10-21T09:38:13Z",
        25,
        False,
        "application/pdf:1026",
    ),
    ("mime_emails.raw_email_with_quoted_illegal_boundary", "email_test@me.nowhere", 1, "2007-10-21T09:38:13Z", 9, True, ""),
    ("mime_emails.two_from_in_message", "tester1@test.com", 1, "2009-12-02T09:39:33Z", 47, True, ""),
    ("multi_charset.japanese_attachment", "raasdnil@gmail.com", 1, "2009-10-16T12:39:34Z", 8, False, "text/plain:33"),
    ("multi_charset.japanese_iso_2022", "raasdnil@gmail.com", 1, None, 1, False, ""),
    ("multi_charset.ks_c_5601-1987", "from@example.com", 1, "2014-05-28T08:18:19Z", 1, False, ""),
    (
        "multipart_report_emails.multi_address_bounce2",
        "MAILER-DAEMON@lvmail01.LL.com",
        1,
        "2010-02-24T06:16:41Z",
        276,
        False,
        "message/delivery-status:2721 message/rfc822:1345",
    ),
    (
        "multipart_report_emails.report_422",
        "MAILER-DAEMON@tppppp.com.au",
        1,
        "2008-01-16T16:40:52Z",
        108,
        False,
        "message/delivery-status:328 text/rfc822-headers:673",
    ),
    ("plain_emails.basic_email", "test@lindsaar.net", 1, "2008-11-22T04:04:59Z", 7, False, ""),
    ("plain_emails.mix_caps_content_type", "bb@bug.com", 1, "2010-02-19T07:08:29Z", 2, False, ""),
    ("plain_emails.raw_email10", "xxx@xxxx.xxx", 2, "2005-05-10T20:27:03Z", 24, False, ""),
    ("plain_emails.raw_email6", "xxx@xxxx.xxx", 2, "2005-05-10T20:27:03Z", 24, False, ""),
    ("plain_emails.raw_email_bad_time", "yusuf75thu@auracom.net", 1, "3609-06-30T09:33:50Z", 19, True, ""),
    ("plain_emails.raw_email_incorrect_header", "xxx@xxx.xxx", 1, "2005-02-23T22:20:17Z", 31, False, ""),
    ("plain_emails.raw_email_quoted_with_0d0a", "foo@example.com", 1, "2005-06-06T20:21:22Z", 39, False, ""),
    ("plain_emails.raw_email_simple", "mikel@nowhere.com", 1, "2007-10-21T09:38:13Z", 2, False, ""),
    ("plain_emails.raw_email_trailing_dot", "noreply@rubyforge.org", 2, "2008-09-22T19:06:28Z", 3, False, ""),
    ("plain_emails.raw_email_with_bad_date", "subventive@vodtravel.com", 2, None, 3, False, ""),
    ("rfc2822.example01", "jdoe@machine.example", 1, "1997-11-21T15:55:06Z", 10, False, ""),
    ("rfc2822.example03", "john.q.public@example.com", 5, "2003-07-01T08:52:37Z", 2, False, ""),
    ("rfc2822.example05", "jdoe@machine.example", 1, "1997-11-21T15:55:06Z", 10, False, ""),
    ("rfc2822.example07", "jdoe@machine.example", 1, "1997-11-21T17:00:00Z", 7, False, ""),
    ("rfc2822.example09", "jdoe@machine.example", 1, "1997-11-21T15:55:06Z", 10, False, ""),
    ("rfc2822.example11", "john.q.public@example.com", 2, "2003-07-01T08:52:37Z", 2, False, ""),
    ("rfc2822.example13", "jdoe@machine.example", 0, "1997-11-21T15:55:06Z", 10, False, ""),
    ("rfc6532.utf8_headers", "jdöe@mächine.example", 1, None, 1, False, ""),
]


def read(data: bytes) -> dict[str, Any]:
    """What a trigger reads of a mail."""
    mail = parse(data)
    return payload(mail, recipients(mail))


@pytest.mark.parametrize(("name", "sender", "count", "date", "words", "has_html", "files"), MAILS, ids=[row[0] for row in MAILS])
def test_each_of_fifty_difficult_mails_is_read(
    name: str, sender: str | None, count: int, date: str | None, words: int, has_html: bool, files: str
) -> None:
    path = FOLDER / f"{name}.eml"
    if not path.exists():
        print("not run: no conformance data")
        return
    found = read(path.read_bytes())
    shown = " ".join(f"{one['content_type']}:{one['size']}" for one in found["attachments"])
    assert (found["from"] and found["from"]["address"], len(found["recipients"]), found["date"]) == (sender, count, date)
    assert (len((found["text"] or "").split()), found["html"] is not None, shown) == (words, has_html, files)
    assert msgspec.json.decode(msgspec.json.encode(found)) == found


def test_all_mails_of_the_collection_stand_in_the_table() -> None:
    there = sorted(path.stem for path in FOLDER.glob("*.eml"))
    assert there in ([], sorted(row[0] for row in MAILS))


def test_what_python_writes_is_read_back() -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Cc"] = (
        "Zoë Größe <zoe@acme.example>",
        "Support <support@acme.example>, b@acme.example",
        "ç <c@acme.example>",
    )
    mail["Subject"], mail["Message-ID"] = "Größe é " * 20, "<one@acme.example>"
    mail["In-Reply-To"], mail["References"] = "<zero@acme.example>", "<a@x> <zero@acme.example>"
    mail["Date"] = "Thu, 26 Nov 2026 10:00:00 +0100"
    mail.set_content("Text with ünlauts\nand two lines\n")
    mail.add_alternative("<p>Hello <b>there</b><script>alert(1)</script><img src='cid:logo' onerror='x()'></p>", subtype="html")
    mail.add_attachment(b"\x00\x01" * 50, maintype="application", subtype="octet-stream", filename="größe.bin")
    found = read(mail.as_bytes())
    assert found["from"] == {"address": "zoe@acme.example", "name": "Zoë Größe"}
    assert [one["address"] for one in found["to"]] == ["support@acme.example", "b@acme.example"]
    assert (found["cc"], found["recipients"][-1]) == ([{"address": "c@acme.example", "name": "ç"}], "c@acme.example")
    assert (found["subject"], found["date"]) == (("Größe é " * 20).strip(), "2026-11-26T09:00:00Z")
    assert (found["message_id"], found["in_reply_to"]) == ("<one@acme.example>", "<zero@acme.example>")
    assert found["references"] == ["<a@x>", "<zero@acme.example>"]
    assert found["text"] == "Text with ünlauts\nand two lines\n"
    assert found["html"] == '<p>Hello <b>there</b><img src="cid:logo"></p>'
    (file,) = found["attachments"]
    assert (file["name"], file["size"], file["inline"], file["content"][:8]) == ("größe.bin", 100, False, "AAEAAQAB")


def test_a_mail_of_html_alone_says_its_text_too() -> None:
    found = read(HEAD + b"Content-Type: text/html\n\n<style>p{}</style><p>Dear&nbsp;you,</p><p>5 &lt; 6<br>bye</p>")
    assert (found["text"], found["html"]) == ("Dear you,\n5 < 6\nbye", "<p>Dear&nbsp;you,</p><p>5 &lt; 6<br>bye</p>")


def test_what_filters_and_servers_said_is_read_from_the_newest_header() -> None:
    added = b"Authentication-Results: mx.acme.example; spf=pass smtp.mailfrom=x; dkim=fail; dmarc=none\n"
    added += b"X-Spam-Status: Yes, score=7.5 required=5\n"
    forged = b"Authentication-Results: mx.acme.example; spf=pass; dkim=pass; dmarc=pass\n"
    found = read(added + forged + HEAD + b"\nx")
    assert found["auth"] == {"by": "mx.acme.example", "spf": "pass", "dkim": "fail", "dmarc": "none"}
    assert (found["spam"], read(HEAD + b"\nx")["auth"]) == ({"flagged": True, "score": 7.5}, None)


def test_an_attachment_is_given_whole_where_it_is_small_and_by_its_name_where_it_is_not() -> None:
    mail = EmailMessage()
    mail["From"] = "a@b.example"
    for size in (20_000, 20_000, 10_000):
        mail.add_attachment(b"x" * size, maintype="text", subtype="csv", filename=f"{size}.csv")
    found = read(mail.as_bytes())["attachments"]
    assert [(one["name"], one["size"], one["content"] is not None) for one in found] == [
        ("20000.csv", 20_000, True),
        ("20000.csv", 20_000, False),
        ("10000.csv", 10_000, True),
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\r\n \n", "empty"),
        (b"no mail at all", "no_headers"),
        (b"A: b\n" * 2000 + b"\n", "headers_too_large"),
        (b"A" * 300_000, "headers_too_large"),
        (HEAD + b"\n" + b"x" * (10 * 1024 * 1024), "too_large"),
        (HEAD + b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * 501, "too_many_parts"),
        (b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(22)), "too_deep"),
    ],
)
def test_what_is_no_mail_or_a_bomb_is_refused_with_its_code(data: bytes, code: str) -> None:
    with pytest.raises(MailRefused) as refused:
        parse(data)
    assert refused.value.code == code


HOSTILE = {
    "parts in parts": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(20))
    + b"--b19\n" * 400_000,
    "comments": b"From: " + b"(" * 200_000 + b"\n\nx",
    "angles": b"From: " + b"<" * 200_000 + b"\n\nx",
    "encoded words": HEAD.replace(b"x", b"=?a?q?" * 30_000) + b"\n",
    "parameters": HEAD + b"Content-Type: text/plain; " + b'a*0*="\\' + b'";a="' * 30_000 + b"\n\nx",
    "folded": b"Subject: " + b"\n x" * 80_000 + b"\n\nx",
    "elements": HEAD + b"Content-Type: text/html\n\n" + b"<b><a href=x>" * 100_000,
    "comments of html": HEAD + b"Content-Type: text/html\n\n" + b"<!--" * 300_000,
    "embedded": HEAD + b"Content-Type: text/html\n\n" + b"data:a;b;c;d" * 200_000,
    "base64": HEAD + b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n" + b"QUJD\n" * 1_000_000,
    "NUL": HEAD + b"\n" + b"\x00" * 3_000_000,
    "halves": HEAD + b"Content-Type: text/plain; charset=utf-16\n\n" + b"\xd8\x00" * 500_000,
    "no charset": HEAD + b"Content-Type: text/plain; charset=zlib\n\n" + b"\xff" * 500_000,
    "names": b"From: " + b'"\xc3\xa9' * 30 + b'" <a@b>, ' * 20 + b"\n\nx",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_made_to_take_long_takes_no_longer_than_its_size(data: bytes) -> None:
    began = time.thread_time()
    try:
        size = len(msgspec.json.encode(read(data)))
    except MailRefused:
        size = 0
    # Each takes a tenth of a second at most here; what grows with the square of it would take minutes.
    assert time.thread_time() - began < 20
    assert size <= MAX_PAYLOAD_BYTES


PIECES = st.sampled_from(
    [
        b"From: ",
        b"To: a@b\n",
        b"Subject: =?utf-8?b?",
        b"?=",
        b"\n",
        b"\n\n",
        b" ",
        b"Content-Type: multipart/mixed; boundary=x\n",
        b"--x\n",
        b"--x--\n",
        b"Content-Type: text/html; charset=",
        b"utf-16",
        b"\xff\xfe",
        b'name*0*="',
        b"Content-Transfer-Encoding: base64\n",
        b"=?x*y?Q?=",
        b"<",
        b">",
        b"(",
        b'"',
        b"\\",
        b"@",
        b";",
        b":",
        b",",
        b"\x00",
        b"\xd8\x00",
        b"Date: Mon, 99 Foo 20 99:99:99 +9999\n",
        b"References: <a",
        b"\r",
        b"&#0;",
        b"<p>",
    ]
)


@given(st.lists(PIECES | st.binary(max_size=8), max_size=60).map(b"".join))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_is_read_or_refused_and_what_is_read_can_be_stored(data: bytes) -> None:
    for whole in (data, HEAD + data):
        try:
            found = read(whole)
        except MailRefused:
            continue
        strict_json.check(found)
        text = msgspec.json.encode(found)
        assert (len(text) <= MAX_PAYLOAD_BYTES, msgspec.json.decode(text) == found) == (True, True)
