"""The catalog and the schema of the document."""

import json

import jsonschema_rs
import pytest
from weft_language import definition_schema, node_type, node_types
from weft_language.model.work import WITH_BY_TYPE
from weft_language.schema import SCHEMA_FILE, schema_text


def test_the_committed_schema_is_the_one_of_the_model() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run python -m weft_language.generate"


def test_the_schema_is_json_schema() -> None:
    jsonschema_rs.meta.validate(definition_schema())
    assert definition_schema()["$schema"].endswith("2020-12/schema")


def test_the_catalog_knows_every_type_of_the_language() -> None:
    assert {entry["type"] for entry in node_types()} == set(WITH_BY_TYPE)
    assert node_type("nothing") is None


@pytest.mark.parametrize("name", sorted(WITH_BY_TYPE))
def test_an_entry_says_all_that_an_editor_needs(name: str) -> None:
    entry = node_type(name)
    assert entry is not None
    told = "type title category icon description with output outcomes outcomes_from errors needs_connection executable"
    assert entry.keys() == set(told.split())
    assert all(entry[field] for field in ("title", "category", "icon", "description"))
    jsonschema_rs.meta.validate(entry["with"])
    jsonschema_rs.meta.validate(entry["output"])
    jsonschema_rs.Draft202012Validator(entry["with"])
    assert len(json.dumps(entry)) < 10_000


def test_http_request_is_described_as_its_users_expect() -> None:
    entry = node_type("http.request")
    assert entry is not None
    check = jsonschema_rs.Draft202012Validator(entry["with"])
    assert check.is_valid(
        {"url": "https://x.y/{{ input.id }}", "method": "POST", "headers": {"x-a": "1"}, "body": {"n": 1}, "expect": [200, "3xx"]}
    )
    assert not check.is_valid({"method": "GET"})
    assert not check.is_valid({"url": "https://x.y", "metod": "GET"})
    assert entry["output"]["required"] == ["status", "headers", "body"]
    assert {error["code"] for error in entry["errors"]} >= {"http_status", "http_timeout", "http_unreachable", "http_blocked"}
