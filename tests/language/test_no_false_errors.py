"""Workflows that are sound give no error, and no warning that is not meant."""

import json
from pathlib import Path
from typing import Any

import pytest
from weft_language import validate

from tests.language.shapes import SHAPES

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "examples").rglob("*workflow*.json"), *(ROOT / "weft").rglob("*workflow*.json")])


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_workflow_of_this_repository_gives_no_error(file: Path) -> None:
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert [finding for finding in validate(document) if finding.severity == "error"] == []


def test_the_example_and_the_demo_are_among_them() -> None:
    assert {"examples/github-triage/workflow.json", "weft/weft/mesh/demo_workflow.json"} <= {str(file.relative_to(ROOT)) for file in FILES}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_usual_shape_gives_no_error_and_no_warning(name: str) -> None:
    assert [finding for finding in validate(SHAPES[name]) if finding.severity != "info"] == []
