"""The JSON Schema 2020-12 of the document, generated from the model, with a branch per node type so that editors complete `with`.

`python -m weft_language.generate` writes the committed file `definition.schema.json`; a test compares the two.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from weft_language.model import Definition
from weft_language.model.work import WITH_BY_TYPE
from weft_language.model.work_action import ActionWith

SCHEMA_ID: Final = "https://weft.dev/schemas/weft-v1/definition.json"
SCHEMA_FILE: Final = Path(__file__).with_name("definition.schema.json")
_EXTENSION: Final[dict[str, Any]] = {"^x-": {}}
_OPEN: Final = ("SetWith", "ActionWith")
_INNER_NODE: Final = {
    "type": "object",
    "description": "A node, as in the schema of the whole definition.",
    "properties": {"id": {"type": "string"}, "type": {"type": "string"}},
    "required": ["id", "type"],
}


@cache
def _generated() -> tuple[dict[str, str], dict[str, Any]]:
    """(class name -> reference, all definitions) of every model the document is made of."""
    models: list[type[BaseModel]] = [Definition, *WITH_BY_TYPE.values(), ActionWith]
    references, whole = models_json_schema([(model, "validation") for model in models], by_alias=True)
    definitions: dict[str, Any] = whole["$defs"]
    for schema in definitions.values():
        if schema.get("type") == "object" and "properties" in schema:
            schema["additionalProperties"] = schema.get("title") in _OPEN
            schema["patternProperties"] = _EXTENSION
        _tidy(schema)
    names = {model.__name__: references[(model, "validation")]["$ref"] for model in models}
    definitions["Node"]["properties"]["type"] = {
        "description": "The node's type; a dotted one is a connector's action.",
        "anyOf": [{"enum": list(WITH_BY_TYPE)}, {"type": "string", "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$"}],
    }
    definitions["Node"]["allOf"] = [_branch(name, names[model.__name__]) for name, model in WITH_BY_TYPE.items()]
    return names, definitions


def _branch(node_type: str, reference: str) -> dict[str, Any]:
    needed = ["with"] if node_type not in ("set", "fail", "end", "compensate", "task", "state") else []
    then: dict[str, Any] = {"properties": {"with": {"$ref": reference}}}
    if needed:
        then["required"] = needed
    return {"if": {"properties": {"type": {"const": node_type}}, "required": ["type"]}, "then": then}


def _tidy(value: Any) -> None:
    """Drop generated titles of fields (editors show the name anyway) and keep the language free of class names."""
    if isinstance(value, dict):
        if isinstance(value.get("title"), str) and value.keys() & {"type", "$ref", "anyOf", "const", "enum", "allOf", "default"}:
            del value["title"]
        for child in value.values():
            _tidy(child)
    elif isinstance(value, list):
        for child in value:
            _tidy(child)


@cache
def definition_schema() -> dict[str, Any]:
    """The schema of a whole definition. Do not change what it returns: it is shared."""
    _, definitions = _generated()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Weft workflow definition, weft/v1",
        "$ref": "#/$defs/Definition",
        "$defs": definitions,
    }


@cache
def with_schema(node_type: str) -> dict[str, Any]:
    """The schema of one node type's `with`, with only the definitions it needs. Shared: do not change it."""
    names, definitions = _generated()
    model = WITH_BY_TYPE.get(node_type, ActionWith)
    root = names[model.__name__].removeprefix("#/$defs/")
    needed: dict[str, Any] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = _INNER_NODE if name == "Node" else definitions[name]
            waiting.extend(_references(needed[name]))
    schema = dict(needed[root]) if root not in _references(needed) else {"$ref": f"#/$defs/{root}"}
    if "$ref" not in schema:
        del needed[root]
    return {**schema, **({"$defs": dict(sorted(needed.items()))} if needed else {})}


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        found = [value["$ref"].removeprefix("#/$defs/")] if isinstance(value.get("$ref"), str) else []
        return found + [name for child in value.values() for name in _references(child)]
    if isinstance(value, list):
        return [name for child in value for name in _references(child)]
    return []


def schema_text() -> str:
    """The schema as the committed file holds it."""
    return json.dumps(definition_schema(), indent=2, ensure_ascii=False) + "\n"
