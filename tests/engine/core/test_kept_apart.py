"""Values that are kept apart, as the core and its expressions meet them: names of contents, never contents by mistake."""

from __future__ import annotations

import msgspec
import pytest
from weft_engine.core.claims import Claimed, ItemOf, Opened, OpenedWhole, Values, Wanted, hash_of
from weft_engine.core.entries import Entry, encode_claiming

OBJECT = b'{"a": 1, "b": [2, 3]}'
LIST = b"[10, 20, 30]"


def claimed(content: bytes, count: int | None = None) -> Claimed:
    return Claimed(hash_of(msgspec.json.decode(content)), len(content), "", count)


ONE, MANY = claimed(OBJECT), claimed(LIST, 3)


def read() -> Values:
    return Values({ONE.id: OBJECT, MANY.id: LIST})


def test_two_names_of_one_content_are_equal_and_items_of_it_by_their_place() -> None:
    same = Claimed(MANY.id, MANY.size_bytes, "elsewhere")
    assert (same, hash(same)) == (MANY, hash(MANY))
    assert {ItemOf(MANY, 1), ItemOf(same, 1), ItemOf(MANY, 2)} == {ItemOf(MANY, 1), ItemOf(MANY, 2)}
    assert ItemOf(MANY, 1) != MANY
    assert repr(ItemOf(MANY, 1)) == f"ItemOf({MANY!r}, 1)"


def test_an_object_with_members_apart_reads_as_itself() -> None:
    opened = Opened({"plain": 7, "apart": ONE, "item": ItemOf(MANY, 1)}, read())
    assert (dict(opened), len(opened)) == ({"plain": 7, "apart": {"a": 1, "b": [2, 3]}, "item": 20}, 3)


def test_an_object_that_is_apart_as_a_whole_reads_as_itself() -> None:
    opened = OpenedWhole(ONE, read())
    assert (dict(opened), len(opened), opened["a"]) == ({"a": 1, "b": [2, 3]}, 2, 1)


def test_what_was_not_read_yet_is_asked_for() -> None:
    with pytest.raises(Wanted) as wanted:
        len(OpenedWhole(ONE, Values()))
    assert wanted.value.claimed == ONE


def test_messages_carry_contents_whole() -> None:
    encoded = read().encoder()({"list": MANY, "item": ItemOf(MANY, 2)})
    assert msgspec.json.decode(encoded) == {"list": [10, 20, 30], "item": 30}


def test_what_is_no_json_is_refused_with_its_type() -> None:
    with pytest.raises(TypeError, match="complex is no JSON value"):
        read().encoder()({"x": 1j})
    with pytest.raises(TypeError, match="complex is no JSON value"):
        encode_claiming([Entry("step.completed", data={"output": 1j})])
