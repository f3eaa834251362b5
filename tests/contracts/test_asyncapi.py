"""The AsyncAPI document is well formed and tells of every word: who says it, who hears it, where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from faststream.specification.asyncapi.v3_0_0.schema.schema import ApplicationSchema
from jsonschema import Draft7Validator
from weft_contracts import asyncapi
from weft_contracts.catalog import words
from weft_contracts.message import Command, Event, Message
from weft_contracts.rooms import ROOMS

DOCUMENT = asyncapi.document()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def at(pointer: str) -> Any:
    found: Any = DOCUMENT
    for step in pointer.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_the_document_is_asyncapi_3() -> None:
    ApplicationSchema.model_validate(DOCUMENT)
    assert DOCUMENT["asyncapi"] == "3.0.0"


def test_every_reference_in_the_document_leads_somewhere() -> None:
    assert all(at(reference) is not None for reference in references(DOCUMENT))


def test_every_payload_is_a_schema() -> None:
    for message in DOCUMENT["components"]["messages"].values():
        Draft7Validator.check_schema(message["payload"])


def test_every_operation_names_a_message_of_its_channel() -> None:
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])


def test_every_word_is_said_by_somebody_and_every_command_is_heard() -> None:
    said = {word for room in ROOMS.values() for word in room.says}
    heard = {word for room in ROOMS.values() for word in room.hears}

    assert [word.__name__ for word in words() if word not in said] == []
    assert [word.__name__ for word in words() if issubclass(word, Command) and word not in heard] == []


def test_an_event_is_heard_only_where_it_has_an_owner_that_says_it() -> None:
    for room in ROOMS.values():
        for word in room.hears:
            assert not issubclass(word, Event) or any(word in other.says for other in ROOMS.values())


@pytest.mark.parametrize("word", [word for word in words() if "Heard by" in (word.__doc__ or "")], ids=lambda word: word.type)
def test_what_a_word_says_of_its_hearers_is_so(word: type[Message]) -> None:
    sentence = (word.__doc__ or "").partition("Heard by")[2].partition(".")[0]

    assert set(re.findall(r"\w+", sentence)) & ROOMS.keys() == {name for name, room in ROOMS.items() if word in room.hears}


def test_a_command_is_heard_by_its_owner_alone() -> None:
    hearers = {word: [name for name, room in ROOMS.items() if word in room.hears] for word in words() if issubclass(word, Command)}

    assert {word.__name__: names for word, names in hearers.items() if names != [word.owner]} == {}
