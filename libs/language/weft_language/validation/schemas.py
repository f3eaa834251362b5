"""The JSON Schemas that authors write in a document: inputs, forms and signals."""

from collections.abc import Iterator
from typing import Any

from weft_language.findings import Finding, pointer_of
from weft_language.json_schemas import InvalidSchema, SchemaCheck
from weft_language.plain import walk
from weft_language.validation.outline import Outline


def schema_findings(document: Outline) -> Iterator[Finding]:
    """What is wrong with the schemas of a document."""
    for pointer, schema, node in _schemas(document):
        if not isinstance(schema, dict | bool):
            continue
        try:
            SchemaCheck(schema)
        except InvalidSchema as error:
            yield Finding("error", error.code, pointer + error.pointer, error.message, node, error.fix)
    yield from _input_is_object(document.document.get("input"))


def _schemas(document: Outline) -> Iterator[tuple[str, Any, str | None]]:
    yield "/input", document.document.get("input"), None
    triggers = document.document.get("triggers")
    for place, trigger in enumerate(triggers if isinstance(triggers, list) else ()):
        if isinstance(trigger, dict):
            yield f"/triggers/{place}/form", trigger.get("form"), None
    for node in document.all_nodes:
        if node.type == "task":
            form = node.with_.get("form")
            # A form with templates is a schema only once it is rendered; the tasks service checks it then.
            if not any(isinstance(value, str) and "{{" in value for _, value in walk(form)):
                yield f"{node.pointer}/with/form", form, node.id
        signals = node.with_.get("signals") if node.type == "state" else None
        for name, signal in signals.items() if isinstance(signals, dict) else ():
            if isinstance(signal, dict):
                yield f"{node.pointer}/with" + pointer_of("signals", name, "schema"), signal.get("schema"), node.id


def _input_is_object(schema: Any) -> Iterator[Finding]:
    kinds = schema.get("type") if isinstance(schema, dict) else None
    if (isinstance(kinds, str) and kinds != "object") or (isinstance(kinds, list) and "object" not in kinds):
        fix = 'use {"type": "object", "properties": {...}}'
        yield Finding("error", "input_not_object", "/input/type", "the input of a workflow is an object", fix=fix)
