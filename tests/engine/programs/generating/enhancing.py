"""Enhancement points: a model in the place of a node's work, of its input, or of its output."""

from __future__ import annotations

from typing import Any

from tests.engine.programs.generating.maker import Document, Maker, Place

PRODUCES = ("set", "transform", "if", "switch", "group", "parallel", "foreach", "loop", "call", "activity", "http.request")
GIVEN = {"activity": "input", "call": "input", "publish": "data", "task": "data", "foreach": "items", "http.request": "body"}


def enhance(maker: Maker, place: Place, node: Document) -> None:
    """Let a model enhance a node, where it can."""
    ways = [*(("replace", "output") if node["type"] in PRODUCES else ()), *(("input",) if node["type"] in GIVEN else ())]
    if not ways:
        return
    apply = maker.one(ways)
    with_: dict[str, Any] = {"connection": "brain", "instructions": f"n is {{{{ {maker.number(place)} }}}}"}
    if apply == "input":
        with_["schema"] = {"type": "object", "properties": {GIVEN[node["type"]]: {}}}
    if apply == "output" and maker.pick(2):
        with_["input"] = f"{{{{ step.{node['id']}.output }}}}"
    node["enhance"] = {"type": "ai.generate", "with": with_, "apply": apply, **({"min_tier": "enterprise"} if maker.one_in(6) else {})}
