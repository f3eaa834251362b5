"""`notification.send`: what an author may write, and what templates may give."""

from typing import Any

import pytest
from pydantic import ValidationError
from weft_language import validate
from weft_language.actions.notification.model import NotificationSendWith
from weft_language.model.part import RENDERED

from tests.language.build import codes, document, node

TO = {"users": ["{{ input.owner }}"], "roles": ["approver"], "groups": ["finance"]}


def sending(**with_: Any) -> dict[str, Any]:
    return document(node("tell", "notification.send", **{"to": TO, "title": "Look", **with_}))


@pytest.mark.parametrize(
    "with_",
    [
        {},
        {"to": {"users": "{{ input.owners }}"}},
        {"text": "a\n{{ input.note }}", "link": "/executions/{{ execution.id }}", "event": "invoice.overdue"},
        {"link": "https://example.com/a?b=c#d"},
        {"link": "{{ input.where }}", "event": "{{ input.event }}"},
    ],
)
def test_it_takes_people_by_name_role_and_group_with_templates_anywhere(with_: dict[str, Any]) -> None:
    assert [found for found in validate(sending(**with_)) if found.severity == "error"] == []


@pytest.mark.parametrize(
    ("with_", "code", "pointer"),
    [
        ({"to": {}}, "one_of", "/to"),
        ({"to": {"team": ["a"]}}, "unknown_field", "/to/team"),
        ({"title": ""}, "wrong_length", "/title"),
        ({"title": "two\nlines"}, "wrong_format", "/title"),
        ({"link": "javascript:alert(1)"}, "wrong_format", "/link"),
        ({"link": "//elsewhere.example"}, "wrong_format", "/link"),
        ({"link": "/\\elsewhere.example"}, "wrong_format", "/link"),
        ({"event": "Invoice Overdue"}, "wrong_format", "/event"),
        ({"to": {"roles": ["{{ 1 }}"]}}, "expression_type", "/to/roles/0"),
    ],
)
def test_what_is_wrong_is_pointed_at_when_it_is_saved(with_: dict[str, Any], code: str, pointer: str) -> None:
    assert (code, f"/nodes/0/with{pointer}") in codes(sending(**with_))


@pytest.mark.parametrize(
    "with_",
    [{"title": "two\nlines"}, {"title": "x" * 301}, {"to": {"users": [None]}}, {"to": {"roles": "approver"}}, {"link": "javascript:x"}],
)
def test_what_templates_gave_is_held_to_the_same(with_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NotificationSendWith.model_validate({"to": {"users": ["ada"]}, "title": "Look", **with_}, context=RENDERED)


def test_a_list_that_a_template_gave_may_be_empty_and_braces_in_a_text_are_no_template() -> None:
    read = NotificationSendWith.model_validate({"to": {"users": []}, "title": "{{ no template }}"}, context=RENDERED)

    assert (read.to.users, read.title) == ([], "{{ no template }}")
