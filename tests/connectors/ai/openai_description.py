"""OpenAI's official description, read as what a strict fake holds both directions to."""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

ROOT = Path(__file__).parents[3]
FILE = Path(os.environ.get("WEFT_CONFORMANCE", ROOT.parent / "shared" / "conformance")) / "openai" / "openapi.json"


def needs_description() -> None:
    """Do not run a test of the description itself without it."""
    if not FILE.exists():
        pytest.skip("not run: no conformance data")


@cache
def _schemas() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text())["components"]["schemas"]
    return found


@cache
def _validator(name: str) -> Any:
    return jsonschema_rs.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": _schemas()}})


def faults(name: str, value: Any) -> list[str]:
    """What is wrong with a value by a schema of the description: also members at the top that it does not name, which it would let pass.

    Without the data nothing is: what a fake is held to is then not tried, and the rest is.
    """
    if not FILE.exists():
        return []
    unknown = [f"{member}: not described" for member in sorted(set(value) - _members({"$ref": f"#/components/schemas/{name}"}))]
    return unknown + [error.message[:300] for error in _validator(name).iter_errors(value)]


def _members(schema: Mapping[str, Any]) -> set[str]:
    if "$ref" in schema:
        return _members(_schemas()[schema["$ref"].rpartition("/")[2]])
    return set(schema.get("properties", ())).union(*(_members(part) for part in schema.get("allOf", ())))
