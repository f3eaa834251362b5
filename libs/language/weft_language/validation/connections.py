"""What a definition says of connections, held against those that its tenant has.

Warnings, never errors: a connection may be made after the workflow that goes by it, and word of one is on its way for a moment.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from weft_language.actions import ACTIONS
from weft_language.findings import Finding, in_order
from weft_language.validation.nearest import choice, nearest
from weft_language.validation.outline import outline

_VERIFYING: Final = ("webhook",)


class _Place(NamedTuple):
    """Where a connection is named. types: those it may be of."""

    name: str
    types: tuple[str, ...]
    pointer: str
    node: str | None


def connection_findings(document: Mapping[str, Any], known: Mapping[str, str]) -> tuple[Finding, ...]:
    """A warning for each place of a valid document that names a connection which is not there, or is of a type that it cannot go by.

    known: the type of each connection that the tenant has, by name.
    """
    return in_order(finding for place in _places(document) if (finding := _finding(place, known)) is not None)


def _places(document: Mapping[str, Any]) -> Iterator[_Place]:
    drawn = outline(document)
    for number, trigger in enumerate(document.get("triggers") or ()):
        if trigger.get("on") == "webhook" and trigger.get("connection"):
            yield _Place(trigger["connection"], _VERIFYING, f"/triggers/{number}/connection", None)
    for node in drawn.all_nodes:
        yield from _of_action(node.raw, node.pointer, node.id)
        for word in ("compensate", "enhance"):
            yield from _of_action(node.raw.get(word), f"{node.pointer}/{word}", node.id)


def _of_action(work: Any, pointer: str, node: str) -> Iterator[_Place]:
    if not isinstance(work, Mapping) or not isinstance(work.get("with"), Mapping):
        return
    action = ACTIONS.get(str(work.get("type")))
    for field in ("connection", "fallback"):
        name = work["with"].get(field)
        if action is not None and action.connections and isinstance(name, str):
            yield _Place(name, action.connections, f"{pointer}/with/{field}", node)


def _finding(place: _Place, known: Mapping[str, str]) -> Finding | None:
    found = known.get(place.name)
    if found in place.types:
        return None
    meant = nearest(place.name, sorted(name for name, of in known.items() if of in place.types and name != place.name))
    if found is None:
        code, message = "connection_not_there", f"there is no connection `{place.name}`"
        otherwise = f"make one of type {choice(place.types)} before it is needed (POST /api/v1/connections)"
    else:
        code = "connection_of_another_type"
        message = f"the connection `{place.name}` is of type `{found}`; one of type {choice(place.types)} is needed here"
        otherwise = f"name one of type {choice(place.types)}, or make it (POST /api/v1/connections)"
    if meant is None:
        return Finding("warning", code, place.pointer, message, place.node, otherwise)
    patch = ({"op": "replace", "path": place.pointer, "value": meant},)
    return Finding("warning", code, place.pointer, message, place.node, f"did you mean `{meant}`?", patch)
