"""What a rule means: the workflow that it compiles to, what starts it, and what its actions are given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from weft_language import has_errors, validate
from weft_language.rules import RuleFields, compile_rule, looks, place_in_rule

from tests.language.rules.written import BOSS, HOOK, NOTE, NOW, condition, names, rendered, rule, starts

MAIL: dict[str, Any] = {
    "action_type": "email",
    "action_config": {"connection": "mail", "to": "ada@acme.example", "subject": "Order {{ record.id }}", "text": "Hello {{ record.who }}"},
}


def test_a_rule_is_an_ordinary_definition_with_a_trigger_a_label_and_a_node_for_each_action() -> None:
    document = compile_rule("approved", rule(actions=[NOTE, MAIL, HOOK], recipients=[BOSS], field_conditions={"status": "approved"}))
    assert not has_errors(validate(document))
    assert (document["slug"], document["name"], document["labels"]) == ("approved", "Approved orders", {"rule": "approved"})
    (trigger,) = document["triggers"]
    assert {name: trigger[name] for name in ("on", "table", "operation", "priority")} == {
        "on": "record",
        "table": "orders",
        "operation": "update",
        "priority": 100,
    }
    assert [node["type"] for node in document["nodes"]] == ["set", "notification.send", "email.send", "http.request", "if", "fail"]
    assert document == compile_rule(
        "approved", rule(actions=[NOTE, MAIL, HOOK], recipients=[BOSS], field_conditions={"status": "approved"})
    )


@pytest.mark.parametrize(("operation", "type_"), [("create", "orders.created"), ("update", "orders.updated"), ("delete", "orders.deleted")])
def test_a_rule_on_events_is_for_domain_events_of_that_name(operation: str, type_: str) -> None:
    (trigger,) = compile_rule("x", rule(source="event", operation=operation, priority=7))["triggers"]
    assert (trigger["on"], trigger["event"], trigger["priority"]) == ("event", type_, 7)


def test_actions_are_done_by_their_order_and_as_listed_where_that_is_equal() -> None:
    first, second, third = ({**HOOK, "order": order, "action_config": {"url": f"https://x.example/{order}"}} for order in (5, 0, 5))
    document = compile_rule("x", rule(actions=[first, third, second]))
    assert [node["with"]["url"][-1] for node in document["nodes"][:3]] == ["0", "5", "5"]
    assert {(edge["from"], edge["to"], edge["on"]) for edge in document["edges"]} >= {
        ("action_1", "action_2", "done"),
        ("action_1", "action_2", "error"),
        ("action_3", "any_failed", "error"),
        ("any_failed", "failed", "true"),
    }


@pytest.mark.parametrize(
    ("wanted", "record", "old", "expected"),
    [
        ({"status": "approved"}, {"status": "approved"}, None, True),
        ({"status": "approved"}, {"status": "open"}, None, False),
        ({"status": "approved"}, {}, None, False),
        ({"total": {"gte": 100}}, {"total": 100.5}, None, True),
        ({"total": {"gte": 100}}, {"total": None}, None, False),
        ({"status": {"changed_to": "approved"}}, {"status": "approved"}, {"status": "open"}, True),
        ({"status": {"changed_to": "approved"}}, {"status": "approved"}, {"status": "approved"}, False),
        ({"customer.country": "it"}, {"customer": {"country": "it"}}, None, True),
        ({"a column": 1}, {"a column": 1}, None, True),
        ({"import": "x"}, {"import": "x"}, None, True),
    ],
)
def test_field_conditions_read_the_row_as_record_triggers_do(wanted: Any, record: Any, old: Any, expected: bool) -> None:
    assert starts(rule(field_conditions=wanted), record, old) is expected


def test_a_rule_on_events_reads_what_the_event_says() -> None:
    made = rule(condition("field_value", field="customer.country", operator="in", value=["it", "fr"]), source="event")
    assert (starts(made, {"customer": {"country": "fr"}}), starts(made, {"customer": {}}), starts(made, {})) == (True, False, False)


@pytest.mark.parametrize(
    ("config", "at", "expected"),
    [
        ({"weekdays": ["fri"]}, NOW, True),
        ({"weekdays": ["sat", "sun"]}, NOW, False),
        ({"from": "09:00", "to": "17:30"}, NOW, True),
        ({"from": "11:30", "to": "17:30", "timezone": "Europe/Rome"}, NOW, True),
        ({"from": "11:31", "to": "17:30", "timezone": "Europe/Rome"}, NOW, False),
        ({"from": "22:00", "to": "06:00"}, NOW.replace(hour=23), True),
        ({"from": "22:00", "to": "06:00"}, NOW.replace(hour=5, minute=59), True),
        ({"from": "22:00", "to": "06:00"}, NOW.replace(hour=6, minute=0), False),
        ({"from": "22:00", "to": "24:00"}, NOW.replace(hour=23, minute=59), True),
        ({"starts": "2026-11-27T11:30:00+01:00"}, NOW, True),
        ({"ends": "2026-11-27T10:30:00Z"}, NOW, False),
        ({"weekdays": ["sat"], "timezone": "Pacific/Auckland"}, datetime(2026, 11, 27, 20, tzinfo=UTC), True),
    ],
)
def test_time_based_conditions_ask_when_it_happens(config: dict[str, Any], at: datetime, expected: bool) -> None:
    assert starts(rule(condition("time_based", **config)), {}, now=at) is expected


@pytest.mark.parametrize(
    ("match", "held", "expected"),
    [
        ("any", ["clerk", "boss"], True),
        ("any", "boss", True),
        ("any", "bos", False),
        ("any", None, False),
        ("all", ["boss", "clerk", "x"], True),
        ("all", ["boss"], False),
        ("none", ["x"], True),
        ("none", ["boss"], False),
        ("none", None, True),
    ],
)
def test_role_based_conditions_ask_who_caused_it(match: str, held: Any, expected: bool) -> None:
    of_event = rule(condition("role_based", roles=["boss", "clerk"], match=match), source="event")
    of_row = rule(condition("role_based", roles=["boss", "clerk"], match=match, field="by_roles"))
    assert starts(of_event, {"user": {"roles": held}}) is expected
    assert starts(of_row, {"by_roles": held}) is expected


def test_each_condition_is_told_on_its_own_with_what_it_evaluated_to() -> None:
    made = rule(
        condition("field_value", field="total", operator="gte", value=100),
        condition("field_value", field="note", operator="starts_with", value="x"),
        condition("time_based", weekdays=["mon"]),
        field_conditions={"status": "approved"},
    )
    found = looks(made, names(made, {"status": "approved", "total": 5, "note": 7}))
    assert [(one.pointer, one.held) for one in found] == [
        ("/trigger/field_conditions/status", True),
        ("/conditions/0", False),
        ("/conditions/1", None),
        ("/conditions/2", False),
    ]
    assert (found[1].condition["value"], found[2].error is not None) == (False, True)


def test_placeholders_become_what_they_stand_for() -> None:
    told = {
        "title": "Order {{ record.id }} of {{record.customer.name}} for {{ tenant.id }}",
        "text": "{{ rule.name }} ({{ rule.slug }}): {{ operation }} of {{ entity_type }}, "
        "was {{ old.status }}, changed {{ changed }}\n{{ record.none }}.",
        "link": "/orders/{{ record.customer.name }}",
    }
    made = rule(actions=[{"action_type": "notification", "action_config": told}], recipients=[BOSS])
    given = rendered(made, {"id": 7, "status": "b", "customer": {"name": "Z/\n é"}}, {"id": 7, "status": "a", "customer": None})
    assert given == {
        "to": {"roles": ["boss"]},
        "title": "Order 7 of Z/  é for acme",
        "text": "Approved orders (approved): update of orders, was a, changed status, customer\n.",
        "link": "/orders/Z____",
        "event": "rule.approved",
    }


def test_what_an_action_bounds_as_it_is_written_is_short() -> None:
    text = "{{ record.a }} {{ old.b }} " * 10
    mail = {"connection": "mail", "to": ["{{ record.a_rather_long_name_of_a_field }}"], "subject": text, "text": text}
    note = {"title": text, "text": text, "link": "/o/" + "{{ record.a }}" * 20}
    made = rule(actions=[{**NOTE, "action_config": note}, {**MAIL, "action_config": mail}], recipients=[BOSS])
    _, told, sent, *_ = compile_rule("approved", made)["nodes"]
    assert not has_errors(validate(compile_rule("approved", made)))
    assert max(len(one) for one in (told["with"]["title"], told["with"]["link"], sent["with"]["subject"], *sent["with"]["to"])) < 50
    assert len(told["with"]["text"]) < 10_000


def test_a_title_that_nothing_is_left_of_is_the_rules_name() -> None:
    action = {"action_type": "notification", "action_config": {"title": "{{ record.none }}"}}
    assert rendered(rule(actions=[action], recipients=[BOSS]), {})["title"] == "Approved orders"


def test_what_people_are_told_has_its_bounds_whatever_is_put_in() -> None:
    told = {"title": "{{ record.a }}" * 20, "text": "x" * 3700 + "{{ record.a }}" * 20, "link": "/" + "y" * 219 + "{{ record.a }}" * 20}
    given = rendered(rule(actions=[{"action_type": "notification", "action_config": told}], recipients=[BOSS]), {"a": "é" * 1000})
    assert [len(given[name]) for name in ("title", "text", "link")] == [300, 8700, 1500]


def test_a_webhook_keeps_the_types_of_what_its_body_names_and_tells_everything_where_it_has_none() -> None:
    body = {"total": "{{ record.total }}", "text": "is {{ record.total }}", "list": ["{{ record.tags }}", 1, None]}
    made = rule(actions=[{"action_type": "webhook", "action_config": {"url": "https://x.example/h", "body": body}}])
    assert rendered(made, {"total": 5, "tags": ["a"]})["body"] == {"total": 5, "text": "is 5", "list": [["a"], 1, None]}
    whole = rendered(rule(), {"total": 5}, {"total": 4})["body"]
    assert whole == {
        "rule": "approved",
        "entity_type": "orders",
        "operation": "update",
        "event_id": "e1",
        "time": "2026-11-27T10:30:00Z",
        "record": {"total": 5},
        "key": None,
        "old": {"total": 4},
        "changed": ["total"],
    }


@pytest.mark.parametrize(
    ("owner", "users"),
    [("a\nb", ["u1"]), ("u2", ["u1", "u2"]), (["u2", None, "", 3], ["u1", "u2", "3"]), (None, ["u1"]), ("", ["u1"]), (7, ["u1", "7"])],
)
def test_recipients_are_named_and_attributes_are_read_from_what_changed(owner: Any, users: list[str]) -> None:
    recipients = [
        {"recipient_type": kind, "recipient_id": id_} for kind, id_ in (("user", "u1"), ("group", "sales"), ("attribute", "owner_id"))
    ]
    assert rendered(rule(actions=[NOTE], recipients=recipients), {"owner_id": owner})["to"] == {"users": users, "groups": ["sales"]}


def test_a_mail_goes_to_its_addresses_or_to_recipients_that_are_some() -> None:
    made = rule(actions=[{**MAIL, "action_config": {**MAIL["action_config"], "to": ["a@b.example", "{{ record.mail }}"]}}])
    given = rendered(made, {"id": 1, "who": "Z", "mail": "z@b.example"})
    assert (given["to"], given["subject"], given["text"]) == (["a@b.example", "z@b.example"], "Order 1", "Hello Z")
    without = {**MAIL, "action_config": {name: value for name, value in MAIL["action_config"].items() if name != "to"}}
    recipients = [
        {"recipient_type": kind, "recipient_id": id_} for kind, id_ in (("user", "u@b.example"), ("role", "boss"), ("attribute", "mail"))
    ]
    assert rendered(rule(actions=[without], recipients=recipients), {"mail": "z@b.example"})["to"] == ["u@b.example", "z@b.example"]
    with pytest.raises(ValidationError, match="has nobody to go to"):
        rule(actions=[without], recipients=[BOSS])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"actions": []}, "at least 1"),
        ({"actions": [NOTE]}, "needs recipients"),
        ({"actions": [{**HOOK, "action_type": "sms"}]}, "does not match any of the expected tags"),
        ({"actions": [{**HOOK, "action_config": {"url": "https://{{ record.host }}/"}}]}, "absolute http"),
        ({"actions": [{**HOOK, "action_config": {"url": "https://u:p@x.example/"}}]}, "absolute http"),
        ({"actions": [{**NOTE, "action_config": {"title": "{{ 1 + 1 }}"}}], "recipients": [BOSS]}, "is no placeholder"),
        ({"actions": [{**NOTE, "action_config": {"title": "{{ secrets.x }}"}}], "recipients": [BOSS]}, "names no value"),
        ({"actions": [{**NOTE, "action_config": {"title": "{{ tenant.settings }}"}}], "recipients": [BOSS]}, "tenant.id"),
        ({"actions": [{**NOTE, "action_config": {"title": "a\nb"}}], "recipients": [BOSS]}, "pattern"),
        ({"actions": [{**NOTE, "action_config": {"title": "a", "link": "//evil.example"}}], "recipients": [BOSS]}, "begins with one"),
        (
            {"actions": [{**NOTE, "action_config": {"title": "a", "link": "https://{{ record.x }}/"}}], "recipients": [BOSS]},
            "begins with one",
        ),
        ({"conditions": [condition("role_based", roles=["a"])]}, "needs `field`"),
        ({"conditions": [condition("time_based")]}, "give `weekdays`"),
        ({"conditions": [condition("time_based", **{"from": "9:00", "to": "10:00"})]}, "time of day"),
        ({"conditions": [condition("time_based", **{"from": "09:00"})]}, "go together"),
        ({"conditions": [condition("time_based", weekdays=["mon"], timezone="Mars/Base")]}, "Mars"),
        ({"conditions": [condition("field_value", field="a", operator="like", value=1)]}, "should be one of"),
        ({"conditions": [condition("field_value", field="a", operator="gt")]}, "needs `value`"),
        ({"conditions": [condition("field_value", field="a", operator="matches", value="(")]}, "conditions/0"),
        ({"trigger": {"entity_type": "orders", "operation": "upsert"}}, "create"),
        ({"trigger": {"entity_type": "orders", "operation": "update", "field_conditions": {"a": {"like": 1}}}}, "no operator"),
        (
            {"trigger": {"entity_type": "o", "operation": "update", "source": "event", "field_conditions": {"a": {"changed": True}}}},
            "before",
        ),
        ({"trigger": {"entity_type": 'o"', "operation": "update"}}, "pattern"),
    ],
)
def test_what_a_rule_cannot_mean_is_refused_with_what_to_do(changes: dict[str, Any], said: str) -> None:
    document = {"name": "n", "trigger": {"entity_type": "orders", "operation": "update"}, "actions": [HOOK]} | changes
    with pytest.raises(ValidationError) as refused:
        RuleFields.model_validate(document)
    assert said in str(refused.value)


def test_what_is_said_of_the_workflow_is_said_of_the_rule() -> None:
    made = rule(actions=[{**HOOK, "order": 1}, MAIL])
    places = ("/nodes/1/with/subject", "/nodes/2/with/url", "/nodes/0/with/x", "/nodes/4/with", "/triggers/0/when", "/name", "/labels")
    assert [place_in_rule(one, made) for one in places] == [
        "/actions/1/action_config/subject",
        "/actions/0/action_config/url",
        "/actions",
        "/actions",
        "/trigger",
        "/name",
        "",
    ]
