"""Whatever somebody writes into a rule, or into what it watches, is a value: none of it is ever read as an expression."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from weft_language import has_errors, validate
from weft_language.rules import compile_rule

from tests.language.rules.written import BOSS, HOOK, actions_of, condition, rendered, rule, starts, trigger_of
from tests.support.examples import many

CODE = st.sampled_from(
    [
        '" || true || "',
        "{{ now }}",
        "{{",
        "}}",
        "{{{{",
        '"}} {{ 1',
        "\\",
        '\\"',
        "'",
        "`",
        "//",
        "/*",
        "\n",
        "\u2028",
        'x") + true ("y',
        "${a}",
        "]",
    ]
)
TEXT = st.lists(CODE | st.text(max_size=8), max_size=5).map("".join).filter(lambda text: "\x00" not in text)
VALUE = st.recursive(
    TEXT | st.integers(-(2**53), 2**53) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
LINE = TEXT.map(lambda text: "".join(sign for sign in text if sign >= " " and sign != "\x7f")).filter(bool)
FIELD = LINE.map(lambda text: text.replace('"', "").replace("\\", "")).filter(bool)
READS = {"trigger", "now", "tenant", "vars", "step"}


def reads(fields: Any) -> set[str]:
    """The names that any expression of a rule's workflow reads."""
    when = trigger_of(fields).when
    found = [*(() if when is None else when.references), *(path for one in actions_of(fields).values() for path in one.references)]
    return {str(path[0] if isinstance(path, tuple) else path).partition(".")[0] for path in found}


@many(60)
@given(value=VALUE, other=VALUE)
def test_a_field_condition_holds_for_its_value_and_for_nothing_else(value: Any, other: Any) -> None:
    made = rule(condition("field_value", field="field", operator="eq", value=value))
    assert starts(made, {"field": value})
    assert starts(made, {"field": other}) is (same(value, other))


@many(60)
@given(field=FIELD, value=TEXT)
def test_a_fields_name_is_a_name(field: str, value: str) -> None:
    assume("." not in field)
    made = rule(field_conditions={field: {"eq": value}})
    assert starts(made, {field: value})
    assert not starts(made, {field: value + "!"})
    assert reads(made) <= READS


@many(60)
@given(roles=st.lists(LINE, min_size=1, max_size=3), held=LINE)
def test_a_role_is_a_name(roles: list[str], held: str) -> None:
    assert starts(rule(condition("role_based", roles=roles, field="by")), {"by": held}) is (held in roles)


@many(60)
@given(title=LINE, text=TEXT, user=LINE, group=LINE, name=LINE)
def test_what_people_are_told_is_what_was_written(title: str, text: str, user: str, group: str, name: str) -> None:
    assume("{{" not in title and "{{" not in text)
    recipients = [{"recipient_type": kind, "recipient_id": id_} for kind, id_ in (("user", user), ("group", group), ("attribute", user))]
    action = {"action_type": "notification", "action_config": {"title": title, "text": text}}
    made = rule(actions=[action], recipients=recipients, name=name)
    told = rendered(made, {user: "u"} if "." not in user else {})
    assert (told["title"], told.get("text", "")) == (title, text)
    assert (told["to"]["users"][0], told["to"]["groups"]) == (user, [group])
    assert reads(made) <= READS


@many(60)
@given(record=st.dictionaries(st.sampled_from(["id", "name"]), VALUE), name=LINE)
def test_what_changed_is_written_and_never_read(record: dict[str, Any], name: str) -> None:
    told = {"title": "{{ rule.name }}: {{ record.id }}", "text": "{{ record.id }} {{ record.name }}", "link": "/x/{{ record.name }}"}
    given = rendered(rule(actions=[{"action_type": "notification", "action_config": told}], recipients=[BOSS], name=name), record)
    assert given["title"].startswith(name[:100])
    assert len(given["title"]) <= 300
    assert all(sign >= " " and sign != "\x7f" for sign in given["title"])
    assert set(given["link"]) <= set("/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-")
    if isinstance(record.get("id"), str) and not record.get("name"):
        assert given["text"].startswith(f"{record['id'][:250]} ")


@many(60)
@given(body=VALUE, headers=st.dictionaries(st.sampled_from(["X-A", "X-B"]), LINE), name=LINE, description=TEXT)
def test_what_a_webhook_is_sent_is_what_was_written(body: Any, headers: dict[str, str], name: str, description: str) -> None:
    assume("{{" not in str(body) and body is not None)
    call = {"action_type": "webhook", "action_config": {"url": "https://x.example/h", "body": body, "headers": headers}}
    made = rule(actions=[call, HOOK], name=name)
    given = rendered(made, {})
    assert (given["body"], given.get("headers", {})) == (body, headers)
    assert not has_errors(validate(compile_rule("approved", made)))


def same(one: Any, other: Any) -> bool:
    """Equality of CEL: texts, numbers, lists and maps of them; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)
