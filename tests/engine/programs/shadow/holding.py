"""The nodes that hold graphs and are more than one: branches, iterations one after another or beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.engine.programs.shadow.expressions import evaluate, render
from tests.engine.programs.shadow.fibers import Failed, Fiber, Wait
from tests.engine.programs.shadow.frames import Document, Frame, Visit

if TYPE_CHECKING:
    from tests.engine.programs.shadow.walking import Walk


async def parallel(walk: Walk, node: Document, visit: Visit, frame: Frame, fiber: Fiber) -> dict[str, Any]:
    """Run branches beside each other, until enough have ended."""
    branches, join = node["with"]["branches"], node["with"].get("join", "all")
    needed = {"all": len(branches), "any": 1}.get(join, join)
    for name, graph in branches.items():
        walk.spawn(graph, Frame(f"{node['id']}/{name}", frame), fiber, name)
    outputs: dict[str, Any] = {}
    first: Failed | None = None
    for _ in branches:
        name, well, value = await Wait("children", visit.node, visit.number)
        if well:
            outputs[name] = value
        elif node["with"].get("on_error", "fail") == "fail":
            walk.drop(fiber)
            raise value
        else:
            first = first or value
        if len(outputs) == needed:
            break
    walk.drop(fiber)
    if len(outputs) < needed and first is not None:
        raise first
    return outputs


async def foreach(walk: Walk, node: Document, visit: Visit, frame: Frame, fiber: Fiber) -> list[Any]:
    """Go through items, some at once."""
    with_ = node["with"]
    items = render(with_["items"], walk.names(frame))
    if not isinstance(items, list):
        raise Failed("expression_type", node["id"], permanent=True)
    if len(items) > with_.get("max_items", 10_000):
        raise Failed("too_many_items", node["id"], permanent=True)
    outputs: list[Any] = [None] * len(items)
    begun = ended = 0
    while ended < len(items):
        while begun < len(items) and begun - ended < with_.get("concurrency", 1):
            walk.fibers.quiet = 0  # How often it goes round is bounded by its items.
            names = {with_.get("as", "item"): items[begun], "index": begun}
            walk.spawn(with_["body"], Frame(node["id"], frame, names), fiber, begun)
            begun += 1
        index, well, value = await Wait("children", visit.node, visit.number)
        ended += 1
        if well:
            outputs[index] = value
        elif with_.get("on_error", "fail") == "fail":
            walk.drop(fiber)
            raise value
    return outputs


async def loop(walk: Walk, node: Document, frame: Frame, fiber: Fiber) -> tuple[str, Any]:
    """Go round."""
    with_, output = node["with"], None
    limit, iteration = with_.get("max_iterations", 1_000), 1
    while True:
        if "while" in with_ and evaluate(with_["while"], walk.names(frame, {"iteration": iteration})) is not True:
            return "done", output
        if iteration > limit:
            return "exhausted", output
        output = await walk.graph(with_["body"], Frame(node["id"], frame, {"iteration": iteration}), fiber)
        if "until" in with_ and evaluate(with_["until"], walk.names(frame, {"iteration": iteration})) is True:
            return "done", output
        iteration += 1
