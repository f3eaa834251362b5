"""JSON and YAML texts are read to the same plain values, strictly and bounded."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from weft_language import UnreadableDocument, read_document
from weft_language.difference import same

from tests.language.strategies import definitions, json_values

YAML = "application/yaml; charset=utf-8"


def test_yaml_is_read_by_its_json_schema() -> None:
    text = """
    on: event
    answer: yes
    day: 2026-01-02
    time: 12:30:00
    count: 12
    share: 0.5
    big: 1e3
    nothing: ~
    truth: true
    text: "12"
    folded: >-
      two
      words
    list: [1, {a: b}]
    """
    assert read_document(text, YAML) == {
        "on": "event",
        "answer": "yes",
        "day": "2026-01-02",
        "time": "12:30:00",
        "count": 12,
        "share": 0.5,
        "big": 1000.0,
        "nothing": None,
        "truth": True,
        "text": "12",
        "folded": "two words",
        "list": [1, {"a": "b"}],
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &x [1]\nb: *x", "yaml_alias"),
        ("a: 1\na: 2", "duplicate_key"),
        ("a: !!python/object/apply:os.system [ls]", "yaml_tag"),
        ("a: !secret x", "yaml_tag"),
        ("a: .nan", "not_finite"),
        ("a: 1e400", "not_finite"),
        ("<<: {a: 1}", "yaml_merge"),
        ("a: 1\n---\nb: 2", "several_documents"),
        ("[1]: 2", "bad_key"),
        ('a: "\\0"', "bad_text"),
        ("a: [", "not_yaml"),
        ("a: \x01", "not_yaml"),
        ("[" * 200 + "]" * 200, "too_deep"),
        ("#" * 2_000_000, "document_too_large"),
    ],
)
def test_yaml_that_is_no_plain_document_is_refused(text: str, code: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        read_document(text, YAML)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ("[NaN]", "not_finite"),
        ("[-Infinity]", "not_finite"),
        ("1e999", "not_finite"),
        ('"\\ud800"', "bad_text"),
        ('{"\\u0000": 1}', "bad_text"),
        ("{", "not_json"),
        ("", "not_json"),
        ("9" * 10_000, "not_json"),
        ("[" * 100_000, "too_deep"),
        ("[" * 200 + "]" * 200, "too_deep"),
        (b"\xff\xfe", "not_utf8"),
        (b" " * 2_000_000, "document_too_large"),
    ],
)
def test_json_that_is_no_plain_document_is_refused(text: bytes | str, code: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        read_document(text)
    assert refused.value.code == code


def test_an_error_says_where() -> None:
    with pytest.raises(UnreadableDocument) as refused:
        read_document("a: 1\nb:\n  c: 2\n  c: 3", YAML)
    assert (refused.value.line, refused.value.column) == (4, 3)


class _Quoted(yaml.SafeDumper):
    """Writes every text in double quotes, and what occurs twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


@given(definitions())
def test_yaml_says_the_same_as_json(document: dict[str, Any]) -> None:
    assert same(read_document(yaml.dump(document, Dumper=_Quoted, sort_keys=False), YAML), document)


@given(json_values())
def test_json_is_read_as_it_was_written(value: Any) -> None:
    assert read_document(json.dumps(value)) == value
