"""The generated schemas are committed as they are generated, and no word changes under its readers."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from weft_contracts import generate
from weft_contracts.history import UPCASTS
from weft_contracts.message import REGISTRY

MEND = "run `make generate` and commit what it wrote"


def test_the_committed_schemas_are_the_generated_ones() -> None:
    committed = {file.name: file.read_text() for file in generate.SCHEMAS.glob("*.json")}
    generated = generate.schema_files()

    assert sorted(committed) == sorted(generated), MEND
    assert [name for name in generated if committed[name] != generated[name]] == [], MEND


def test_no_released_word_was_broken_without_a_new_version() -> None:
    assert generate.breaks() == [], "give the word a new version, move the old one to history.py and add its upcast"


def test_every_released_version_is_still_understood() -> None:
    released = [json.loads(file.read_text())["$id"] for file in generate.RELEASED.glob("*.json")]
    known = {(type_, int(version)) for type_, _, version in (name.removeprefix("urn:weft:").rpartition(":") for name in released)}

    assert released, "nothing was released: run `python -m weft_contracts.generate --release`"
    assert [version for version in known if version not in REGISTRY and version not in UPCASTS] == []


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A folder with one released word, to be changed."""
    (tmp_path / "task.cancel.v1.json").write_text(generate.schema_files()["task.cancel.v1.json"])
    return tmp_path


def test_an_unchanged_word_breaks_nothing(released: Path) -> None:
    assert generate.breaks(released) == []


def test_a_field_that_was_released_and_is_gone_is_a_break(released: Path) -> None:
    file = released / "task.cancel.v1.json"
    before = json.loads(file.read_text())
    file.write_text(json.dumps({**before, "properties": {**before["properties"], "colour": {"type": "string"}}}))

    assert generate.breaks(released) == ["task.cancel version 1: colour: field removed"]


def test_a_word_that_was_released_and_is_gone_is_a_break(released: Path) -> None:
    before = json.loads((released / "task.cancel.v1.json").read_text())
    (released / "task.undone.v1.json").write_text(json.dumps({**copy.deepcopy(before), "$id": "urn:weft:task.undone:1"}))

    assert generate.breaks(released) == ["task.undone version 1: the word is gone and no later version replaces it"]


def test_a_release_that_breaks_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "released"
    folder.mkdir()
    before = json.loads(generate.schema_files()["task.cancel.v1.json"])
    text = json.dumps({**before, "properties": {**before["properties"], "colour": {"type": "string"}}})
    (folder / "task.cancel.v1.json").write_text(text)

    assert generate.release(tmp_path) != []
    assert {file.name: file.read_text() for file in folder.iterdir()} == {"task.cancel.v1.json": text}


def test_generating_removes_the_schema_of_a_word_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "gone.v1.json").write_text("{}")

    generate.write(tmp_path)

    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == generate.schema_files()
