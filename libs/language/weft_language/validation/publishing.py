"""What is refused at publish: parts of the language that this release does not execute yet."""

from collections.abc import Iterator, Mapping
from typing import Any

from weft_language import capabilities
from weft_language.capabilities import NotYet
from weft_language.findings import Finding, in_order, pointer_of
from weft_language.model import Definition, to_document
from weft_language.validation.outline import Outline, OutlineNode, outline

CODE = "not_executable_yet"


def publish_findings(definition: Definition) -> tuple[Finding, ...]:
    """What keeps a valid definition from being published, each an error with what to use meanwhile."""
    return in_order(_findings(outline(to_document(definition))))


def _findings(document: Outline) -> Iterator[Finding]:
    raw = document.document
    for part in capabilities.DOCUMENT_FIELDS:
        yield from _field(raw, part, "", None, "the definition")
    for place, trigger in enumerate(raw.get("triggers", ())):
        pointer = f"/triggers/{place}"
        if trigger["on"] not in capabilities.EXECUTED_TRIGGERS:
            yield _refusal(f"{pointer}/on", None, f"a trigger on `{trigger['on']}`", capabilities.TRIGGER_MEANWHILE)
        for part in capabilities.TRIGGER_FIELDS:
            yield from _field(trigger, part, pointer, None, "a trigger")
    for node in document.all_nodes:
        yield from _node(node)


def _node(node: OutlineNode) -> Iterator[Finding]:
    if not capabilities.is_executable(node.type):
        what = f"the node type `{node.type}`"
        yield _refusal(f"{node.pointer}/type", node.id, what, capabilities.CONNECTOR_MEANWHILE)
    undo = node.raw.get("compensate")
    if isinstance(undo, dict) and not capabilities.is_executable(str(undo.get("type"))):
        yield _refusal(f"{node.pointer}/compensate/type", node.id, f"`{undo.get('type')}`", capabilities.CONNECTOR_MEANWHILE)
    for part in capabilities.NODE_FIELDS:
        yield from _field(node.raw, part, node.pointer, node.id, "a node")
    for part in capabilities.WITH_FIELDS.get(node.type, ()):
        yield from _field(node.with_, part, f"{node.pointer}/with", node.id, f"a `{node.type}`")


def _field(raw: Mapping[str, Any], part: NotYet, pointer: str, node: str | None, owner: str) -> Iterator[Finding]:
    value: Any = raw
    for name in part.path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if value not in (None, [], {}):
        yield _refusal(pointer + pointer_of(*part.path), node, f"`{'.'.join(part.path)}` of {owner}", part.meanwhile)


def _refusal(pointer: str, node: str | None, what: str, meanwhile: str) -> Finding:
    return Finding("error", CODE, pointer, f"{what} is not executed by this release yet", node, f"meanwhile: {meanwhile}")
