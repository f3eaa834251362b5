"""The definition language: model, validation, compilation, expressions. Pure: values in, values out.

`read_document` reads JSON or YAML, `write_yaml` writes it; `validate` gives every finding of a document; `parse` gives its frozen
`Definition`, `to_document` the JSON again; `publish_findings` says what this release cannot execute yet, `connection_findings` what
connections it names that are not there, and `call_findings` what workflows; `compile_definition` gives the `Program` the engine runs;
`difference` compares two definitions; `node_types` is the catalog; `definition_schema` the JSON Schema of the document.
`weft_language.serverless` carries definitions over from and to Serverless Workflow, `weft_language.diagram` draws them.
"""

from weft_language.compilation import Program, compile_definition, compile_triggers
from weft_language.difference import Difference, difference
from weft_language.findings import Finding, InvalidDefinition, has_errors
from weft_language.json_schemas import InvalidSchema, SchemaCheck
from weft_language.model import Definition, parse_duration, parse_time, slug_of, to_document
from weft_language.nodes import node_type, node_types
from weft_language.reading import UnreadableDocument, read_document
from weft_language.schema import definition_schema
from weft_language.validation import call_findings, called_workflows, connection_findings, parse, publish_findings, validate
from weft_language.writing import write_yaml

__all__ = [
    "Definition",
    "Difference",
    "Finding",
    "InvalidDefinition",
    "InvalidSchema",
    "Program",
    "SchemaCheck",
    "UnreadableDocument",
    "call_findings",
    "called_workflows",
    "compile_definition",
    "compile_triggers",
    "connection_findings",
    "definition_schema",
    "difference",
    "has_errors",
    "node_type",
    "node_types",
    "parse",
    "parse_duration",
    "parse_time",
    "publish_findings",
    "read_document",
    "slug_of",
    "to_document",
    "validate",
    "write_yaml",
]
