"""What is refused at publish: parts of the language that this release does not execute yet."""

from collections.abc import Iterator

from weft_language import capabilities
from weft_language.findings import Finding, in_order
from weft_language.model import Definition, to_document
from weft_language.validation.outline import Outline, OutlineNode, outline

CODE = "not_executable_yet"
_ENHANCE_MEANWHILE = "leave it out: the node's own work runs"


def publish_findings(definition: Definition) -> tuple[Finding, ...]:
    """What keeps a valid definition from being published, each an error with what to use meanwhile."""
    return in_order(_findings(outline(to_document(definition))))


def _findings(document: Outline) -> Iterator[Finding]:
    for place, trigger in enumerate(document.document.get("triggers", ())):
        if trigger["on"] not in capabilities.EXECUTED_TRIGGERS:
            yield _refusal(f"/triggers/{place}/on", None, f"a trigger on `{trigger['on']}`", capabilities.TRIGGER_MEANWHILE)
    for node in document.all_nodes:
        yield from _node(node)


def _node(node: OutlineNode) -> Iterator[Finding]:
    if not capabilities.is_executable(node.type):
        what = f"the node type `{node.type}`"
        yield _refusal(f"{node.pointer}/type", node.id, what, capabilities.CONNECTOR_MEANWHILE)
    undo = node.raw.get("compensate")
    if isinstance(undo, dict) and not capabilities.is_executable(str(undo.get("type"))):
        yield _refusal(f"{node.pointer}/compensate/type", node.id, f"`{undo.get('type')}`", capabilities.CONNECTOR_MEANWHILE)
    enhance = node.raw.get("enhance")
    if isinstance(enhance, dict) and not capabilities.is_executable(str(enhance.get("type"))):
        yield _refusal(f"{node.pointer}/enhance/type", node.id, f"`{enhance.get('type')}`", _ENHANCE_MEANWHILE)


def _refusal(pointer: str, node: str | None, what: str, meanwhile: str) -> Finding:
    return Finding("error", CODE, pointer, f"{what} is not executed by this release yet", node, f"meanwhile: {meanwhile}")
