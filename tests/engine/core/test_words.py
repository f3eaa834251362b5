"""The words that the hot path reads and writes with msgspec are the words of the contracts, field for field."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_contracts import catalog
from weft_contracts.catalog import word
from weft_engine.core.items import WORDS
from weft_engine.core.items import decode as decode_item
from weft_engine.requests import Request

STRUCTS: dict[str, type[Any]] = {**{name: struct for name, (_, struct) in WORDS.items()}, "activity.requested": Request}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_a_struct_has_the_fields_of_its_word(name: str) -> None:
    assert set(STRUCTS[name].__struct_fields__) == set(word(name).model_fields)


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_a_struct_needs_what_its_word_needs(name: str) -> None:
    needed = {field.name for field in msgspec.structs.fields(STRUCTS[name]) if field.required}
    optional_here = {"trigger"}  # an object in the struct, a default instance in the word
    assert needed | optional_here >= {field for field, info in word(name).model_fields.items() if info.is_required()}


@pytest.mark.parametrize("name", sorted(WORDS))
def test_versions_are_those_of_the_catalog(name: str) -> None:
    assert WORDS[name][0] == word(name).version


@given(st.uuids(), st.text(min_size=1, max_size=20), st.integers(1, 1000), json_values)
def test_an_answer_of_a_worker_reads_the_same_both_ways(execution: Any, node: str, attempt: int, output: Any) -> None:
    data = {"execution_id": execution, "node": node, "visit": 1, "attempt": attempt, "outcome": "done", "output": output}
    raw = msgspec.json.encode(data)
    struct = decode_item("activity.completed", raw)
    model = word("activity.completed").model_validate_json(raw)
    assert msgspec.structs.asdict(struct) == model.model_dump()


def test_a_start_reads_the_same_both_ways() -> None:
    id_ = "0190a6f0-0000-7000-8000-000000000001"
    given_ = {"execution_id": id_, "workflow": "w", "input": {"a": 1}, "trigger": {"type": "manual", "payload": 1}}
    model = catalog.word("execution.start").model_validate(given_)
    struct = decode_item("execution.start", model.model_dump_json().encode())
    assert msgspec.to_builtins(struct) == model.model_dump(mode="json")
