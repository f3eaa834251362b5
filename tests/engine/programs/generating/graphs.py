"""A graph: nodes in listed order, or with edges forward by every outcome and cycles back that a counter ends."""

from __future__ import annotations

from collections.abc import Iterator

from tests.engine.programs.generating.maker import Document, Maker, Place


def graph(maker: Maker, place: Place) -> Document:
    """`{nodes, edges?}`. One that runs beside others begins with what rests."""
    from tests.engine.programs.generating import nodes as make

    nodes: list[Document] = []
    size = 1 + maker.pick(3 if place.depth else 6)
    if place.beside:
        nodes += [make.prefix(maker, place) for _ in range(maker.pick(2))]
        nodes.append(make.node(maker, place, last=False, resting=True))
        size -= 1
    first_free = max(0, len(nodes) - 1)
    for left in range(size, 0, -1):
        if maker.budget > 0:
            nodes.append(make.node(maker, place.rested(), last=left == 1))
    if maker.pick(2) == 0:
        return {"nodes": nodes}
    edges = [edge for at in range(len(nodes)) for edge in _leaving(maker, place.rested(), nodes, at, first_free)]
    if maker.budget > 1 and nodes[-1]["type"] not in make.ENDING and maker.one_in(3):
        edges += _cycle(maker, nodes)
    return {"nodes": nodes, **({"edges": edges} if edges else {})}


def _leaving(maker: Maker, place: Place, nodes: list[Document], at: int, first_free: int) -> Iterator[Document]:
    node, later = nodes[at], [one["id"] for one in nodes[at + 1 :]]
    if at < first_free:
        yield {"from": node["id"], "to": later[0], "on": "done"}
        return
    for outcome in outcomes(node):
        way = maker.pick(5)
        if not later or way == 4 or (outcome in ("error", "timeout") and way > 1):
            continue
        to = maker.one(later) if way else later[0]
        if way in (2, 3) and outcome in {**node["with"].get("signals", {}), **node["with"].get("events", {})}:
            yield {"from": node["id"], "to": to, "on": outcome, "when": f"signal.n >= {3 - maker.pick(3)}"}
            continue
        if way == 3:
            yield {"from": node["id"], "to": maker.one(later), "on": outcome, "when": maker.condition(place)}
        if way != 3 or maker.pick(2):
            yield {"from": node["id"], "to": to, "on": outcome}


def _cycle(maker: Maker, nodes: list[Document]) -> Iterator[Document]:
    """Back from the last node to an earlier one, until a counter has counted."""
    last, back = nodes[-1]["id"], maker.one(nodes)["id"]
    counter = maker.counter()
    count, ask = maker.fresh("set"), maker.fresh("if")
    nodes.append({"id": count, "type": "set", "with": {counter: f"{{{{ vars.{counter} + 1 }}}}"}})
    nodes.append({"id": ask, "type": "if", "with": {"when": f"vars.{counter} < {2 + maker.pick(2)}"}})
    yield {"from": last, "to": count, "on": "done"}
    yield {"from": count, "to": ask, "on": "done"}
    yield {"from": ask, "to": back, "on": "true"}


def outcomes(node: Document) -> list[str]:
    """The outcomes that edges may leave a node on, `error` and `timeout` included; none for `end` and `fail`."""
    with_, kind = node["with"], node["type"]
    if kind in ("fail", "end"):
        return []
    own = {
        "if": ["true", "false"],
        "switch": [*(case["outcome"] for case in with_.get("cases", ())), with_.get("default", "done")],
        "state": [*with_.get("signals", {}), *with_.get("events", {}), *with_.get("after", {})],
        "task": list(with_.get("outcomes", ("completed",))),
        "activity": ["done", "odd"],
        "loop": ["done", "exhausted"],
    }.get(kind, ["done"])
    waits = "timeout" in node or with_.keys() & {"due", "on_timeout"}
    return [*own, "error", *(["timeout"] if waits else [])]
