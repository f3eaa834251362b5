"""Short ways to write documents in tests."""

from typing import Any

from weft_language import Finding, validate


def node(node_id: str, node_type: str, /, **with_: Any) -> dict[str, Any]:
    """A node with its `with`; a trailing _ in a name is left off, so that `for_` can be written."""
    return {"id": node_id, "type": node_type, "with": {name.rstrip("_"): value for name, value in with_.items()}}


def edge(source: str, target: str, on: str = "done", **more: Any) -> dict[str, Any]:
    return {"from": source, "to": target, "on": on, **more}


def document(*nodes: dict[str, Any], edges: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"format": "weft/v1", "slug": "test", "name": "Test", "nodes": list(nodes), **more}
    return made if edges is None else {**made, "edges": edges}


def codes(found: dict[str, Any], severity: str | None = None) -> list[tuple[str, str]]:
    """(code, pointer) of every finding about a document, those of one severity where it is given."""
    return [(finding.code, finding.pointer) for finding in validate(found) if severity in (None, finding.severity)]


def only(found: dict[str, Any], code: str) -> Finding:
    """The one finding with a code."""
    matching = [finding for finding in validate(found) if finding.code == code]
    assert len(matching) == 1, [finding.as_dict() for finding in validate(found)]
    return matching[0]
