"""Triggers: what they match, what they read, and the manual one that always exists."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_language import compile_definition, parse, validate
from weft_language.compilation import Hook, Trigger, glob_matches

from tests.language.build import document, node


def compiled(*triggers: dict[str, Any]) -> tuple[Trigger, ...]:
    return compile_definition(parse(document(node("a", "set", x=1), triggers=list(triggers))), 1).triggers


@pytest.mark.parametrize(
    ("pattern", "event_type", "matches"),
    [
        ("invoice.paid", "invoice.paid", True),
        ("invoice.paid", "invoice.paid.late", False),
        ("invoice.*", "invoice.paid", True),
        ("invoice.*", "invoice.line.added", True),
        ("invoice.*", "invoice", False),
        ("*", "anything", True),
        ("*.paid", "invoice.paid", True),
        ("inv?ice.paid", "invoice.paid", True),
        ("Invoice.*", "invoice.paid", False),
        ("a.[b]", "a.b", False),
    ],
)
def test_an_event_trigger_matches_its_type_or_glob(pattern: str, event_type: str, matches: bool) -> None:
    (trigger, manual) = compiled({"on": "event", "event": pattern})
    assert trigger.matches(event_type) is matches
    assert trigger.exact is not ("*" in pattern or "?" in pattern)
    assert not manual.matches(event_type)


def test_a_source_narrows_and_disabled_matches_nothing() -> None:
    narrow, disabled, _ = compiled({"on": "event", "event": "x", "source": "/shop/*"}, {"on": "event", "event": "x", "enabled": False})
    assert narrow.matches("x", "/shop/1")
    assert not narrow.matches("x", "/bank/1")
    assert not disabled.matches("x")


def test_ids_priorities_and_the_manual_trigger_have_defaults() -> None:
    first, second, manual = compiled({"on": "event", "event": "x"}, {"id": "mine", "on": "event", "event": "y", "priority": 1})
    assert [(trigger.id, trigger.priority) for trigger in (first, second, manual)] == [("trigger_1", 100), ("mine", 1), ("manual", 100)]
    assert [trigger.on for trigger in compiled({"on": "manual", "form": {"type": "object"}})] == ["manual"]


def test_when_and_conditions_must_both_hold() -> None:
    trigger, _ = compiled(
        {
            "on": "event",
            "event": "x",
            "when": "trigger.payload.n > 1 // a comment",
            "conditions": {"all": [{"left": "trigger.payload.n", "op": "lt", "right": 5}]},
            "input": {"n": "{{ trigger.payload.n }}"},
            "key": "{{ trigger.payload.id }}",
        }
    )
    assert trigger.when is not None and trigger.input is not None and trigger.key is not None
    assert [trigger.when.evaluate({"trigger": {"payload": {"n": n}}}) for n in (1, 3, 5)] == [False, True, False]
    assert trigger.input.render({"trigger": {"payload": {"n": 3}}}) == {"n": 3}


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_a_glob_means_what_it_says(pattern: str, text: str) -> None:
    import re

    said = "".join({"*": ".*", "?": "."}.get(character, character) for character in pattern)
    assert glob_matches(pattern, text) is (re.fullmatch(said, text) is not None)


def test_a_hostile_glob_takes_no_time() -> None:
    assert not glob_matches("*a" * 120 + "b", "a" * 250)


def test_a_correlated_value_is_the_key_and_no_other_key_stands_beside_it() -> None:
    (trigger, _) = compiled({"on": "event", "event": "x", "correlate": "{{ trigger.payload.id }}"})
    assert trigger.correlates and trigger.key is not None
    assert trigger.key.render({"trigger": {"payload": {"id": 7}}}) == 7
    both = {"on": "event", "event": "x", "correlate": "{{ trigger.payload.id }}", "key": "k"}
    found = [(finding.severity, finding.pointer) for finding in validate(document(node("a", "set", x=1), triggers=[both]))]
    assert found == [("error", "/triggers/0")]
    wrong = {"on": "event", "event": "x", "correlate": "{{ step.a.output }}"}
    assert [finding.pointer for finding in validate(document(node("a", "set", x=1), triggers=[wrong]))] == ["/triggers/0/correlate"]


def hook_findings(**hook: Any) -> list[tuple[str, str, str]]:
    found = validate(document(node("a", "set", x=1), triggers=[{"on": "webhook", "path": "in", **hook}]))
    assert all(finding.fix for finding in found)
    return [(finding.severity, finding.code, finding.pointer) for finding in found]


@pytest.mark.parametrize("signature", ["standard-webhooks", "hmac-sha256", "slack", "svix", "github"])
def test_a_signed_webhook_needs_the_connection_that_holds_its_secret(signature: str) -> None:
    assert hook_findings(signature=signature) == [("error", "webhook_without_connection", "/triggers/0/connection")]
    assert hook_findings(signature=signature, connection="gh") == []


def test_a_webhook_is_signed_unless_it_says_that_anybody_may_call() -> None:
    assert hook_findings() == [("error", "webhook_without_connection", "/triggers/0/connection")]
    assert hook_findings(signature="none") == [("warning", "webhook_unsigned", "/triggers/0/signature")]


@pytest.mark.parametrize(("signature", "warned"), [("github", True), ("hmac-sha256", True), ("slack", False), ("standard-webhooks", False)])
def test_a_get_under_a_signature_of_the_body_alone_is_warned_of(signature: str, warned: bool) -> None:
    expected = [("warning", "webhook_signs_nothing", "/triggers/0/methods")] if warned else []
    assert hook_findings(signature=signature, connection="gh", methods=["POST", "GET"]) == expected


@pytest.mark.parametrize("path", ["a b", "a//b", "a/", "//a", "?a", "a/../b", ".", "ä", "{a}", "a%20b"])
def test_a_path_that_could_not_be_called_is_refused(path: str) -> None:
    assert hook_findings(path=path, connection="gh") == [("error", "wrong_format", "/triggers/0/path")]


def test_a_webhook_compiles_to_how_it_is_called() -> None:
    (trigger, _) = compiled({"on": "webhook", "path": "/github/issues", "signature": "github", "connection": "gh", "methods": ["PUT"]})
    assert trigger.hook == Hook("github/issues", ("PUT",), "github", "gh")
    assert not trigger.matches("weft.webhook.called")


def test_a_mail_trigger_knows_its_address() -> None:
    trigger, _ = compiled({"on": "email", "address": "Orders+*@Acme.example"})
    assert (trigger.on, trigger.address, trigger.pattern) == ("email", "orders+*@acme.example", None)


@pytest.mark.parametrize(
    "address", ["", "*", "orders", "@acme.example", "orders@", "a b@c.d", "<a@b.c>", "a@b, c@d", "a@b@c", "Name a@b.c"]
)
def test_what_is_no_mail_address_is_refused_with_its_place(address: str) -> None:
    found = validate(document(node("a", "set", x=1), triggers=[{"on": "email", "address": address}]))
    errors = {(one.code, one.pointer) for one in found if one.severity == "error"}
    assert errors in ({("wrong_format", "/triggers/0/address")}, {("wrong_length", "/triggers/0/address")})
