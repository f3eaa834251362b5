"""Programs of nodes one after another, for retries."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.engine.programs.generating.maker import Document

KINDS = ("activity", "activity", "set", "if", "fail", "publish", "task")
APPLIES = {
    "activity": ("input", "replace", "output"),
    "set": ("replace", "output"),
    "if": ("replace",),
    "publish": ("input",),
    "task": ("input",),
}
GIVEN = {"activity": "input", "publish": "data", "task": "data"}


@st.composite
def programs(draw: st.DrawFn) -> Document:
    """Nodes in a row; an `if` may leave some out. Some are enhanced."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=2, max_size=6))
    nodes: list[Document] = []
    edges: list[Document] = []
    ids = [f"{kind}{place}" for place, kind in enumerate(kinds)]
    numbers = ("vars.x", "input.n", "vars.x + input.n", "1")
    for place, kind in enumerate(kinds):
        id_ = ids[place]
        others = [f"default(step.{one}.output, 0)" for one in ids if one.startswith("activity") and one != id_]
        value = f"{{{{ {draw(st.sampled_from([*numbers, *others]))} }}}}"
        with_: Document = {
            "activity": {"input": {"v": value}, "name": "work"},
            "publish": {"type": "test.happened", "data": {"v": value}},
            "task": {"title": f"decide {value}", "data": {"v": value}},
        }.get(kind, {"x": value})
        following = [{"from": id_, "to": ids[place + 1], "on": "done"}] if place + 1 < len(kinds) else []
        if kind == "fail":
            with_ = {"code": "no", "message": "no"}
            following = []
        elif kind == "if":
            with_ = {"when": f"{draw(st.sampled_from(('vars.x', 'input.n')))} > {draw(st.integers(0, 3))}"}
            later = ids[place + 1 :]
            if later:
                following = [{"from": id_, "to": draw(st.sampled_from(later)), "on": "true"}, *following]
        node: Document = {"id": id_, "type": kind, "with": with_}
        if kind in APPLIES and draw(st.integers(0, 2)) == 2:
            apply = draw(st.sampled_from(APPLIES[kind]))
            asks: Document = {"connection": "brain", "instructions": f"n is {{{{ {draw(st.sampled_from(numbers))} }}}}"}
            asks |= {"schema": {"type": "object", "properties": {GIVEN[kind]: {}}}} if apply == "input" else {}
            node["enhance"] = {"type": "ai.generate", "apply": apply, "with": asks}
        nodes.append(node)
        edges += following
    return {"format": "weft/v1", "slug": "test", "name": "Test", "vars": {"x": 0}, "nodes": nodes, "edges": edges}
