"""Hypothesis strategies for definitions. `definitions()` gives valid documents that this release executes; others may build on the parts.

Every expression in them can be evaluated with an input from `inputs()`; every cycle goes through a node that waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

Document = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

INPUT_SCHEMA: Document = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "name": {"type": "string"}, "open": {"type": "boolean"}},
    "required": ["n", "name", "open"],
}
CONDITIONS = ("input.n > 3", "input.open", "vars.count < 5", "input.name == 'a' || vars.flag", "size(input.name) > 2")
VALUES = (
    "{{ input.n + 1 }}",
    "{{ input.name }}",
    "n is {{ input.n }}",
    "{{ vars.count }}",
    "{{ {'n': input.n} }}",
    7,
    True,
    None,
    "plain",
    [1, "{{ input.n }}"],
)
DURATIONS = ("1s", "90s", "5m", "2h", "PT30S", "P1DT2H")
ENDING = ("fail", "end")
WAITING = ("wait", "state", "task", "activity", "http.request")


def texts(max_size: int = 20) -> st.SearchStrategy[str]:
    """Texts that can be stored, and hold no template."""
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00{}"), max_size=max_size)


def json_values(max_leaves: int = 20) -> st.SearchStrategy[Any]:
    """Any JSON value that can be stored."""
    leaves = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts()
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(8), inner, max_size=4), max_leaves=max_leaves
    )


def inputs() -> st.SearchStrategy[Document]:
    """Inputs that every document of `definitions()` accepts."""
    return st.fixed_dictionaries({"n": st.integers(-1000, 1000), "name": texts(6), "open": st.booleans()})


@dataclass
class Names:
    """Hands out ids that are unique in one document."""

    used: int = 0
    ids: list[str] = field(default_factory=list)

    def fresh(self, node_type: str) -> str:
        self.used += 1
        self.ids.append(f"{node_type.replace('.', '_')}_{self.used}")
        return self.ids[-1]


def _work(draw: Draw, node_type: str, names: Names, depth: int) -> Document:
    value = st.sampled_from(VALUES)
    condition = st.sampled_from(CONDITIONS)
    duration = st.sampled_from(DURATIONS)
    if node_type == "group":
        return graph(draw, names, depth + 1)
    build: dict[str, Callable[[], Document]] = {
        "set": lambda: {"count": draw(value), "flag": draw(st.booleans())} if draw(st.booleans()) else {"extra": draw(value)},
        "transform": lambda: {"expression": draw(condition)} if draw(st.booleans()) else {"map": {"a": draw(value), "b": 1}},
        "if": lambda: (
            {"when": draw(condition)}
            if draw(st.booleans())
            else {"conditions": {"all": [{"left": "input.n", "op": "gt", "right": draw(st.integers(0, 9))}]}}
        ),
        "switch": lambda: {
            "cases": [{"when": draw(condition), "outcome": f"case_{n}"} for n in range(draw(st.integers(1, 3)))],
            "default": "other",
        },
        "wait": lambda: {"for": draw(duration)} if draw(st.booleans()) else {"until": "2026-01-02T03:04:05Z"},
        "state": lambda: {"signals": {"approved": {}, "refused": {"schema": {"type": "object"}}}, "after": {"late": draw(duration)}},
        "task": lambda: {
            "title": draw(st.sampled_from(("Decide", "Look at {{ input.name }}"))),
            "due": draw(duration),
            "outcomes": ["yes", "no"],
            "candidates": {"roles": ["approver"]},
            "form": {"type": "object", "properties": {"note": {"type": "string"}}},
            "data": {"n": draw(value)},
        },
        "publish": lambda: {"type": "test.happened", "data": {"v": draw(value)}},
        "activity": lambda: {"name": "work", "input": {"v": draw(value)}},
        "http.request": lambda: {"method": "POST", "url": "https://example.com/{{ input.n }}", "body": {"v": draw(value)}},
        "fail": lambda: {"code": "refused", "message": "no: {{ input.name }}"},
        "end": lambda: {"output": {"v": draw(value)}},
    }
    return build[node_type]()


def outcomes(node: Document) -> list[str]:
    """The outcomes a generated node can end with, `error` included; none for `end` and `fail`."""
    named: dict[str, list[str]] = {
        "if": ["true", "false"],
        "switch": [case["outcome"] for case in node["with"].get("cases", [])] + ["other"],
        "state": ["approved", "refused", "late"],
        "task": ["yes", "no"],
        "fail": [],
        "end": [],
    }
    own = named.get(node["type"], ["done"])
    return [*own, "error"] if own else []


def node(draw: Draw, names: Names, depth: int, *, last: bool) -> Document:
    """One node; `end` and `fail` only where nothing is listed after them."""
    types = ["set", "transform", "if", "switch", "wait", "state", "task", "publish", "activity", "http.request"]
    types += ["group"] if depth < 2 else []
    types += list(ENDING) if last else []
    node_type = draw(st.sampled_from(types))
    made: Document = {"id": names.fresh(node_type), "type": node_type}
    made["with"] = _work(draw, node_type, names, depth)
    if draw(st.integers(0, 4)) == 0:
        made["retry"] = {"attempts": draw(st.integers(1, 5)), "delay": "1s", "factor": 2.0}
    if node_type in WAITING and draw(st.integers(0, 4)) == 0:
        made["timeout"] = draw(st.sampled_from(DURATIONS))
    return made


def graph(draw: Draw, names: Names, depth: int) -> Document:
    """`{nodes, edges?}`: listed order, or edges forward on any outcome and back from nodes that wait."""
    size = draw(st.integers(1, 5 if depth == 0 else 3))
    nodes = [node(draw, names, depth, last=place == size - 1) for place in range(size)]
    if draw(st.integers(0, 2)) == 0:
        return {"nodes": nodes}
    return {"nodes": nodes, "edges": list(_edges(draw, nodes))}


def _edges(draw: Draw, nodes: list[Document]) -> Iterator[Document]:
    for place, source in enumerate(nodes):
        later = [target["id"] for target in nodes[place + 1 :]]
        back = [target["id"] for target in nodes[: place + 1]] if source["type"] in WAITING else []
        for outcome in outcomes(source):
            if later and (outcome != "error" or draw(st.integers(0, 3)) == 0):
                if draw(st.integers(0, 3)) == 0:
                    yield {
                        "from": source["id"],
                        "to": draw(st.sampled_from(later)),
                        "on": outcome,
                        "when": draw(st.sampled_from(CONDITIONS)),
                    }
                yield {"from": source["id"], "to": later[0] if draw(st.booleans()) else draw(st.sampled_from(later)), "on": outcome}
            elif back and draw(st.integers(0, 2)) == 0:
                yield {"from": source["id"], "to": draw(st.sampled_from(back)), "on": outcome, "when": draw(st.sampled_from(CONDITIONS))}


def _triggers(draw: Draw) -> list[Document]:
    made: list[Document] = []
    for place in range(draw(st.integers(0, 2))):
        event = draw(st.sampled_from(("invoice.paid", "invoice.*", "*")))
        trigger: Document = {"id": f"on_{place}", "on": "event", "event": event}
        if draw(st.booleans()):
            trigger["when"] = "trigger.payload.amount > 10"
        if draw(st.booleans()):
            trigger["input"] = {"n": "{{ trigger.payload.amount }}", "name": "x", "open": True}
        if draw(st.booleans()):
            trigger["key"] = "{{ trigger.payload.id }}"
        made.append(trigger)
    return made


@st.composite
def definitions(draw: Any) -> Document:
    """Valid documents of node types that are executed, with nested groups, guards, errors caught, and cycles that wait."""
    names = Names()
    document: Document = {
        "format": "weft/v1",
        "slug": draw(st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,20}", fullmatch=True).filter(lambda slug: slug not in RESERVED)),
        "name": draw(texts(30).filter(bool)),
        "input": INPUT_SCHEMA,
        "vars": {"count": 1, "flag": draw(st.booleans())},
        **graph(draw, names, 0),
    }
    if draw(st.booleans()):
        document["triggers"] = _triggers(draw)
    if draw(st.booleans()):
        step = draw(st.sampled_from(names.ids))
        document["output"] = {"last": f"{{{{ default(step.{step}.output, null) }}}}", "n": "{{ input.n }}"}
    if draw(st.booleans()):
        document["labels"] = {"team": draw(texts(10))}
    if draw(st.booleans()):
        document["settings"] = {"max_duration": "P30D", "priority": draw(st.integers(0, 9)), "retention_days": 30}
    if draw(st.booleans()):
        document["x-canvas"] = draw(json_values(5))
    return document


RESERVED = ("executions", "events", "analytics", "rules", "templates", "validate", "import")
