"""Decision links: what they say, what they are good for, and the page of one; without a database."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from weft_runtime.errors import Detail
from weft_tasks.api.decisions import prefers_html
from weft_tasks.decision_links import LONGEST, USUAL, Link, Links, LinkStanding, make, page, standing
from weft_tasks.decision_links.fields import fields, filled_in
from weft_tasks.errors import BadTime, LinkUnknown, NoAssignee, TaskMoved, UnknownOutcome
from weft_tasks.machine import TaskStatus
from weft_tasks.task import Task, Who

from tests.services.tasks.test_decisions import NOW, opened

HOUR = timedelta(hours=1)
SECRETS = ("the secret of today, long enough", "the secret of yesterday, long enough")
FORM: dict[str, Any] = {
    "type": "object",
    "required": ["amount", "note"],
    "properties": {
        "amount": {"type": "number", "title": "How much"},
        "note": {"type": "string", "maxLength": 5},
        "sure": {"type": "boolean"},
        "kind": {"enum": ["<b>", 2, None]},
        "parts": {"type": "array"},
    },
}


def link(task: Task, **given: Any) -> Link:
    asked = {"decisions": None, "expires_at": None, "version": None} | given
    return make(task, UUID(int=9), asked["decisions"], asked["expires_at"], asked["version"], "adm-id", NOW)


def test_a_link_is_read_back_whole_by_every_key_of_the_house_and_by_no_other() -> None:
    made = link(opened(assignee="Ann@acme.example"))
    assert (made.whom, made.decisions, made.task_version, made.expires_at) == ("ann@acme.example", ("approved", "rejected"), 1, NOW + USUAL)
    yesterday = Links(SECRETS[1:]).token(made)
    assert Links(SECRETS).read(yesterday) == made
    for other in (Links(SECRETS[:1]), Links(("another house", *SECRETS[:1]))):
        with pytest.raises(LinkUnknown):
            other.read(yesterday)
    assert "ann" not in yesterday
    assert Links(SECRETS).token(made) != Links(SECRETS).token(made)


def test_a_token_that_was_changed_anywhere_is_none_of_ours() -> None:
    links = Links(SECRETS)
    token = links.token(link(opened(assignee="ann-id")))
    changed = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(0, len(token), 7)]
    last = token[:-1] + next(letter for letter in "ABCDEFGHIJKLMNOP" if letter != token[-1])
    for wrong in (*changed, last, token + "=", token + "A", token[1:], "", "\u00e9", "A" * 10_000, token.replace("A", " ", 1) + " "):
        with pytest.raises(LinkUnknown):
            links.read(wrong)


def test_a_link_is_for_whoever_has_the_task_some_of_its_decisions_and_a_time() -> None:
    task = opened(assignee="ann-id")
    assert link(task, decisions=["approved", "approved"], expires_at=NOW + HOUR).decisions == ("approved",)
    wrong: list[tuple[type[Exception], Task, dict[str, Any]]] = [
        (NoAssignee, opened(), {}),
        (NoAssignee, replace(task, status=TaskStatus.EXPIRED), {}),
        (TaskMoved, task, {"version": 2}),
        (UnknownOutcome, task, {"decisions": ["approved", "maybe"]}),
        (BadTime, task, {"expires_at": NOW}),
        (BadTime, task, {"expires_at": NOW + LONGEST + HOUR}),
    ]
    for kind, of, given in wrong:
        with pytest.raises(kind):
            link(of, **given)


def test_what_a_link_is_good_for_is_told_by_the_task_as_it_is_now() -> None:
    task = opened(assignee="ann-id")
    made = link(task)
    said = [
        standing(made, of, used=used, now=NOW + passed)
        for of, used, passed in (
            (task, False, HOUR),
            (replace(task, paused_since=NOW), False, HOUR),
            (replace(task, version=2), False, HOUR),
            (replace(task, status=TaskStatus.CANCELLED, version=2), False, HOUR),
            (task, False, USUAL),
            (task, True, USUAL),
        )
    ]
    assert said == [LinkStanding(one) for one in ("open", "paused", "stale", "over", "expired", "used")]


def test_the_page_shows_a_task_as_text_whatever_stands_in_it() -> None:
    evil = "<script>alert('x')</script>\"&"
    task = opened(title=evil, description=evil, data={evil: evil}, assignee="ann-id", outcomes=(evil,), form=FORM)
    sent = {"form.note": evil, "form.kind": "0"}
    html = page.refused(link(task), task, evil, [Detail("/form/note", "x", evil)], sent)
    shown = page.shown(link(task), task, LinkStanding.OPEN, whole=True, receipt=None)
    for one in (html, shown, page.plain(evil, evil)):
        assert "<script" not in one
        assert "alert('x')" not in one
    assert html.count("&lt;script&gt;") >= 6
    assert '<option value="0" selected>&lt;b&gt;</option>' in html
    assert 'maxlength="5" required' in html
    policy = page.HEADERS["Content-Security-Policy"]
    assert ("unsafe" in policy, "script-src" in policy, policy.startswith("default-src 'none'")) == (False, False, True)
    assert page.HEADERS["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.HEADERS["X-Robots-Tag"]


def test_what_is_stale_over_or_used_offers_no_decision_and_a_large_payload_is_cut() -> None:
    task = opened(assignee="ann-id", data={"long": "x" * 100_000})
    made = link(task)
    receipt = SimpleNamespace(id=UUID(int=3), at=NOW, outcome="approved")
    assert len(page.shown(made, task, LinkStanding.OPEN, whole=True, receipt=None)) < 2 * page.SHOWN_BYTES
    for one, used in ((LinkStanding.STALE, None), (LinkStanding.OVER, None), (LinkStanding.EXPIRED, None), (LinkStanding.USED, receipt)):
        html = page.shown(made, task, one, whole=True, receipt=used)
        assert ("<button" in html, 'role="status"' in html) == (False, True)
    assert "<pre>" not in page.shown(made, task, LinkStanding.STALE, whole=False, receipt=None)


def test_a_form_without_scripts_asks_for_plain_fields_and_reads_them_as_their_kind() -> None:
    asked = fields(FORM) or ()
    assert [(one.name, one.kind, one.required) for one in asked] == [
        ("amount", "number", True),
        ("note", "text", True),
        ("sure", "boolean", False),
        ("kind", "choice", False),
    ]
    sent = {"form.amount": " 3.5 ", "form.note": "a\r\nb", "form.sure": "true", "form.kind": "1", "other": "x"}
    assert filled_in(asked, sent) == {"amount": 3.5, "note": "a\nb", "sure": True, "kind": 2}
    assert filled_in(asked, {"form.amount": "1e999", "form.kind": "9"}) == {"amount": "1e999", "sure": False, "kind": "9"}
    assert filled_in(fields({"properties": {"n": {"type": "integer"}}}) or (), {"form.n": "7"}) == {"n": 7}
    assert filled_in((), {"form.amount": "1"}) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"required": ["parts"], "properties": {"parts": {"type": "array"}}},
        {"required": ["nowhere"], "properties": {}},
        {"properties": []},
        {"properties": {f"p{number}": {} for number in range(200)}},
    ],
)
def test_a_form_that_needs_more_than_plain_fields_is_not_offered(schema: dict[str, Any]) -> None:
    assert fields(schema) is None
    task = opened(assignee="ann-id", form=schema if isinstance(schema["properties"], dict) else None)
    html = page.shown(link(task), replace(task, form=schema), LinkStanding.OPEN, whole=True, receipt=None)
    assert ("<button" in html, "Sign in to decide" in html) == (False, True)


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("*/*", False),
        ("", False),
        ("application/json", False),
        ("application/json;q=0.9, text/html;q=0.8", False),
        ("text/html;q=x", False),
    ],
)
def test_a_page_is_for_whoever_asks_for_one(accept: str, html: bool) -> None:
    assert prefers_html(accept) is html


def test_who_decides_by_a_link_is_written_down_with_it() -> None:
    assert Who("ann-id", link="l-1").via == "link:l-1"
