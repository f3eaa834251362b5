"""A connector's action is declared, implemented, described and documented, all of it or none: whoever adds one is told what is missing."""

import json
import re
from importlib.metadata import entry_points
from typing import get_args

import jsonschema_rs
import pytest
from weft_connectors.activity import Activities
from weft_connectors.signing_in import GROUP as SIGN_INS
from weft_connectors.trying import GROUP as TESTS
from weft_contracts.rooms import ROOMS
from weft_engine.connections.kinds import KINDS, TypeName
from weft_engine.core.messages.requests import ASKED_OF_SERVICES
from weft_language import node_type
from weft_language.actions import ACTIONS, CONNECTORS, SERVICES, Action
from weft_language.json_schemas import SchemaCheck
from weft_language.model import Retry
from weft_language.model.part import is_template

from tests.house.tree import ROOT

GUIDE = (ROOT / "docs/connectors.md").read_text(encoding="utf-8")
ALL = [pytest.param(action, id=name) for name, action in sorted(ACTIONS.items())]
CODE = re.compile(r"[a-z][a-z0-9_]{1,60}")


def test_what_is_declared_is_implemented_and_nothing_else_is() -> None:
    by_workers = {name for name, action in ACTIONS.items() if action.room is None}
    assert set(Activities.installed(allow_private_addresses=False, connections=None).by_name) == by_workers


def test_what_a_service_does_is_a_command_that_it_hears_and_the_engine_says() -> None:
    by_services = {name: action.room for name, action in ACTIONS.items() if action.room is not None}

    assert set(by_services) == set(ASKED_OF_SERVICES)
    for name, room in by_services.items():
        assert name in {word.type for word in ROOMS[room].hears}


def test_a_connector_has_one_folder_on_each_side_and_its_actions_its_name() -> None:
    for connector in CONNECTORS:
        name = connector.__name__.rpartition(".")[2]
        assert (ROOT / "libs/connectors/weft_connectors" / name / "__init__.py").is_file(), name
        assert {action.connector for action in connector.ACTIONS} == {name}
    assert len(ACTIONS) == sum(len(module.ACTIONS) for module in (*CONNECTORS, *SERVICES))


@pytest.mark.parametrize("action", ALL)
def test_an_action_is_in_the_catalog_with_all_that_an_editor_needs(action: Action) -> None:
    entry = node_type(action.type)

    assert entry is not None
    assert (entry["executable"], entry["title"], entry["category"]) == (True, action.title, action.category)
    assert entry["needs_connection"] is action.needs_connection
    jsonschema_rs.meta.validate(entry["with"])
    SchemaCheck(entry["output"])
    assert action.description.endswith(".")
    assert len(json.dumps(entry)) < 10_000


@pytest.mark.parametrize("action", ALL)
def test_an_action_refuses_fields_that_it_does_not_know(action: Action) -> None:
    schema = node_type(action.type)

    assert schema is not None
    assert schema["with"]["additionalProperties"] is False


@pytest.mark.parametrize("action", ALL)
def test_a_connection_is_named_as_it_is_and_of_a_type_that_there_is(action: Action) -> None:
    field = action.with_.model_fields.get("connection")

    assert (field is not None) is bool(action.connections)
    assert set(action.connections) <= set(KINDS)
    if field is not None:
        text = str(action.with_.model_json_schema()["properties"]["connection"])
        assert "pattern" in text, "declare it as ConnectionName"


@pytest.mark.parametrize("action", ALL)
def test_what_is_said_of_fields_is_said_of_fields_that_there_are(action: Action) -> None:
    fields = {field.alias or name for name, field in action.with_.model_fields.items()}

    assert set(action.as_written) <= fields
    assert {pattern.partition("/")[0] for pattern, _ in action.takes} <= fields


@pytest.mark.parametrize("action", ALL)
def test_the_codes_of_an_action_are_stable_names_each_told_once(action: Action) -> None:
    codes = [code for code, _ in action.all_errors]

    assert len(codes) == len(set(codes))
    assert all(CODE.fullmatch(code) and Retry(on=(code,)) for code in codes)
    assert all(text and not is_template(text) for _, text in action.all_errors)


@pytest.mark.parametrize("action", ALL)
def test_the_guide_tells_of_every_action(action: Action) -> None:
    assert f"`{action.type}`" in GUIDE


def test_every_type_of_connection_has_a_name_a_file_and_a_place_in_the_guide() -> None:
    assert set(get_args(TypeName)) == set(KINDS)
    for name, settings in KINDS.items():
        assert settings.__module__ == f"weft_engine.connections.kinds.{name}"
        assert f"`{name}`" in GUIDE
    assert {entry.name for group in (TESTS, SIGN_INS) for entry in entry_points(group=group)} <= set(KINDS)
