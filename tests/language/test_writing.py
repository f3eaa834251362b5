"""Whatever is written as YAML is read as what it was."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from weft_language import parse, read_document, to_document, write_yaml

from tests.language.strategies import definitions, json_values
from tests.support.examples import many

YAML = "application/yaml"


@many(150)
@given(json_values())
@example({"on": "yes", "no": "0o17", "1e5": "1e5", "<<": {"~": None}})
@example(["a\nb", "a\n", "\na", " a\nb", "a \nb", "a\r\nb", "a\x85b", "a\u2028b", "\ufeff", "# no comment", "a: b", "- a", "{{ a }}"])
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    back = read_document(write_yaml(value), YAML)
    assert (back, repr(back)) == (value, repr(value))


@many(150)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=30, max_size=120))
def test_a_long_text_of_any_signs_comes_back_as_it_was(text: str) -> None:
    assert read_document(write_yaml({"text": text, "lines": f"first line that is long\n{text}"}), YAML) == {
        "text": text,
        "lines": f"first line that is long\n{text}",
    }


@many(60)
@given(definitions())
def test_a_definition_is_the_same_after_a_way_through_yaml(document: dict[str, Any]) -> None:
    written = to_document(parse(document))
    assert to_document(parse(read_document(write_yaml(written), YAML))) == written


def test_what_is_written_is_what_people_write() -> None:
    text = write_yaml(
        {"name": "A b", "when": "input.n > 3", "lines": "one two three four five\nsix seven eight nine ten\n", "items": [1, None]}
    )
    assert text == (
        'name: A b\nwhen: "input.n > 3"\nlines: |\n  one two three four five\n  six seven eight nine ten\nitems:\n- 1\n- null\n'
    )


@pytest.mark.parametrize(("text", "read"), [('"<<": 1', {"<<": 1}), ("'<<': {a: 1}", {"<<": {"a": 1}})])
def test_a_quoted_merge_key_is_a_name(text: str, read: Any) -> None:
    assert read_document(text, YAML) == read
