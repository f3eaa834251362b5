"""What is written in a picture: the authors' texts on one line, short, without signs that nobody sees."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from weft_language.validation.outline import OutlineEdge, OutlineGraph, OutlineNode

MAX_NAME: Final = 32
MAX_LABEL: Final = 36
_DETAILS: Final[Mapping[str, str]] = {"call": "workflow", "activity": "name", "publish": "type", "wait": "for", "fail": "code"}
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def one_line(text: str) -> str:
    """A text on one line: whatever cannot be seen, or turns the direction of writing, is a space."""
    return " ".join("".join(" " if unicodedata.category(sign) in _UNSEEN else sign for sign in text[:2000]).split())


def short(text: str, most: int) -> str:
    """A text of at most so many characters."""
    plain = one_line(text)
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"


def width_of(text: str) -> int:
    """How many columns a text takes: signs of East Asian scripts take two, marks upon others none."""
    wide = sum(2 if unicodedata.east_asian_width(sign) in "WF" else 0 if unicodedata.combining(sign) else 1 for sign in text)
    return max(wide, 1)


def name_of(node: OutlineNode) -> str:
    """What a node is called."""
    name = node.raw.get("name")
    return short(name, MAX_NAME) if isinstance(name, str) and one_line(name) else short(node.id, MAX_NAME)


def detail_of(node: OutlineNode) -> str:
    """What a node is: its type, and what it is about where that is short."""
    about = node.with_.get(_DETAILS.get(node.type, ""))
    return short(f"{node.type}: {about}" if isinstance(about, str) else node.type, MAX_LABEL)


def graph_name(graph: OutlineGraph) -> str:
    """What a scope within a node is called: a branch by its name, a body by what it is of."""
    if graph.role == "branch":
        return short(graph.id.rpartition("/")[2], MAX_NAME)
    if graph.role != "body" or graph.parent is None:
        return ""
    return short(f"each {graph.parent.with_.get('as', 'item')}", MAX_NAME) if graph.parent.type == "foreach" else "again and again"


def edge_label(edge: OutlineEdge, document: Mapping[str, Any]) -> str:
    """What stands on an edge: its outcome, what its author calls it, and its guard."""
    given = _written(edge, document).get("label")
    text = edge.on if not isinstance(given, str) else f"{edge.on}: {given}"
    return short(text if edge.when is None else f"{text} [{edge.when}]", MAX_LABEL)


def _written(edge: OutlineEdge, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The edge as its author wrote it, nothing where it is implied."""
    if edge.implied:
        return {}
    found: Any = document
    for part in edge.pointer.split("/")[1:]:
        word = part.replace("~1", "/").replace("~0", "~")
        found = found[int(word)] if isinstance(found, (list, tuple)) else found[word]
    return found if isinstance(found, Mapping) else {}


def title_of(document: Mapping[str, Any]) -> str:
    """What the workflow is called."""
    return short(str(document.get("name") or document.get("slug") or "Workflow"), 120)


def summary_of(document: Mapping[str, Any], nodes: int) -> str:
    """The picture in words, for those who do not see it."""
    triggers = [str(one.get("on")) for one in document.get("triggers", ()) if isinstance(one, dict)]
    begun = ", ".join(dict.fromkeys([*triggers, "manual"]))
    count = "1 node" if nodes == 1 else f"{nodes} nodes"
    about = document.get("description")
    return short(f"{about if isinstance(about, str) else ''} A workflow of {count}, begun by: {begun}.", 400)
