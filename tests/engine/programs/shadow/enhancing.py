"""Enhancement points: a model may do a node's work, give its input or its output. Without it the node's own work is what happens."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.engine.programs.shadow.expressions import Plain, render
from tests.engine.programs.shadow.fibers import RANG, Wait
from tests.engine.programs.shadow.frames import Document, Frame, Visit

if TYPE_CHECKING:
    from tests.engine.programs.shadow.walking import Walk

PATIENCE_MS: Final = 5_000
TIERS: Final = ("free", "standard", "premium", "enterprise")
INPUT: Final[dict[str, tuple[str, ...]]] = {
    "activity": ("input",),
    "call": ("input",),
    "publish": ("data",),
    "task": ("data",),
    "foreach": ("items",),
    "http.request": ("body",),  # of the members that there are, the one that a schema here names
}
"""What a model may give of a node's `with`, by type."""
REASONS: Final = {"ai_refused": "refused", "ai_over_budget": "over_budget", "ai_timeout": "late", "ai_invalid": "invalid"}


@dataclass(frozen=True)
class Begun:
    """A visit whose work may begin. own: the node.  node: as it is to be worked at.  done: outcome and output, if by a model."""

    own: Document
    node: Document
    done: tuple[str, Any] | None = None


async def before(walk: Walk, node: Document, visit: Visit, frame: Frame) -> Begun:
    """What becomes of a visit's work before it begins."""
    enhance = node.get("enhance")
    if enhance is None or enhance["apply"] == "output":
        return Begun(node, node)
    got = await _asked(walk, node, visit, enhance, walk.names(frame))
    if visit.told is None or not visit.told[0]:
        return Begun(node, node)
    if enhance["apply"] == "input":
        return Begun(node, {**node, "with": {**node["with"], **{name: Plain(value) for name, value in got.items()}}})
    return Begun(node, node, (outcome_of(node, got, "done"), got))


async def after(walk: Walk, node: Document, visit: Visit, frame: Frame, outcome: Any, output: Any) -> tuple[Any, Any]:
    """Outcome and output of a visit whose own work is done: a model's, where it gives one."""
    enhance = node.get("enhance")
    if enhance is None or enhance["apply"] != "output":
        return outcome, output
    names = walk.names(frame)
    own = {node["id"]: {"outcome": outcome, "output": output}}
    got = await _asked(walk, node, visit, enhance, {**names, "step": ChainMap(own, names["step"])})
    if visit.told is None or not visit.told[0]:
        return outcome, output
    return outcome_of(node, got, outcome), got


async def _asked(walk: Walk, node: Document, visit: Visit, enhance: Document, names: Mapping[str, Any]) -> Any:
    """What a model gives; whether that counts, and why not, is told of the visit."""
    refused = refusal(walk, enhance)
    if refused is not None:
        visit.told = (False, refused)
        return None
    name, with_ = f"{node['id']}.enhance", enhance["with"]
    rendered = {member: render(with_[member], names) for member in ("instructions", "input") if member in with_}
    asked = {member: value for member, value in rendered.items() if value is not None}
    walk.did("activity", name, visit.number, 1, enhance["type"], asked)
    late = walk.now + PATIENCE_MS
    got = await Wait("enhance", name, visit.number, 1, earliest=late, latest=late, about={"node": node, "apply": enhance["apply"]})
    if got == RANG:
        visit.told = (False, "late")
        if enhance["apply"] != "output":  # what comes now begins something, and does not end it
            await walk.may_begin(node["id"])
        return None
    if got[0] == "failed":
        visit.told = (False, REASONS.get(got[1], "unavailable"))
        return None
    result = got[2].get("result", ...)
    fits = result is not ... and (gives(node, result) if enhance["apply"] == "input" else stands_for(node, result))
    visit.told = (fits, None if fits else "invalid")
    return result


def refusal(walk: Walk, enhance: Document) -> str | None:
    """Why nobody is asked."""
    if TIERS.index(walk.around.tier) < TIERS.index(enhance.get("min_tier", "premium")):
        return "tier"
    closed = {f"node_type:{enhance['type']}", f"connection:{enhance['with']['connection']}"} & walk.around.held_up.keys()
    return "suspended" if closed else None


def outcome_of(node: Document, result: Any, otherwise: Any) -> Any:
    """The outcome of a node whose output is a model's result."""
    if node["type"] == "if":
        return "true" if result else "false"
    return result if node["type"] == "switch" else otherwise


def stands_for(node: Document, result: Any) -> bool:
    """Whether a result can be the node's output."""
    with_ = node["with"]
    match node["type"]:
        case "if":
            return isinstance(result, bool)
        case "switch":
            return result in [*(case["outcome"] for case in with_["cases"]), with_.get("default", "done")]
        case "set":
            return isinstance(result, dict) and result.keys() == with_.keys()
        case "parallel":
            return isinstance(result, dict) and result.keys() <= with_["branches"].keys()
        case "foreach":
            return isinstance(result, list)
        case "http.request":
            return isinstance(result, dict) and isinstance(result.get("status"), int)
    return True


def gives(node: Document, result: Any) -> bool:
    """Whether a result can be the node's input."""
    if not isinstance(result, dict) or not result or not result.keys() <= set(INPUT[node["type"]]):
        return False
    if node["type"] == "foreach":
        return isinstance(result["items"], list) and len(result["items"]) <= node["with"].get("max_items", 10_000)
    return node["type"] != "call" or isinstance(result["input"], dict)
