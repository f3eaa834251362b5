"""What an event is looked up by: the first term of a `match` that compares a value of the event with one of the execution."""

from __future__ import annotations

from typing import Any

import pytest
from weft_language import compile_definition, parse, validate
from weft_language.compilation import StateWork, correlate, correlation_key, key_at
from weft_language.compilation.correlating import MAX_KEY_CHARS
from weft_language.expressions import compile_expression

from tests.language.build import document, node


@pytest.mark.parametrize(
    ("match", "path", "names", "value"),
    [
        ("event.data.order == vars.order", "/order", {"vars": {"order": 7}}, 7),
        ("vars.order == event.data.order", "/order", {"vars": {"order": "a"}}, "a"),
        ("event.type != 'x' && (event.data['a/b'].c == input.n // why\n)", "/a~1b/c", {"input": {"n": 1}}, 1),
        ("event.data.a == event.data.b && event.data.c == 'const'", "/c", {}, "const"),
        ("[1].exists(event, event == 1) && event.data.a == item.id", "/a", {"item": {"id": 3}}, 3),
    ],
)
def test_the_first_term_that_compares_the_event_with_the_execution_is_used(
    match: str, path: str, names: dict[str, Any], value: Any
) -> None:
    found = correlate(compile_expression(match))
    assert found is not None
    assert (found.path, found.value.evaluate(names)) == (path, value)


@pytest.mark.parametrize(
    "match",
    [
        "event.data.a == 1 || event.data.b == 2",
        "event.data.a != vars.a",
        "event.data.a == event.source",
        "event.data == vars.a",
        "event.source == vars.a",
        "event.data.items[0] == vars.a",
        "event.data.at == now",
        "!(event.data.a == vars.a)",
        "default(event.data.a, 1) == vars.a",
    ],
)
def test_what_cannot_be_looked_up_is_not(match: str) -> None:
    assert correlate(compile_expression(match)) is None


def test_the_other_terms_are_what_is_still_to_be_asked() -> None:
    found = correlate(compile_expression("a || b && event.data.x == 1"))
    assert found is None
    found = correlate(compile_expression("(a || b) && event.data.x == 1 && c"))
    assert found is not None
    assert found.rest is not None
    assert [found.rest.test({"a": False, "b": b, "c": True}) for b in (True, False)] == [True, False]


def test_equal_values_have_one_key_and_others_another() -> None:
    same = [(1, 1.0), (0, -0.0), (2**70, float(2**70))]
    assert all(correlation_key(one) == correlation_key(other) for one, other in same)
    keys = [correlation_key(value) for value in (1, "1", True, "true", None, "null", 1.5, 2**63, 2**63 + 1, "x" * 300, "x" * 301)]
    assert len(set(keys)) == len(keys)
    assert all(key is not None and len(key) <= MAX_KEY_CHARS for key in keys)
    assert [correlation_key(value) for value in ([1], {"a": 1}, b"x")] == [None, None, None]


def test_a_path_goes_through_objects_only() -> None:
    data = {"a": {"b/~": "x"}, "list": [1]}
    assert key_at(data, "/a/b~1~0") == '"x"'
    assert [key_at(data, path) for path in ("/a", "/list/0", "/none", "/a/b~1~0/c")] == [None, None, None, None]


def test_a_state_with_events_is_valid_published_and_compiled() -> None:
    events = {"paid": {"event": "order.paid", "match": "event.data.order == input.order && event.source != ''"}, "any": {"event": "a.*"}}
    made = document(node("s", "state", events=events), input={"type": "object", "properties": {"order": {}}})
    assert [finding for finding in validate(made) if finding.severity == "error"] == []
    work = compile_definition(parse(made), 1).nodes["s"].work
    assert isinstance(work, StateWork)
    wait = work.events["paid"]
    key = wait.key({"input": {"order": 5}})
    event = {"type": "order.paid", "source": "/shop", "data": {"order": 5.0}}
    assert [wait.takes(event, {}, one) for one in (key, "6")] == [True, False]
    assert [wait.takes({**event, **change}, {}, key) for change in ({"type": "order"}, {"source": ""}, {"data": None})] == [False] * 3
    assert work.events["any"].covers("a.b.c")
