"""Where an enhancement makes sense: what a model may stand in for, and what it may give."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from weft_language.enhancing import MAX_TIMEOUT_S, has_output, inputs_of
from weft_language.findings import Finding
from weft_language.validation.outline import OutlineNode

CODE: Final = "not_enhanceable"
_WHY: Final[Mapping[str, str]] = {
    "wait": "its work is to wait, and its output tells when it did",
    "state": "only what comes from outside leaves it",
    "task": "what a person decides is theirs, and so is the record of who did; let AI fill `data`: `apply: input`",
    "publish": "its work is to say an event, and its output names that; let AI write its `data`: `apply: input`",
    "fail": "it only ends its scope",
    "end": "it only ends the execution",
    "compensate": "what is undone is what was done",
}
_ANSWERS_WITH_OBJECTS: Final = frozenset({"ai.generate", "ai.extract"})


def enhance_findings(node: OutlineNode, enhance: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with an `enhance` of the right shape."""
    pointer, apply = f"{node.pointer}/enhance", enhance.get("apply", "replace")
    given = enhance.get("with")
    with_: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    if apply == "input":
        yield from _input(node, enhance.get("type"), with_, pointer)
    elif apply in ("replace", "output") and not has_output(node.type):
        why = _WHY.get(node.type, "nothing is known of its output")
        message = f"AI cannot stand in for the {'work' if apply == 'replace' else 'output'} of a `{node.type}`: {why}"
        yield Finding("error", CODE, f"{pointer}/apply", message, node.id, "leave `enhance` out, or put an `ai.*` node beside it")
    timeout = with_.get("timeout_s")
    if isinstance(timeout, int | float) and timeout > MAX_TIMEOUT_S:
        message = f"a node waits for its enhancement at most {MAX_TIMEOUT_S:g} s"
        yield Finding("error", CODE, f"{pointer}/with/timeout_s", message, node.id, "wait for less, or make it an `ai.*` node of its own")


def _input(node: OutlineNode, type_: Any, with_: Mapping[str, Any], pointer: str) -> Iterator[Finding]:
    may = sorted(inputs_of(node.type))
    if not may:
        message = f"a `{node.type}` has no input that AI could give"
        yield Finding("error", CODE, f"{pointer}/apply", message, node.id, "use `replace` or `output` where those make sense")
        return
    schema = with_.get("schema")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if type_ not in _ANSWERS_WITH_OBJECTS or not isinstance(properties, Mapping) or not properties:
        message = "an input is an object of members of `with`, and a `schema` with `properties` says which ones AI gives"
        fix = f"use ai.generate or ai.extract with a `schema` whose `properties` are some of {', '.join(may)}"
        yield Finding("error", CODE, f"{pointer}/with/schema", message, node.id, fix)
        return
    for name in properties:
        if name not in may:
            message = f"`{name}` of a `{node.type}` cannot come from AI"
            fix = f"give only {', '.join(may)}"
            yield Finding("error", CODE, f"{pointer}/with/schema/properties", message, node.id, fix)
