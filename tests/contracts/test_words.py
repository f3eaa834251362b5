"""Every word survives its journey: packed in an item, framed, read back, also from newer writers and older versions."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

import annotated_types
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from weft_contracts import catalog, frames, history, message
from weft_contracts.catalog import BadWord, UnknownWord, pack, read, words
from weft_contracts.envelope import Item
from weft_contracts.executions import StartExecution
from weft_contracts.message import Command, Event, Message

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    Any: JSON,
    str: st.text(max_size=12),
    bool: st.booleans(),
    int: st.integers(0, 2**40),
    float: st.floats(0, 1e9),
    UUID: st.uuids(),
    Decimal: st.decimals(0, 10**9, places=12),
    datetime: st.datetimes(timezones=st.just(UTC)),
    type(None): st.none(),
}


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, as far as words use types."""
    if annotation in PLAIN:
        return PLAIN[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([values_of(argument) for argument in arguments])
    if origin is typing.Annotated:
        patterns = [rule.pattern for given in arguments[1:] for rule in given.metadata if getattr(rule, "pattern", None)]
        return st.from_regex(patterns[0], fullmatch=True, alphabet=st.characters(codec="ascii")) if patterns else values_of(arguments[0])
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is dict:
        return st.dictionaries(st.text(max_size=6), values_of(arguments[1]), max_size=3)
    if origin is tuple:
        if arguments[-1] is not ...:
            return st.tuples(*map(values_of, arguments))
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    assert issubclass(annotation, BaseModel), f"teach this test to make a {annotation}"
    return instances_of(annotation)


def field_values(field: FieldInfo) -> st.SearchStrategy[Any]:
    """Values of a field within its bounds."""
    values = values_of(field.annotation)
    if any(isinstance(rule, annotated_types.Le) for rule in field.metadata):
        values |= st.integers(0, 9)
    return values.filter(lambda value: value is None or within(value, field.metadata))


def within(value: Any, rules: list[Any]) -> bool:
    """Whether a value keeps the bounds of its field."""
    for rule in rules:
        if isinstance(rule, annotated_types.Ge) and not value >= rule.ge:
            return False
        if isinstance(rule, annotated_types.Gt) and not value > rule.gt:
            return False
        if isinstance(rule, annotated_types.Le) and not value <= rule.le:
            return False
    return True


@cache  # a strategy that is made anew for each example is also prepared anew, which took longer than the examples
def instances_of(model: type[BaseModel]) -> st.SearchStrategy[BaseModel]:
    """A model with its optional fields there or not."""
    required = {name: field_values(field) for name, field in model.model_fields.items() if field.is_required()}
    optional = {name: field_values(field) for name, field in model.model_fields.items() if not field.is_required()}
    return st.fixed_dictionaries(required, optional=optional).map(lambda fields: model(**fields))


def item_of(word: Message, **attributes: Any) -> Item:
    return pack(word, id="1", source="weft/test", tenant="acme", **attributes)


def relaid(item: Item, data: dict[str, Any]) -> Item:
    return msgspec.structs.replace(item, data=msgspec.Raw(json.dumps(data).encode()))


@pytest.mark.parametrize("word", words(), ids=lambda word: word.type)
@settings(max_examples=40)
@given(data=st.data())
def test_a_word_comes_out_of_a_frame_as_it_went_in(word: type[Message], data: st.DataObject) -> None:
    said = typing.cast(Message, data.draw(instances_of(word)))
    item = item_of(said, subject="s", traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

    (again,) = frames.decode_frame(frames.encode_frame([item]))

    assert msgspec.structs.replace(again, data=item.data) == item
    assert read(again) == said


@pytest.mark.parametrize("word", words(), ids=lambda word: word.type)
@settings(max_examples=40)
@given(data=st.data())
def test_a_reader_ignores_fields_it_does_not_know(word: type[Message], data: st.DataObject) -> None:
    said = typing.cast(Message, data.draw(instances_of(word)))
    item = item_of(said)
    extra = data.draw(st.dictionaries(st.text(min_size=1, max_size=6).map("x-{}".format), JSON, min_size=1, max_size=3))

    assert read(relaid(item, {**json.loads(bytes(item.data)), **extra})) == said


@pytest.mark.parametrize("word", words(), ids=lambda word: word.type)
def test_every_word_says_what_it_is_and_who_owns_it(word: type[Message]) -> None:
    assert word.__doc__, f"{word.__name__} has no docstring"
    assert word.owner in {"gateway", "definitions", "engine", "events", "tasks", "analytics"}
    assert issubclass(word, Event | Command)
    assert word.model_config.get("frozen") and word.model_config.get("extra") == "ignore"


@pytest.fixture
def own_catalog(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A copy of the registry and the upcasts, so that planted words leave no trace."""
    registry, upcasts = dict(message.REGISTRY), dict(history.UPCASTS)
    yield
    message.REGISTRY.clear()
    message.REGISTRY.update(registry)
    history.UPCASTS.clear()
    history.UPCASTS.update(upcasts)


@pytest.mark.usefixtures("own_catalog")
def test_an_old_version_is_lifted_step_by_step_to_the_newest() -> None:
    class GreetingV3(Event):
        """A greeting in its third form."""

        type, version = "greeting.sent", 3
        owner: ClassVar[str] = "tasks"
        who: str
        words: tuple[str, ...]

    history.UPCASTS["greeting.sent", 1] = lambda data: {"who": data["name"], "text": data["text"]}
    history.UPCASTS["greeting.sent", 2] = lambda data: {"who": data["who"], "words": data["text"].split()}
    newest = item_of(GreetingV3(who="Ada", words=("good", "day")))

    first = relaid(msgspec.structs.replace(newest, dataschema="urn:weft:greeting.sent:1"), {"name": "Ada", "text": "good day"})
    second = relaid(msgspec.structs.replace(newest, dataschema="urn:weft:greeting.sent:2"), {"who": "Ada", "text": "good day"})

    assert read(first) == read(second) == read(newest) == GreetingV3(who="Ada", words=("good", "day"))


@pytest.mark.usefixtures("own_catalog")
def test_a_version_without_an_upcast_is_no_longer_understood() -> None:
    class GreetingV2(Event):
        """A greeting in its second form."""

        type, version = "greeting.sent", 2
        owner: ClassVar[str] = "tasks"

    old = msgspec.structs.replace(item_of(GreetingV2()), dataschema="urn:weft:greeting.sent:1")

    with pytest.raises(UnknownWord, match="no longer understood") as caught:
        read(old)
    assert caught.value.code == "unknown_version"


def test_every_upcast_leads_to_a_version_that_is_known() -> None:
    for type_, version in history.UPCASTS:
        assert (type_, version + 1) in message.REGISTRY or (type_, version + 1) in history.UPCASTS


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"type": "no.such"}, UnknownWord, "unknown_type"),
        ({"dataschema": "urn:weft:execution.start:99"}, UnknownWord, "unknown_version"),
        ({"dataschema": "urn:weft:execution.start:new"}, BadWord, "bad_message"),
        ({"data": msgspec.Raw(b'{"execution_id": 1}')}, BadWord, "bad_message"),
        ({"data": msgspec.Raw(b"{")}, BadWord, "bad_message"),
        ({"data": msgspec.Raw(b"[1]")}, BadWord, "bad_message"),
    ],
)
def test_an_item_that_cannot_be_read_says_why(change: dict[str, Any], error: type[UnknownWord] | type[BadWord], code: str) -> None:
    item = item_of(StartExecution(execution_id=UUID(int=1), workflow="w"))

    with pytest.raises(error) as caught:
        read(msgspec.structs.replace(item, **change))
    assert getattr(caught.value, "code", None) == code


@pytest.mark.usefixtures("own_catalog")
def test_two_words_cannot_share_a_type_and_version() -> None:
    with pytest.raises(TypeError, match="already StartExecution"):
        type("Impostor", (Event,), {"__module__": __name__, "type": "execution.start", "version": 1, "owner": "engine"})


def test_the_catalog_names_each_type_once() -> None:
    assert [word.type for word in words()] == sorted({type_ for type_, _ in message.REGISTRY})
    assert all(catalog.word(word.type) is word for word in words())
